/* Which files kubelet writes into a volume, and how large they are. */
#include <string.h>

#include "config.h"

/* kubelet refuses a path that leaves the volume or collides with its own names. */
static bool plain_path(const char *s)
{
	if (*s == '\0' || *s == '/' || strncmp(s, "..", 2) == 0 || strlen(s) > 512)
		return false;
	while (s) {
		size_t n = strcspn(s, "/");

		if (n == 0 || (n == 1 && *s == '.') || (n == 2 && strncmp(s, "..", 2) == 0))
			return false;
		s = s[n] ? s + n + 1 : NULL;
	}
	return true;
}

static int add_file(struct pod *p, struct volume *v, const char *path, int64_t size,
		    struct ctr_err *e)
{
	struct vfile *f;

	/* a later source of a projected volume wins */
	for (size_t i = 0; i < v->n_files; i++) {
		if (strcmp(v->files[i].path, path) == 0) {
			v->files[i].size = size;
			return 0;
		}
	}
	if (v->n_files == MANY_NAMES)
		return pod_fail(p, v->node, e, "limit", "more than %d files in a volume", MANY_NAMES);
	f = ARENA_PUSH(&p->mem, v->files, v->n_files);
	if (!f || !(f->path = arena_str(&p->mem, path)))
		return ctr_fail_mem(e);
	f->size = size;
	return 0;
}

struct listing {
	struct pod *p;
	struct volume *v;
	const struct ctr_yaml_node *items; /* NULL: every key */
	const char *key, *path;		   /* the item looked for */
	bool found;
};

static int each_key(void *ctx, const char *key, const char *value, size_t n, bool text,
		    struct ctr_err *e)
{
	struct listing *l = ctx;

	(void)value;
	(void)text;
	if (!l->items)
		return add_file(l->p, l->v, key, (int64_t)n, e);
	if (strcmp(key, l->key) != 0)
		return 0;
	l->found = true;
	return add_file(l->p, l->v, l->path, (int64_t)n, e);
}

/* Items of a ConfigMap or Secret: key and path. */
static int some_keys(struct listing *l, const struct config *c, bool optional, struct ctr_err *e)
{
	const struct ctr_yaml_node *it;

	for (size_t i = 0; (it = ctr_yaml_at(l->items, i, NULL)); i++) {
		if (pod_str(l->p, it, "key", &l->key, e) < 0 ||
		    pod_str(l->p, it, "path", &l->path, e) < 0)
			return -1;
		if (!plain_path(l->path))
			return pod_fail(l->p, it, e, "volume.path",
					"item path \"%s\" is not a relative path inside the volume",
					l->path);
		l->found = false;
		if (!c->y) {
			if (add_file(l->p, l->v, l->path, -1, e) < 0)
				return -1;
			continue;
		}
		if (config_each(c, each_key, l, e) < 0)
			return -1;
		if (!l->found && !optional)
			return pod_fail(l->p, it, e, "config.key", "no key \"%s\" in %s", l->key,
					c->secret ? "the Secret" : "the ConfigMap");
	}
	return 0;
}

static int from_config(struct pod *p, const struct pod_source *src, struct volume *v,
		       const struct ctr_yaml_node *at, bool secret, const char *name_key,
		       struct ctr_err *e)
{
	struct listing l = { .p = p, .v = v };
	struct config c;
	const char *name;
	bool optional, root_ca;

	if (pod_str(p, at, name_key, &name, e) < 0 ||
	    ctr_yaml_bool(p->y, at, "optional", false, &optional, e) < 0 ||
	    ctr_yaml_seq(p->y, at, "items", &l.items, e) < 0 ||
	    config_find(p, src, secret, name, &c, e) < 0)
		return -1;
	/* every namespace has this one; it comes with each service account token */
	root_ca = !secret && strcmp(name, "kube-root-ca.crt") == 0;
	v->config = v->config || !root_ca;
	if (root_ca && !c.y && !l.items)
		return add_file(p, v, "ca.crt", -1, e);
	if (!c.y && optional)
		return 0;
	if (!c.y && !root_ca)
		pod_warn(p, src, at, "config.absent",
			 "%s \"%s\" is not in the input: sizes of its files are not held",
			 secret ? "Secret" : "ConfigMap", name);
	if (l.items)
		return some_keys(&l, &c, optional, e);
	return c.y ? config_each(&c, each_key, &l, e) : add_file(p, v, "*", -1, e);
}

/* downwardAPI: the files are known, what is in them is not. */
static int from_items(struct pod *p, struct volume *v, const struct ctr_yaml_node *at,
		      struct ctr_err *e)
{
	const struct ctr_yaml_node *items, *it;
	const char *path;

	if (ctr_yaml_seq(p->y, at, "items", &items, e) < 0)
		return -1;
	for (size_t i = 0; (it = ctr_yaml_at(items, i, NULL)); i++) {
		if (pod_str(p, it, "path", &path, e) < 0)
			return -1;
		if (!plain_path(path))
			return pod_fail(p, it, e, "volume.path",
					"item path \"%s\" is not a relative path inside the volume",
					path);
		if (add_file(p, v, path, -1, e) < 0)
			return -1;
	}
	return 0;
}

static int one_path(struct pod *p, struct volume *v, const struct ctr_yaml_node *at,
		    struct ctr_err *e)
{
	const char *path;

	if (pod_str(p, at, "path", &path, e) < 0)
		return -1;
	if (!plain_path(path))
		return pod_fail(p, at, e, "volume.path",
				"path \"%s\" is not a relative path inside the volume", path);
	return add_file(p, v, path, -1, e);
}

static int one_source(struct pod *p, const struct pod_source *src, struct volume *v,
		      const struct ctr_yaml_node *at, const char *kind, bool projected,
		      struct ctr_err *e);

static int from_sources(struct pod *p, const struct pod_source *src, struct volume *v,
			const struct ctr_yaml_node *at, struct ctr_err *e)
{
	const struct ctr_yaml_node *sources, *s, *inner;
	const char *kind;

	if (ctr_yaml_seq(p->y, at, "sources", &sources, e) < 0)
		return -1;
	for (size_t i = 0; (s = ctr_yaml_at(sources, i, NULL)); i++) {
		for (size_t k = 0; (inner = ctr_yaml_at(s, k, &kind)); k++) {
			if (!ctr_yaml_null(inner) &&
			    one_source(p, src, v, inner, kind, true, e) < 0)
				return -1;
		}
	}
	return 0;
}

static int one_source(struct pod *p, const struct pod_source *src, struct volume *v,
		      const struct ctr_yaml_node *at, const char *kind, bool projected,
		      struct ctr_err *e)
{
	if (strcmp(kind, "configMap") == 0)
		return from_config(p, src, v, at, false, "name", e);
	if (strcmp(kind, "secret") == 0)
		return from_config(p, src, v, at, true, projected ? "name" : "secretName", e);
	if (strcmp(kind, "downwardAPI") == 0)
		return from_items(p, v, at, e);
	if (strcmp(kind, "projected") == 0 && !projected)
		return from_sources(p, src, v, at, e);
	if (projected &&
	    (strcmp(kind, "serviceAccountToken") == 0 || strcmp(kind, "clusterTrustBundle") == 0))
		return one_path(p, v, at, e);
	return pod_fail(p, at, e, "volume.kind", "unsupported source \"%s\" of a volume", kind);
}

int volume_files(struct pod *p, const struct pod_source *src, struct volume *v, struct ctr_err *e)
{
	static const char *const kinds[] = { "configMap", "secret", "projected", "downwardAPI" };

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		const struct ctr_yaml_node *at = ctr_yaml_get(v->node, kinds[i]);

		if (!ctr_yaml_null(at))
			return one_source(p, src, v, at, kinds[i], false, e);
	}
	return 0;
}
