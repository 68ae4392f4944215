/* The shape of the tree: aliases, duplicate keys, merge keys, equality. */
#include "yaml_int.h"

#include <string.h>

#include "rd.h"

struct ctr_yaml_node *ctr_yaml_target(const struct ctr_yaml_node *n)
{
	if (!n)
		return NULL;
	return n->to ? n->to : n->self;
}

/* A member on its way into a set: `at` is its place among all. */
struct cand {
	const struct ctr_yaml_ent *ent;
	size_t at;
	bool drop;
};

static int by_key(const void *a, const void *b)
{
	const struct cand *x = a, *y = b;
	int c = strcmp(x->ent->key, y->ent->key);

	return c ? c : (x->at > y->at) - (x->at < y->at);
}

static int by_place(const void *a, const void *b)
{
	const struct cand *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

int ctr_yaml_twice(const struct ctr_yaml_node *map, const struct ctr_yaml_ent **twice,
		   struct ctr_err *e)
{
	const struct ctr_yaml_ent *ents = map->ents;
	struct cand *c;

	*twice = NULL;
	if (map->n <= 16) {
		for (size_t i = 1; i < map->n; i++)
			for (size_t j = 0; j < i; j++)
				if (strcmp(ents[i].key, ents[j].key) == 0 &&
				    ents[i].merge == ents[j].merge)
					*twice = &ents[i];
		return 0;
	}
	c = calloc(map->n, sizeof *c);
	if (!c)
		return ctr_fail_mem(e);
	for (size_t i = 0; i < map->n; i++)
		c[i] = (struct cand){ &ents[i], i, false };
	qsort(c, map->n, sizeof *c, by_key);
	for (size_t i = 1; i < map->n && !*twice; i++)
		if (strcmp(c[i].ent->key, c[i - 1].ent->key) == 0 &&
		    c[i].ent->merge == c[i - 1].ent->merge)
			*twice = c[i].ent;
	free(c);
	return 0;
}

/* Calls for each mapping that the merge key's value names: -1 when one is no mapping. */
static int sources(const struct ctr_yaml_ent *merge, size_t i, const struct ctr_yaml_node **map)
{
	const struct ctr_yaml_node *v = ctr_yaml_target(merge->v);

	*map = NULL;
	if (v->kind == CTR_YAML_SEQ && !merge->v->to) {
		if (i >= v->n)
			return 0;
		*map = ctr_yaml_target(v->ents[i].v);
	} else if (i == 0) {
		*map = v;
	}
	return !*map || (*map)->kind == CTR_YAML_MAP ? 0 : -1;
}

/* All members that take part, own ones first. Fills c (room for all) unless it is NULL; returns how many. */
static size_t gather(const struct ctr_yaml_node *map, struct cand *c)
{
	const struct ctr_yaml_node *from;
	size_t n = 0;

	for (size_t i = 0; i < map->n; i++, n += !map->ents[i - 1].merge)
		if (c && !map->ents[i].merge)
			c[n] = (struct cand){ &map->ents[i], n, false };
	for (size_t i = 0; i < map->n; i++) {
		if (!map->ents[i].merge)
			continue;
		for (size_t k = 0; sources(&map->ents[i], k, &from) == 0 && from; k++)
			for (size_t j = 0; j < from->nview; j++, n++)
				if (c)
					c[n] = (struct cand){ &from->view[j], n, false };
	}
	return n;
}

static int check_sources(const struct ctr_yaml_node *map, struct ctr_err *e)
{
	const struct ctr_yaml_node *from = map;

	for (size_t i = 0; i < map->n; i++) {
		for (size_t k = 0; map->ents[i].merge && from; k++)
			if (sources(&map->ents[i], k, &from) < 0)
				return ctr_yaml_fail(map->doc, map->ents[i].v, e, "yaml.merge",
						     "<< merges something that is no mapping");
	}
	return 0;
}

/*
 * YAML lets a mapping's own member win. Kubernetes' reader lets the later of the two win, so what stands
 * in front of << may not be in the merged mapping too.
 */
static int drop_hidden(const struct ctr_yaml_node *map, struct cand *c, size_t n, struct ctr_err *e)
{
	size_t own = 0, first = 0;

	while (!map->ents[own].merge)
		own++; /* the members in front of <<: there is one << */
	for (size_t i = 1; i < n; i++) {
		if (strcmp(c[i].ent->key, c[first].ent->key) != 0) {
			first = i;
			continue;
		}
		c[i].drop = true;
		if (c[first].at >= own)
			continue;
		ctr_yaml_fail(map->doc, map->ents[own].k, e, "yaml.merge",
			      "<< behind '%s' also brings this key, and readers differ on which wins",
			      c[i].ent->key);
		return ctr_err_fix(e, "put << first");
	}
	return 0;
}

int ctr_yaml_merge(struct ctr_yaml_node *map, struct ctr_err *e)
{
	size_t n;
	struct cand *c;
	int rc;

	if (check_sources(map, e) < 0)
		return -1;
	n = gather(map, NULL);
	c = calloc(n ? n : 1, sizeof *c);
	map->view = ctr_yaml_alloc(map->doc, n * sizeof *map->view);
	if (!c || !map->view) {
		free(c);
		map->nview = 0;
		return ctr_fail_mem(e);
	}
	gather(map, c);
	qsort(c, n, sizeof *c, by_key);
	rc = drop_hidden(map, c, n, e);
	qsort(c, n, sizeof *c, by_place);
	map->nview = 0;
	for (size_t i = 0; i < n; i++)
		if (!c[i].drop)
			map->view[map->nview++] = *c[i].ent;
	free(c);
	return rc;
}

int ctr_yaml_add_merge(struct ctr_yaml_node *map, struct ctr_err *e)
{
	struct ctr_yaml *y = map->doc;

	if (y->nmerges == y->merges_cap) {
		size_t cap = y->merges_cap ? y->merges_cap * 2 : 8;
		struct ctr_yaml_node **to = realloc(y->merges, cap * sizeof *to);

		if (!to)
			return ctr_fail_mem(e);
		y->merges = to;
		y->merges_cap = cap;
	}
	y->merges[y->nmerges++] = map;
	return ctr_yaml_merge(map, e);
}

static bool same_scalar(const struct ctr_yaml_node *a, const struct ctr_yaml_node *b, bool draft)
{
	size_t len = draft && a->brief ? a->brief : a->len;
	enum ctr_yaml_type t = ctr_yaml_type(a);
	bool big_a, big_b;
	int64_t va, vb;

	if (t != ctr_yaml_type(b) ||
	    (a->tag == CTR_YAML_TAG_OTHER) != (b->tag == CTR_YAML_TAG_OTHER))
		return false;
	if (len == b->len && ctr_same(a->text, b->text, len))
		return true;
	if (t == CTR_YAML_NULL)
		return true;
	if (t == CTR_YAML_BOOL)
		return ctr_yaml_truth(a->text) == ctr_yaml_truth(b->text);
	if (t != CTR_YAML_INT)
		return false;
	ctr_yaml_resolve(a->text, a->len, &va, &big_a);
	ctr_yaml_resolve(b->text, b->len, &vb, &big_b);
	return !big_a && !big_b && va == vb;
}

/* Recursion is bounded by CTR_YAML_DEPTH, the work by CTR_YAML_NODES. */
static bool same(const struct ctr_yaml_node *a, const struct ctr_yaml_node *b, bool draft)
{
	a = ctr_yaml_target(a);
	b = ctr_yaml_target(b);
	if (!a || !b || a->kind != b->kind)
		return a == b;
	if (a->kind == CTR_YAML_SCALAR)
		return same_scalar(a, b, draft);
	if (a->nview != b->nview)
		return false;
	for (size_t i = 0; i < a->nview; i++) {
		const struct ctr_yaml_ent *x = &a->view[i], *y = &b->view[i];

		if ((x->key && strcmp(x->key, y->key) != 0) || !same(x->v, y->v, draft))
			return false;
	}
	return true;
}

bool ctr_yaml_same(const struct ctr_yaml_node *a, const struct ctr_yaml_node *b)
{
	return same(a, b, false);
}

bool ctr_yaml_same_draft(const struct ctr_yaml_node *a, const struct ctr_yaml_node *b)
{
	return same(a, b, true);
}
