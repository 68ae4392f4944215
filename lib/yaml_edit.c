/* Edits: they change the tree. yaml_emit.c writes them into the text. */
#include "yaml_int.h"

#include <string.h>

#include "rd.h"

/* True when the text of the node is used in more than one place. */
static bool shared(const struct ctr_yaml_node *n)
{
	for (; n; n = n->up ? n->up : n->doc->host)
		if (n->refs > 0)
			return true;
	return false;
}

static void touch(struct ctr_yaml_node *n)
{
	for (n->doc->edited = true; n; n = n->up)
		n->touched = true;
}

/* Mappings that merge from others follow their changes. */
static int settle(struct ctr_yaml_node *n, struct ctr_err *e)
{
	struct ctr_yaml *y = n->doc;

	n->view = n->ents;
	n->nview = n->n;
	for (size_t i = 0; i < y->nmerges; i++)
		if (ctr_yaml_merge(y->merges[i], e) < 0)
			return -1;
	return 0;
}

static struct ctr_yaml *adopt(struct ctr_yaml_node *host, struct ctr_yaml *v)
{
	v->host = host;
	v->line0 = ctr_yaml_line(host);
	v->next = host->doc->subs;
	host->doc->subs = v;
	for (struct ctr_yaml *y = host->doc; y; y = y->host ? y->host->doc : NULL)
		y->brief |= v->brief;
	return v;
}

static int parse_value(const struct ctr_yaml_node *host, const char *text, struct ctr_yaml **v,
		       struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	ctr_auto_yaml struct ctr_yaml *y = NULL;
	const struct ctr_yaml_node *r;

	ctr_buf_adds(&b, text);
	if (b.n == 0 || b.p[b.n - 1] != '\n')
		ctr_buf_addc(&b, '\n');
	if (ctr_buf_ok(&b, "value", e) < 0 ||
	    ctr_yaml_parse(host->doc->name, ctr_yaml_line(host), b.p, b.n, &y, e) < 0)
		return -1;
	r = y->root;
	if (!r || y->props || y->base || ctr_yaml_blanks(y, 0) != r->at ||
	    ctr_yaml_blanks(y, r->end) != y->n || (r->style == CTR_YAML_BLOCK && r->col != 0))
		return ctr_yaml_fail(host->doc, host, e, "yaml.edit",
				     "the new value is not a bare YAML value at the left margin");
	*v = ctr_give(y);
	return 0;
}

/* Base64 has no character that could end a scalar or begin something else, wherever it stands. */
static bool is_base64(const char *s)
{
	for (; *s; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') ||
		      *s == '+' || *s == '/' || *s == '='))
			return false;
	return true;
}

/* A document that is one string. */
static int string_value(const struct ctr_yaml_node *host, const char *s, struct ctr_yaml **v,
			struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	ctr_auto_yaml struct ctr_yaml *y = calloc(1, sizeof *y);
	struct ctr_yaml_node *n;

	if (!y)
		return ctr_fail_mem(e);
	ctr_yaml_string(&b, s, strlen(s), CTR_YAML_PLAIN, CTR_YAML_IN_BLOCK);
	if (ctr_buf_ok(&b, "string", e) < 0)
		return -1;
	y->name = host->doc->name;
	y->text = ctr_yaml_dup(y, ctr_buf_str(&b), b.n);
	y->n = b.n;
	y->root = n = ctr_yaml_alloc(y, sizeof *n);
	if (!y->text || !n)
		return ctr_fail_mem(e);
	*n = (struct ctr_yaml_node){ .doc = y, .self = n, .end = b.n, .weight = 1, .len = strlen(s) };
	n->text = ctr_yaml_dup(y, s, n->len);
	n->style = *y->text == '"' ? CTR_YAML_DOUBLE : CTR_YAML_PLAIN;
	if (!n->text)
		return ctr_fail_mem(e);
	if (n->len > 256 && is_base64(s))
		n->brief = 64;
	y->brief = n->brief > 0;
	*v = ctr_give(y);
	return 0;
}

/* An anchor in what goes away, for an alias that stays. Recursion is bounded by CTR_YAML_DEPTH. */
static const struct ctr_yaml_node *anchored(const struct ctr_yaml_node *n)
{
	const struct ctr_yaml_node *hit = n->refs > 0 ? n : NULL;

	for (size_t i = 0; i < n->n && !hit; i++) {
		if (n->ents[i].k && n->ents[i].k->refs > 0)
			return n->ents[i].k;
		hit = anchored(n->ents[i].v);
	}
	return hit;
}

/* Room for one more entry at `at`. */
static struct ctr_yaml_ent *open_gap(struct ctr_yaml_node *n, size_t at)
{
	if (n->n == n->cap) {
		size_t cap = n->cap * 2 + 2;
		struct ctr_yaml_ent *to = ctr_yaml_alloc(n->doc, cap * sizeof *to);

		if (!to)
			return NULL;
		for (size_t i = 0; i < n->n; i++)
			to[i] = n->ents[i];
		n->ents = to;
		n->cap = cap;
	}
	for (size_t i = n->n; i > at; i--)
		n->ents[i] = n->ents[i - 1];
	n->n++;
	n->ents[at] = (struct ctr_yaml_ent){ .added = true };
	return &n->ents[at];
}

static int fail_shared(const struct ctr_yaml_node *n, struct ctr_err *e)
{
	ctr_yaml_fail(n->doc, n, e, "yaml.shared",
		      "this part is used in several places by its anchor, and they need different changes");
	return ctr_err_fix(e, "write it out in each place");
}

static struct ctr_yaml_ent *find(struct ctr_yaml_node *map, const char *key)
{
	for (size_t i = 0; i < map->n; i++)
		if (!map->ents[i].merge && strcmp(map->ents[i].key, key) == 0)
			return &map->ents[i];
	return NULL;
}

/* The value of a member that is there. *v is taken when it is used. */
static int change(struct ctr_yaml_node *map, struct ctr_yaml_ent *ent, struct ctr_yaml **v,
		  struct ctr_err *e)
{
	const struct ctr_yaml_node *hit;

	if (ctr_yaml_same(ent->v, (*v)->root) && !ctr_yaml_odd(ent->v))
		return 0;
	if ((ent->added || ent->old || ent->v->touched) && shared(map))
		return fail_shared(map, e);
	if (!ent->added && !ent->old) {
		hit = anchored(ent->v);
		if (hit) {
			ctr_yaml_fail(map->doc, hit, e, "yaml.shared",
				      "'%s' is to be changed, but has an anchor that is used elsewhere",
				      ent->key);
			return ctr_err_fix(e, "write the value out where its alias stands");
		}
		ent->old = ent->v;
	}
	ent->v = adopt(map, ctr_give(*v))->root;
	touch(map);
	return settle(map, e);
}

static int put(const struct ctr_yaml_node *to, const char *key, struct ctr_yaml **v,
	       struct ctr_err *e)
{
	struct ctr_yaml_node *map = to->self;
	struct ctr_yaml_ent *ent = find(map, key);

	if (ent)
		return change(map, ent, v, e);
	ent = open_gap(map, map->n);
	if (!ent || !(ent->key = ctr_yaml_dup(map->doc, key, strlen(key)))) {
		map->n -= ent ? 1 : 0;
		return ctr_fail_mem(e);
	}
	ent->v = adopt(map, ctr_give(*v))->root;
	touch(map);
	return settle(map, e);
}

static int want(const struct ctr_yaml *y, const struct ctr_yaml_node **n, enum ctr_yaml_kind kind,
		struct ctr_err *e)
{
	*n = ctr_yaml_target(*n);
	if (*n && (*n)->kind == kind && !ctr_yaml_odd(*n))
		return 0;
	return ctr_yaml_fail(y, *n, e, "yaml.type", "expected %s here",
			     kind == CTR_YAML_MAP   ? "a mapping"
			     : kind == CTR_YAML_SEQ ? "a list"
						    : "a string");
}

int ctr_yaml_set(struct ctr_yaml *y, const struct ctr_yaml_node *map, const char *key,
		 const char *value, struct ctr_err *e)
{
	ctr_auto_yaml struct ctr_yaml *v = NULL;

	if (want(y, &map, CTR_YAML_MAP, e) < 0 || parse_value(map, value, &v, e) < 0)
		return -1;
	return put(map, key, &v, e);
}

int ctr_yaml_set_string(struct ctr_yaml *y, const struct ctr_yaml_node *map, const char *key,
			const char *s, struct ctr_err *e)
{
	ctr_auto_yaml struct ctr_yaml *v = NULL;

	if (want(y, &map, CTR_YAML_MAP, e) < 0 || string_value(map, s, &v, e) < 0)
		return -1;
	return put(map, key, &v, e);
}

/* In a shared list: the items that edits put into this gap. True when one of them is the value. */
static bool there(const struct ctr_yaml_node *seq, size_t at, const struct ctr_yaml_node *v, bool *any)
{
	size_t i = at;

	*any = false;
	while (i > 0 && seq->ents[i - 1].added)
		i--;
	for (; i < seq->n && seq->ents[i].added; i++) {
		*any = true;
		if (ctr_yaml_same(seq->ents[i].v, v))
			return true;
	}
	return false;
}

int ctr_yaml_insert(struct ctr_yaml *y, const struct ctr_yaml_node *to, size_t at,
		    const char *value, struct ctr_err *e)
{
	ctr_auto_yaml struct ctr_yaml *v = NULL;
	struct ctr_yaml_node *seq;
	struct ctr_yaml_ent *ent;
	bool any;

	if (want(y, &to, CTR_YAML_SEQ, e) < 0 || parse_value(to, value, &v, e) < 0)
		return -1;
	seq = to->self;
	if (at > seq->n)
		return ctr_yaml_fail(y, to, e, "yaml.edit", "the list has %zu items, not %zu", seq->n, at);
	if (shared(seq)) {
		if (there(seq, at, v->root, &any))
			return 0;
		if (any)
			return fail_shared(seq, e);
	}
	ent = open_gap(seq, at);
	if (!ent)
		return ctr_fail_mem(e);
	ent->v = adopt(seq, ctr_give(v))->root;
	touch(seq);
	return settle(seq, e);
}

int ctr_yaml_replace(struct ctr_yaml *y, const struct ctr_yaml_node *scalar, const char *s,
		     struct ctr_err *e)
{
	struct ctr_yaml_node *n;
	size_t len = strlen(s);
	char *text;

	if (want(y, &scalar, CTR_YAML_SCALAR, e) < 0)
		return -1;
	n = scalar->self;
	if (ctr_yaml_type(n) == CTR_YAML_STR && n->len == len && ctr_same(n->text, s, len))
		return 0;
	if (n->tag != CTR_YAML_TAG_NONE && n->tag != CTR_YAML_TAG_STR)
		return ctr_yaml_fail(y, n, e, "yaml.edit", "the tag here does not allow a string");
	if (n->rewritten && shared(n))
		return fail_shared(n, e);
	text = ctr_yaml_dup(n->doc, s, len);
	if (!text)
		return ctr_fail_mem(e);
	n->text = text;
	n->len = len;
	n->rewritten = true;
	n->brief = 0;
	touch(n);
	return 0;
}
