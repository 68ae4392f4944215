#include <stdlib.h>
#include <string.h>

#include "http_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What chunks hold, `step` bytes at a time: -1 when refused, else the sum of a simple hash. */
static int64_t unchunk(const uint8_t *p, size_t n, size_t step)
{
	struct ctr_http_chunks c = { 0 };
	struct ctr_err e = { 0 };
	struct ctr_rd r, data;
	size_t have = 0, at = 0;
	int64_t sum = 0;

	while (c.state != CTR_CHUNK_DONE) {
		ctr_rd_init(&r, p + at, have - at);
		if (ctr_http_chunk(&c, &r, &data, &e) < 0)
			return -1;
		for (; data.left; data.p++, data.left--)
			sum = (sum * 31 + *data.p) & 0xffffffff;
		if (r.at) {
			at += r.at;
			continue;
		}
		if (have == n)
			return -2;
		have += step < n - have ? step : n - have;
	}
	return sum * 4096 + (int64_t)(at & 4095);
}

/*
 * Finding the head's end does not depend on how it arrives, what is accepted has a path and one
 * framing, and a body in chunks reads the same whole and byte by byte.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	size_t end = ctr_http_head_end(p, size, 0), found = 0;
	struct ctr_http_head h;
	struct ctr_err e = { 0 };

	for (size_t n = 0; n <= size && size < 4096 && !found; n++)
		found = ctr_http_head_end(p, n, n ? n - 1 : 0);
	if (size < 4096 && found != end)
		abort();
	if (end) {
		char *copy = malloc(end);

		if (!copy)
			return 0;
		memcpy(copy, data, end);
		if (ctr_http_head_parse(copy, end, &h, &e) < 0) {
			if (ctr_http_status(&e) < 400)
				abort();
		} else if (h.path[0] != '/' || !*h.method || (h.chunked && h.has_length) ||
			   h.length > 999999999999999) {
			abort();
		}
		free(copy);
	}
	if (unchunk(data + end, size - end, size - end) != unchunk(data + end, size - end, 1))
		abort();
	return 0;
}
