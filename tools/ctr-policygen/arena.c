#include "arena.h"

#include <stdarg.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>

#define BLOCK ((size_t)16 * 1024)

struct arena_block {
	struct arena_block *before;
	size_t used, size;
	alignas(max_align_t) unsigned char data[];
};

void arena_free(struct arena *a)
{
	struct arena_block *b = a->last;

	while (b) {
		struct arena_block *before = b->before;

		free(b);
		b = before;
	}
	a->last = NULL;
}

void *arena_get(struct arena *a, size_t n)
{
	const size_t align = alignof(max_align_t);
	struct arena_block *b = a->last;
	void *p;

	if (n > SIZE_MAX / 2)
		return NULL;
	n = (n + align - 1) / align * align;
	if (!b || b->size - b->used < n) {
		size_t size = n > BLOCK ? n : BLOCK;

		b = calloc(1, sizeof *b + size);
		if (!b)
			return NULL;
		b->size = size;
		b->before = a->last;
		a->last = b;
	}
	p = b->data + b->used;
	b->used += n;
	return p;
}

char *arena_mem(struct arena *a, const void *p, size_t n)
{
	char *s = arena_get(a, n + 1);

	if (s && n)
		memcpy(s, p, n);
	return s;
}

char *arena_str(struct arena *a, const char *s)
{
	return arena_mem(a, s, strlen(s));
}

char *arena_fmt(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	char *s = NULL;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n >= 0)
		s = arena_get(a, (size_t)n + 1);
	if (s)
		vsnprintf(s, (size_t)n + 1, fmt, again);
	va_end(again);
	return s;
}

char *arena_buf(struct arena *a, struct ctr_buf *b)
{
	char *s = b->bad ? NULL : arena_mem(a, ctr_buf_str(b), b->n);

	ctr_buf_free(b);
	return s;
}

/* Arrays grow by doubling: the number of items tells when the place is full. */
void *arena_push(struct arena *a, void **v, size_t *n, size_t size)
{
	unsigned char *to = *v;

	if ((*n & (*n - 1)) == 0) {
		to = arena_get(a, (*n ? 2 * *n : 1) * size);
		if (!to)
			return NULL;
		if (*n)
			memcpy(to, *v, *n * size);
		*v = to;
	}
	return to + (*n)++ * size;
}
