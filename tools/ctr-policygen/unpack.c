#include "unpack.h"

#include <string.h>

#include <zlib.h>
#include <zstd.h>

#include "rd.h"

#define PIECE ((size_t)128 * 1024)
#define MAGIC 4

enum pack { PLAIN, GZIP, ZSTD };

struct unpack {
	enum pack pack;
	ctr_oci_sink sink;
	void *ctx;
	z_stream z;
	ZSTD_DStream *zstd;
	bool z_open;
	bool inside; /* a gzip member or zstd frame has begun and not ended */
	bool any;    /* one has ended */
	uint8_t magic[MAGIC];
	size_t seen;   /* bytes in magic, up to MAGIC */
	uint64_t left; /* bytes that may still come out */
	uint8_t out[PIECE];
};

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

static enum pack promised(const char *media_type)
{
	if (ends_with(media_type, "gzip"))
		return GZIP;
	return ends_with(media_type, "zstd") ? ZSTD : PLAIN;
}

static enum pack found(const struct unpack *u)
{
	if (u->seen >= 2 && ctr_same(u->magic, "\x1f\x8b", 2))
		return GZIP;
	/* skippable frames (0x184D2A50 to 5F) may come first */
	if (u->seen == MAGIC &&
	    (ctr_same(u->magic, "\x28\xb5\x2f\xfd", MAGIC) ||
	     (ctr_same(u->magic + 1, "\x2a\x4d\x18", 3) && u->magic[0] >> 4 == 5)))
		return ZSTD;
	return PLAIN;
}

int unpack_new(const char *media_type, uint64_t max, ctr_oci_sink sink, void *ctx,
	       struct unpack **out, struct ctr_err *e)
{
	auto_unpack struct unpack *u = calloc(1, sizeof *u);

	*out = NULL;
	if (!u)
		return ctr_fail_mem(e);
	u->pack = promised(media_type);
	u->left = max;
	u->sink = sink;
	u->ctx = ctx;
	if (u->pack == GZIP && inflateInit2(&u->z, 15 + 16) != Z_OK)
		return ctr_fail_mem(e);
	u->z_open = u->pack == GZIP;
	if (u->pack == ZSTD) {
		u->zstd = ZSTD_createDStream();
		if (!u->zstd)
			return ctr_fail_mem(e);
	}
	*out = ctr_give(u);
	return 0;
}

void unpack_free(struct unpack *u)
{
	if (!u)
		return;
	if (u->z_open)
		inflateEnd(&u->z);
	ZSTD_freeDStream(u->zstd);
	free(u);
}

void unpack_cleanup(struct unpack **u)
{
	unpack_free(*u);
}

static int give(struct unpack *u, const void *p, size_t n, struct ctr_err *e)
{
	if (n > u->left)
		return ctr_fail(e, CTR_FORMAT, "limit",
				"the layer unpacks to more than is allowed");
	u->left -= n;
	return n ? u->sink(u->ctx, p, n, e) : 0;
}

static int broken(const char *what, const char *why, struct ctr_err *e)
{
	return ctr_fail(e, CTR_FORMAT, "layer.compression", "broken %s data: %s", what, why);
}

static int add_gzip(struct unpack *u, const void *p, size_t n, struct ctr_err *e)
{
	int rc = Z_OK;

	/* zlib's pointer is not const where its documentation says it is */
	u->z.next_in = (z_const Bytef *)(uintptr_t)p;
	u->z.avail_in = (uInt)n;
	do {
		if (rc == Z_STREAM_END && u->z.avail_in > 0 && inflateReset(&u->z) != Z_OK)
			return broken("gzip", "state", e);
		u->inside = true;
		u->z.next_out = u->out;
		u->z.avail_out = PIECE;
		rc = inflate(&u->z, Z_NO_FLUSH);
		/* first what came out before a failure: the message must not depend on the cut */
		if (give(u, u->out, PIECE - u->z.avail_out, e) < 0)
			return -1;
		if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
			return rc == Z_MEM_ERROR
				       ? ctr_fail_mem(e)
				       : broken("gzip", u->z.msg ? u->z.msg : "no member", e);
		u->inside = rc != Z_STREAM_END;
		u->any |= !u->inside;
	} while (u->z.avail_in > 0 || u->z.avail_out == 0);
	return 0;
}

static int add_zstd(struct unpack *u, const void *p, size_t n, struct ctr_err *e)
{
	ZSTD_inBuffer in = { p, n, 0 };
	bool full;

	do {
		ZSTD_outBuffer out = { u->out, PIECE, 0 };
		size_t rc = ZSTD_decompressStream(u->zstd, &out, &in);

		if (ZSTD_isError(rc))
			return broken("zstd", ZSTD_getErrorName(rc), e);
		if (give(u, u->out, out.pos, e) < 0)
			return -1;
		u->inside = rc != 0;
		u->any |= rc == 0;
		full = out.pos == PIECE;
	} while (in.pos < n || (full && u->inside));
	return 0;
}

static int check_magic(const struct unpack *u, struct ctr_err *e)
{
	static const char *const name[] = { "not compressed", "gzip", "zstd" };
	enum pack have = found(u);

	if (have == u->pack)
		return 0;
	return ctr_fail(e, CTR_FORMAT, "layer.compression",
			"the layer is %s (its media type says %s)", name[have], name[u->pack]);
}

static int feed(struct unpack *u, const void *p, size_t n, struct ctr_err *e)
{
	if (n == 0)
		return 0;
	switch (u->pack) {
	case GZIP:
		return add_gzip(u, p, n, e);
	case ZSTD:
		return add_zstd(u, p, n, e);
	case PLAIN:
		break;
	}
	return give(u, p, n, e);
}

int unpack_add(struct unpack *u, const void *p, size_t n, struct ctr_err *e)
{
	struct ctr_rd r, head, piece;

	ctr_rd_init(&r, p, n);
	if (u->seen < MAGIC) {
		if (ctr_rd_take(&r, n < MAGIC - u->seen ? n : MAGIC - u->seen, &head) < 0)
			return broken("layer", "short read", e);
		memcpy(u->magic + u->seen, head.p, head.left);
		u->seen += head.left;
		if (u->seen < MAGIC)
			return 0;
		if (check_magic(u, e) < 0 || feed(u, u->magic, MAGIC, e) < 0)
			return -1;
	}
	/* zlib counts in 32 bits */
	while (r.left > 0) {
		if (ctr_rd_take(&r, r.left < ((size_t)1 << 30) ? r.left : (size_t)1 << 30, &piece) <
			    0 ||
		    feed(u, piece.p, piece.left, e) < 0)
			return -1;
	}
	return 0;
}

int unpack_end(struct unpack *u, struct ctr_err *e)
{
	if (u->seen < MAGIC && (check_magic(u, e) < 0 || feed(u, u->magic, u->seen, e) < 0))
		return -1;
	if (u->inside || (u->pack != PLAIN && !u->any))
		return broken(u->pack == GZIP ? "gzip" : "zstd", "truncated", e);
	return 0;
}
