#include "tar.h"

#include <string.h>

#include "buf.h"
#include "rd.h"

#define BLOCK ((size_t)512)
#define SIZE_LIMIT ((uint64_t)1 << 50)

enum state { HEADER, SPARSE, META, DATA, SKIP, DONE };

struct tar {
	struct tar_events ev;
	enum state state;
	uint8_t block[BLOCK];
	size_t have;	/* bytes in block */
	uint64_t left;	/* of the body: META, DATA, SKIP */
	size_t pad;	/* behind the body */
	unsigned zeros; /* zero blocks seen */
	char meta_type; /* of the META body: 'x', 'L', 'K' */
	struct ctr_buf meta;
	uint64_t at; /* bytes consumed, for messages */
	/* from extended headers, for the next entry: "" and false when not given */
	char pax_name[TAR_NAME_MAX + 1], pax_link[TAR_NAME_MAX + 1];
	char gnu_name[TAR_NAME_MAX + 1], gnu_link[TAR_NAME_MAX + 1];
	bool sparse, has_size;
	uint64_t size;
};

static int bad(const struct tar *t, const char *what, struct ctr_err *e)
{
	return ctr_fail(e, CTR_FORMAT, "layer.tar", "broken tar archive: %s (near byte %llu)", what,
			(unsigned long long)t->at);
}

static int too_long(const char *what, size_t max, struct ctr_err *e)
{
	return ctr_fail(e, CTR_FORMAT, "limit", "tar archive: %s longer than %zu bytes", what, max);
}

int tar_new(const struct tar_events *ev, struct tar **out, struct ctr_err *e)
{
	struct tar *t = calloc(1, sizeof *t);

	*out = NULL;
	if (!t)
		return ctr_fail_mem(e);
	t->ev = *ev;
	ctr_buf_init(&t->meta, TAR_PAX_MAX);
	*out = t;
	return 0;
}

void tar_free(struct tar *t)
{
	if (!t)
		return;
	ctr_buf_free(&t->meta);
	free(t);
}

void tar_cleanup(struct tar **t)
{
	tar_free(*t);
}

/* Octal with blanks and NULs around it, or base 256 with the top bit set (GNU). False when neither.
 */
static bool number(struct ctr_rd f, uint64_t *v)
{
	uint8_t c = 0;
	bool ended = false;

	*v = 0;
	if (f.left > 0 && f.p[0] & 0x80) {
		if (ctr_rd_u8(&f, &c) < 0 || c & 0x40)
			return false;
		*v = c & 0x3f;
		while (ctr_rd_u8(&f, &c) == 0) {
			if (*v > UINT64_MAX >> 8)
				return false;
			*v = *v << 8 | c;
		}
		return true;
	}
	while (f.left > 0 && (f.p[0] == ' ' || f.p[0] == '\0') && ctr_rd_u8(&f, &c) == 0)
		continue;
	while (ctr_rd_u8(&f, &c) == 0 && c != '\0') {
		if (c == ' ')
			ended = true;
		else if (ended || c < '0' || c > '7' || *v > UINT64_MAX >> 3)
			return false;
		else
			*v = *v << 3 | (c - (uint8_t)'0');
	}
	return true;
}

/* Signed sums are those of some old programs. */
static bool checksum_ok(const struct tar *t, struct ctr_rd field)
{
	uint64_t want;
	int64_t u = 0, s = 0;

	for (size_t i = 0; i < BLOCK; i++) {
		uint8_t c = i >= 148 && i < 156 ? ' ' : t->block[i];

		u += c;
		s += c < 128 ? c : c - 256;
	}
	return number(field, &want) && ((int64_t)want == u || (int64_t)want == s);
}

/* A field's text up to its NUL, appended to dst (which holds at most TAR_NAME_MAX bytes). */
static void append(char *dst, const struct ctr_rd *f)
{
	size_t n = strlen(dst), len = 0;

	while (len < f->left && f->p[len])
		len++;
	memcpy(dst + n, f->p, len);
	dst[n + len] = '\0';
}

struct header {
	char name[256 + 1], link[100 + 1], type;
	uint64_t size;
};

/* The header block, field by field (POSIX.1-2017 pax, "ustar Interchange Format"). */
static int parse_header(const struct tar *t, struct header *h, struct ctr_err *e)
{
	struct ctr_rd r, name, skip, size, sum, link, magic, prefix, tail, rest;
	uint8_t type;

	memset(h, 0, sizeof *h);
	ctr_rd_init(&r, t->block, BLOCK);
	if (ctr_rd_take(&r, 100, &name) < 0 || ctr_rd_take(&r, 24, &skip) < 0 ||
	    ctr_rd_take(&r, 12, &size) < 0 || ctr_rd_take(&r, 12, &skip) < 0 ||
	    ctr_rd_take(&r, 8, &sum) < 0 || ctr_rd_u8(&r, &type) < 0 ||
	    ctr_rd_take(&r, 100, &link) < 0 || ctr_rd_take(&r, 8, &magic) < 0 ||
	    ctr_rd_take(&r, 80, &skip) < 0 || ctr_rd_take(&r, 155, &prefix) < 0 ||
	    ctr_rd_take(&r, 12, &tail) < 0 || ctr_rd_end(&r) < 0)
		return bad(t, "short header", e);
	if (!checksum_ok(t, sum))
		return bad(t, "wrong header checksum", e);
	if (!number(size, &h->size))
		return bad(t, "malformed size", e);
	if (ctr_same(magic.p, "ustar\0", 6)) {
		/* "tar" at the end marks star archives, which keep times behind a shorter prefix */
		if (ctr_rd_take(&tail, 8, &skip) < 0 || ctr_rd_take(&prefix, 131, &rest) < 0)
			return bad(t, "short header", e);
		append(h->name, &rest);
		if (rest.p[130] && !ctr_same(tail.p, "tar\0", 4))
			append(h->name, &prefix);
		if (h->name[0])
			memcpy(h->name + strlen(h->name), "/", 2);
	}
	append(h->name, &name);
	append(h->link, &link);
	h->type = (char)type;
	return 0;
}

static void forget(struct tar *t)
{
	t->pax_name[0] = t->pax_link[0] = t->gnu_name[0] = t->gnu_link[0] = '\0';
	t->sparse = t->has_size = false;
}

/* Types that have no data, whatever their size field says. */
static bool header_only(char type)
{
	return type >= '1' && type <= '6';
}

static void body(struct tar *t, enum state state, uint64_t size)
{
	t->state = state;
	t->left = size;
	t->pad = (BLOCK - (size_t)(size % BLOCK)) % BLOCK;
}

static int begin_entry(struct tar *t, const struct header *h, struct ctr_err *e)
{
	struct tar_entry en = { .type = h->type, .size = t->has_size ? t->size : h->size };
	bool want = false;

	en.name = t->gnu_name[0] ? t->gnu_name : t->pax_name[0] ? t->pax_name : h->name;
	en.link = t->gnu_link[0] ? t->gnu_link : t->pax_link[0] ? t->pax_link : h->link;
	en.sparse = t->sparse || h->type == 'S';
	if (h->type == '\0')
		en.type = en.name[0] && en.name[strlen(en.name) - 1] == '/' ? '5' : '0';
	if (h->type == '7' || h->type == 'S')
		en.type = '0';
	if (header_only(en.type))
		en.size = 0;
	if (en.size > SIZE_LIMIT)
		return bad(t, "impossible size", e);
	if (t->ev.entry(t->ev.ctx, &en, &want, e) < 0)
		return -1;
	body(t, want ? DATA : SKIP, en.size);
	if (h->type == 'S' && t->block[482])
		t->state =
			SPARSE; /* more of the map comes in front of the data, which nobody wants */
	forget(t);
	return 0;
}

static int on_header(struct tar *t, struct ctr_err *e)
{
	struct header h;

	if (ctr_zero(t->block, BLOCK)) {
		if (++t->zeros == 2)
			t->state = DONE;
		return 0;
	}
	if (t->zeros)
		return bad(t, "a zero block between entries", e);
	if (parse_header(t, &h, e) < 0)
		return -1;
	if (h.type == 'g') {
		/* Go applies global headers to nothing */
		if (h.size > TAR_PAX_MAX)
			return too_long("a pax header", TAR_PAX_MAX, e);
		body(t, SKIP, h.size);
		return 0;
	}
	if (h.type != 'x' && h.type != 'L' && h.type != 'K')
		return begin_entry(t, &h, e);
	if (h.size > (h.type == 'x' ? TAR_PAX_MAX : TAR_NAME_MAX + 1))
		return too_long(h.type == 'x' ? "a pax header" : "a name",
				h.type == 'x' ? TAR_PAX_MAX : TAR_NAME_MAX, e);
	t->meta_type = h.type;
	ctr_buf_reset(&t->meta);
	body(t, META, h.size);
	return 0;
}

static int set_name(const struct tar *t, char *dst, const struct ctr_rd *v, struct ctr_err *e)
{
	if (v->left > TAR_NAME_MAX)
		return too_long("a name", TAR_NAME_MAX, e);
	if (v->left && memchr(v->p, 0, v->left))
		return bad(t, "NUL in a pax name", e);
	dst[0] = '\0';
	append(dst, v);
	return 0;
}

static bool is(const struct ctr_rd *key, const char *name)
{
	return key->left == strlen(name) && ctr_same(key->p, name, key->left);
}

static int pax_record(struct tar *t, struct ctr_rd r, struct ctr_err *e)
{
	static const char prefix[] = "GNU.sparse.";
	struct ctr_rd key;
	uint8_t c;

	if (!r.left || !memchr(r.p, '=', r.left))
		return bad(t, "pax record without =", e);
	ctr_rd_until(&r, '=', &key);
	if (key.left >= sizeof prefix - 1 && ctr_same(key.p, prefix, sizeof prefix - 1))
		t->sparse = true;
	if (is(&key, "path") || is(&key, "GNU.sparse.name"))
		return set_name(t, t->pax_name, &r, e);
	if (is(&key, "linkpath"))
		return set_name(t, t->pax_link, &r, e);
	if (!is(&key, "size") || r.left == 0)
		return 0;
	t->has_size = true;
	t->size = 0;
	while (ctr_rd_u8(&r, &c) == 0) {
		if (c < '0' || c > '9' || t->size > SIZE_LIMIT)
			return bad(t, "malformed size in a pax header", e);
		t->size = t->size * 10 + (c - (uint8_t)'0');
	}
	return 0;
}

/* "LENGTH KEY=VALUE\n", the length counting the whole record. */
static int on_pax(struct tar *t, struct ctr_err *e)
{
	struct ctr_rd r, rec, head, text;

	t->pax_name[0] = t->pax_link[0] = '\0';
	t->sparse = t->has_size = false;
	ctr_rd_init(&r, t->meta.p, t->meta.n);
	while (r.left > 0) {
		size_t len = 0, n;
		uint8_t c = 0;

		head = r;
		while (ctr_rd_u8(&head, &c) == 0 && c >= '0' && c <= '9' && len <= TAR_PAX_MAX)
			len = len * 10 + (c - (uint8_t)'0');
		n = head.at - r.at;
		if (c != ' ' || len <= n || ctr_rd_take(&r, len, &rec) < 0 ||
		    ctr_rd_take(&rec, n, &head) < 0 || ctr_rd_take(&rec, rec.left - 1, &text) < 0 ||
		    rec.p[0] != '\n')
			return bad(t, "malformed pax record", e);
		if (pax_record(t, text, e) < 0)
			return -1;
	}
	return 0;
}

static int on_meta(struct tar *t, struct ctr_err *e)
{
	char *name = t->meta_type == 'L' ? t->gnu_name : t->gnu_link;
	struct ctr_rd r;

	if (ctr_buf_ok(&t->meta, "tar header", e) < 0)
		return -1;
	if (t->meta_type == 'x')
		return on_pax(t, e);
	if (strnlen(ctr_buf_str(&t->meta), t->meta.n) > TAR_NAME_MAX)
		return too_long("a name", TAR_NAME_MAX, e);
	ctr_rd_init(&r, t->meta.p, t->meta.n);
	name[0] = '\0';
	append(name, &r);
	return 0;
}

/* One piece of a body; at its end the padding follows, as data that nobody wants. */
static int on_body(struct tar *t, const void *p, size_t n, struct ctr_err *e)
{
	if (t->state == META)
		ctr_buf_add(&t->meta, p, n);
	if (t->state == DATA && n > 0 && t->ev.data(t->ev.ctx, p, n, e) < 0)
		return -1;
	t->left -= n;
	return 0;
}

/* Leaves bodies that are through. */
static int settle(struct tar *t, struct ctr_err *e)
{
	while (t->left == 0 && (t->state == META || t->state == DATA || t->state == SKIP)) {
		bool meta = t->state == META;

		t->left = t->pad;
		t->pad = 0;
		t->state = t->left ? SKIP : HEADER;
		if (meta && on_meta(t, e) < 0)
			return -1;
	}
	return 0;
}

static int on_block(struct tar *t, struct ctr_err *e)
{
	t->have = 0;
	if (t->state == HEADER)
		return on_header(t, e);
	if (!t->block[504])
		t->state = SKIP;
	return 0;
}

int tar_add(struct tar *t, const void *p, size_t n, struct ctr_err *e)
{
	struct ctr_rd r, part;

	ctr_rd_init(&r, p, n);
	while (r.left > 0 && t->state != DONE) {
		bool block = t->state == HEADER || t->state == SPARSE;
		uint64_t room = block ? BLOCK - t->have : t->left;

		if (ctr_rd_take(&r, room < r.left ? (size_t)room : r.left, &part) < 0)
			return bad(t, "short read", e);
		t->at += part.left;
		if (block) {
			memcpy(t->block + t->have, part.p, part.left);
			t->have += part.left;
			if (t->have == BLOCK && on_block(t, e) < 0)
				return -1;
		} else if (on_body(t, part.p, part.left, e) < 0) {
			return -1;
		}
		if (settle(t, e) < 0)
			return -1;
	}
	return 0;
}

int tar_end(struct tar *t, struct ctr_err *e)
{
	if (t->state == DONE || (t->state == HEADER && t->have == 0))
		return 0;
	return bad(t, "truncated", e);
}
