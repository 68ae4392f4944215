/* Edits in block style: whole lines, at the indentation of their neighbours. */
#include "yaml_emit.h"

#include <string.h>

/* Behind the line with which something ends. */
struct place {
	size_t at, end;			  /* end: without the line's break and comment */
	bool bare;			  /* the text ends there without a line break */
	const struct ctr_yaml_node *leaf; /* the block scalar in front, if it stays */
};

static bool is_block_scalar(const struct ctr_yaml_node *n)
{
	return n->kind == CTR_YAML_SCALAR && !n->to &&
	       (n->style == CTR_YAML_LITERAL || n->style == CTR_YAML_FOLDED);
}

/* Where the header of a block scalar says '-' or '+'; 0 when nowhere. */
static size_t chomping(const struct ctr_yaml_node *n)
{
	for (size_t i = n->at + 1; i < n->at + 3 && i < n->doc->n; i++)
		if (n->doc->text[i] == '-' || n->doc->text[i] == '+')
			return i;
	return 0;
}

/* Trailing blank lines of a block scalar are left out, unless they count (+). */
static struct place behind_block_scalar(const struct ctr_yaml_node *n)
{
	const struct ctr_yaml *y = n->doc;
	size_t chomp = chomping(n), end = ctr_yaml_line_end(y, n->at), next;
	struct place p = { .at = end + ctr_yaml_break(y->text, y->n, end), .end = end, .leaf = n };
	bool keep = chomp && y->text[chomp] == '+';

	p.bare = p.at == end;
	for (size_t i = p.at; i < n->end; i = next) {
		size_t blank = i;

		end = ctr_yaml_line_end(y, i);
		next = end + ctr_yaml_break(y->text, y->n, end);
		while (blank < end && y->text[blank] == ' ')
			blank++;
		/* more blanks than what is around the scalar is indented by may be content */
		if (blank == end && blank - i <= (n->up ? n->up->col : 0) && (!keep || next == end))
			continue;
		p.at = next;
		p.end = end;
		p.bare = next == end;
	}
	return p;
}

/* For what ends with the node n of the text. */
static int behind(const struct ctr_yaml_emit *em, const struct ctr_yaml_node *n, struct place *p)
{
	const struct ctr_yaml *y = em->y;
	bool dropped = false;
	size_t i;

	while (n->kind != CTR_YAML_SCALAR && n->style == CTR_YAML_BLOCK) {
		const struct ctr_yaml_ent *ent = ctr_yaml_last(n);

		dropped |= ent->old != NULL;
		n = ent->old ? ent->old : ent->v;
	}
	if (is_block_scalar(n)) {
		*p = behind_block_scalar(n);
		if (dropped || n->rewritten)
			p->leaf = NULL;
		return 0;
	}
	i = n->end;
	while (i < y->n && (y->text[i] == ' ' || y->text[i] == '\t'))
		i++;
	if (i < y->n && y->text[i] == '#')
		i = ctr_yaml_line_end(y, i);
	if (i < y->n && ctr_yaml_break(y->text, y->n, i) == 0)
		return ctr_yaml_unsafe(em, i, "something follows on the same line");
	*p = (struct place){ .at = i + ctr_yaml_break(y->text, y->n, i), .end = n->end };
	p->bare = p->at == i;
	return 0;
}

size_t ctr_yaml_end(const struct ctr_yaml_node *n)
{
	while (n->kind != CTR_YAML_SCALAR && n->style == CTR_YAML_BLOCK) {
		const struct ctr_yaml_ent *ent = ctr_yaml_last(n);

		n = ent->old ? ent->old : ent->v;
	}
	return is_block_scalar(n) ? behind_block_scalar(n).end : n->end;
}

static void indent(struct ctr_buf *b, size_t n)
{
	while (n-- > 0)
		ctr_buf_addc(b, ' ');
}

/* The lines of text at an indentation; the first one goes on where b ends. No break at the end. */
static void add_lines(struct ctr_buf *b, const char *p, size_t n, size_t col, const char *nl)
{
	for (size_t i = 0, end; i < n; i = end + 1) {
		const char *lf = memchr(p + i, '\n', n - i);

		end = lf ? (size_t)(lf - p) : n;
		if (i > 0) {
			ctr_buf_adds(b, nl);
			if (end > i)
				indent(b, col);
		}
		ctr_buf_add(b, p + i, end - i);
	}
}

static int inline_value(struct ctr_yaml_emit *em, const struct ctr_yaml_node *v)
{
	const struct ctr_yaml_flow one_line = { .form = CTR_YAML_IN_FLOW, .draft = em->draft };
	const struct ctr_yaml *y = v->doc;
	struct ctr_buf *b = &em->text;

	if (em->draft && v->brief) {
		ctr_yaml_string(b, v->text, v->brief, v->style, CTR_YAML_IN_BLOCK);
		return 0;
	}
	if (!y->edited && v->end > v->at && !is_block_scalar(v) &&
	    ctr_yaml_one_line(y, v->at, v->end)) {
		ctr_buf_add(b, y->text + v->at, v->end - v->at);
		return 0;
	}
	if (v->kind == CTR_YAML_SCALAR && ctr_yaml_type(v) == CTR_YAML_STR) {
		ctr_yaml_string(b, v->text, v->len, v->style, CTR_YAML_IN_BLOCK);
		return 0;
	}
	return ctr_yaml_flow(b, v, &one_line, 0, em->e);
}

/* An added value behind "key:" or "-" (item: step is what lies between dash and content). */
static int add_value(struct ctr_yaml_emit *em, const struct ctr_yaml_node *v, size_t col, size_t step,
		     bool item, const char *nl)
{
	ctr_auto_buf struct ctr_buf own = { 0 };

	if (v->kind == CTR_YAML_SCALAR || v->style != CTR_YAML_BLOCK) {
		indent(&em->text, item ? step - 1 : 1);
		return inline_value(em, v);
	}
	if (ctr_yaml_emit_raw(v->doc, em->draft, &own, em->e) < 0)
		return -1;
	while (own.n > 0 && own.p[own.n - 1] == '\n' && !(own.n > 1 && own.p[own.n - 2] == '\n'))
		own.n--;
	if (item && v->at == 0) {
		indent(&em->text, step - 1);
	} else {
		ctr_buf_adds(&em->text, nl);
		indent(&em->text, col + step);
	}
	add_lines(&em->text, own.p, own.n, col + step, nl);
	return 0;
}

/* How far a value of this kind is indented below a key of the mapping. */
static size_t step_of(const struct ctr_yaml_node *map, enum ctr_yaml_kind kind)
{
	unsigned char first = kind == CTR_YAML_MAP ? map->doc->map_step : map->doc->seq_step;

	for (size_t i = 0; i < map->n; i++) {
		const struct ctr_yaml_node *v = map->ents[i].v;

		if (!map->ents[i].added && !map->ents[i].old && v->kind == kind &&
		    v->style == CTR_YAML_BLOCK)
			return v->col - map->col;
	}
	return first != 0xff ? first : 2;
}

/* From a dash to its item, as in the first item of the text. */
static size_t dash_step(const struct ctr_yaml_node *seq)
{
	const struct ctr_yaml_ent *first = ctr_yaml_first(seq);
	size_t n = first->old ? 0 : first->v->props - seq->at;

	return n >= 2 && n <= 8 && ctr_yaml_one_line(seq->doc, seq->at, first->v->props) ? n : 2;
}

/* Added entries i to j of n as lines at an indentation; the first begins where em->text ends. */
static int add_entries(struct ctr_yaml_emit *em, const struct ctr_yaml_node *n, size_t i, size_t j,
		       size_t col, const char *nl)
{
	bool map = n->kind == CTR_YAML_MAP;
	size_t dash = map || n->style == CTR_YAML_FLOW ? 2 : dash_step(n);

	for (size_t k = i; k < j; k++) {
		const struct ctr_yaml_ent *ent = &n->ents[k];

		if (k > i)
			indent(&em->text, col);
		if (map)
			ctr_yaml_string(&em->text, ent->key, strlen(ent->key), CTR_YAML_PLAIN,
					CTR_YAML_IN_BLOCK);
		ctr_buf_adds(&em->text, map ? ":" : "-");
		if (add_value(em, ent->v, col, map ? step_of(n, ent->v->kind) : dash, !map, nl) < 0)
			return -1;
		ctr_buf_adds(&em->text, nl);
	}
	return 0;
}

/*
 * Lines are put at p: where the text ends without a line break, one comes first. If a block scalar ends
 * there, its value has no line break either, and this one must not become part of it.
 */
static int end_line(struct ctr_yaml_emit *em, const struct place *p, const char *nl)
{
	size_t chomp, from = em->text.n;

	if (!p->bare)
		return 0;
	ctr_buf_adds(&em->text, nl);
	if (ctr_yaml_splice(em, p->at, 0, from, CTR_YAML_RANK_BREAK) < 0)
		return -1;
	em->s[em->n - 1].once = true;
	if (!p->leaf || p->leaf->len == 0)
		return 0;
	from = em->text.n;
	chomp = chomping(p->leaf);
	if (chomp && em->y->text[chomp] == '-')
		return 0;
	ctr_buf_addc(&em->text, '-');
	if (ctr_yaml_splice(em, chomp ? chomp : p->leaf->at + 1, chomp ? 1 : 0, from, 0) < 0)
		return -1;
	em->s[em->n - 1].once = true;
	return 0;
}

/* Lines with the added entries i to j of n. */
static int put_entries(struct ctr_yaml_emit *em, const struct ctr_yaml_node *n, size_t i, size_t j,
		       const struct place *p, size_t col)
{
	const char *nl = ctr_yaml_nl(em->y, p->end);
	size_t from = em->text.n;

	indent(&em->text, col);
	if (add_entries(em, n, i, j, col, nl) < 0 ||
	    ctr_yaml_splice(em, p->at, 0, from, n->depth + 1u) < 0)
		return -1;
	return end_line(em, p, nl);
}

/* A value that begins on the line of its colon, at c. */
static int change_here(struct ctr_yaml_emit *em, const struct ctr_yaml_node *map,
		       const struct ctr_yaml_ent *ent, size_t c)
{
	const struct ctr_yaml_node *old = ent->old, *v = ent->v;
	bool body = v->kind != CTR_YAML_SCALAR && v->style == CTR_YAML_BLOCK;
	size_t start = old->end > old->props ? old->props : c, from = em->text.n;
	size_t end = old->end > old->props ? ctr_yaml_end(old) : c;
	const char *nl = ctr_yaml_nl(em->y, c);
	struct place p;

	if (!body) {
		if (start == c)
			ctr_buf_addc(&em->text, ' ');
		if (inline_value(em, v) < 0)
			return -1;
		return ctr_yaml_splice(em, start, end - start, from, CTR_YAML_RANK_INLINE);
	}
	if (ctr_yaml_splice(em, c, end - c, from, CTR_YAML_RANK_INLINE) < 0 || behind(em, old, &p) < 0)
		return -1;
	p.leaf = NULL;
	from = em->text.n + strlen(nl); /* the break that add_value begins with is there */
	if (add_value(em, v, map->col, step_of(map, v->kind), false, nl) < 0)
		return -1;
	ctr_buf_adds(&em->text, nl);
	if (ctr_yaml_splice(em, p.at, 0, from, map->depth + 2u) < 0)
		return -1;
	return end_line(em, &p, nl);
}

/* A value that begins on a line below its colon. */
static int change_below(struct ctr_yaml_emit *em, const struct ctr_yaml_node *map,
			const struct ctr_yaml_ent *ent, size_t c)
{
	const struct ctr_yaml_node *v = ent->v;
	bool body = v->kind != CTR_YAML_SCALAR && v->style == CTR_YAML_BLOCK, blank;
	size_t from = em->text.n, start = ctr_yaml_line_start(em->y, ent->old->props, &blank);
	const char *nl = ctr_yaml_nl(em->y, c);
	struct place p;

	if (!blank)
		return ctr_yaml_unsafe(em, ent->old->props, "the value shares its line");
	if (behind(em, ent->old, &p) < 0)
		return -1;
	if (!body) {
		ctr_buf_addc(&em->text, ' ');
		if (inline_value(em, v) < 0 ||
		    ctr_yaml_splice(em, c, 0, from, CTR_YAML_RANK_INLINE) < 0)
			return -1;
		if (p.bare) /* the break before goes too: the text still ends without one */
			start -= ctr_yaml_break_before(em->y, start);
		return ctr_yaml_splice(em, start, p.at - start, em->text.n, map->depth + 2u);
	}
	if (add_value(em, v, map->col, step_of(map, v->kind), false, nl) < 0)
		return -1;
	p.leaf = NULL;
	if (!p.bare)
		ctr_buf_adds(&em->text, nl);
	if (ctr_yaml_splice(em, start, p.at - start, from + strlen(nl), map->depth + 2u) < 0)
		return -1;
	return end_line(em, &p, nl);
}

bool ctr_yaml_opens(const struct ctr_yaml_node *map, const struct ctr_yaml_ent *ent)
{
	const struct ctr_yaml_node *v = ent->v;
	size_t c;

	if (map->style != CTR_YAML_BLOCK || map->kind != CTR_YAML_MAP || ent->added || ent->old ||
	    v->kind == CTR_YAML_SCALAR || v->style != CTR_YAML_FLOW || ctr_yaml_first(v) || v->n == 0)
		return false;
	c = ctr_yaml_colon(map->doc, ent);
	for (size_t i = v->at + 1; i + 1 < v->end; i++)
		if (v->doc->text[i] != ' ')
			return false;
	return c && ctr_yaml_one_line(map->doc, c, v->end);
}

/* {} or [] gives way to lines below; an anchor stays. */
static int open_up(struct ctr_yaml_emit *em, const struct ctr_yaml_node *map,
		   const struct ctr_yaml_node *v)
{
	size_t at = v->at;
	struct place p;

	while (em->y->text[at - 1] == ' ' || em->y->text[at - 1] == '\t')
		at--;
	if (ctr_yaml_splice(em, at, v->end - at, em->text.n, v->depth + 1u) < 0 ||
	    behind(em, v, &p) < 0)
		return -1;
	return put_entries(em, v, 0, v->n, &p, map->col + step_of(map, v->kind));
}

static int map_edit(struct ctr_yaml_emit *em, const struct ctr_yaml_node *n)
{
	const struct ctr_yaml_ent *last = ctr_yaml_last(n);
	size_t kept = (size_t)(last - n->ents) + 1;
	struct place p;

	for (size_t i = 0; i < kept; i++) {
		const struct ctr_yaml_ent *ent = &n->ents[i];
		size_t c;
		int rc = 0;

		if (ctr_yaml_opens(n, ent)) {
			rc = open_up(em, n, ent->v);
		} else if (ent->old) {
			c = ctr_yaml_colon(em->y, ent);
			if (c == 0)
				return ctr_yaml_unsafe(em, ent->k->at, "the key has no colon");
			rc = ent->old->end == ent->old->props ||
					     ctr_yaml_one_line(em->y, c, ent->old->props)
				     ? change_here(em, n, ent, c)
				     : change_below(em, n, ent, c);
		}
		if (rc < 0)
			return -1;
	}
	if (kept == n->n)
		return 0;
	if (behind(em, n, &p) < 0)
		return -1;
	return put_entries(em, n, kept, n->n, &p, n->col);
}

/* In front of the first item: above the comments that belong to it. */
static int head_edit(struct ctr_yaml_emit *em, const struct ctr_yaml_node *n, size_t count)
{
	const struct ctr_yaml *y = em->y;
	bool blank, skip;
	size_t at = ctr_yaml_line_start(y, n->at, &blank), from = em->text.n;
	const char *nl = ctr_yaml_nl(y, n->at);

	if (blank)
		indent(&em->text, n->col);
	if (add_entries(em, n, 0, count, n->col, nl) < 0)
		return -1;
	if (!blank) { /* "- - a": the new item takes the place of the old one on the line */
		indent(&em->text, n->col);
		return ctr_yaml_splice(em, n->at, 0, from, n->depth + 1u);
	}
	while (n->up && at > y->base) {
		size_t up = ctr_yaml_line_start(y, at - ctr_yaml_break_before(y, at), &skip), i = up;

		while (y->text[i] == ' ' || y->text[i] == '\t')
			i++;
		if (y->text[i] != '#' && ctr_yaml_break(y->text, y->n, i) == 0)
			break;
		at = up;
	}
	return ctr_yaml_splice(em, at, 0, from, n->depth + 1u);
}

static int seq_edit(struct ctr_yaml_emit *em, const struct ctr_yaml_node *n)
{
	for (size_t i = 0, j; i < n->n; i = j + 1) {
		struct place p;

		for (j = i; j < n->n && n->ents[j].added;)
			j++;
		if (j == i)
			continue;
		if (i == 0) {
			if (head_edit(em, n, j) < 0)
				return -1;
			continue;
		}
		if (behind(em, n->ents[i - 1].v, &p) < 0 ||
		    put_entries(em, n, i, j, &p, n->col) < 0)
			return -1;
	}
	return 0;
}

int ctr_yaml_block_edit(struct ctr_yaml_emit *em, const struct ctr_yaml_node *n)
{
	return n->kind == CTR_YAML_MAP ? map_edit(em, n) : seq_edit(em, n);
}
