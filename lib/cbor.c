#include "cbor.h"

#include <stdarg.h>
#include <string.h>

#include <cbor.h>

#include "utf8.h"

/*
 * libcbor's decoder allocates what a length says and, in 0.8, refuses the tags 6 to 20 (18 is
 * COSE_Sign1), so reading is done here; its encoder does the writing.
 */

struct node {
	enum ctr_cbor_type type;
	uint32_t up;	/* the array, map or tag around it; the root is its own */
	uint32_t end;	/* the first node behind it and all that is in it */
	uint64_t value; /* number, length, count, tag or truth */
	const uint8_t *raw, *body;
	size_t nraw, from; /* length and offset of the whole encoding */
};

struct ctr_cbor {
	struct node *v;
	size_t n, cap;
};

struct scan {
	struct ctr_cbor *c;
	struct ctr_rd r;
	unsigned depth, max;
	struct ctr_err *e;
};

static int bad(struct scan *s, const char *id, size_t at, const char *what)
{
	return ctr_fail(s->e, CTR_FORMAT, id, "CBOR at offset %zu: %s", at, what);
}

/* The argument of a head: its low five bits, or the 1, 2, 4 or 8 bytes behind it. */
static int argument(struct scan *s, uint8_t head, uint64_t *v)
{
	unsigned info = head & 31, bytes = info < 24 ? 0 : 1U << (info - 24);
	size_t at = s->r.at - 1;

	*v = info;
	if (info == 31)
		return bad(s, "cbor.indefinite", at, "indefinite length (expected a definite one)");
	if (info > 27)
		return bad(s, "cbor.reserved", at, "a head without meaning");
	if (bytes)
		*v = 0;
	while (bytes-- > 0) {
		uint8_t b;

		if (ctr_rd_u8(&s->r, &b) < 0)
			return bad(s, "cbor.short", s->r.at, "the input ends within a head");
		*v = *v << 8 | b;
	}
	return 0;
}

static int add(struct scan *s, size_t up, size_t *at)
{
	struct ctr_cbor *c = s->c;

	if (c->n == CTR_CBOR_ITEMS)
		return bad(s, "cbor.items", s->r.at, "too many items");
	if (c->n == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 64;
		struct node *v = realloc(c->v, cap * sizeof *v);

		if (!v)
			return ctr_fail_mem(s->e);
		c->v = v;
		c->cap = cap;
	}
	*at = c->n++;
	c->v[*at] = (struct node){ .up = (uint32_t)up, .raw = s->r.p, .from = s->r.at };
	return 0;
}

static int scalar(struct scan *s, uint8_t head, struct node *t)
{
	struct ctr_rd body;

	switch (head >> 5) {
	case 2:
	case 3:
		t->body = s->r.p;
		if (t->value > s->r.left || ctr_rd_take(&s->r, (size_t)t->value, &body) < 0)
			return bad(s, "cbor.short", t->from, "a string longer than the input");
		if (t->type == CTR_CBOR_TEXT && !ctr_utf8_valid((const char *)body.p, body.left))
			return bad(s, "cbor.utf8", t->from, "text that is not UTF-8");
		return 0;
	case 7:
		/* one byte each: other encodings of them are not well-formed */
		if (head < 0xf4 || head > 0xf6)
			return bad(s, "cbor.simple", t->from,
				   "a float or simple value (expected false, true or null)");
		t->type = head == 0xf6 ? CTR_CBOR_NULL : CTR_CBOR_BOOL;
		t->value = head == 0xf5;
		return 0;
	default:
		return 0;
	}
}

static int order(const void *x, const void *y)
{
	const struct node *const *px = x, *const *py = y;
	const struct node *a = *px, *b = *py;

	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	if (a->value != b->value)
		return a->value < b->value ? -1 : 1;
	if (a->type != CTR_CBOR_TEXT && a->type != CTR_CBOR_BYTES)
		return 0;
	for (size_t i = 0; i < a->value; i++) {
		if (a->body[i] != b->body[i])
			return a->body[i] < b->body[i] ? -1 : 1;
	}
	return 0;
}

/* The keys of map `at`, compared as values: a longer encoding of a key is the same key. */
static int check_keys(struct scan *s, size_t at)
{
	const struct node *v = s->c->v;
	size_t pairs = (size_t)v[at].value, n = 0;
	const struct node **keys;
	int rc = 0;

	if (pairs < 2)
		return 0;
	keys = calloc(pairs, sizeof(*keys));
	if (!keys)
		return ctr_fail_mem(s->e);
	for (size_t i = at + 1; i < v[at].end && n < pairs; i = v[i + 1].end)
		keys[n++] = &v[i];
	qsort(keys, n, sizeof(*keys), order);
	for (size_t i = 1; i < n && rc == 0; i++) {
		if (order(&keys[i - 1], &keys[i]) == 0)
			rc = bad(s, "cbor.duplicate", keys[i]->from,
				 "a key that the map has already");
	}
	free(keys);
	return rc;
}

/* Recursion is bounded by s->max. */
static int item(struct scan *s, size_t up, bool key);

/* How many items stand in this one, directly. */
static int count(struct scan *s, const struct node *t, uint64_t *n)
{
	*n = t->type == CTR_CBOR_TAG ? 1 : t->value;
	/* each takes a byte at least; halved so that pairs cannot wrap */
	if (t->type == CTR_CBOR_MAP && *n > s->r.left / 2)
		return bad(s, "cbor.short", t->from, "a map with more pairs than the input");
	if (t->type == CTR_CBOR_MAP)
		*n *= 2;
	if (*n > s->r.left)
		return bad(s, "cbor.short", t->from, "more items than the input has bytes");
	return 0;
}

static int inside(struct scan *s, size_t at)
{
	bool map = s->c->v[at].type == CTR_CBOR_MAP;
	uint64_t n;

	if (++s->depth > s->max)
		return bad(s, "cbor.depth", s->c->v[at].from, "nested too deeply");
	if (count(s, &s->c->v[at], &n) < 0)
		return -1;
	for (uint64_t i = 0; i < n; i++) {
		if (item(s, at, map && i % 2 == 0) < 0)
			return -1;
	}
	s->depth--;
	return 0;
}

static int item(struct scan *s, size_t up, bool key)
{
	size_t at = 0;
	struct node *t;
	uint8_t head;

	if (add(s, up, &at) < 0)
		return -1;
	t = &s->c->v[at];
	if (ctr_rd_u8(&s->r, &head) < 0)
		return bad(s, "cbor.short", t->from, "an item is missing at the end");
	t->type = head >> 5 == 7 ? CTR_CBOR_NULL : (enum ctr_cbor_type)(head >> 5);
	if (key && t->type > CTR_CBOR_TEXT)
		return bad(s, "cbor.key", t->from, "a key that is no integer, text or bytes");
	if (argument(s, head, &t->value) < 0)
		return -1;
	if (t->type >= CTR_CBOR_ARRAY && t->type <= CTR_CBOR_TAG) {
		if (inside(s, at) < 0)
			return -1;
	} else if (scalar(s, head, t) < 0) {
		return -1;
	}
	t = &s->c->v[at]; /* it may have moved */
	t->nraw = s->r.at - t->from;
	t->end = (uint32_t)s->c->n;
	return t->type == CTR_CBOR_MAP ? check_keys(s, at) : 0;
}

int ctr_cbor_parse(const void *p, size_t n, unsigned depth, struct ctr_cbor **out,
		   struct ctr_err *e)
{
	ctr_auto_cbor struct ctr_cbor *c = calloc(1, sizeof *c);
	struct scan s = { .c = c, .max = depth ? depth : CTR_CBOR_DEPTH, .e = e };

	*out = NULL;
	if (!c)
		return ctr_fail_mem(e);
	if (s.max > CTR_CBOR_DEPTH_MAX)
		s.max = CTR_CBOR_DEPTH_MAX;
	ctr_rd_init(&s.r, p, n);
	if (item(&s, 0, false) < 0)
		return -1;
	if (ctr_rd_end(&s.r) < 0)
		return bad(&s, "cbor.trailing", s.r.at, "something follows the item");
	*out = ctr_give(c);
	return 0;
}

void ctr_cbor_free(struct ctr_cbor *c)
{
	if (!c)
		return;
	free(c->v);
	free(c);
}

void ctr_cbor_cleanup(struct ctr_cbor **c)
{
	ctr_cbor_free(*c);
}

static const struct node *node(const struct ctr_cval *v)
{
	return &v->c->v[v->at];
}

static bool is(const struct ctr_cval *v, enum ctr_cbor_type type)
{
	return v->there && node(v)->type == type;
}

static bool text_is(const struct node *t, const char *s)
{
	size_t n = strlen(s);

	if (t->type != CTR_CBOR_TEXT || t->value != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (t->body[i] != (uint8_t)s[i])
			return false;
	}
	return true;
}

static bool int_of(const struct node *t, int64_t *n)
{
	if (t->type > CTR_CBOR_NEGINT || t->value > INT64_MAX)
		return false;
	*n = t->type == CTR_CBOR_UINT ? (int64_t)t->value : -1 - (int64_t)t->value;
	return true;
}

struct ctr_cval ctr_croot(const struct ctr_cbor *c)
{
	return (struct ctr_cval){ .c = c, .there = true };
}

static struct ctr_cval look(const struct ctr_cval *m, const char *text, int64_t num)
{
	struct ctr_cval none = { m->c, m->at, false, text, num };
	const struct node *v = m->c->v;
	int64_t n;

	if (!is(m, CTR_CBOR_MAP))
		return none;
	for (size_t i = m->at + 1; i < v[m->at].end; i = v[i + 1].end) {
		if (text ? text_is(&v[i], text) : int_of(&v[i], &n) && n == num)
			return (struct ctr_cval){ .c = m->c, .at = i + 1, .there = true };
	}
	return none;
}

struct ctr_cval ctr_cget(const struct ctr_cval *m, const char *key)
{
	return look(m, key, 0);
}

struct ctr_cval ctr_cget_int(const struct ctr_cval *m, int64_t key)
{
	return look(m, NULL, key);
}

enum ctr_cbor_type ctr_ctype(const struct ctr_cval *v)
{
	return node(v)->type;
}

size_t ctr_ccount(const struct ctr_cval *v)
{
	return is(v, CTR_CBOR_ARRAY) || is(v, CTR_CBOR_MAP) ? (size_t)node(v)->value : 0;
}

struct ctr_cval ctr_cfirst(const struct ctr_cval *v)
{
	size_t skip = is(v, CTR_CBOR_MAP) ? 2 : 1;

	return (struct ctr_cval){ .c = v->c, .at = v->at + skip, .there = ctr_ccount(v) > 0 };
}

struct ctr_cval ctr_cnext(const struct ctr_cval *v)
{
	const struct node *t = node(v), *up = &v->c->v[t->up];
	bool more = t->end < up->end && up->type != CTR_CBOR_TAG;
	size_t key = up->type == CTR_CBOR_MAP;

	return (struct ctr_cval){ .c = v->c, .at = t->end + key, .there = more };
}

struct ctr_cval ctr_ckey(const struct ctr_cval *v)
{
	bool in_map = v->there && v->at > 0 && v->c->v[node(v)->up].type == CTR_CBOR_MAP;

	return (struct ctr_cval){ .c = v->c, .at = v->at - in_map, .there = in_map };
}

void ctr_craw(const struct ctr_cval *v, struct ctr_rd *r)
{
	ctr_rd_init(r, node(v)->raw, node(v)->nraw);
}

bool ctr_ctext_is(const struct ctr_cval *v, const char *s)
{
	return v->there && text_is(node(v), s);
}

static int want(const struct ctr_cval *v, enum ctr_cbor_type type, const char *what,
		struct ctr_err *e)
{
	if (!v->there)
		return ctr_cfail(v, e, "cbor.missing", "missing (expected %s)", what);
	if (node(v)->type != type)
		return ctr_cfail(v, e, "cbor.type", "wrong type (expected %s)", what);
	return 0;
}

int ctr_carray(const struct ctr_cval *v, struct ctr_err *e)
{
	return want(v, CTR_CBOR_ARRAY, "an array", e);
}

int ctr_cmap(const struct ctr_cval *v, struct ctr_err *e)
{
	return want(v, CTR_CBOR_MAP, "a map", e);
}

int ctr_cbool(const struct ctr_cval *v, bool *b, struct ctr_err *e)
{
	*b = false;
	if (want(v, CTR_CBOR_BOOL, "true or false", e) < 0)
		return -1;
	*b = node(v)->value != 0;
	return 0;
}

int ctr_cuint(const struct ctr_cval *v, uint64_t max, uint64_t *n, struct ctr_err *e)
{
	*n = 0;
	if (want(v, CTR_CBOR_UINT, "an unsigned number", e) < 0)
		return -1;
	if (node(v)->value > max)
		return ctr_cfail(v, e, "cbor.range", "%llu is too large (expected at most %llu)",
				 (unsigned long long)node(v)->value, (unsigned long long)max);
	*n = node(v)->value;
	return 0;
}

int ctr_cint(const struct ctr_cval *v, int64_t *n, struct ctr_err *e)
{
	*n = 0;
	if (!is(v, CTR_CBOR_NEGINT) && want(v, CTR_CBOR_UINT, "a number", e) < 0)
		return -1;
	if (!int_of(node(v), n))
		return ctr_cfail(v, e, "cbor.range", "a number beyond 64 bits");
	return 0;
}

static int string(const struct ctr_cval *v, enum ctr_cbor_type type, const char *what, size_t max,
		  struct ctr_rd *r, struct ctr_err *e)
{
	ctr_rd_init(r, NULL, 0);
	if (want(v, type, what, e) < 0)
		return -1;
	if (node(v)->value > max)
		return ctr_cfail(v, e, "cbor.size", "%llu bytes (expected at most %zu)",
				 (unsigned long long)node(v)->value, max);
	ctr_rd_init(r, node(v)->body, (size_t)node(v)->value);
	return 0;
}

int ctr_cbytes(const struct ctr_cval *v, size_t max, struct ctr_rd *r, struct ctr_err *e)
{
	return string(v, CTR_CBOR_BYTES, "a byte string", max, r, e);
}

int ctr_ctext(const struct ctr_cval *v, size_t max, struct ctr_rd *r, struct ctr_err *e)
{
	return string(v, CTR_CBOR_TEXT, "text", max, r, e);
}

int ctr_ctag(const struct ctr_cval *v, uint64_t *tag, struct ctr_cval *inner, struct ctr_err *e)
{
	*tag = 0;
	*inner = (struct ctr_cval){ .c = v->c, .at = v->at };
	if (want(v, CTR_CBOR_TAG, "a tag", e) < 0)
		return -1;
	*tag = node(v)->value;
	*inner = (struct ctr_cval){ .c = v->c, .at = v->at + 1, .there = true };
	return 0;
}

int ctr_conly(const struct ctr_cval *m, const char *const *keys, struct ctr_err *e)
{
	for (struct ctr_cval c = ctr_cfirst(m); c.there; c = ctr_cnext(&c)) {
		const struct node *key = &m->c->v[c.at - 1];
		const char *const *k = keys;

		while (*k && !text_is(key, *k))
			k++;
		if (!*k)
			return ctr_cfail(&c, e, "cbor.unknown", "unknown key");
	}
	return 0;
}

static void add_key(const struct node *t, struct ctr_buf *b)
{
	char text[80];

	switch (t->type) {
	case CTR_CBOR_TEXT:
		ctr_escape(text, sizeof text, (const char *)t->body, (size_t)t->value);
		ctr_buf_addf(b, ".%s", text);
		break;
	case CTR_CBOR_BYTES:
		ctr_buf_adds(b, ".h'");
		for (size_t i = 0; i < t->value && i < 16; i++)
			ctr_buf_addf(b, "%02x", t->body[i]);
		ctr_buf_adds(b, "'");
		break;
	case CTR_CBOR_NEGINT:
		ctr_buf_addf(b, ".-1-%llu", (unsigned long long)t->value);
		break;
	default:
		ctr_buf_addf(b, ".%llu", (unsigned long long)t->value);
	}
}

/* From the root down: which child of each node leads to `at`. */
static void add_path(const struct ctr_cbor *c, size_t at, struct ctr_buf *b)
{
	for (size_t i = 0; i != at;) {
		size_t child = i + 1, index = 0;
		bool map = c->v[i].type == CTR_CBOR_MAP;

		for (child += map; c->v[child].end <= at; index++)
			child = c->v[child].end + map;
		if (map && child > at)
			return; /* a key */
		if (map)
			add_key(&c->v[child - 1], b);
		else if (c->v[i].type == CTR_CBOR_ARRAY)
			ctr_buf_addf(b, "[%zu]", index);
		i = child;
	}
}

void ctr_cpath(const struct ctr_cval *v, struct ctr_buf *b)
{
	ctr_buf_addc(b, '$');
	add_path(v->c, v->at, b);
	if (!v->there && v->text)
		ctr_buf_addf(b, ".%s", v->text);
	else if (!v->there)
		ctr_buf_addf(b, ".%lld", (long long)v->num);
}

int ctr_cfail(const struct ctr_cval *v, struct ctr_err *e, const char *id, const char *fmt, ...)
{
	ctr_auto_buf struct ctr_buf path = { 0 };
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof text, fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	ctr_cpath(v, &path);
	ctr_fail(e, CTR_FORMAT, id, "%s", text);
	return ctr_err_at(e, ctr_buf_str(&path), 0, 0);
}

/* A head of at most nine bytes from libcbor. */
#define HEAD(call)                                                                                 \
	do {                                                                                       \
		unsigned char head[9];                                                             \
		size_t n_ = (call);                                                                \
                                                                                                   \
		ctr_buf_add(b, head, n_);                                                          \
	} while (0)

void ctr_cbor_uint(struct ctr_buf *b, uint64_t n)
{
	HEAD(cbor_encode_uint(n, head, sizeof head));
}

void ctr_cbor_int(struct ctr_buf *b, int64_t n)
{
	if (n >= 0)
		ctr_cbor_uint(b, (uint64_t)n);
	else
		HEAD(cbor_encode_negint((uint64_t)(-1 - n), head, sizeof head));
}

void ctr_cbor_bytes(struct ctr_buf *b, const void *p, size_t n)
{
	HEAD(cbor_encode_bytestring_start(n, head, sizeof head));
	ctr_buf_add(b, p, n);
}

void ctr_cbor_text(struct ctr_buf *b, const char *s)
{
	HEAD(cbor_encode_string_start(strlen(s), head, sizeof head));
	ctr_buf_adds(b, s);
}

void ctr_cbor_array(struct ctr_buf *b, size_t items)
{
	HEAD(cbor_encode_array_start(items, head, sizeof head));
}

void ctr_cbor_map(struct ctr_buf *b, size_t pairs)
{
	HEAD(cbor_encode_map_start(pairs, head, sizeof head));
}

void ctr_cbor_tag(struct ctr_buf *b, uint64_t tag)
{
	HEAD(cbor_encode_tag(tag, head, sizeof head));
}

void ctr_cbor_bool(struct ctr_buf *b, bool v)
{
	HEAD(cbor_encode_bool(v, head, sizeof head));
}

void ctr_cbor_null(struct ctr_buf *b)
{
	HEAD(cbor_encode_null(head, sizeof head));
}
