#include <string.h>

#include "cmd.h"
#include "enc.h"
#include "manifest.h"
#include "merge.h"
#include "rd.h"

static const struct ctr_opt opts[] = {
	{ 1, "json", 0, NULL, "differences as JSON" },
	{ 0 },
};

/* Two manifests, and what was found different between them. */
struct work {
	const struct ctr_manifest *old, *new;
	bool json;
	size_t n;
	struct ctr_buf *out;
	struct ctr_err *e; /* the first failure */
};

static void add_value(struct ctr_buf *b, const struct ctr_json *j, struct ctr_err *e)
{
	if (ctr_json_print(j, 0, b, e) < 0)
		b->bad = CTR_BUF_MEMORY;
}

/*
 * One difference at a JSON path. A NULL value is not there: `old` NULL means added, `new` NULL removed.
 * Text: a sign, the path and the values; JSON: an item of the array that cmd_diff puts around.
 */
static void differ(struct work *w, const char *path, const struct ctr_json *old,
		   const struct ctr_json *new)
{
	const char *what = !old ? "added" : !new ? "removed" : "changed";

	if (w->json) {
		ctr_buf_addf(w->out, "%s\n  {\"change\": \"%s\", \"path\": ", w->n ? "," : "", what);
		ctr_json_quote(w->out, path, strlen(path));
		if (old) {
			ctr_buf_adds(w->out, ", \"old\": ");
			add_value(w->out, old, w->e);
		}
		if (new) {
			ctr_buf_adds(w->out, ", \"new\": ");
			add_value(w->out, new, w->e);
		}
		ctr_buf_addc(w->out, '}');
	} else {
		ctr_buf_addf(w->out, "%c %s: ", !old ? '+' : !new ? '-' : '~', path);
		if (old)
			add_value(w->out, old, w->e);
		if (old && new)
			ctr_buf_adds(w->out, " -> ");
		if (new)
			add_value(w->out, new, w->e);
		ctr_buf_addc(w->out, '\n');
	}
	w->n++;
}

static void compare(struct work *w, const struct ctr_jval *a, const struct ctr_jval *b);

/* Items at the same place, members of the same name; the order of members is the old one's. */
static void compare_children(struct work *w, const struct ctr_jval *a, const struct ctr_jval *b)
{
	struct ctr_jval x, y;

	if (ctr_jtype(a) == CTR_JSON_ARRAY) {
		for (x = ctr_jfirst(a), y = ctr_jfirst(b); x.v || y.v;) {
			compare(w, &x, &y);
			x = x.v ? ctr_jnext(&x) : x;
			y = y.v ? ctr_jnext(&y) : y;
		}
		return;
	}
	for (x = ctr_jfirst(a); x.v; x = ctr_jnext(&x)) {
		y = ctr_jget(b, x.key);
		compare(w, &x, &y);
	}
	for (y = ctr_jfirst(b); y.v; y = ctr_jnext(&y)) {
		x = ctr_jget(a, y.key);
		if (!x.v)
			compare(w, &x, &y);
	}
}

static void compare(struct work *w, const struct ctr_jval *a, const struct ctr_jval *b)
{
	ctr_auto_buf struct ctr_buf path = { 0 };

	if (a->v && b->v && ctr_json_equal(a->v, b->v))
		return;
	if (a->v && b->v && ctr_jtype(a) == ctr_jtype(b) &&
	    (ctr_jtype(a) == CTR_JSON_OBJECT || ctr_jtype(a) == CTR_JSON_ARRAY)) {
		compare_children(w, a, b);
		return;
	}
	ctr_jpath(a->v ? a : b, &path);
	if (ctr_buf_ok(&path, "path", w->e) == 0)
		differ(w, ctr_buf_str(&path), a->v, b->v);
}

/* A policy as a tree, so that it is compared and shown like everything else. NULL: w->e says why. */
static struct ctr_json *tree(struct work *w, const struct ctr_manifest_policy *p)
{
	ctr_auto_json struct ctr_json *j = ctr_json_new_object();
	struct ctr_json *sans = j ? ctr_json_set_array(j, "SANs") : NULL;
	bool ok = sans != NULL;

	for (size_t i = 0; ok && i < p->n_sans; i++)
		ok = ctr_json_add_string(sans, p->sans[i]) != NULL;
	if (ok && *p->secret_id)
		ok = ctr_json_set_string(j, "WorkloadSecretID", p->secret_id) != NULL;
	if (ok && p->role == CTR_ROLE_COORDINATOR)
		ok = ctr_json_set_string(j, "Role", "coordinator") != NULL;
	if (!ok) {
		ctr_fail_mem(w->e);
		return NULL;
	}
	return ctr_give(j);
}

/* A policy at its place in the manifest; a and b may be NULL for "not there". */
static void compare_entries(struct work *w, const uint8_t *hash, const struct ctr_json *a,
			    const struct ctr_json *b)
{
	ctr_auto_buf struct ctr_buf key = { 0 };
	struct ctr_jval root = ctr_jroot(NULL), policies = { .up = &root, .key = "Policies" };
	struct ctr_jval x = { .v = a, .up = &policies }, y = { .v = b, .up = &policies };

	ctr_hex_add(&key, hash, CTR_SHA256_SIZE);
	x.key = y.key = ctr_buf_str(&key);
	if (ctr_buf_ok(&key, "hash", w->e) == 0)
		compare(w, &x, &y);
}

/* The hash of a workload changed. */
static void differ_hash(struct work *w, const struct ctr_manifest_policy *old,
			const struct ctr_manifest_policy *new)
{
	ctr_auto_buf struct ctr_buf path = { 0 }, a = { 0 }, b = { 0 };
	ctr_auto_json struct ctr_json *pair = ctr_json_new_array();
	struct ctr_json *from, *to;

	ctr_hex_add(&a, old->hash, sizeof old->hash);
	ctr_hex_add(&b, new->hash, sizeof new->hash);
	ctr_buf_addf(&path, "$.Policies(%s)", new->secret_id);
	from = ctr_json_add_string(pair, ctr_buf_str(&a));
	to = ctr_json_add_string(pair, ctr_buf_str(&b));
	if (ctr_buf_ok(&path, "path", w->e) == 0 && ctr_buf_ok(&a, "hash", w->e) == 0 &&
	    ctr_buf_ok(&b, "hash", w->e) == 0 && from && to)
		differ(w, ctr_buf_str(&path), from, to);
	else
		ctr_fail_mem(w->e);
}

/* The entries of one workload, `new` NULL when it is gone; with the same hash only their fields can differ. */
static void compare_policies(struct work *w, const struct ctr_manifest_policy *old,
			     const struct ctr_manifest_policy *new)
{
	ctr_auto_json struct ctr_json *a = tree(w, old), *b = new ? tree(w, new) : NULL;

	if (!a || (new && !b))
		return;
	if (new && !ctr_same(old->hash, new->hash, sizeof old->hash))
		differ_hash(w, old, new);
	compare_entries(w, new ? new->hash : old->hash, a, b);
}

static void new_policy(struct work *w, const struct ctr_manifest_policy *new)
{
	ctr_auto_json struct ctr_json *b = tree(w, new);

	if (b)
		compare_entries(w, new->hash, NULL, b);
}

static int by_hash(const void *a, const void *b)
{
	const struct ctr_manifest_policy *const *x = a, *const *y = b;

	return ctr_sha256_order((*x)->hash, (*y)->hash);
}

/* One of the two manifests, its policies in the order of hashes and of workload secret IDs. */
struct side {
	const struct ctr_manifest *m;
	struct ctr_manifest_policy **by_hash, **by_secret;
};

static int sort_side(struct side *s, struct ctr_err *e)
{
	size_t n = s->m->n_policies;

	if (merge_index(s->m, &s->by_secret, e) < 0)
		return -1;
	s->by_hash = malloc((n + 1) * sizeof *s->by_hash);
	if (!s->by_hash)
		return ctr_fail_mem(e);
	memcpy(s->by_hash, s->by_secret, n * sizeof *s->by_hash);
	qsort(s->by_hash, n, sizeof *s->by_hash, by_hash);
	return 0;
}

/* What p of one side is on the other: the same hash, or else the one new hash of the same workload. */
static const struct ctr_manifest_policy *twin(const struct side *from, const struct side *to,
					      const struct ctr_manifest_policy *p)
{
	const struct ctr_manifest_policy *q = ctr_manifest_find(to->m, p->hash);

	if (q || !merge_lookup(from->by_secret, from->m->n_policies, p->secret_id))
		return q;
	q = merge_lookup(to->by_secret, to->m->n_policies, p->secret_id);
	return q && !ctr_manifest_find(from->m, q->hash) ? q : NULL;
}

static int policies(struct work *w, struct ctr_err *e)
{
	struct side old = { .m = w->old }, new = { .m = w->new };
	int rc = -1;

	if (sort_side(&old, e) == 0 && sort_side(&new, e) == 0) {
		rc = 0;
		for (size_t i = 0; i < old.m->n_policies; i++)
			compare_policies(w, old.by_hash[i], twin(&old, &new, old.by_hash[i]));
		for (size_t i = 0; i < new.m->n_policies; i++) {
			if (!twin(&new, &old, new.by_hash[i]))
				new_policy(w, new.by_hash[i]);
		}
	}
	free(old.by_hash);
	free(old.by_secret);
	free(new.by_hash);
	free(new.by_secret);
	return rc;
}

/* Everything but the policies, as one tree. */
static int rest(const struct ctr_manifest *m, struct ctr_json **j, struct ctr_err *e)
{
	struct ctr_manifest view = *m; /* borrowed, never freed */
	ctr_auto_buf struct ctr_buf b = { 0 };

	*j = NULL;
	view.n_policies = 0;
	if (ctr_manifest_print(&view, &b, e) < 0)
		return -1;
	return ctr_json_parse("manifest", b.p, b.n, j, e);
}

static int run(struct work *w, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *a = NULL, *b = NULL;
	struct ctr_jval x, y;

	if (w->json)
		ctr_buf_addc(w->out, '[');
	if (policies(w, e) < 0 || rest(w->old, &a, e) < 0 || rest(w->new, &b, e) < 0)
		return -1;
	x = ctr_jroot(a);
	y = ctr_jroot(b);
	compare(w, &x, &y);
	if (w->json)
		ctr_buf_adds(w->out, w->n ? "\n]\n" : "]\n");
	if (e->code != CTR_OK || ctr_buf_ok(w->out, "differences", e) < 0)
		return -1;
	return w->n == 0 ? 0 : ctr_fail(e, CTR_NO, "diff.differs", "%zu difference%s",
					   w->n, w->n == 1 ? "" : "s");
}

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct work *w = ctx;

	(void)id;
	(void)value;
	(void)e;
	w->json = true;
	return 0;
}

int cmd_diff(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_manifest struct ctr_manifest old = { 0 }, new = { 0 };
	struct work w = { .old = &old, .new = &new, .out = out, .e = e };
	int first = 0;

	t->synopsis = "[--json] OLD NEW";
	t->summary = "Shows how two manifests differ, workload by workload and value by value.";
	t->example = "ctr-manifest diff old.json manifest.json";
	t->opts = opts;
	if (ctr_tool_opts(t, argc, argv, on_opt, &w, &first, e) < 0)
		return -1;
	if (t->served)
		return 0;
	if (argc - first != 2)
		return ctr_fail(e, CTR_USAGE, "usage", "two manifests are needed");
	if (ctr_manifest_load(argv[first], &old, e) < 0 ||
	    ctr_manifest_load(argv[first + 1], &new, e) < 0)
		return -1;
	return run(&w, e);
}
