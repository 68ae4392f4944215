#include "textdiff.h"

#include <string.h>

#define AROUND 3

static size_t line_end(const struct ctr_buf *t, size_t at)
{
	const char *nl = at < t->n ? memchr(t->p + at, '\n', t->n - at) : NULL;

	return nl ? (size_t)(nl - t->p) + 1 : t->n;
}

static size_t line_start(const struct ctr_buf *t, size_t end)
{
	if (end == 0)
		return 0;
	for (end--; end > 0 && t->p[end - 1] != '\n';)
		end--;
	return end;
}

static bool same(const struct ctr_buf *a, size_t i, size_t j, const struct ctr_buf *b, size_t k,
		 size_t l)
{
	return j - i == l - k && strncmp(a->p + i, b->p + k, j - i) == 0;
}

static unsigned count(const struct ctr_buf *t, size_t from, size_t to)
{
	unsigned n = 0;

	for (; from < to; from = line_end(t, from))
		n++;
	return n;
}

static void add(struct ctr_buf *out, char mark, const struct ctr_buf *t, size_t from, size_t to)
{
	while (from < to) {
		size_t end = line_end(t, from);

		ctr_buf_addc(out, mark);
		ctr_buf_add(out, t->p + from, end - from);
		if (t->p[end - 1] != '\n')
			ctr_buf_adds(out, "\n\\ No newline at end of file\n");
		from = end;
	}
}

static void add_range(struct ctr_buf *out, char mark, const struct ctr_buf *t, size_t from,
		      size_t to)
{
	unsigned n = count(t, from, to), start = count(t, 0, from) + (n > 0);

	ctr_buf_addf(out, " %c%u,%u", mark, start, n);
}

void textdiff(const char *path, const struct ctr_buf *before, bool had, const struct ctr_buf *after,
	      bool has, struct ctr_buf *out)
{
	size_t from = 0, a = before->n, b = after->n, lead, tail_a, tail_b;

	if (had == has && ctr_buf_same(before, after))
		return;
	while (from < before->n && from < after->n &&
	       same(before, from, line_end(before, from), after, from, line_end(after, from)))
		from = line_end(before, from);
	while (a > from && b > from && line_start(before, a) >= from &&
	       line_start(after, b) >= from &&
	       same(before, line_start(before, a), a, after, line_start(after, b), b)) {
		a = line_start(before, a);
		b = line_start(after, b);
	}
	lead = from;
	tail_a = a;
	tail_b = b;
	for (int i = 0; i < AROUND; i++) {
		lead = line_start(before, lead);
		tail_a = line_end(before, tail_a);
		tail_b = line_end(after, tail_b);
	}
	ctr_buf_addf(out, "--- %s%s\n+++ %s%s\n@@", had ? "a" : "/dev/null", had ? path : "",
		     has ? "b" : "/dev/null", has ? path : "");
	add_range(out, '-', before, lead, tail_a);
	add_range(out, '+', after, lead, tail_b);
	ctr_buf_adds(out, " @@\n");
	add(out, ' ', before, lead, from);
	add(out, '-', before, from, a);
	add(out, '+', after, from, b);
	add(out, ' ', before, a, tail_a);
}
