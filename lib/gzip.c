#include "gzip.h"

#include <limits.h>

#define ZLIB_CONST /* next_in points to const */
#include <zlib.h>

#define LEVEL 6
#define GZIP_WINDOW (15 + 16) /* 32 KiB, with the gzip wrapper */
#define PIECE ((size_t)16 * 1024)

struct ctr_gzip {
	z_stream z;
	gz_header head; /* zlib keeps a pointer to it until the first bytes are out */
	struct ctr_buf out;
};

static int broken(struct ctr_err *e)
{
	return ctr_fail(e, CTR_ENV, "gzip", "the data could not be compressed");
}

void ctr_gzip_free(struct ctr_gzip *g)
{
	if (!g)
		return;
	deflateEnd(&g->z);
	ctr_buf_free(&g->out);
	free(g);
}

void ctr_gzip_cleanup(struct ctr_gzip **g)
{
	ctr_gzip_free(*g);
}

static int run(struct ctr_gzip *g, const void *p, size_t n, int flush, struct ctr_err *e)
{
	int rc;

	if (n > UINT_MAX)
		return ctr_fail(e, CTR_FORMAT, "limit", "too much to compress");
	g->z.next_in = p;
	g->z.avail_in = (uInt)n;
	do {
		uint8_t *to = ctr_buf_room(&g->out, PIECE);

		if (!to)
			return ctr_buf_ok(&g->out, "gzip", e);
		g->z.next_out = to;
		g->z.avail_out = (uInt)PIECE;
		rc = deflate(&g->z, flush);
		if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
			return broken(e);
		ctr_buf_commit(&g->out, PIECE - g->z.avail_out);
	} while (flush == Z_FINISH ? rc != Z_STREAM_END : g->z.avail_out == 0);
	return g->z.avail_in == 0 ? 0 : broken(e);
}

int ctr_gzip_new(struct ctr_gzip **out, struct ctr_err *e)
{
	ctr_auto_gzip struct ctr_gzip *g = calloc(1, sizeof *g);

	*out = NULL;
	if (!g)
		return ctr_fail_mem(e);
	g->head.os = 255; /* unknown: the same on every machine; the time stays 0 */
	if (deflateInit2(&g->z, LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return ctr_fail_mem(e);
	if (deflateSetHeader(&g->z, &g->head) != Z_OK || run(g, "", 0, Z_NO_FLUSH, e) < 0)
		return broken(e);
	*out = ctr_give(g);
	return 0;
}

int ctr_gzip_copy(struct ctr_gzip *from, struct ctr_gzip **out, struct ctr_err *e)
{
	ctr_auto_gzip struct ctr_gzip *g = calloc(1, sizeof *g);

	*out = NULL;
	/* reads the source only, whatever its type says */
	if (!g || deflateCopy(&g->z, &from->z) != Z_OK)
		return ctr_fail_mem(e);
	ctr_buf_add(&g->out, ctr_buf_str(&from->out), from->out.n);
	*out = ctr_give(g);
	return 0;
}

int ctr_gzip_add(struct ctr_gzip *g, const void *p, size_t n, struct ctr_err *e)
{
	return run(g, p, n, Z_NO_FLUSH, e);
}

int ctr_gzip_end(struct ctr_gzip *g, struct ctr_buf *b, struct ctr_err *e)
{
	if (run(g, "", 0, Z_FINISH, e) < 0 || ctr_buf_ok(&g->out, "gzip", e) < 0)
		return -1;
	ctr_buf_add(b, g->out.p, g->out.n);
	return ctr_buf_ok(b, "gzip", e);
}

static int inflate_all(z_stream *z, size_t max, const char *id, struct ctr_buf *b,
		       struct ctr_err *e)
{
	size_t start = b->n;

	for (;;) {
		size_t left = max - (b->n - start), want = left < PIECE ? left + 1 : PIECE;
		uint8_t *to = ctr_buf_room(b, want);
		int rc;

		if (!to)
			return ctr_buf_ok(b, "gzip", e);
		z->next_out = to;
		z->avail_out = (uInt)want;
		rc = inflate(z, Z_NO_FLUSH);
		ctr_buf_commit(b, want - z->avail_out);
		if (b->n - start > max)
			return ctr_fail(e, CTR_FORMAT, id, "gzip: more than %zu bytes in it", max);
		if (rc == Z_STREAM_END)
			break;
		if (rc != Z_OK)
			return ctr_fail(e, CTR_FORMAT, id, "gzip: %s",
					rc == Z_BUF_ERROR ? "cut off" : "broken data");
	}
	if (z->avail_in > 0)
		return ctr_fail(e, CTR_FORMAT, id, "gzip: %u bytes behind the end", z->avail_in);
	return 0;
}

int ctr_gunzip(const void *p, size_t n, size_t max, const char *id, struct ctr_buf *b,
	       struct ctr_err *e)
{
	z_stream z = { .next_in = p, .avail_in = (uInt)n };
	int rc;

	if (n > UINT_MAX)
		return ctr_fail(e, CTR_FORMAT, id, "gzip: too large");
	if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
		return ctr_fail_mem(e);
	rc = inflate_all(&z, max, id, b, e);
	inflateEnd(&z);
	return rc;
}
