#include "config.h"

#include <string.h>

#include "enc.h"

int config_find(const struct pod *p, const struct pod_source *src, bool secret, const char *name,
		struct config *c, struct ctr_err *e)
{
	*c = (struct config){ .secret = secret };
	return refs_find(src->refs, secret ? CTR_K8S_SECRET : CTR_K8S_CONFIGMAP, p->obj->ns, name,
			 &c->y, &c->root, e);
}

static int decoded(const struct config *c, const struct ctr_yaml_node *v, const char *key,
		   const char *s, size_t n, config_fn fn, void *ctx, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf plain = { .wipe = true }, packed = { .wipe = true };
	struct ctr_err why = { 0 };

	/* `kubectl create secret --dry-run` and people wrap long values */
	for (size_t i = 0; i < n; i++) {
		if (s[i] != '\n' && s[i] != '\r')
			ctr_buf_addc(&packed, s[i]);
	}
	if (ctr_buf_ok(&packed, "value", e) < 0)
		return -1;
	if (ctr_base64_parse(ctr_buf_str(&packed), packed.n, &plain, &why) < 0)
		return ctr_yaml_fail(c->y, v, e, "config.base64", "%s: %s", key, why.msg);
	return fn(ctx, key, ctr_buf_str(&plain), plain.n, c->secret, e);
}

static int section(const struct config *c, const char *name, bool base64,
		   const struct ctr_yaml_node *hidden, config_fn fn, void *ctx, struct ctr_err *e)
{
	const struct ctr_yaml_node *map, *v;
	const char *key, *s;
	size_t n;

	if (ctr_yaml_map(c->y, c->root, name, &map, e) < 0)
		return -1;
	for (size_t i = 0; (v = ctr_yaml_at(map, i, &key)); i++) {
		int rc;

		if (hidden && ctr_yaml_get(hidden, key))
			continue;
		s = ctr_yaml_text(v, &n);
		if (!s || (ctr_yaml_type(v) != CTR_YAML_STR && !ctr_yaml_null(v)))
			return ctr_yaml_fail(c->y, v, e, "yaml.type", "%s: expected a string", key);
		if (ctr_yaml_null(v))
			n = 0;
		rc = base64 ? decoded(c, v, key, s, n, fn, ctx, e)
			    : fn(ctx, key, s, n, strcmp(name, "binaryData") != 0, e);
		if (rc < 0)
			return -1;
	}
	return 0;
}

int config_each(const struct config *c, config_fn fn, void *ctx, struct ctr_err *e)
{
	if (!c->secret)
		return section(c, "data", false, NULL, fn, ctx, e) < 0
			       ? -1
			       : section(c, "binaryData", true, NULL, fn, ctx, e);
	if (section(c, "data", true, ctr_yaml_get(c->root, "stringData"), fn, ctx, e) < 0)
		return -1;
	return section(c, "stringData", false, NULL, fn, ctx, e);
}
