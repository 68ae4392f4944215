#include "regodata.h"

#include <string.h>

#include "utf8.h"

#define ROOM 600  /* a line that is longer is ended before the next element */
#define KEY_MAX (REGO_LINE - 100)
#define PIECE 300 /* bytes of a string that stand in one literal; escaping makes up to six of one */

void rego_init(struct rego *r, struct ctr_buf *b)
{
	*r = (struct rego){ .b = b, .line = b->n, .first = true };
}

static void next(struct rego *r)
{
	if (!r->first)
		ctr_buf_addc(r->b, ',');
	if (r->b->n - r->line > ROOM) {
		ctr_buf_addc(r->b, '\n');
		r->line = r->b->n;
	}
	r->first = false;
}

void rego_open(struct rego *r, char c)
{
	next(r);
	ctr_buf_addc(r->b, c);
	r->first = true;
}

void rego_close(struct rego *r, char c)
{
	ctr_buf_addc(r->b, c);
	r->first = false;
}

/* One literal that may not be split further; a line of its own when it would not fit. */
static void literal(struct rego *r, const char *s, size_t n)
{
	struct ctr_buf q = { 0 };

	ctr_json_quote(&q, s, n);
	if (r->b->n - r->line + q.n > REGO_LINE - 60) {
		ctr_buf_addc(r->b, '\n');
		r->line = r->b->n;
	}
	ctr_buf_add(r->b, ctr_buf_str(&q), q.n);
	if (q.bad || q.n >= KEY_MAX) /* whoever passes keys on asks rego_fits, and has a better message */
		r->b->bad = q.bad ? q.bad : CTR_BUF_LIMIT;
	ctr_buf_free(&q);
}

bool rego_fits(const char *key)
{
	struct ctr_buf q = { 0 };
	bool fits;

	ctr_json_quote(&q, key, strlen(key));
	fits = !q.bad && q.n < KEY_MAX;
	ctr_buf_free(&q);
	return fits;
}

void rego_key(struct rego *r, const char *key)
{
	next(r);
	literal(r, key, strlen(key));
	ctr_buf_addc(r->b, ':');
	r->first = true; /* its value follows without a comma */
}

/* The longest start of s, at most PIECE characters' worth, whose literal fits on a line. */
static size_t piece(const char *s, size_t n)
{
	size_t used = 0, cost = 0;

	while (used < n) {
		size_t w = ctr_utf8_len(s + used, n - used);
		unsigned char c = (unsigned char)s[used];

		w = w ? w : 1;
		cost += c < 0x20 || c == 0x7f ? 6 : c == '"' || c == '\\' ? 2 : w;
		if (cost > 2 * PIECE)
			break;
		used += w;
	}
	return used;
}

void rego_string(struct rego *r, const char *s)
{
	size_t n = strlen(s), used;

	next(r);
	used = piece(s, n);
	if (used == n) {
		literal(r, s, n);
		return;
	}
	ctr_buf_adds(r->b, "concat(\"\",[");
	for (size_t at = 0; at < n; at += used) {
		used = piece(s + at, n - at);
		if (at)
			ctr_buf_addc(r->b, ',');
		literal(r, s + at, used);
	}
	ctr_buf_adds(r->b, "])");
}

void rego_int(struct rego *r, int64_t n)
{
	next(r);
	ctr_buf_addf(r->b, "%lld", (long long)n);
}

void rego_word(struct rego *r, const char *s)
{
	next(r);
	ctr_buf_adds(r->b, s);
}

void rego_val(struct rego *r, const struct val *v)
{
	if (v->text) {
		rego_string(r, v->text);
		return;
	}
	rego_open(r, '{');
	rego_string(r, v->pattern);
	rego_close(r, '}');
}

/* Depth is bounded by the JSON reader. */
void rego_json(struct rego *r, const struct ctr_jval *v)
{
	struct ctr_err ignored = { 0 };
	bool object, yes;
	const char *s;
	uint64_t n;

	if (!v->v)
		return;
	switch (ctr_jtype(v)) {
	case CTR_JSON_OBJECT:
	case CTR_JSON_ARRAY:
		object = ctr_jtype(v) == CTR_JSON_OBJECT;
		rego_open(r, object ? '{' : '[');
		for (struct ctr_jval c = ctr_jfirst(v); c.v; c = ctr_jnext(&c)) {
			if (object)
				rego_key(r, c.key);
			rego_json(r, &c);
		}
		rego_close(r, object ? '}' : ']');
		return;
	case CTR_JSON_STRING:
		if (ctr_jstring(v, &s, &ignored) == 0)
			rego_string(r, s);
		return;
	case CTR_JSON_NUMBER:
		if (ctr_juint(v, (uint64_t)1 << 53, &n, &ignored) == 0)
			rego_int(r, (int64_t)n);
		else
			r->b->bad = CTR_BUF_LIMIT;
		return;
	case CTR_JSON_BOOL:
		rego_word(r, ctr_jbool(v, &yes, &ignored) == 0 && yes ? "true" : "false");
		return;
	case CTR_JSON_NULL:
		rego_word(r, "null");
	}
}
