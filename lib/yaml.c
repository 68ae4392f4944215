#include "yaml_int.h"

#include <inttypes.h>
#include <string.h>

int ctr_yaml_parse(const char *name, unsigned line0, const char *text, size_t n,
		   struct ctr_yaml **out, struct ctr_err *e)
{
	ctr_auto_yaml struct ctr_yaml *y = NULL;

	*out = NULL;
	if (n > CTR_YAML_MAX)
		return ctr_fail(e, CTR_FORMAT, "limit", "%s: a document is larger than %zu bytes", name,
				CTR_YAML_MAX);
	y = calloc(1, sizeof *y);
	if (!y)
		return ctr_fail_mem(e);
	y->line0 = line0;
	y->map_step = y->seq_step = 0xff;
	y->text = ctr_yaml_dup(y, text, n);
	y->n = n;
	y->name = ctr_yaml_dup(y, name, strlen(name));
	if (!y->text || !y->name)
		return ctr_fail_mem(e);
	if (ctr_yaml_load(y, e) < 0)
		return -1;
	*out = ctr_give(y);
	return 0;
}

const struct ctr_yaml_node *ctr_yaml_root(const struct ctr_yaml *y)
{
	return y->root;
}

enum ctr_yaml_kind ctr_yaml_kind(const struct ctr_yaml_node *n)
{
	return n ? ctr_yaml_target(n)->kind : CTR_YAML_SCALAR;
}

bool ctr_yaml_is(const struct ctr_yaml_node *n, enum ctr_yaml_kind k)
{
	return n && ctr_yaml_target(n)->kind == k;
}

unsigned ctr_yaml_line(const struct ctr_yaml_node *n)
{
	n = ctr_yaml_target(n);
	return n ? n->doc->line0 + n->line : 0;
}

unsigned ctr_yaml_col(const struct ctr_yaml_node *n)
{
	unsigned col = 1;

	n = ctr_yaml_target(n);
	if (!n)
		return 0;
	for (size_t i = n->at; i > n->doc->base && n->doc->text[i - 1] != '\n'; i--)
		col += ((unsigned char)n->doc->text[i - 1] & 0xc0) != 0x80;
	return col;
}

const struct ctr_yaml_node *ctr_yaml_get(const struct ctr_yaml_node *map, const char *key)
{
	map = ctr_yaml_target(map);
	if (!map || map->kind != CTR_YAML_MAP)
		return NULL;
	for (size_t i = 0; i < map->nview; i++)
		if (strcmp(map->view[i].key, key) == 0)
			return ctr_yaml_target(map->view[i].v);
	return NULL;
}

size_t ctr_yaml_count(const struct ctr_yaml_node *n)
{
	n = ctr_yaml_target(n);
	return n ? n->nview : 0;
}

const struct ctr_yaml_node *ctr_yaml_at(const struct ctr_yaml_node *n, size_t i, const char **key)
{
	n = ctr_yaml_target(n);
	if (key)
		*key = NULL;
	if (!n || i >= n->nview)
		return NULL;
	if (key)
		*key = n->view[i].key;
	return ctr_yaml_target(n->view[i].v);
}

const char *ctr_yaml_text(const struct ctr_yaml_node *n, size_t *len)
{
	n = ctr_yaml_target(n);
	if (len)
		*len = n ? n->len : 0;
	return n ? n->text : NULL;
}

bool ctr_yaml_null(const struct ctr_yaml_node *n)
{
	n = ctr_yaml_target(n);
	return !n || (n->kind == CTR_YAML_SCALAR && ctr_yaml_type(n) == CTR_YAML_NULL);
}

static const char *describe(const struct ctr_yaml_node *n)
{
	static const char *const names[] = {
		[CTR_YAML_NULL] = "null",	 [CTR_YAML_BOOL] = "a boolean",
		[CTR_YAML_INT] = "a number",	 [CTR_YAML_FLOAT] = "a number with a fraction",
		[CTR_YAML_STR] = "a string",
	};

	if (ctr_yaml_odd(n))
		return "a value with a tag that does not fit";
	if (n->kind == CTR_YAML_SCALAR)
		return names[ctr_yaml_type(n)];
	return n->kind == CTR_YAML_MAP ? "a mapping" : "a list";
}

static int wrong(const struct ctr_yaml *y, const struct ctr_yaml_node *n, const char *key,
		 const char *want, struct ctr_err *e)
{
	ctr_yaml_fail(y, n, e, "yaml.type", "'%s' is %s (expected %s)", key, describe(n), want);
	if (n->kind == CTR_YAML_SCALAR && strcmp(want, "a string") == 0 && !ctr_yaml_odd(n))
		ctr_err_fix(e, "put it in quotes");
	return -1;
}

/* The member, NULL when it is absent or null. -1 when `map` is no mapping. */
static int member(const struct ctr_yaml *y, const struct ctr_yaml_node *map, const char *key,
		  const struct ctr_yaml_node **n, struct ctr_err *e)
{
	*n = NULL;
	map = ctr_yaml_target(map);
	if (!map)
		return 0;
	if (map->kind != CTR_YAML_MAP || ctr_yaml_odd(map))
		return ctr_yaml_fail(y, map, e, "yaml.type", "%s (expected a mapping with '%s')",
				     describe(map), key);
	*n = ctr_yaml_get(map, key);
	if (ctr_yaml_null(*n) && !ctr_yaml_odd(*n))
		*n = NULL;
	return 0;
}

int ctr_yaml_str(const struct ctr_yaml *y, const struct ctr_yaml_node *map, const char *key,
		 const char **v, struct ctr_err *e)
{
	const struct ctr_yaml_node *n;

	*v = NULL;
	if (member(y, map, key, &n, e) < 0)
		return -1;
	if (!n)
		return 0;
	if (n->kind != CTR_YAML_SCALAR || ctr_yaml_type(n) != CTR_YAML_STR || ctr_yaml_odd(n))
		return wrong(y, n, key, "a string", e);
	if (strlen(n->text) != n->len)
		return ctr_yaml_fail(y, n, e, "yaml.type", "'%s' has a NUL character", key);
	*v = n->text;
	return 0;
}

int ctr_yaml_int(const struct ctr_yaml *y, const struct ctr_yaml_node *map, const char *key,
		 int64_t lo, int64_t hi, int64_t dflt, int64_t *v, struct ctr_err *e)
{
	const struct ctr_yaml_node *n;
	bool wide;
	int64_t got;

	*v = dflt;
	if (member(y, map, key, &n, e) < 0)
		return -1;
	if (!n)
		return 0;
	if (n->kind != CTR_YAML_SCALAR || ctr_yaml_type(n) != CTR_YAML_INT || ctr_yaml_odd(n))
		return wrong(y, n, key, "a whole number", e);
	ctr_yaml_resolve(n->text, n->len, &got, &wide);
	if (wide || got < lo || got > hi)
		return ctr_yaml_fail(y, n, e, "yaml.range",
				     "'%s' is %s (expected %" PRId64 " to %" PRId64 ")", key, n->text,
				     lo, hi);
	*v = got;
	return 0;
}

int ctr_yaml_bool(const struct ctr_yaml *y, const struct ctr_yaml_node *map, const char *key,
		  bool dflt, bool *v, struct ctr_err *e)
{
	const struct ctr_yaml_node *n;

	*v = dflt;
	if (member(y, map, key, &n, e) < 0)
		return -1;
	if (!n)
		return 0;
	if (n->kind != CTR_YAML_SCALAR || ctr_yaml_type(n) != CTR_YAML_BOOL || ctr_yaml_odd(n))
		return wrong(y, n, key, "true or false", e);
	*v = ctr_yaml_truth(n->text);
	return 0;
}

static int collection(const struct ctr_yaml *y, const struct ctr_yaml_node *map, const char *key,
		      enum ctr_yaml_kind kind, const struct ctr_yaml_node **v, struct ctr_err *e)
{
	*v = NULL;
	if (member(y, map, key, v, e) < 0)
		return -1;
	if (*v && ((*v)->kind != kind || ctr_yaml_odd(*v))) {
		wrong(y, *v, key, kind == CTR_YAML_MAP ? "a mapping" : "a list", e);
		*v = NULL;
		return -1;
	}
	return 0;
}

int ctr_yaml_map(const struct ctr_yaml *y, const struct ctr_yaml_node *map, const char *key,
		 const struct ctr_yaml_node **v, struct ctr_err *e)
{
	return collection(y, map, key, CTR_YAML_MAP, v, e);
}

int ctr_yaml_seq(const struct ctr_yaml *y, const struct ctr_yaml_node *map, const char *key,
		 const struct ctr_yaml_node **v, struct ctr_err *e)
{
	return collection(y, map, key, CTR_YAML_SEQ, v, e);
}

bool ctr_yaml_edited(const struct ctr_yaml *y)
{
	return y->edited;
}
