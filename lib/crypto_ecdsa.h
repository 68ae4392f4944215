/*
 * ECDSA (FIPS 186-5) on P-256, P-384 or P-521, key and signature as messages carry
 * them: SubjectPublicKeyInfo and ECDSA-Sig-Value (RFC 3279), both in DER.
 */
#ifndef LIB_CRYPTO_ECDSA_H
#define LIB_CRYPTO_ECDSA_H

#include "buf.h"
#include "hash.h"

#define CTR_ECDSA_SPKI_MAX 256 /* bytes */
#define CTR_ECDSA_SIG_MAX 144  /* bytes; P-521 needs up to 139 */

/* Signs p[0..n) with SHA-256 and the private key in PEM; appends its public half and the signature.
 * CTR_FORMAT "key.pem", "key.kind"; CTR_ENV "key.sign". `name` is for messages. */
CTR_MUST int ctr_ecdsa_sign(const char *name, const struct ctr_buf *pem, const void *p, size_t n,
			    struct ctr_buf *spki, struct ctr_buf *sig, struct ctr_err *e);

/*
 * Whether sig[0..n_sig) is the signature of p[0..n). Each key has one spelling, and so has each
 * pair (r, s). CTR_FORMAT "key.spki": no key in DER, or not as ctr_ecdsa_sign writes it (the curve
 * by name, the point uncompressed, nothing behind); "key.kind": another kind or curve;
 * "ecdsa.signature": not DER, or something behind it.
 */
CTR_MUST int ctr_ecdsa_verify(const void *spki, size_t n_spki, enum ctr_hash_alg alg, const void *p,
			      size_t n, const void *sig, size_t n_sig, bool *good,
			      struct ctr_err *e);

#endif
