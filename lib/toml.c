#include "toml.h"

#include <string.h>

#include "utf8.h"

struct toml {
	const char *p;
	size_t n, i;
	unsigned line;
	struct ctr_buf key, val;
	char table[CTR_TOML_KEY_MAX + 1];
	struct {
		char table[CTR_TOML_KEY_MAX + 1], key[CTR_TOML_KEY_MAX + 1]; /* key "": the table itself */
	} seen[CTR_TOML_KEYS];
	size_t n_seen;
};

static int bad(const struct toml *t, struct ctr_err *e, const char *what)
{
	return ctr_fail(e, CTR_FORMAT, "initdata.toml", "initdata, line %u: %s", t->line, what);
}

/* The byte k behind the cursor, -1 beyond the end. */
static int look(const struct toml *t, size_t k)
{
	return k < t->n - t->i ? (unsigned char)t->p[t->i + k] : -1;
}

static bool at(const struct toml *t, const char *s)
{
	for (size_t k = 0; s[k]; k++) {
		if (look(t, k) != (unsigned char)s[k])
			return false;
	}
	return true;
}

static bool control(int c)
{
	return (c >= 0 && c < 0x20 && c != '\t') || c == 0x7f;
}

static void blanks(struct toml *t)
{
	while (look(t, 0) == ' ' || look(t, 0) == '\t')
		t->i++;
}

/* Blanks, a comment, and the line end or the end of the document. */
static int end_of_line(struct toml *t, struct ctr_err *e)
{
	blanks(t);
	if (look(t, 0) == '#') {
		while (look(t, 0) >= 0 && !control(look(t, 0)))
			t->i++;
	}
	if (look(t, 0) == '\r' && look(t, 1) == '\n')
		t->i++;
	if (look(t, 0) < 0)
		return 0;
	if (look(t, 0) != '\n')
		return bad(t, e, control(look(t, 0)) ? "a control character"
						     : "more on the line (expected its end)");
	t->i++;
	t->line++;
	return 0;
}

static void add_utf8(struct ctr_buf *b, uint32_t c)
{
	if (c < 0x80) {
		ctr_buf_addc(b, (char)c);
		return;
	}
	if (c < 0x800) {
		ctr_buf_addc(b, (char)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			ctr_buf_addc(b, (char)(0xe0 | c >> 12));
		} else {
			ctr_buf_addc(b, (char)(0xf0 | c >> 18));
			ctr_buf_addc(b, (char)(0x80 | (c >> 12 & 0x3f)));
		}
		ctr_buf_addc(b, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	ctr_buf_addc(b, (char)(0x80 | (c & 0x3f)));
}

static int unicode(struct toml *t, size_t digits, struct ctr_buf *b, struct ctr_err *e)
{
	uint32_t c = 0;

	for (size_t k = 0; k < digits; k++) {
		int d = look(t, 0);
		int v = d >= '0' && d <= '9'   ? d - '0'
			: d >= 'a' && d <= 'f' ? d - 'a' + 10
			: d >= 'A' && d <= 'F' ? d - 'A' + 10
					       : -1;

		if (v < 0)
			return bad(t, e, "a \\u escape without its digits");
		c = c << 4 | (uint32_t)v;
		t->i++;
	}
	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return bad(t, e, "a \\u escape of no character");
	add_utf8(b, c);
	return 0;
}

/* A backslash at the end of a line takes away all blanks and line ends up to the next text. */
static int joined_line(struct toml *t, struct ctr_err *e)
{
	blanks(t);
	if (look(t, 0) != '\n')
		return bad(t, e, "an unknown escape");
	while (look(t, 0) == ' ' || look(t, 0) == '\t' || look(t, 0) == '\n') {
		t->line += look(t, 0) == '\n';
		t->i++;
	}
	return 0;
}

static int escape(struct toml *t, bool multi, struct ctr_buf *b, struct ctr_err *e)
{
	static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
	int c = look(t, 1);
	const char *f = c > 0 ? strchr(from, c) : NULL;

	t->i++;
	if (f) {
		ctr_buf_addc(b, to[f - from]);
		t->i++;
		return 0;
	}
	if (c == 'u' || c == 'U') {
		t->i++;
		return unicode(t, c == 'u' ? 4 : 8, b, e);
	}
	return multi ? joined_line(t, e) : bad(t, e, "an unknown escape");
}

static bool plain(int c, char quote)
{
	return c >= 0 && !control(c) && c != quote && c != '\\';
}

/* After """ or ''': the text may end with one or two quotes of its own before the closing three. */
static int multi_line(struct toml *t, char quote, struct ctr_buf *b, struct ctr_err *e)
{
	if (look(t, 0) == '\n') {
		t->i++;
		t->line++;
	}
	for (;;) {
		int c = look(t, 0);
		size_t run = 0;

		while (look(t, run) == quote)
			run++;
		if (run > 5)
			return bad(t, e, "more than five quotes in a row");
		for (size_t k = run >= 3 ? 3 : 0; k < run; k++)
			ctr_buf_addc(b, quote);
		t->i += run;
		if (run >= 3)
			return 0;
		if (run > 0)
			continue;
		if (c < 0)
			return bad(t, e, "the string does not end");
		if (c != '\n' && control(c))
			return bad(t, e, c == '\r' ? "a carriage return in a string"
						   : "a control character");
		if (c == '\\' && quote == '"') {
			if (escape(t, true, b, e) < 0)
				return -1;
			continue;
		}
		t->line += c == '\n';
		/* the first byte is good, with as many plain ones as follow */
		for (run = 1; plain(look(t, run), quote);)
			run++;
		ctr_buf_add(b, t->p + t->i, run);
		t->i += run;
	}
}

static int one_line(struct toml *t, char quote, struct ctr_buf *b, struct ctr_err *e)
{
	for (;;) {
		int c = look(t, 0);

		if (c < 0 || control(c))
			return bad(t, e, "the string does not end on its line");
		if (c == '\\' && quote == '"') {
			if (escape(t, false, b, e) < 0)
				return -1;
			continue;
		}
		t->i++;
		if (c == quote)
			return 0;
		ctr_buf_addc(b, (char)c);
	}
}

static int string(struct toml *t, bool multi, struct ctr_buf *b, struct ctr_err *e)
{
	int quote = look(t, 0);
	int rc;

	if (quote != '"' && quote != '\'')
		return bad(t, e, "no string (expected quotes; other values do not occur in initdata)");
	ctr_buf_reset(b);
	if (at(t, "\"\"\"") || at(t, "'''")) {
		if (!multi)
			return bad(t, e, "a key in three quotes");
		t->i += 3;
		rc = multi_line(t, (char)quote, b, e);
	} else {
		t->i++;
		rc = one_line(t, (char)quote, b, e);
	}
	return rc < 0 ? -1 : ctr_buf_ok(b, "initdata", e);
}

static bool bare(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

/* A key and the character that must follow it. */
static int key(struct toml *t, char then, struct ctr_err *e)
{
	blanks(t);
	if (bare(look(t, 0))) {
		ctr_buf_reset(&t->key);
		for (; bare(look(t, 0)); t->i++)
			ctr_buf_addc(&t->key, t->p[t->i]);
	} else if (look(t, 0) != '"' && look(t, 0) != '\'') {
		return bad(t, e, "no key");
	} else if (string(t, false, &t->key, e) < 0) {
		return -1;
	}
	if (ctr_buf_ok(&t->key, "initdata", e) < 0)
		return -1;
	if (t->key.n == 0 || t->key.n > CTR_TOML_KEY_MAX)
		return bad(t, e, "an empty or very long key");
	blanks(t);
	if (look(t, 0) != then)
		return bad(t, e, then == '=' ? "no = behind the key (dotted keys do not occur in initdata)"
					     : "no ] behind the table's name");
	t->i++;
	return 0;
}

static int remember(struct toml *t, const char *table, const char *name, struct ctr_err *e)
{
	for (size_t k = 0; k < t->n_seen; k++) {
		if (strcmp(t->seen[k].table, table) == 0 && strcmp(t->seen[k].key, name) == 0)
			return bad(t, e, "a key or table for the second time");
	}
	if (t->n_seen == CTR_TOML_KEYS)
		return bad(t, e, "too many keys");
	memcpy(t->seen[t->n_seen].table, table, strlen(table) + 1);
	memcpy(t->seen[t->n_seen].key, name, strlen(name) + 1);
	t->n_seen++;
	return 0;
}

static int table(struct toml *t, struct ctr_err *e)
{
	t->i++;
	if (key(t, ']', e) < 0 || remember(t, ctr_buf_str(&t->key), "", e) < 0)
		return -1;
	/* a root key of the name would make it a string as well */
	for (size_t k = 0; k < t->n_seen; k++) {
		if (!t->seen[k].table[0] && strcmp(t->seen[k].key, ctr_buf_str(&t->key)) == 0)
			return bad(t, e, "a key or table for the second time");
	}
	memcpy(t->table, ctr_buf_str(&t->key), t->key.n + 1);
	return end_of_line(t, e);
}

static int pair(struct toml *t, ctr_toml_fn fn, void *ctx, struct ctr_err *e)
{
	unsigned line;

	if (key(t, '=', e) < 0 || remember(t, t->table, ctr_buf_str(&t->key), e) < 0)
		return -1;
	blanks(t);
	line = t->line;
	if (string(t, true, &t->val, e) < 0 || end_of_line(t, e) < 0)
		return -1;
	return fn(ctx, t->table, ctr_buf_str(&t->key), ctr_buf_str(&t->val), t->val.n, line, e);
}

static int statement(struct toml *t, ctr_toml_fn fn, void *ctx, struct ctr_err *e)
{
	int c;

	blanks(t);
	c = look(t, 0);
	if (c == '\n' || c == '\r' || c == '#' || c < 0)
		return end_of_line(t, e);
	return c == '[' ? table(t, e) : pair(t, fn, ctx, e);
}

int ctr_toml_parse(const char *p, size_t n, ctr_toml_fn fn, void *ctx, struct ctr_err *e)
{
	struct toml *t = calloc(1, sizeof *t);
	int rc = 0;

	if (!t)
		return ctr_fail_mem(e);
	t->p = p;
	t->n = n;
	t->line = 1;
	if (!ctr_utf8_valid(p, n))
		rc = ctr_fail(e, CTR_FORMAT, "initdata.toml", "initdata: not UTF-8");
	while (rc == 0 && t->i < t->n)
		rc = statement(t, fn, ctx, e);
	ctr_buf_free(&t->key);
	ctr_buf_free(&t->val);
	free(t);
	return rc;
}

bool ctr_toml_literal(const char *p, size_t n)
{
	size_t quotes = 0;

	for (size_t i = 0; i < n; i++) {
		quotes = p[i] == '\'' ? quotes + 1 : 0;
		if (quotes == 3 || (control((unsigned char)p[i]) && p[i] != '\n'))
			return false;
	}
	return quotes == 0; /* a quote at the end would stand next to the closing ones */
}

void ctr_toml_escape(struct ctr_buf *b, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '"' || p[i] == '\\') {
			ctr_buf_addc(b, '\\');
			ctr_buf_addc(b, p[i]);
		} else if (control((unsigned char)p[i]) && p[i] != '\n') {
			ctr_buf_addf(b, "\\u%04x", (unsigned)(unsigned char)p[i]);
		} else {
			ctr_buf_addc(b, p[i]);
		}
	}
}
