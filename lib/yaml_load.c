/* From libyaml's events to the tree. The only file that knows libyaml. */
#include "yaml_int.h"

#include <search.h>
#include <string.h>

#include <yaml.h>

#include "utf8.h"

/* Where libyaml's character counts lie in the bytes: it moves forward with the events. */
struct cursor {
	size_t chars, fed, off; /* characters; bytes of what libyaml reads; bytes of the document */
	unsigned line;
};

struct anchor {
	const char *name;
	struct ctr_yaml_node *node;
};

struct frame {
	struct ctr_yaml_node *node;
	struct ctr_yaml_ent ent; /* a member whose value is still to come */
	size_t first;		 /* in load.ents */
	bool merges;
};

struct load {
	struct ctr_yaml *y;
	struct ctr_err *e;
	yaml_parser_t p;
	const char *fed; /* the text as libyaml reads it: without BOM and surrogate pairs */
	size_t nfed;
	char *own;	 /* fed, when it is not the document's text */
	bool exact;	 /* characters are bytes, and lines end in LF or CRLF only */
	struct cursor at;
	struct frame stack[CTR_YAML_DEPTH];
	unsigned depth;
	struct ctr_yaml_ent *ents; /* of all open collections */
	size_t nents, cap, total;
	size_t prev; /* end of the last node */
	void *anchors;
	bool seen, done;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct anchor *)a)->name, ((const struct anchor *)b)->name);
}

static bool escaped_pair(const struct load *l, const struct cursor *c)
{
	return l->own && l->fed[c->fed] == '\\' && l->fed[c->fed + 1] == 'U' &&
	       l->y->text[c->off + 1] == 'u';
}

static void seek(const struct load *l, size_t chars, struct cursor *c)
{
	if (chars < c->chars)
		*c = (struct cursor){ .off = l->y->base };
	while (c->chars < chars && c->fed < l->nfed) {
		size_t w = ctr_utf8_len(l->fed + c->fed, l->nfed - c->fed);

		if (escaped_pair(l, c)) {
			c->chars += 10;
			c->fed += 10;
			c->off += 12;
			continue;
		}
		c->line += l->fed[c->fed] == '\n';
		c->chars++;
		c->fed += w;
		c->off += w;
	}
}

/* A place at or behind the last node's start. */
static size_t offset(const struct load *l, size_t chars)
{
	struct cursor c = l->at;

	if (l->exact)
		return l->y->base + chars;
	seek(l, chars, &c);
	return c.off;
}

static int syntax(struct load *l)
{
	const yaml_parser_t *p = &l->p;
	struct cursor c = { .off = l->y->base };

	if (p->error == YAML_MEMORY_ERROR)
		return ctr_fail_mem(l->e);
	seek(l, p->problem_mark.index, &c);
	if (p->error == YAML_READER_ERROR)
		c.off = l->y->base + p->problem_offset;
	return ctr_yaml_fail_at(l->y, c.off, l->e, "yaml.syntax", "%s%s%s",
				p->problem ? p->problem : "broken YAML", p->context ? " " : "",
				p->context ? p->context : "");
}

static struct ctr_yaml_node *new_node(struct load *l, const yaml_event_t *ev)
{
	struct ctr_yaml_node *n = ctr_yaml_alloc(l->y, sizeof *n);
	const struct frame *f = l->depth ? &l->stack[l->depth - 1] : NULL;

	if (!n) {
		ctr_fail_mem(l->e);
		return NULL;
	}
	*n = (struct ctr_yaml_node){ .doc = l->y, .self = n, .up = f ? f->node : NULL,
				     .depth = (unsigned char)l->depth, .weight = 1,
				     .col = (unsigned)ev->start_mark.column };
	if (!l->exact)
		seek(l, ev->start_mark.index, &l->at);
	n->at = offset(l, ev->start_mark.index);
	n->end = offset(l, ev->end_mark.index);
	n->line = l->exact ? (unsigned)ev->start_mark.line : l->at.line;
	n->props = n->at;
	return n;
}

/* Behind the anchor or tag at i: an anchor's name may end at any other character. */
static size_t prop_end(const struct ctr_yaml *y, size_t i, size_t end)
{
	static const char name[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

	if (y->text[i] == '&')
		return i + 1 + strspn(y->text + i + 1, name);
	while (i < end && y->text[i] != ' ' && y->text[i] != '\t' &&
	       ctr_yaml_break(y->text, y->n, i) == 0)
		i++;
	return i;
}

/* Moves `at` behind the anchor and the tag, of which `count` are there. */
static void skip_props(struct ctr_yaml_node *n, int count)
{
	const struct ctr_yaml *y = n->doc;
	size_t i = n->at;

	while (count-- > 0 && i < n->end) {
		i = prop_end(y, i, n->end);
		if (i < n->end)
			i = ctr_yaml_blanks(y, i);
	}
	for (; n->at < i; n->at++) {
		n->line += y->text[n->at] == '\n';
		n->col = ctr_yaml_break(y->text, y->n, n->at) ? 0 : n->col + 1;
	}
}

/* A later anchor of the same name takes over, as YAML says. */
static int anchor(struct load *l, const yaml_char_t *name, struct ctr_yaml_node *n)
{
	struct anchor **slot, *a = ctr_yaml_alloc(l->y, sizeof *a);
	const char *s = (const char *)name;

	if (!a || !(a->name = ctr_yaml_dup(l->y, s, strlen(s))))
		return ctr_fail_mem(l->e);
	a->node = n;
	slot = tsearch(a, &l->anchors, by_name);
	if (!slot)
		return ctr_fail_mem(l->e);
	(*slot)->node = n;
	return 0;
}

static int alias(struct load *l, const yaml_event_t *ev, struct ctr_yaml_node *n)
{
	struct anchor key = { .name = (const char *)ev->data.alias.anchor }, **hit;

	hit = tfind(&key, &l->anchors, by_name);
	if (!hit)
		return ctr_yaml_fail_at(l->y, n->at, l->e, "yaml.alias", "no anchor &%s before this alias",
					key.name);
	n->to = (*hit)->node;
	for (const struct ctr_yaml_node *up = n->up; up; up = up->up)
		if (up == n->to)
			return ctr_yaml_fail_at(l->y, n->at, l->e, "yaml.alias",
						"the alias *%s stands inside its own anchor", key.name);
	if (n->depth + n->to->height > CTR_YAML_DEPTH)
		return ctr_yaml_fail_at(l->y, n->at, l->e, "yaml.depth",
					"nested too deeply (at most %d levels)", CTR_YAML_DEPTH);
	n->height = n->to->height;
	n->weight = n->to->weight;
	n->to->refs++;
	return 0;
}

static int scalar(struct load *l, const yaml_event_t *ev, struct ctr_yaml_node *n)
{
	static const enum ctr_yaml_style styles[] = {
		[YAML_PLAIN_SCALAR_STYLE] = CTR_YAML_PLAIN,
		[YAML_SINGLE_QUOTED_SCALAR_STYLE] = CTR_YAML_SINGLE,
		[YAML_DOUBLE_QUOTED_SCALAR_STYLE] = CTR_YAML_DOUBLE,
		[YAML_LITERAL_SCALAR_STYLE] = CTR_YAML_LITERAL,
		[YAML_FOLDED_SCALAR_STYLE] = CTR_YAML_FOLDED,
	};
	const struct frame *f = l->depth ? &l->stack[l->depth - 1] : NULL;
	int props = !!ev->data.scalar.anchor + !!ev->data.scalar.tag;

	l->y->props |= props > 0;
	n->style = styles[ev->data.scalar.style];
	n->tag = ctr_yaml_tag_of((const char *)ev->data.scalar.tag);
	n->text = ctr_yaml_dup(l->y, (const char *)ev->data.scalar.value, ev->data.scalar.length);
	n->len = ev->data.scalar.length;
	if (!n->text)
		return ctr_fail_mem(l->e);
	if (n->len == 0 && n->style == CTR_YAML_PLAIN) {
		/* nothing is written: libyaml may put the mark far behind the colon */
		if (props)
			n->at = n->end;
		else if (f && f->node->kind == CTR_YAML_MAP && f->ent.k) {
			n->at = ctr_yaml_blanks(l->y, l->prev);
			n->at = n->at < l->y->n && l->y->text[n->at] == ':' ? n->at + 1 : l->prev;
			n->props = n->end = n->at;
		}
	} else if (props) {
		skip_props(n, props);
	}
	return ev->data.scalar.anchor ? anchor(l, ev->data.scalar.anchor, n) : 0;
}

static int push_ent(struct load *l, const struct ctr_yaml_ent *ent)
{
	if (l->nents == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		struct ctr_yaml_ent *to = realloc(l->ents, cap * sizeof *to);

		if (!to)
			return ctr_fail_mem(l->e);
		l->ents = to;
		l->cap = cap;
	}
	l->ents[l->nents++] = *ent;
	return 0;
}

static int key(struct load *l, struct frame *f, struct ctr_yaml_node *n)
{
	const struct ctr_yaml_node *k = ctr_yaml_target(n);
	bool plain = k->style == CTR_YAML_PLAIN && k->tag != CTR_YAML_TAG_STR;

	if (k->kind != CTR_YAML_SCALAR || k->tag == CTR_YAML_TAG_OTHER)
		return ctr_yaml_fail_at(l->y, n->at, l->e, "yaml.key", "a key must be a string");
	f->ent = (struct ctr_yaml_ent){ .k = n, .key = k->text };
	f->ent.merge = plain && n == k && k->tag == CTR_YAML_TAG_NONE && strcmp(k->text, "<<") == 0;
	f->merges |= f->ent.merge;
	if (strlen(k->text) != k->len)
		return ctr_yaml_fail_at(l->y, n->at, l->e, "yaml.key", "a key has a NUL character");
	if (!plain || f->ent.merge)
		return 0;
	f->ent.key = ctr_yaml_key(l->y, k);
	if (f->ent.key)
		return 0;
	ctr_yaml_fail_at(l->y, n->at, l->e, "yaml.key",
			 "the key '%s' is no string, and readers differ on its name", k->text);
	return ctr_err_fix(l->e, "put it in quotes");
}

/* Hangs a complete node (or a collection that just began) below the open collection. */
static int attach(struct load *l, struct ctr_yaml_node *n)
{
	struct frame *f = l->depth ? &l->stack[l->depth - 1] : NULL;
	struct ctr_yaml_ent ent;

	if (!f) {
		l->y->root = n;
		return 0;
	}
	if (f->node->kind == CTR_YAML_SEQ)
		return push_ent(l, &(struct ctr_yaml_ent){ .v = n });
	if (!f->ent.k)
		return key(l, f, n);
	ent = f->ent;
	ent.v = n;
	f->ent = (struct ctr_yaml_ent){ 0 };
	return push_ent(l, &ent);
}

static int open_collection(struct load *l, const yaml_event_t *ev, struct ctr_yaml_node *n)
{
	bool map = ev->type == YAML_MAPPING_START_EVENT;
	const yaml_char_t *tag = map ? ev->data.mapping_start.tag : ev->data.sequence_start.tag;
	const yaml_char_t *name = map ? ev->data.mapping_start.anchor : ev->data.sequence_start.anchor;
	bool flow = map ? ev->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
			: ev->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;

	if (l->depth == CTR_YAML_DEPTH)
		return ctr_yaml_fail_at(l->y, n->at, l->e, "yaml.depth",
					"nested too deeply (at most %d levels)", CTR_YAML_DEPTH);
	n->kind = map ? CTR_YAML_MAP : CTR_YAML_SEQ;
	n->style = flow ? CTR_YAML_FLOW : CTR_YAML_BLOCK;
	n->tag = ctr_yaml_tag_of((const char *)tag);
	if (attach(l, n) < 0)
		return -1;
	l->y->props |= tag || name;
	if (tag || name) {
		n->end = l->y->n;
		skip_props(n, !!tag + !!name);
	}
	l->stack[l->depth++] = (struct frame){ .node = n, .first = l->nents };
	return name ? anchor(l, name, n) : 0;
}

/* What has been built since the collection began becomes its entries. */
static int fill(struct load *l, const struct frame *f)
{
	struct ctr_yaml_node *n = f->node;
	const struct ctr_yaml_ent *twice;

	n->n = n->cap = n->nview = l->nents - f->first;
	n->ents = n->view = ctr_yaml_alloc(l->y, n->n * sizeof *n->ents);
	if (!n->ents)
		return ctr_fail_mem(l->e);
	for (size_t i = 0; i < n->n; i++)
		n->ents[i] = l->ents[f->first + i];
	l->nents = f->first;
	if (n->kind != CTR_YAML_MAP)
		return 0;
	if (ctr_yaml_twice(n, &twice, l->e) < 0)
		return -1;
	if (twice)
		return ctr_yaml_fail_at(l->y, twice->k->at, l->e, "yaml.duplicate",
					"the key '%s' is there twice", twice->key);
	return f->merges ? ctr_yaml_add_merge(n, l->e) : 0;
}

/* How far a collection is indented below the key that it belongs to, where that is seen first. */
static void learn_step(struct ctr_yaml *y, const struct ctr_yaml_node *n)
{
	const struct ctr_yaml_node *up = n->up;
	unsigned char *step = n->kind == CTR_YAML_MAP ? &y->map_step : &y->seq_step;

	if (*step == 0xff && n->style == CTR_YAML_BLOCK && up && up->kind == CTR_YAML_MAP &&
	    n->col - up->col < 0xff)
		*step = (unsigned char)(n->col - up->col);
}

static int close_collection(struct load *l, const yaml_event_t *ev)
{
	struct frame *f = &l->stack[--l->depth];
	struct ctr_yaml_node *n = f->node;

	if (fill(l, f) < 0)
		return -1;
	learn_step(l->y, n);
	/* a pair in [a: b] is a flow mapping without brackets */
	if (n->style == CTR_YAML_FLOW && strchr("{[", l->y->text[n->at])) {
		n->end = offset(l, ev->end_mark.index);
	} else {
		n->end = l->prev;
	}
	return 0;
}

/* Adds to the figures of the collection around n, which is complete. */
static int count(struct load *l, const struct ctr_yaml_node *n)
{
	struct ctr_yaml_node *up = n->up;

	l->total += n->to ? n->weight : 1;
	if (l->total > CTR_YAML_NODES)
		return ctr_yaml_fail_at(l->y, n->at, l->e, n->to ? "yaml.alias" : "limit",
					"more than %d nodes%s", CTR_YAML_NODES,
					n->to ? " once aliases are followed" : "");
	if (up) {
		up->weight += n->weight; /* below 2^32: total is checked at each step */
		if (up->height <= n->height)
			up->height = n->height + 1;
	}
	l->prev = n->end;
	return 0;
}

static int take_node(struct load *l, const yaml_event_t *ev)
{
	struct ctr_yaml_node *n = new_node(l, ev);

	if (!n)
		return -1;
	switch (ev->type) {
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		return open_collection(l, ev, n);
	case YAML_ALIAS_EVENT:
		if (alias(l, ev, n) < 0)
			return -1;
		break;
	default:
		if (scalar(l, ev, n) < 0)
			return -1;
	}
	return attach(l, n) < 0 ? -1 : count(l, n);
}

static int take(struct load *l, const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		return 0;
	case YAML_STREAM_END_EVENT:
		l->done = true;
		return 0;
	case YAML_DOCUMENT_START_EVENT:
		if (l->seen) {
			return ctr_yaml_fail_at(l->y, offset(l, ev->start_mark.index), l->e, "yaml.document",
						"a second document begins (expected one)");
		}
		l->seen = true;
		return 0;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		if (close_collection(l, ev) < 0)
			return -1;
		return count(l, l->stack[l->depth].node);
	default:
		return take_node(l, ev);
	}
}

static int run(struct load *l)
{
	while (!l->done) {
		yaml_event_t ev;
		int rc;

		if (!yaml_parser_parse(&l->p, &ev))
			return syntax(l);
		rc = take(l, &ev);
		yaml_event_delete(&ev);
		if (rc < 0)
			return -1;
	}
	return 0;
}

static int prepare(struct load *l)
{
	struct ctr_yaml *y = l->y;

	l->exact = true;
	for (size_t i = 0, w; i < y->n; i += w) {
		unsigned char c = (unsigned char)y->text[i];

		w = c < 0x80 ? 1 : ctr_utf8_len(y->text + i, y->n - i);
		if (w == 0)
			return ctr_yaml_fail_at(y, i, l->e, "yaml.utf8", "not UTF-8");
		if (c >= 0x80 || (c == '\r' && y->text[i + 1] != '\n'))
			l->exact = false;
	}
	if (y->n >= 3 && strncmp(y->text, "\xef\xbb\xbf", 3) == 0)
		y->base = 3;
	l->at.off = y->base;
	l->fed = y->text + y->base;
	l->nfed = y->n - y->base;
	if (ctr_yaml_join(l->fed, l->nfed, &l->own, &l->nfed, l->e) < 0)
		return -1;
	if (l->own) {
		l->fed = l->own;
		l->exact = false;
	}
	if (!yaml_parser_initialize(&l->p))
		return ctr_fail_mem(l->e);
	yaml_parser_set_encoding(&l->p, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&l->p, (const unsigned char *)l->fed, l->nfed);
	return 0;
}

static void no_free(void *p)
{
	(void)p; /* the anchors are the document's */
}

int ctr_yaml_load(struct ctr_yaml *y, struct ctr_err *e)
{
	struct load l = { .y = y, .e = e };
	int rc = prepare(&l);

	if (rc == 0)
		rc = run(&l);
	yaml_parser_delete(&l.p);
	tdestroy(l.anchors, no_free);
	free(l.ents);
	free(l.own);
	if (rc == 0 && y->root && y->root->kind == CTR_YAML_SCALAR && y->root->end == y->root->props &&
	    y->root->style == CTR_YAML_PLAIN)
		y->root = NULL;
	return rc;
}
