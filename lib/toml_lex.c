#include "toml_lex.h"

#include <string.h>

int ctr_toml_bad(const struct ctr_toml_lex *t, struct ctr_err *e, const char *what)
{
	return ctr_fail(e, CTR_FORMAT, t->id, "%s, line %u: %s", t->name, t->line, what);
}

bool ctr_toml_at(const struct ctr_toml_lex *t, const char *s)
{
	for (size_t k = 0; s[k]; k++) {
		if (ctr_toml_look(t, k) != (unsigned char)s[k])
			return false;
	}
	return true;
}

bool ctr_toml_control(int c)
{
	return (c >= 0 && c < 0x20 && c != '\t') || c == 0x7f;
}

void ctr_toml_blanks(struct ctr_toml_lex *t)
{
	while (ctr_toml_look(t, 0) == ' ' || ctr_toml_look(t, 0) == '\t')
		t->i++;
}

/* Blanks, a comment, and the line end or the end of the document. */
int ctr_toml_end_of_line(struct ctr_toml_lex *t, struct ctr_err *e)
{
	ctr_toml_blanks(t);
	if (ctr_toml_look(t, 0) == '#') {
		while (ctr_toml_look(t, 0) >= 0 && !ctr_toml_control(ctr_toml_look(t, 0)))
			t->i++;
	}
	if (ctr_toml_look(t, 0) == '\r' && ctr_toml_look(t, 1) == '\n')
		t->i++;
	if (ctr_toml_look(t, 0) < 0)
		return 0;
	if (ctr_toml_look(t, 0) != '\n')
		return ctr_toml_bad(t, e,
				    ctr_toml_control(ctr_toml_look(t, 0))
					    ? "a control character"
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

static int unicode(struct ctr_toml_lex *t, size_t digits, struct ctr_buf *b, struct ctr_err *e)
{
	uint32_t c = 0;

	for (size_t k = 0; k < digits; k++) {
		int d = ctr_toml_look(t, 0);
		int v = d >= '0' && d <= '9'   ? d - '0'
			: d >= 'a' && d <= 'f' ? d - 'a' + 10
			: d >= 'A' && d <= 'F' ? d - 'A' + 10
					       : -1;

		if (v < 0)
			return ctr_toml_bad(t, e, "a \\u escape without its digits");
		c = c << 4 | (uint32_t)v;
		t->i++;
	}
	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return ctr_toml_bad(t, e, "a \\u escape of no character");
	add_utf8(b, c);
	return 0;
}

static bool crlf_here(const struct ctr_toml_lex *t)
{
	return t->crlf && ctr_toml_look(t, 0) == '\r' && ctr_toml_look(t, 1) == '\n';
}

/* A backslash at the end of a line takes away all blanks and line ends up to the next text. */
static int joined_line(struct ctr_toml_lex *t, struct ctr_err *e)
{
	ctr_toml_blanks(t);
	if (ctr_toml_look(t, 0) != '\n' && !crlf_here(t))
		return ctr_toml_bad(t, e, "an unknown escape");
	while (ctr_toml_look(t, 0) == ' ' || ctr_toml_look(t, 0) == '\t' ||
	       ctr_toml_look(t, 0) == '\n' || crlf_here(t)) {
		t->line += ctr_toml_look(t, 0) == '\n';
		t->i++;
	}
	return 0;
}

static int escape(struct ctr_toml_lex *t, bool multi, struct ctr_buf *b, struct ctr_err *e)
{
	static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
	int c = ctr_toml_look(t, 1);
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
	return multi ? joined_line(t, e) : ctr_toml_bad(t, e, "an unknown escape");
}

static bool plain(int c, char quote)
{
	return c >= 0 && !ctr_toml_control(c) && c != quote && c != '\\';
}

/* After """ or ''': the text may end with one or two quotes of its own before the closing three. */
static int multi_line(struct ctr_toml_lex *t, char quote, struct ctr_buf *b, struct ctr_err *e)
{
	t->i += crlf_here(t);
	if (ctr_toml_look(t, 0) == '\n') {
		t->i++;
		t->line++;
	}
	for (;;) {
		int c = ctr_toml_look(t, 0);
		size_t run = 0;

		while (ctr_toml_look(t, run) == quote)
			run++;
		if (run > 5)
			return ctr_toml_bad(t, e, "more than five quotes in a row");
		for (size_t k = run >= 3 ? 3 : 0; k < run; k++)
			ctr_buf_addc(b, quote);
		t->i += run;
		if (run >= 3)
			return 0;
		if (run > 0)
			continue;
		if (c < 0)
			return ctr_toml_bad(t, e, "the string does not end");
		if (c != '\n' && ctr_toml_control(c) && !crlf_here(t))
			return ctr_toml_bad(t, e,
					    c == '\r' ? "a carriage return in a string"
						      : "a control character");
		if (c == '\\' && quote == '"') {
			if (escape(t, true, b, e) < 0)
				return -1;
			continue;
		}
		t->line += c == '\n';
		/* the first byte is good, with as many plain ones as follow */
		for (run = 1; plain(ctr_toml_look(t, run), quote);)
			run++;
		ctr_buf_add(b, t->p + t->i, run);
		t->i += run;
	}
}

static int one_line(struct ctr_toml_lex *t, char quote, struct ctr_buf *b, struct ctr_err *e)
{
	for (;;) {
		int c = ctr_toml_look(t, 0);

		if (c < 0 || ctr_toml_control(c))
			return ctr_toml_bad(t, e, "the string does not end on its line");
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

int ctr_toml_string(struct ctr_toml_lex *t, bool multi, struct ctr_buf *b, struct ctr_err *e)
{
	int quote = ctr_toml_look(t, 0);
	int rc;

	if (quote != '"' && quote != '\'')
		return ctr_toml_bad(t, e, t->no_string);
	ctr_buf_reset(b);
	if (ctr_toml_at(t, "\"\"\"") || ctr_toml_at(t, "'''")) {
		if (!multi)
			return ctr_toml_bad(t, e, "a key in three quotes");
		t->i += 3;
		rc = multi_line(t, (char)quote, b, e);
	} else {
		t->i++;
		rc = one_line(t, (char)quote, b, e);
	}
	return rc < 0 ? -1 : ctr_buf_ok(b, t->name, e);
}

bool ctr_toml_bare(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}
