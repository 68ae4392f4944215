/* gzip (RFC 1952) in memory over zlib, deterministic and capped. */
#ifndef LIB_GZIP_H
#define LIB_GZIP_H

#include "buf.h"

/*
 * Compression in pieces. The output depends on the bytes alone: not on the pieces, the time or the
 * machine. A copy continues on its own from the same state; several may be taken at once.
 */
struct ctr_gzip;
CTR_MUST int ctr_gzip_new(struct ctr_gzip **g, struct ctr_err *e);
CTR_MUST int ctr_gzip_copy(struct ctr_gzip *from, struct ctr_gzip **g, struct ctr_err *e);
CTR_MUST int ctr_gzip_add(struct ctr_gzip *g, const void *p, size_t n, struct ctr_err *e);
/* Ends the member and appends it to b. */
CTR_MUST int ctr_gzip_end(struct ctr_gzip *g, struct ctr_buf *b, struct ctr_err *e);
void ctr_gzip_free(struct ctr_gzip *g);
void ctr_gzip_cleanup(struct ctr_gzip **g);
#define ctr_auto_gzip CTR_AUTO(ctr_gzip_cleanup)

/*
 * Appends the content of p[0..n), which is exactly one member. CTR_FORMAT `id`: broken, cut off, more
 * than max bytes, or anything behind the member.
 */
CTR_MUST int ctr_gunzip(const void *p, size_t n, size_t max, const char *id, struct ctr_buf *b,
			struct ctr_err *e);

#endif
