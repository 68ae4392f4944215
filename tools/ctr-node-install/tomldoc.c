#include "tomldoc.h"

#include <string.h>

#include "json.h"
#include "toml_lex.h"
#include "utf8.h"

#include "tomlword.h"

struct reader {
	struct ctr_toml_lex lex;
	struct tdoc *d;
	size_t cap;
	struct ctr_buf str;   /* the string just read */
	struct ctr_buf table; /* path of the table that keys go to */
};

static int bad(struct reader *r, struct ctr_err *e, const char *what)
{
	return ctr_toml_bad(&r->lex, e, what);
}

static int look(const struct reader *r)
{
	return ctr_toml_look(&r->lex, 0);
}

static uint32_t hash(const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

static struct tdoc_entry *find(const struct tdoc *d, const char *path)
{
	uint32_t h = hash(path);

	for (size_t i = 0; i < d->n; i++) {
		if (d->v[i].hash == h && strcmp(d->v[i].path, path) == 0)
			return &d->v[i];
	}
	return NULL;
}

const struct tdoc_entry *tdoc_find(const struct tdoc *d, const char *path)
{
	return find(d, path);
}

static int add(struct reader *r, enum tdoc_kind kind, const char *path, const char *value,
	       struct ctr_err *e)
{
	struct tdoc *d = r->d;
	struct tdoc_entry *v;

	if (d->n == TDOC_ENTRIES)
		return ctr_fail(e, CTR_FORMAT, "toml.limit", "%s, line %u: more than %d entries",
				r->lex.name, r->lex.line, TDOC_ENTRIES);
	if (d->n == r->cap) {
		v = realloc(d->v, (r->cap * 2 + 64) * sizeof *v);
		if (!v)
			return ctr_fail_mem(e);
		d->v = v;
		r->cap = r->cap * 2 + 64;
	}
	v = &d->v[d->n];
	*v = (struct tdoc_entry){ kind, strdup(path), value ? strdup(value) : NULL, r->lex.line,
				  1,	hash(path) };
	d->n++; /* what was allocated is freed with the rest */
	return !v->path || (value && !v->value) ? ctr_fail_mem(e) : 0;
}

void tdoc_quote(struct ctr_buf *b, const char *key, size_t n)
{
	bool bare = n > 0;

	for (size_t i = 0; i < n; i++)
		bare = bare && ctr_toml_bare((unsigned char)key[i]);
	if (bare)
		ctr_buf_add(b, key, n);
	else
		ctr_json_quote(b, key, n);
}

/* One part of a key, appended to b as it stands in a path. */
static int key_part(struct reader *r, struct ctr_buf *b, struct ctr_err *e)
{
	size_t from = r->lex.i;

	ctr_toml_blanks(&r->lex);
	from = r->lex.i;
	if (look(r) == '"' || look(r) == '\'') {
		if (ctr_toml_string(&r->lex, false, &r->str, e) < 0)
			return -1;
		tdoc_quote(b, ctr_buf_str(&r->str), r->str.n);
	} else {
		while (ctr_toml_bare(look(r)))
			r->lex.i++;
		if (r->lex.i == from)
			return bad(r, e, "no key");
		ctr_buf_add(b, r->lex.p + from, r->lex.i - from);
	}
	ctr_toml_blanks(&r->lex);
	return ctr_buf_ok(b, r->lex.name, e);
}

/* A part was read, and more may follow: true past the dot. */
static bool dot(struct reader *r)
{
	if (look(r) != '.')
		return false;
	r->lex.i++;
	return true;
}

/* --- values --- */

static int scalar(struct reader *r, struct ctr_buf *b, struct ctr_err *e)
{
	char token[80];
	size_t n = 0;

	for (int c = look(r); ctr_toml_bare(c) || c == '+' || c == '.' || c == ':'; c = look(r)) {
		if (n + 1 == sizeof token)
			return bad(r, e, "a very long value without quotes");
		token[n++] = (char)c;
		r->lex.i++;
	}
	token[n] = '\0';
	if (n == 0)
		return bad(r, e, "no value");
	if (!tomlword_ok(token))
		return bad(r, e, "a value that is no string, number, date, true or false");
	ctr_buf_adds(b, token);
	return ctr_buf_ok(b, r->lex.name, e);
}

static int value(struct reader *r, unsigned depth, struct ctr_buf *b, struct ctr_err *e);

/* Blanks, comments and line ends, as they may stand inside an array. */
static int array_space(struct reader *r, struct ctr_err *e)
{
	for (;;) {
		ctr_toml_blanks(&r->lex);
		if (look(r) != '#' && look(r) != '\n' && look(r) != '\r')
			return 0;
		if (ctr_toml_end_of_line(&r->lex, e) < 0)
			return -1;
	}
}

static int array(struct reader *r, unsigned depth, struct ctr_buf *b, struct ctr_err *e)
{
	bool first = true;

	r->lex.i++;
	ctr_buf_addc(b, '[');
	for (;; first = false) {
		if (array_space(r, e) < 0)
			return -1;
		if (look(r) == ']')
			break;
		if (!first)
			ctr_buf_addc(b, ',');
		if (value(r, depth + 1, b, e) < 0 || array_space(r, e) < 0)
			return -1;
		if (look(r) == ']')
			break;
		if (look(r) != ',')
			return bad(r, e, "no , or ] behind an element");
		r->lex.i++;
	}
	r->lex.i++;
	ctr_buf_addc(b, ']');
	return 0;
}

/* One of two keys is the other, or a table around it. */
static bool overlap(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b), k = n < m ? n : m;

	return strncmp(a, b, k) == 0 && (n == m || (n < m ? b : a)[k] == '.');
}

/* Keys of one inline table, each ended by a NUL: none may stand twice. */
static int inline_key(struct reader *r, struct ctr_buf *keys, struct ctr_buf *b, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf key = { 0 };
	unsigned parts = 0;

	do {
		if (parts++ == TDOC_DEPTH)
			return bad(r, e, "a key of too many parts");
		if (parts > 1)
			ctr_buf_addc(&key, '.');
		if (key_part(r, &key, e) < 0)
			return -1;
	} while (dot(r));
	for (const char *k = keys->p; k && k < keys->p + keys->n; k += strlen(k) + 1) {
		if (overlap(k, key.p))
			return bad(r, e, "a key or table for the second time");
	}
	ctr_buf_add(keys, key.p, key.n + 1);
	ctr_buf_add(b, key.p, key.n);
	if (look(r) != '=')
		return bad(r, e, "no = behind the key");
	r->lex.i++;
	ctr_toml_blanks(&r->lex);
	ctr_buf_addc(b, '=');
	return ctr_buf_ok(keys, r->lex.name, e);
}

static int inline_table(struct reader *r, unsigned depth, struct ctr_buf *b, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf keys = { 0 };

	r->lex.i++;
	ctr_buf_addc(b, '{');
	ctr_toml_blanks(&r->lex);
	for (bool first = true; !first || look(r) != '}'; first = false) {
		if (inline_key(r, &keys, b, e) < 0 || value(r, depth + 1, b, e) < 0)
			return -1;
		ctr_toml_blanks(&r->lex);
		if (look(r) == '}')
			break;
		if (look(r) != ',')
			return bad(r, e, "no , or } in an inline table");
		r->lex.i++;
		ctr_buf_addc(b, ',');
	}
	r->lex.i++;
	ctr_buf_addc(b, '}');
	return 0;
}

static int value(struct reader *r, unsigned depth, struct ctr_buf *b, struct ctr_err *e)
{
	if (depth == TDOC_DEPTH)
		return bad(r, e, "values nested too deep");
	switch (look(r)) {
	case '"':
	case '\'':
		if (ctr_toml_string(&r->lex, true, &r->str, e) < 0)
			return -1;
		ctr_json_quote(b, ctr_buf_str(&r->str), r->str.n);
		return ctr_buf_ok(b, r->lex.name, e);
	case '[':
		return array(r, depth, b, e);
	case '{':
		return inline_table(r, depth, b, e);
	default:
		return scalar(r, b, e);
	}
}

/* --- tables and keys --- */

/* A table on the way to another's header. */
static int step_header(struct reader *r, struct ctr_buf *path, struct ctr_err *e)
{
	const struct tdoc_entry *t = find(r->d, ctr_buf_str(path));

	if (!t)
		return add(r, TDOC_IMPLICIT, ctr_buf_str(path), NULL, e);
	if (t->kind == TDOC_VALUE)
		return bad(r, e, "a table inside of a value");
	if (t->kind == TDOC_ARRAY)
		ctr_buf_addf(path, "[%u]", t->count - 1);
	return ctr_buf_ok(path, r->lex.name, e);
}

static int last_header(struct reader *r, bool element, struct ctr_buf *path, struct ctr_err *e)
{
	struct tdoc_entry *t = find(r->d, ctr_buf_str(path));

	if (!t && add(r, element ? TDOC_ARRAY : TDOC_TABLE, ctr_buf_str(path), NULL, e) < 0)
		return -1;
	if (t && element && t->kind == TDOC_ARRAY)
		t->count++;
	else if (t && !element && t->kind == TDOC_IMPLICIT)
		t->kind = TDOC_TABLE;
	else if (t)
		return bad(r, e, "a key or table for the second time");
	if (element)
		ctr_buf_addf(path, "[%u]", t ? t->count - 1 : 0);
	return ctr_buf_ok(path, r->lex.name, e);
}

static int header(struct reader *r, struct ctr_err *e)
{
	bool element = ctr_toml_at(&r->lex, "[[");
	ctr_auto_buf struct ctr_buf path = { 0 };
	unsigned parts = 0;

	r->lex.i += element ? 2 : 1;
	for (;;) {
		if (parts++ == TDOC_DEPTH)
			return bad(r, e, "a key of too many parts");
		if (path.n)
			ctr_buf_addc(&path, '.');
		if (key_part(r, &path, e) < 0)
			return -1;
		if (!dot(r))
			break;
		if (step_header(r, &path, e) < 0)
			return -1;
	}
	if (!ctr_toml_at(&r->lex, element ? "]]" : "]"))
		return bad(r, e, "no ] behind the table's name");
	r->lex.i += element ? 2 : 1;
	if (last_header(r, element, &path, e) < 0)
		return -1;
	ctr_buf_reset(&r->table);
	ctr_buf_adds(&r->table, path.p);
	return ctr_toml_end_of_line(&r->lex, e);
}

static int pair(struct reader *r, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf path = { 0 }, val = { 0 };
	unsigned parts = 0;

	ctr_buf_adds(&path, ctr_buf_str(&r->table));
	for (;;) {
		const struct tdoc_entry *t;

		if (parts++ == TDOC_DEPTH)
			return bad(r, e, "a key of too many parts");
		if (path.n)
			ctr_buf_addc(&path, '.');
		if (key_part(r, &path, e) < 0)
			return -1;
		t = find(r->d, path.p);
		if (!dot(r)) {
			if (t)
				return bad(r, e, "a key or table for the second time");
			break;
		}
		if (t && t->kind != TDOC_DOTTED)
			return bad(r, e, "a dotted key into another table or value");
		if (!t && add(r, TDOC_DOTTED, path.p, NULL, e) < 0)
			return -1;
	}
	if (look(r) != '=')
		return bad(r, e, "no = behind the key");
	r->lex.i++;
	ctr_toml_blanks(&r->lex);
	if (value(r, 0, &val, e) < 0 || ctr_buf_ok(&val, r->lex.name, e) < 0 ||
	    add(r, TDOC_VALUE, path.p, val.p, e) < 0)
		return -1;
	return ctr_toml_end_of_line(&r->lex, e);
}

static int statement(struct reader *r, struct ctr_err *e)
{
	int c;

	ctr_toml_blanks(&r->lex);
	c = look(r);
	if (c == '\n' || c == '\r' || c == '#' || c < 0)
		return ctr_toml_end_of_line(&r->lex, e);
	return c == '[' ? header(r, e) : pair(r, e);
}

int tdoc_parse(const char *name, const char *p, size_t n, struct tdoc *d, struct ctr_err *e)
{
	struct reader r = {
		.lex = { .p = p,
			 .n = n,
			 .line = 1,
			 .id = "toml",
			 .name = name,
			 .no_string = "no string (expected quotes)",
			 .crlf = true },
		.d = d,
	};
	int rc = 0;

	*d = (struct tdoc){ 0 };
	if (n > TDOC_MAX)
		rc = ctr_fail(e, CTR_FORMAT, "toml.limit", "%s: larger than %zu bytes", name,
			      TDOC_MAX);
	else if (!ctr_utf8_valid(p, n))
		rc = ctr_fail(e, CTR_FORMAT, "toml", "%s: not UTF-8", name);
	while (rc == 0 && r.lex.i < r.lex.n)
		rc = statement(&r, e);
	ctr_buf_free(&r.str);
	ctr_buf_free(&r.table);
	if (rc < 0)
		tdoc_free(d);
	return rc;
}

void tdoc_free(struct tdoc *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->v[i].path);
		free(d->v[i].value);
	}
	free(d->v);
	*d = (struct tdoc){ 0 };
}

bool tdoc_blank(const struct tdoc *d)
{
	return d->n == 0;
}

/* --- comparing --- */

/* Tables that have nothing but others in them say nothing. */
static bool counts(const struct tdoc_entry *v)
{
	return v->kind == TDOC_VALUE || v->kind == TDOC_ARRAY || v->kind == TDOC_TABLE;
}

static bool holds(const struct tdoc *in, const struct tdoc *all, size_t *n)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct tdoc_entry *v = &all->v[i], *w = find(in, v->path);

		if (!counts(v))
			continue;
		if (!w || w->kind != v->kind || w->count != v->count ||
		    (v->value && strcmp(v->value, w->value) != 0))
			return false;
		(*n)++;
	}
	return true;
}

bool tdoc_is_sum(const struct tdoc *sum, const struct tdoc *a, const struct tdoc *b)
{
	size_t n = 0, m = 0;

	if (!holds(sum, a, &n) || !holds(sum, b, &n))
		return false;
	for (size_t i = 0; i < sum->n; i++)
		m += counts(&sum->v[i]);
	return n == m;
}
