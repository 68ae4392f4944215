/* The document's memory and its text: line breaks, positions, what libyaml cannot read. */
#include "yaml_int.h"

#include <stdalign.h>
#include <stdarg.h>
#include <string.h>

#include "json_scan.h"

#define CHUNK_MAX ((size_t)1 << 20)

struct ctr_yaml_chunk {
	struct ctr_yaml_chunk *next;
	size_t used, cap;
	alignas(max_align_t) unsigned char mem[];
};

void *ctr_yaml_alloc(struct ctr_yaml *y, size_t n)
{
	struct ctr_yaml_chunk *c = y->chunks;
	void *p;

	if (n > SIZE_MAX / 4)
		return NULL;
	n = (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (!c || n > c->cap - c->used) {
		/* the first one takes the text and, as a rule, its tree */
		size_t cap = n + (n < CHUNK_MAX / 8 ? n * 7 : CHUNK_MAX) + 1024;

		if (c)
			cap = c->cap < CHUNK_MAX / 2 ? c->cap * 2 : CHUNK_MAX;
		if (cap < n)
			cap = n;
		c = malloc(sizeof *c + cap);
		if (!c)
			return NULL;
		*c = (struct ctr_yaml_chunk){ .next = y->chunks, .cap = cap };
		y->chunks = c;
	}
	p = c->mem + c->used;
	c->used += n;
	return p;
}

char *ctr_yaml_dup(struct ctr_yaml *y, const char *p, size_t n)
{
	char *to = ctr_yaml_alloc(y, n + 1);

	if (!to)
		return NULL;
	if (n)
		memcpy(to, p, n);
	to[n] = '\0';
	return to;
}

void ctr_yaml_free(struct ctr_yaml *y)
{
	struct ctr_yaml *s;
	struct ctr_yaml_chunk *c;

	if (!y)
		return;
	while ((s = y->subs)) {
		y->subs = s->next;
		ctr_yaml_free(s);
	}
	while ((c = y->chunks)) {
		y->chunks = c->next;
		free(c);
	}
	free(y->merges);
	free(y);
}

void ctr_yaml_cleanup(struct ctr_yaml **y)
{
	ctr_yaml_free(*y);
}

size_t ctr_yaml_break(const char *p, size_t n, size_t i)
{
	unsigned char c;

	if (i >= n)
		return 0;
	c = (unsigned char)p[i];
	if (c == '\n')
		return 1;
	if (c == '\r')
		return i + 1 < n && p[i + 1] == '\n' ? 2 : 1;
	if (c == 0xc2)
		return i + 1 < n && (unsigned char)p[i + 1] == 0x85 ? 2 : 0;
	if (c == 0xe2 && i + 2 < n && (unsigned char)p[i + 1] == 0x80)
		return ((unsigned char)p[i + 2] | 1) == 0xa9 ? 3 : 0;
	return 0;
}

size_t ctr_yaml_blanks(const struct ctr_yaml *y, size_t i)
{
	size_t w;

	while (i < y->n) {
		if (y->text[i] == ' ' || y->text[i] == '\t')
			i++;
		else if ((w = ctr_yaml_break(y->text, y->n, i)) > 0)
			i += w;
		else if (y->text[i] == '#')
			while (i < y->n && ctr_yaml_break(y->text, y->n, i) == 0)
				i++;
		else
			break;
	}
	return i;
}

static void place(const struct ctr_yaml *y, size_t off, struct ctr_err *e)
{
	unsigned line = y->line0, col = 1;

	for (size_t i = y->base; i < off && i < y->n; i++) {
		if (y->text[i] == '\n') {
			line++;
			col = 1;
		} else {
			col += ((unsigned char)y->text[i] & 0xc0) != 0x80;
		}
	}
	ctr_err_at(e, y->name, line, col);
}

int ctr_yaml_fail_at(const struct ctr_yaml *y, size_t off, struct ctr_err *e, const char *id,
		     const char *fmt, ...)
{
	char msg[384];
	va_list ap;

	if (!e || e->code != CTR_OK)
		return -1;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	ctr_fail(e, CTR_FORMAT, id, "%s", msg);
	place(y, off, e);
	return -1;
}

int ctr_yaml_fail(const struct ctr_yaml *y, const struct ctr_yaml_node *n, struct ctr_err *e,
		  const char *id, const char *fmt, ...)
{
	char msg[384];
	va_list ap;

	if (!e || e->code != CTR_OK)
		return -1;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	ctr_fail(e, CTR_FORMAT, id, "%s", msg);
	if (n)
		place(n->doc, n->at, e);
	else
		ctr_err_at(e, y->name, y->line0, 1);
	return -1;
}

/* The surrogate at p, 0 when there is none. The text has been checked to be JSON. */
static unsigned surrogate(const char *p, size_t n, unsigned kind)
{
	unsigned v = 0;

	if (n < 6 || p[0] != '\\' || p[1] != 'u')
		return 0;
	for (int i = 2; i < 6; i++)
		v = v << 4 | (unsigned)(p[i] <= '9' ? p[i] - '0' : (p[i] | 32) - 'a' + 10);
	return (v & 0xfc00) == kind ? v : 0;
}

int ctr_yaml_join(const char *p, size_t n, char **out, size_t *nout, struct ctr_err *e)
{
	char *to;

	if ((!memmem(p, n, "\\ud", 3) && !memmem(p, n, "\\uD", 3)) ||
	    ctr_json_scan("", p, n, CTR_YAML_DEPTH, NULL) < 0)
		return 0;
	to = *out = malloc(n + 1);
	if (!to)
		return ctr_fail_mem(e);
	for (size_t i = 0; i < n;) {
		unsigned hi = surrogate(p + i, n - i, 0xd800);

		if (hi) {
			unsigned lo = surrogate(p + i + 6, n - i - 6, 0xdc00);

			to += snprintf(to, 11, "\\U%08x", 0x10000 + ((hi & 0x3ff) << 10) + (lo & 0x3ff));
			i += 12;
			continue;
		}
		if (p[i] == '\\')
			*to++ = p[i++];
		*to++ = p[i++];
	}
	*nout = (size_t)(to - *out);
	return 0;
}
