/* Names that controllers give their pods (Kubernetes' generated names), as patterns. */
#include <string.h>

#include "pod.h"

#define R "[b-df-hj-np-tv-xz24-9]" /* bcdfghjklmnpqrstvwxz2456789 */
#define R5 R "{5}"
#define LABEL "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"

/* A generated name is at most this of its base, then five characters. */
#define BASE_MAX ((size_t)58)
#define HOSTNAME_MAX ((size_t)63)

static void escaped(struct ctr_buf *b, const char *s, size_t max)
{
	size_t n = strlen(s);

	val_escape(b, s, n < max ? n : max);
}

/*
 * name "-" MIDDLE "-" cut at BASE_MAX, then the random part. MIDDLE is up to `longest` of the class
 * `set`, so where the cut falls depends on its length.
 */
static void with_middle(struct ctr_buf *b, const char *s, const char *set, size_t longest)
{
	size_t n = strlen(s), room = n + 1 < BASE_MAX ? BASE_MAX - n - 1 : 0;

	escaped(b, s, BASE_MAX);
	if (n < BASE_MAX)
		ctr_buf_addc(b, '-');
	if (room > longest)
		ctr_buf_addf(b, "%s{1,%zu}-", set, longest);
	else if (room > 1)
		ctr_buf_addf(b, "(%s{1,%zu}-|%s{%zu})", set, room - 1, set, room);
	else if (room == 1)
		ctr_buf_adds(b, set);
	ctr_buf_adds(b, R5);
}

/* name "-", or name "-" INDEX "-" with the name cut to make room for the index. */
static void with_index(struct ctr_buf *b, const char *s)
{
	size_t n = strlen(s);

	ctr_buf_addc(b, '(');
	escaped(b, s, BASE_MAX);
	ctr_buf_adds(b, n < BASE_MAX ? "-|" : "|");
	for (size_t digits = 1; digits <= 10; digits++) {
		if (n + digits + 2 <= BASE_MAX && digits < 10)
			continue; /* not cut: one branch for all these at the end */
		escaped(b, s, BASE_MAX - digits - 2);
		ctr_buf_addf(b, "-[0-9]{%zu}-|", digits);
	}
	escaped(b, s, BASE_MAX - 3);
	ctr_buf_addf(b, "-[0-9]{1,%d}-)" R5, 10);
}

static void by_kind(struct ctr_buf *b, enum ctr_k8s_kind kind, const char *s)
{
	size_t n = strlen(s);

	switch (kind) {
	case CTR_K8S_DEPLOYMENT:
		with_middle(b, s, R, 10);
		return;
	case CTR_K8S_STATEFULSET:
		escaped(b, s, n);
		ctr_buf_adds(b, "-[0-9]{1,10}");
		return;
	case CTR_K8S_JOB:
		if (n + 12 <= BASE_MAX) {
			escaped(b, s, n);
			ctr_buf_adds(b, "(-[0-9]{1,10})?-" R5);
		} else {
			with_index(b, s);
		}
		return;
	case CTR_K8S_CRONJOB:
		if (n + 25 <= BASE_MAX) {
			escaped(b, s, n);
			ctr_buf_adds(b, "-[0-9]{1,12}(-[0-9]{1,10})?-" R5);
		} else {
			with_middle(b, s, "[0-9]", 12);
		}
		return;
	default:
		escaped(b, s, BASE_MAX);
		if (n < BASE_MAX)
			ctr_buf_addc(b, '-');
		ctr_buf_adds(b, R5);
	}
}

static void name_pattern(const struct ctr_k8s_obj *o, struct ctr_buf *b)
{
	if (o->type == CTR_K8S_POD && o->name) {
		escaped(b, o->name, SIZE_MAX);
	} else if (o->type == CTR_K8S_POD) {
		escaped(b, o->generate_name, BASE_MAX);
		ctr_buf_adds(b, R5);
	} else if (o->name) {
		by_kind(b, o->type, o->name);
	} else {
		/* a controller with a generated name: its pods' names start with the same text */
		escaped(b, o->generate_name, BASE_MAX - 22);
		ctr_buf_adds(b, "[-a-z0-9.]{5,63}");
	}
}

static void hostname_pattern(const struct pod *p, struct ctr_buf *b)
{
	const char *s = p->hostname ? p->hostname : p->obj->name;
	size_t n = s ? strlen(s) : 0;

	if (!p->hostname && (p->obj->type != CTR_K8S_POD || n <= HOSTNAME_MAX)) {
		ctr_buf_adds(b, p->name_pattern);
		return;
	}
	n = n < HOSTNAME_MAX ? n : HOSTNAME_MAX;
	while (n > 0 && (s[n - 1] == '-' || s[n - 1] == '.'))
		n--;
	val_escape(b, s, n);
}

int pod_names(struct pod *p, struct ctr_err *e)
{
	struct ctr_buf b = { 0 };

	if (ctr_yaml_str(p->y, p->obj->spec, "hostname", &p->hostname, e) < 0)
		return -1;
	if (p->hostname && !ctr_k8s_label(p->hostname))
		return pod_fail(p, ctr_yaml_get(p->obj->spec, "hostname"), e, "k8s.name",
				"hostname is no DNS label");
	name_pattern(p->obj, &b);
	p->name_pattern = arena_buf(&p->mem, &b);
	if (p->name_pattern)
		hostname_pattern(p, &b);
	p->hostname_pattern = arena_buf(&p->mem, &b);
	p->ns_pattern = p->obj->ns ? arena_str(&p->mem, p->obj->ns) : LABEL;
	return p->name_pattern && p->hostname_pattern && p->ns_pattern ? 0 : ctr_fail_mem(e);
}
