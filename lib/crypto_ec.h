/* Public keys on P-256 and P-384 as coordinates, and bare signatures (r, s) by them: as formats
 * outside of X.509 have them. */
#ifndef LIB_CRYPTO_EC_H
#define LIB_CRYPTO_EC_H

#include "buf.h"

#define CTR_EC_MAX 48

struct ctr_ec {
	size_t size;			      /* bytes of a coordinate: 32 (P-256) or 48 (P-384) */
	uint8_t x[CTR_EC_MAX], y[CTR_EC_MAX]; /* the first `size` bytes, big endian */
};

/* The public half of the first key in PEM text, public or private. CTR_FORMAT "key.pem", "key.kind"
 * (another kind or curve). */
CTR_MUST int ctr_ec_pem(const char *pem, size_t n, struct ctr_ec *k, struct ctr_err *e);

/*
 * Whether (r, s), `size` bytes each and big endian, is the ECDSA signature of msg[0..n) with
 * SHA-256 (P-256) or SHA-384 (P-384). CTR_FORMAT "key.kind": the coordinates are no point of the
 * curve.
 */
CTR_MUST int ctr_ec_verify(const struct ctr_ec *k, const void *msg, size_t n, const uint8_t *r,
			   const uint8_t *s, bool *good, struct ctr_err *e);

#endif
