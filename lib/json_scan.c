#include "json_scan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

struct scan {
	const char *name, *start, *p, *end;
	unsigned depth, max;
	struct ctr_err *e;
};

static int bad(struct scan *s, const char *id, const char *what)
{
	unsigned line = 1;
	const char *bol = s->start;

	for (const char *q = s->start; q < s->p; q++) {
		if (*q == '\n') {
			line++;
			bol = q + 1;
		}
	}
	ctr_fail(s->e, CTR_FORMAT, id, "%s", what);
	return ctr_err_at(s->e, s->name, line, (unsigned)(s->p - bol) + 1);
}

static void blanks(struct scan *s)
{
	while (s->p < s->end && strchr(" \t\r\n", *s->p) && *s->p)
		s->p++;
}

static bool next_is(const struct scan *s, char c)
{
	return s->p < s->end && *s->p == c;
}

static int hex4(struct scan *s, unsigned *v)
{
	*v = 0;
	for (int i = 0; i < 4; i++, s->p++) {
		const char *d = "0123456789abcdef", *hit = NULL;

		if (s->p < s->end && *s->p)
			hit = strchr(d, *s->p >= 'A' && *s->p <= 'F' ? *s->p + 32 : *s->p);
		if (!hit)
			return bad(s, "json.syntax", "\\u needs four hexadecimal digits");
		*v = *v << 4 | (unsigned)(hit - d);
	}
	return 0;
}

/* Behind the backslash. A NUL would cut C strings short, so it is refused with the lone surrogates.
 */
static int escape(struct scan *s)
{
	unsigned u, low;

	if (s->p < s->end && *s->p && strchr("\"\\/bfnrt", *s->p)) {
		s->p++;
		return 0;
	}
	if (!next_is(s, 'u'))
		return bad(s, "json.syntax", "unknown escape in a string");
	s->p++;
	if (hex4(s, &u) < 0)
		return -1;
	if (u == 0)
		return bad(s, "json.syntax", "NUL in a string");
	if (u >= 0xdc00 && u <= 0xdfff)
		return bad(s, "json.utf8", "lone low surrogate in a string");
	if (u < 0xd800 || u > 0xdbff)
		return 0;
	if (s->end - s->p < 2 || s->p[0] != '\\' || s->p[1] != 'u')
		return bad(s, "json.utf8", "lone high surrogate in a string");
	s->p += 2;
	if (hex4(s, &low) < 0)
		return -1;
	return low >= 0xdc00 && low <= 0xdfff
		       ? 0
		       : bad(s, "json.utf8", "broken surrogate pair in a string");
}

/* What needs no second look: most bytes of most strings. */
static void skip_plain(struct scan *s)
{
	while (s->p < s->end && (unsigned char)*s->p >= 0x20 && (unsigned char)*s->p < 0x80 &&
	       *s->p != '"' && *s->p != '\\')
		s->p++;
}

static int string(struct scan *s)
{
	s->p++;
	skip_plain(s);
	while (s->p < s->end && *s->p != '"') {
		size_t w = ctr_utf8_len(s->p, (size_t)(s->end - s->p));

		if (w == 0)
			return bad(s, "json.utf8", "not UTF-8");
		if ((unsigned char)*s->p < 0x20)
			return bad(s, "json.syntax", "control character in a string");
		if (*s->p != '\\') {
			s->p += w;
			continue;
		}
		s->p++;
		if (escape(s) < 0)
			return -1;
	}
	if (s->p == s->end)
		return bad(s, "json.syntax", "string without an end");
	s->p++;
	return 0;
}

static size_t digits(struct scan *s)
{
	const char *from = s->p;

	while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
		s->p++;
	return (size_t)(s->p - from);
}

/* What a double cannot hold would be printed as another value. */
static int in_range(struct scan *s, const char *from)
{
	char text[64];
	size_t n = (size_t)(s->p - from);

	if (n >= sizeof text)
		return bad(s, "json.syntax", "a number of more than 63 characters");
	memcpy(text, from, n);
	text[n] = '\0';
	return isfinite(strtod(text, NULL)) ? 0
					    : bad(s, "json.syntax", "a number that is too large");
}

static int number(struct scan *s)
{
	const char *start = s->p, *from;

	if (next_is(s, '-'))
		s->p++;
	from = s->p;
	if (digits(s) == 0 || (*from == '0' && s->p - from > 1))
		return bad(s, "json.syntax", "not a value (expected a number)");
	if (next_is(s, '.')) {
		s->p++;
		if (digits(s) == 0)
			return bad(s, "json.syntax", "digits expected behind the decimal point");
	}
	if (next_is(s, 'e') || next_is(s, 'E')) {
		s->p++;
		if (next_is(s, '+') || next_is(s, '-'))
			s->p++;
		if (digits(s) == 0)
			return bad(s, "json.syntax", "digits expected in the exponent");
	}
	return in_range(s, start);
}

static int word(struct scan *s, const char *w)
{
	size_t n = strlen(w);

	if ((size_t)(s->end - s->p) < n || strncmp(s->p, w, n) != 0)
		return bad(s, "json.syntax", "not a value");
	s->p += n;
	return 0;
}

static int scalar(struct scan *s)
{
	if (s->p == s->end)
		return bad(s, "json.syntax", "a value is missing at the end of the input");
	switch (*s->p) {
	case '"':
		return string(s);
	case 't':
		return word(s, "true");
	case 'f':
		return word(s, "false");
	case 'n':
		return word(s, "null");
	default:
		return number(s);
	}
}

static int key(struct scan *s)
{
	blanks(s);
	if (!next_is(s, '"'))
		return bad(s, "json.syntax", "expected a key in double quotes");
	if (string(s) < 0)
		return -1;
	blanks(s);
	if (!next_is(s, ':'))
		return bad(s, "json.syntax", "expected ':' behind the key");
	s->p++;
	return 0;
}

/* Recursion is bounded by s->max. */
static int value(struct scan *s);

static int list(struct scan *s, char close)
{
	s->p++;
	if (++s->depth > s->max)
		return bad(s, "json.depth", "nested too deeply");
	blanks(s);
	if (next_is(s, close)) {
		s->p++;
		s->depth--;
		return 0;
	}
	for (;;) {
		if (close == '}' && key(s) < 0)
			return -1;
		if (value(s) < 0)
			return -1;
		if (next_is(s, close))
			break;
		if (!next_is(s, ','))
			return bad(s, "json.syntax",
				   close == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
		s->p++;
	}
	s->p++;
	s->depth--;
	return 0;
}

static int value(struct scan *s)
{
	int rc;

	blanks(s);
	rc = next_is(s, '{') ? list(s, '}') : next_is(s, '[') ? list(s, ']') : scalar(s);
	blanks(s);
	return rc;
}

int ctr_json_scan(const char *name, const char *p, size_t n, unsigned depth, struct ctr_err *e)
{
	struct scan s = { name, p, p, p + n, 0, depth, e };

	if (value(&s) < 0)
		return -1;
	return s.p == s.end ? 0 : bad(&s, "json.syntax", "something follows the document");
}
