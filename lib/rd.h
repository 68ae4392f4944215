/* The cursor for untrusted bytes: every read is checked against what is left. */
#ifndef LIB_RD_H
#define LIB_RD_H

#include <stdint.h>

#include "err.h"

/* A value: copy it to look ahead. It borrows the bytes and never outlives them. */
struct ctr_rd {
	const uint8_t *p;
	size_t left, at; /* bytes left; offset from the start, for messages */
};

/* Starts at p, n bytes long; NULL with n 0 is legal. */
void ctr_rd_init(struct ctr_rd *r, const void *p, size_t n);

/* All of these return 0, or -1 when fewer bytes are left; then the output is zero (or empty). */
CTR_MUST int ctr_rd_take(struct ctr_rd *r, size_t n, struct ctr_rd *sub);
CTR_MUST int ctr_rd_u8(struct ctr_rd *r, uint8_t *v);
CTR_MUST int ctr_rd_le16(struct ctr_rd *r, uint16_t *v);
CTR_MUST int ctr_rd_le32(struct ctr_rd *r, uint32_t *v);
CTR_MUST int ctr_rd_le64(struct ctr_rd *r, uint64_t *v);
CTR_MUST int ctr_rd_be16(struct ctr_rd *r, uint16_t *v);
CTR_MUST int ctr_rd_be32(struct ctr_rd *r, uint32_t *v);
CTR_MUST int ctr_rd_copy(struct ctr_rd *r, void *dst, size_t n);

/* Fails also when one of the n bytes is not zero. */
CTR_MUST int ctr_rd_zeros(struct ctr_rd *r, size_t n);

/* A part with its length in front (32 bits, little endian), at most max bytes long. */
CTR_MUST int ctr_rd_sub_le32(struct ctr_rd *r, size_t max, struct ctr_rd *sub);

/* Takes the bytes before `delim` and drops the delimiter; without one, all that is left. */
void ctr_rd_until(struct ctr_rd *r, char delim, struct ctr_rd *sub);

/* -1 when bytes are left. */
CTR_MUST int ctr_rd_end(const struct ctr_rd *r);

/* Compares in constant time over n bytes. */
bool ctr_same(const void *a, const void *b, size_t n);
/* All n bytes are zero; constant time too. */
bool ctr_zero(const void *p, size_t n);

#endif
