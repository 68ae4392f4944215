/* Edits become splices of the text; the result is read again before anybody gets it. */
#include "yaml_emit.h"

#include <string.h>

#include "json_scan.h"

int ctr_yaml_splice(struct ctr_yaml_emit *em, size_t at, size_t del, size_t from, unsigned rank)
{
	if (em->n == em->cap) {
		size_t cap = em->cap ? em->cap * 2 : 16;
		struct ctr_yaml_splice *to = realloc(em->s, cap * sizeof *to);

		if (!to)
			return ctr_fail_mem(em->e);
		em->s = to;
		em->cap = cap;
	}
	em->s[em->n] = (struct ctr_yaml_splice){ .at = at, .del = del, .from = from,
						 .n = em->text.n - from, .rank = rank, .seq = em->n };
	em->n++;
	return 0;
}

const char *ctr_yaml_nl(const struct ctr_yaml *y, size_t at)
{
	const char *lf = at ? memrchr(y->text, '\n', at) : NULL;

	if (!lf)
		lf = memchr(y->text + at, '\n', y->n - at);
	return lf && lf > y->text && lf[-1] == '\r' ? "\r\n" : "\n";
}

size_t ctr_yaml_break_before(const struct ctr_yaml *y, size_t at)
{
	unsigned char c;

	if (at <= y->base)
		return 0;
	c = (unsigned char)y->text[at - 1];
	if (c == '\n')
		return at - y->base >= 2 && y->text[at - 2] == '\r' ? 2 : 1;
	if (c < 0x80)
		return c == '\r';
	for (size_t w = 2; w <= 3 && w <= at - y->base; w++)
		if (ctr_yaml_break(y->text, at, at - w) == w)
			return w;
	return 0;
}

size_t ctr_yaml_line_start(const struct ctr_yaml *y, size_t at, bool *blank)
{
	*blank = true;
	for (; at > y->base && ctr_yaml_break_before(y, at) == 0; at--)
		*blank &= y->text[at - 1] == ' ' || y->text[at - 1] == '\t';
	return at;
}

size_t ctr_yaml_line_end(const struct ctr_yaml *y, size_t from)
{
	while (from < y->n && ctr_yaml_break(y->text, y->n, from) == 0)
		from++;
	return from;
}

bool ctr_yaml_one_line(const struct ctr_yaml *y, size_t from, size_t to)
{
	return ctr_yaml_line_end(y, from) >= to;
}

size_t ctr_yaml_colon(const struct ctr_yaml *y, const struct ctr_yaml_ent *ent)
{
	size_t i = ctr_yaml_blanks(y, ent->k->end);

	return i < y->n && y->text[i] == ':' && i + 1 <= (ent->old ? ent->old : ent->v)->props ? i + 1 : 0;
}

const struct ctr_yaml_ent *ctr_yaml_first(const struct ctr_yaml_node *n)
{
	for (size_t i = 0; i < n->n; i++)
		if (!n->ents[i].added)
			return &n->ents[i];
	return NULL;
}

const struct ctr_yaml_ent *ctr_yaml_last(const struct ctr_yaml_node *n)
{
	for (size_t i = n->n; i > 0; i--)
		if (!n->ents[i - 1].added)
			return &n->ents[i - 1];
	return NULL;
}

int ctr_yaml_unsafe(const struct ctr_yaml_emit *em, size_t at, const char *why)
{
	ctr_yaml_fail_at(em->y, at, em->e, "yaml.edit", "this place cannot be changed safely: %s", why);
	return ctr_err_fix(em->e, "write this part in plain block style, one member a line");
}

const char *ctr_yaml_lead(const struct ctr_yaml_node *old)
{
	const struct ctr_yaml *y = old->doc;

	if (old->at == 0 || (old->end > old->at && old->at == old->props))
		return "";
	if (old->up && old->up->kind == CTR_YAML_MAP && old->props == old->at &&
	    y->text[old->at - 1] != ':')
		return ": ";
	return strchr(" \t\n", y->text[old->at - 1]) ? "" : " ";
}

/* A scalar that has become another string. */
static int scalar_edit(struct ctr_yaml_emit *em, const struct ctr_yaml_node *n)
{
	bool flow = n->up && n->up->style == CTR_YAML_FLOW;
	size_t from = em->text.n;
	const char *lead = ctr_yaml_lead(n);

	if (!flow && *lead == ':')
		return ctr_yaml_unsafe(em, n->at, "the key has no colon");
	ctr_buf_adds(&em->text, lead);
	ctr_yaml_string(&em->text, n->text, n->len, n->style,
			em->json ? CTR_YAML_IN_JSON
			: flow	 ? CTR_YAML_IN_FLOW
				 : CTR_YAML_IN_BLOCK);
	return ctr_yaml_splice(em, n->at, ctr_yaml_end(n) - n->at, from, flow ? n->depth + 1u : CTR_YAML_RANK_INLINE);
}

/* Recursion is bounded by CTR_YAML_DEPTH. */
static int walk(struct ctr_yaml_emit *em, const struct ctr_yaml_node *n)
{
	if (!n->touched)
		return 0;
	if (n->kind == CTR_YAML_SCALAR)
		return n->rewritten ? scalar_edit(em, n) : 0;
	for (size_t i = 0; i < n->n; i++)
		if (!n->ents[i].added && !n->ents[i].old && !ctr_yaml_opens(n, &n->ents[i]) &&
		    walk(em, n->ents[i].v) < 0)
			return -1;
	return n->style == CTR_YAML_FLOW ? ctr_yaml_flow_edit(em, n) : ctr_yaml_block_edit(em, n);
}

static int by_place(const void *a, const void *b)
{
	const struct ctr_yaml_splice *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank > y->rank ? -1 : 1;
	return (x->seq > y->seq) - (x->seq < y->seq);
}

static int apply(struct ctr_yaml_emit *em, struct ctr_buf *b)
{
	const struct ctr_yaml *y = em->y;
	size_t at = 0;

	if (ctr_buf_ok(&em->text, "edits", em->e) < 0)
		return -1;
	qsort(em->s, em->n, sizeof *em->s, by_place);
	for (size_t i = 0; i < em->n; i++) {
		const struct ctr_yaml_splice *s = &em->s[i];

		if (i > 0 && s->once && s[-1].once && s->at == s[-1].at)
			continue;
		if (s->at < at)
			return ctr_yaml_unsafe(em, s->at, "two changes meet here");
		ctr_buf_add(b, y->text + at, s->at - at);
		ctr_buf_add(b, em->text.p + s->from, s->n);
		at = s->at + s->del;
	}
	ctr_buf_add(b, y->text + at, y->n - at);
	return ctr_buf_ok(b, "YAML document", em->e);
}

/* True when the first separator of a JSON document has no blank behind it. */
static bool is_compact(const struct ctr_yaml *y)
{
	const struct ctr_yaml_node *n = y->root;
	const struct ctr_yaml_ent *ent;

	for (; (ent = ctr_yaml_first(n)); n = ent->old ? ent->old : ent->v) {
		size_t i = n->kind == CTR_YAML_MAP
				   ? ctr_yaml_colon(y, ent)
				   : ctr_yaml_blanks(y, (ent->old ? ent->old : ent->v)->end) + 1;

		if (i < y->n && (n->kind == CTR_YAML_MAP || y->text[i - 1] == ','))
			return !strchr(" \t\r\n", y->text[i]);
	}
	return false;
}

int ctr_yaml_emit_raw(const struct ctr_yaml *y, bool draft, struct ctr_buf *b, struct ctr_err *e)
{
	struct ctr_yaml_emit em = { .y = y, .draft = draft, .e = e };
	int rc;

	if (!y->edited) {
		ctr_buf_add(b, y->text, y->n);
		return ctr_buf_ok(b, "YAML document", e);
	}
	em.json = y->root->style == CTR_YAML_FLOW &&
		  ctr_json_scan("", y->text + y->base, y->n - y->base, CTR_YAML_DEPTH, NULL) == 0;
	em.compact = em.json && is_compact(y);
	rc = walk(&em, y->root);
	if (rc == 0)
		rc = apply(&em, b);
	ctr_buf_free(&em.text);
	free(em.s);
	return rc;
}

/* No document leaves that does not say what the tree says. */
static int check(const struct ctr_yaml *y, const struct ctr_buf *b, struct ctr_err *e)
{
	ctr_auto_yaml struct ctr_yaml *again = NULL;
	struct ctr_err why = { 0 };
	int rc = ctr_yaml_parse(y->name, y->line0, ctr_buf_str(b), b->n, &again, &why);

	if (rc < 0 && why.code == CTR_ENV)
		return ctr_fail_mem(e);
	if (rc == 0 && ctr_yaml_same_draft(y->root, again->root))
		return 0;
	ctr_yaml_fail(y, y->root, e, "yaml.edit", "this document cannot be changed safely%s%s",
		      rc < 0 ? ": " : "", rc < 0 ? why.msg : "");
	return ctr_err_fix(e, "write it in plain block style, one member a line");
}

/*
 * libyaml takes most of its time for the long strings that edits add, of which each byte is harmless: so
 * they are checked in a draft that has their beginnings only.
 */
int ctr_yaml_emit(const struct ctr_yaml *y, struct ctr_buf *b, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf out = { 0 };

	if (!y->edited) {
		ctr_buf_add(b, y->text, y->n);
		return ctr_buf_ok(b, "YAML document", e);
	}
	ctr_buf_init(&out, CTR_YAML_MAX);
	if (ctr_yaml_emit_raw(y, true, &out, e) < 0 || check(y, &out, e) < 0)
		return -1;
	if (y->brief) {
		ctr_buf_reset(&out);
		if (ctr_yaml_emit_raw(y, false, &out, e) < 0)
			return -1;
	}
	ctr_buf_add(b, ctr_buf_str(&out), out.n);
	return ctr_buf_ok(b, "YAML document", e);
}
