/* Edits in flow style, JSON among it: on the line, or one entry a line as the others stand. */
#include "yaml_emit.h"

#include <string.h>

static size_t entry_start(const struct ctr_yaml_ent *ent)
{
	return ent->k ? ent->k->props : ent->old ? ent->old->props : ent->v->props;
}

static size_t entry_end(const struct ctr_yaml_ent *ent)
{
	return ent->old ? ent->old->end : ent->v->end;
}

/* True when each entry has its line; *f is how to write another one like it. */
static bool one_a_line(const struct ctr_yaml_node *n, struct ctr_yaml_flow *f)
{
	const struct ctr_yaml *y = n->doc;
	const struct ctr_yaml_ent *last = ctr_yaml_last(n);
	size_t start, line, close;
	bool blank, skip;

	if (!last || ctr_yaml_one_line(y, entry_end(last), n->end))
		return false;
	start = entry_start(last);
	line = ctr_yaml_line_start(y, start, &blank);
	close = ctr_yaml_line_start(y, n->end - 1, &skip);
	if (!blank)
		return false;
	f->nl = ctr_yaml_nl(y, start);
	f->indent = y->text + line;
	f->indent_n = start - line;
	f->unit = "  ";
	f->unit_n = 2;
	while (close < n->end && (y->text[close] == ' ' || y->text[close] == '\t'))
		close++;
	close -= ctr_yaml_line_start(y, n->end - 1, &skip);
	if (close < f->indent_n) {
		f->unit = f->indent + close;
		f->unit_n = f->indent_n - close;
	}
	return true;
}

static struct ctr_yaml_flow style_of(const struct ctr_yaml_emit *em, const struct ctr_yaml_node *n)
{
	struct ctr_yaml_flow f = { .form = em->json ? CTR_YAML_IN_JSON : CTR_YAML_IN_FLOW,
				   .compact = em->compact, .draft = em->draft };

	while (n && !ctr_yaml_first(n) && n->up && n->up->style == CTR_YAML_FLOW)
		n = n->up;
	if (n->kind == CTR_YAML_MAP && ctr_yaml_first(n) &&
	    ctr_yaml_first(n)->k->style == CTR_YAML_DOUBLE)
		f.form = CTR_YAML_IN_JSON;
	return f;
}

static int add_entry(struct ctr_yaml_emit *em, const struct ctr_yaml_ent *ent,
		     const struct ctr_yaml_flow *f)
{
	if (ent->key)
		ctr_yaml_flow_key(&em->text, ent->key, f);
	return ctr_yaml_flow(&em->text, ent->v, f, 0, em->e);
}

/* {} or [] in the text. Where the collection around it has an entry a line, so has this one. */
static int fill_empty(struct ctr_yaml_emit *em, const struct ctr_yaml_node *n)
{
	struct ctr_yaml_flow f = style_of(em, n);
	size_t from = em->text.n, close = n->end - 1, i = n->at + 1;
	bool lines = n->up && n->up->style == CTR_YAML_FLOW && one_a_line(n->up, &f);

	while (i < close && (em->y->text[i] == ' ' || em->y->text[i] == '\t'))
		i++;
	for (size_t k = 0; k < n->n; k++) {
		if (k > 0)
			ctr_buf_adds(&em->text, lines || f.compact ? "," : ", ");
		if (lines) {
			ctr_yaml_newline(&em->text, &f, 1);
			if (n->ents[k].key)
				ctr_yaml_flow_key(&em->text, n->ents[k].key, &f);
			if (ctr_yaml_flow(&em->text, n->ents[k].v, &f, 1, em->e) < 0)
				return -1;
		} else if (add_entry(em, &n->ents[k], &f) < 0) {
			return -1;
		}
	}
	if (lines)
		ctr_yaml_newline(&em->text, &f, 0);
	return ctr_yaml_splice(em, n->at + 1, i == close ? close - n->at - 1 : 0, from, n->depth + 1u);
}

/* Behind the last entry of the text. */
static int append(struct ctr_yaml_emit *em, const struct ctr_yaml_node *n, size_t i)
{
	struct ctr_yaml_flow f = style_of(em, n);
	bool lines = one_a_line(n, &f), comma;
	size_t end = entry_end(ctr_yaml_last(n)), at = ctr_yaml_blanks(em->y, end), from = em->text.n;
	const char *gap = f.compact ? "" : " ";

	comma = at < em->y->n && em->y->text[at] == ',';
	at = comma ? at + 1 : end;
	if (lines && !comma) {
		ctr_buf_addc(&em->text, ',');
		if (ctr_yaml_splice(em, end, 0, from, n->depth + 1u) < 0)
			return -1;
		from = em->text.n;
	}
	if (lines)
		at = ctr_yaml_line_end(em->y, at);
	for (; i < n->n; i++) {
		if (lines)
			ctr_yaml_newline(&em->text, &f, 0);
		else
			ctr_buf_addf(&em->text, "%s%s", comma ? "" : ",", gap);
		if (add_entry(em, &n->ents[i], &f) < 0)
			return -1;
		if (comma || (lines && i + 1 < n->n))
			ctr_buf_addc(&em->text, ',');
	}
	return ctr_yaml_splice(em, at, 0, from, n->depth + 1u);
}

/* Added items i to j in front of item j of the text. */
static int insert(struct ctr_yaml_emit *em, const struct ctr_yaml_node *n, size_t i, size_t j)
{
	struct ctr_yaml_flow f = style_of(em, n);
	size_t at = entry_start(&n->ents[j]), from = em->text.n;
	bool lines = one_a_line(n, &f), blank;

	ctr_yaml_line_start(em->y, at, &blank);
	for (; i < j; i++) {
		if (add_entry(em, &n->ents[i], &f) < 0)
			return -1;
		ctr_buf_addc(&em->text, ',');
		if (lines && blank)
			ctr_yaml_newline(&em->text, &f, 0);
		else if (!f.compact)
			ctr_buf_addc(&em->text, ' ');
	}
	return ctr_yaml_splice(em, at, 0, from, CTR_YAML_RANK_INLINE);
}

static int change(struct ctr_yaml_emit *em, const struct ctr_yaml_node *n,
		  const struct ctr_yaml_ent *ent)
{
	struct ctr_yaml_flow f = style_of(em, n);
	size_t from = em->text.n;

	one_a_line(n, &f);
	ctr_buf_adds(&em->text, ctr_yaml_lead(ent->old));
	if (ctr_yaml_flow(&em->text, ent->v, &f, 0, em->e) < 0)
		return -1;
	return ctr_yaml_splice(em, ent->old->props, ent->old->end - ent->old->props, from,
			       n->depth + 2u);
}

int ctr_yaml_flow_edit(struct ctr_yaml_emit *em, const struct ctr_yaml_node *n)
{
	const struct ctr_yaml_ent *last = ctr_yaml_last(n);
	size_t kept = last ? (size_t)(last - n->ents) + 1 : 0;

	if (!last)
		return n->n > 0 ? fill_empty(em, n) : 0;
	for (size_t i = 0, j; i < kept; i = j + 1) {
		for (j = i; n->ents[j].added;)
			j++;
		if (j > i && insert(em, n, i, j) < 0)
			return -1;
		if (n->ents[j].old && change(em, n, &n->ents[j]) < 0)
			return -1;
	}
	if (kept == n->n)
		return 0;
	if (!strchr("{[", em->y->text[n->at]))
		return ctr_yaml_unsafe(em, n->at, "a mapping without braces");
	return append(em, n, kept);
}
