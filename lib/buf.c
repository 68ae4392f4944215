#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "rd.h"

#define DEFAULT_MAX ((size_t)1 << 30)

void ctr_buf_init(struct ctr_buf *b, size_t max)
{
	*b = (struct ctr_buf){ .max = max };
}

void ctr_buf_free(struct ctr_buf *b)
{
	if (b->wipe && b->p)
		OPENSSL_cleanse(b->p, b->cap);
	free(b->p);
	*b = (struct ctr_buf){ .max = b->max, .wipe = b->wipe };
}

void ctr_buf_reset(struct ctr_buf *b)
{
	b->n = 0;
	b->bad = CTR_BUF_OK;
	if (b->p)
		b->p[0] = '\0';
}

static bool grow(struct ctr_buf *b, size_t n)
{
	size_t max = b->max ? b->max : DEFAULT_MAX, cap = b->cap ? b->cap : 64;
	char *p;

	if (b->bad)
		return false;
	if (n > max - b->n) {
		b->bad = CTR_BUF_LIMIT;
		return false;
	}
	if (b->p && n < b->cap - b->n)
		return true;
	while (cap - b->n <= n)
		cap *= 2;
	p = b->wipe ? malloc(cap) : realloc(b->p, cap);
	if (!p) {
		b->bad = CTR_BUF_MEMORY;
		return false;
	}
	if (b->wipe && b->p) {
		memcpy(p, b->p, b->n);
		OPENSSL_cleanse(b->p, b->cap);
		free(b->p);
	}
	b->p = p;
	b->cap = cap;
	return true;
}

uint8_t *ctr_buf_room(struct ctr_buf *b, size_t n)
{
	return grow(b, n) ? (uint8_t *)b->p + b->n : NULL;
}

void ctr_buf_commit(struct ctr_buf *b, size_t n)
{
	b->n += n;
	b->p[b->n] = '\0';
}

void ctr_buf_add(struct ctr_buf *b, const void *p, size_t n)
{
	uint8_t *to = ctr_buf_room(b, n);

	if (!to)
		return;
	if (n)
		memcpy(to, p, n);
	ctr_buf_commit(b, n);
}

void ctr_buf_adds(struct ctr_buf *b, const char *s)
{
	ctr_buf_add(b, s, strlen(s));
}

void ctr_buf_addc(struct ctr_buf *b, char c)
{
	ctr_buf_add(b, &c, 1);
}

void ctr_buf_addf(struct ctr_buf *b, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		b->bad = CTR_BUF_MEMORY;
	if (n >= 0 && grow(b, (size_t)n + 1)) {
		vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
		ctr_buf_commit(b, (size_t)n);
	}
	va_end(again);
}

int ctr_buf_ok(const struct ctr_buf *b, const char *what, struct ctr_err *e)
{
	if (b->bad == CTR_BUF_OK)
		return 0;
	if (b->bad == CTR_BUF_MEMORY)
		return ctr_fail_mem(e);
	return ctr_fail(e, CTR_FORMAT, "limit", "%s: larger than %zu bytes", what,
			b->max ? b->max : DEFAULT_MAX);
}

const char *ctr_buf_str(const struct ctr_buf *b)
{
	return b->p ? b->p : "";
}

int ctr_secret_new(struct ctr_secret *s, size_t n, struct ctr_err *e)
{
	s->p = calloc(1, n ? n : 1);
	s->n = s->p ? n : 0;
	return s->p ? 0 : ctr_fail_mem(e);
}

void ctr_secret_free(struct ctr_secret *s)
{
	if (s->p)
		OPENSSL_cleanse(s->p, s->n);
	free(s->p);
	*s = (struct ctr_secret){ NULL, 0 };
}

bool ctr_buf_same(const struct ctr_buf *a, const struct ctr_buf *b)
{
	return a->n == b->n && ctr_same(ctr_buf_str(a), ctr_buf_str(b), a->n);
}

bool ctr_secret_same(const struct ctr_secret *a, const struct ctr_secret *b)
{
	return a->n == b->n && ctr_same(a->p, b->p, a->n);
}
