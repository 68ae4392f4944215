#include "oci_json.h"

#include <string.h>
#include <strings.h>

void ctr_strs_fini(struct ctr_strs *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i]);
	free(s->v);
	*s = (struct ctr_strs){ NULL, 0 };
}

void ctr_oci_config_fini(struct ctr_oci_config *c)
{
	free(c->user);
	free(c->workdir);
	ctr_strs_fini(&c->env);
	ctr_strs_fini(&c->entrypoint);
	ctr_strs_fini(&c->cmd);
	ctr_strs_fini(&c->volumes);
	ctr_strs_fini(&c->diff_ids);
	*c = (struct ctr_oci_config){ 0 };
}

/*
 * Go's reader, which containerd is built on, takes "user" for "User", Rust's, which the guest is
 * built on, does not: a document that the two read differently is refused.
 */
static int no_lookalikes(const struct ctr_jval *obj, const char *const *keys, struct ctr_err *e)
{
	for (struct ctr_jval v = ctr_jfirst(obj); v.v; v = ctr_jnext(&v)) {
		for (const char *const *k = keys; *k; k++) {
			if (strcmp(v.key, *k) != 0 && strcasecmp(v.key, *k) == 0)
				return ctr_jfail(&v, e, "image.config", "the key is spelled \"%s\"",
						 *k);
		}
	}
	return 0;
}

static int strings(const struct ctr_jval *obj, const char *key, struct ctr_strs *s,
		   struct ctr_err *e)
{
	struct ctr_jval list = ctr_jget(obj, key);
	size_t n;

	if (ctr_oci_array(&list, CTR_OCI_ENTRIES, &n, e) < 0)
		return -1;
	if (n == 0)
		return 0;
	s->v = calloc(n, sizeof *s->v);
	if (!s->v)
		return ctr_fail_mem(e);
	for (struct ctr_jval v = ctr_jfirst(&list); v.v; v = ctr_jnext(&v)) {
		if (ctr_oci_strdup(&v, &s->v[s->n], e) < 0)
			return -1;
		s->n++;
	}
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static int keys_of(const struct ctr_jval *obj, const char *key, struct ctr_strs *s,
		   struct ctr_err *e)
{
	struct ctr_jval map = ctr_jget(obj, key);
	size_t n;

	if (!ctr_jhas(&map))
		return 0;
	if (ctr_jobject(&map, e) < 0)
		return -1;
	n = ctr_jcount(&map);
	if (n > CTR_OCI_ENTRIES)
		return ctr_jfail(&map, e, "limit", "%zu members (at most %d)", n, CTR_OCI_ENTRIES);
	s->v = calloc(n ? n : 1, sizeof *s->v);
	if (!s->v)
		return ctr_fail_mem(e);
	for (struct ctr_jval v = ctr_jfirst(&map); v.v; v = ctr_jnext(&v)) {
		s->v[s->n] = strdup(v.key);
		if (!s->v[s->n])
			return ctr_fail_mem(e);
		s->n++;
	}
	qsort(s->v, s->n, sizeof *s->v, by_bytes);
	return 0;
}

static int run_config(const struct ctr_jval *v, struct ctr_oci_config *c, struct ctr_err *e)
{
	static const char *const keys[] = { "User",    "Env",	     "Entrypoint", "Cmd",
					    "Volumes", "WorkingDir", NULL };
	struct ctr_jval user = { 0 }, workdir = { 0 };

	if (ctr_jhas(v)) {
		if (ctr_jobject(v, e) < 0 || no_lookalikes(v, keys, e) < 0)
			return -1;
		user = ctr_jget(v, "User");
		workdir = ctr_jget(v, "WorkingDir");
	}
	if (ctr_oci_strdup(&user, &c->user, e) < 0 || ctr_oci_strdup(&workdir, &c->workdir, e) < 0)
		return -1;
	if (!ctr_jhas(v))
		return 0;
	if (strings(v, "Env", &c->env, e) < 0 || strings(v, "Entrypoint", &c->entrypoint, e) < 0 ||
	    strings(v, "Cmd", &c->cmd, e) < 0)
		return -1;
	return keys_of(v, "Volumes", &c->volumes, e);
}

static int rootfs(const struct ctr_jval *root, struct ctr_oci_config *c, struct ctr_err *e)
{
	struct ctr_jval fs = ctr_jget(root, "rootfs"), type, list;
	const char *s;

	if (ctr_jobject(&fs, e) < 0)
		return -1;
	type = ctr_jget(&fs, "type");
	if (ctr_jstring(&type, &s, e) < 0)
		return -1;
	if (strcmp(s, "layers") != 0)
		return ctr_jfail(&type, e, "image.config", "\"%s\" (expected \"layers\")", s);
	if (strings(&fs, "diff_ids", &c->diff_ids, e) < 0)
		return -1;
	list = ctr_jget(&fs, "diff_ids");
	for (struct ctr_jval v = ctr_jfirst(&list); c->diff_ids.n > 0 && v.v; v = ctr_jnext(&v)) {
		if (ctr_oci_digest_at(&v, &s, e) < 0)
			return -1;
	}
	return 0;
}

int ctr_oci_config_parse(const char *name, const char *p, size_t n, struct ctr_oci_config *c,
			 struct ctr_err *e)
{
	static const char *const keys[] = { "architecture", "os",     "variant",
					    "config",	    "rootfs", NULL };
	ctr_auto_json struct ctr_json *j = NULL;
	struct ctr_jval root, run;

	*c = (struct ctr_oci_config){ 0 };
	if (ctr_json_parse(name, p, n, &j, e) < 0)
		return -1;
	root = ctr_jroot(j);
	run = ctr_jget(&root, "config");
	if (ctr_jobject(&root, e) < 0 || no_lookalikes(&root, keys, e) < 0 ||
	    ctr_oci_platform_at(&root, &c->platform, e) < 0 || run_config(&run, c, e) < 0 ||
	    rootfs(&root, c, e) < 0) {
		ctr_oci_config_fini(c);
		return ctr_wrap(e, "%s", name);
	}
	return 0;
}
