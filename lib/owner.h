/* What the owners of a deployment sign (ctr-api(7)). */
#ifndef LIB_OWNER_H
#define LIB_OWNER_H

#include "buf.h"
#include "hash.h"

/*
 * A workload owner's signature of a manifest: ECDSA in DER with SHA-256, on P-256, P-384 or P-521,
 * over the 64 lower-case hexadecimal digits of the transition hash t. Errors are those of
 * lib/crypto_ecdsa.h.
 */
CTR_MUST int ctr_owner_sign(const char *name, const struct ctr_buf *pem,
			    const uint8_t t[CTR_SHA256_SIZE], struct ctr_buf *spki,
			    struct ctr_buf *sig, struct ctr_err *e);
CTR_MUST int ctr_owner_verify(const void *spki, size_t n_spki, const uint8_t t[CTR_SHA256_SIZE],
			      const void *sig, size_t n, bool *good, struct ctr_err *e);

/*
 * Recovery. HPKE's info of the sealed seed and salt, appended: "contrast recover v1" || nonce. The
 * digest that a seed share owner signs: SHA-256 of the same, then hpke_key || ct[0..n).
 */
void ctr_recover_info(const uint8_t nonce[32], struct ctr_buf *info);
CTR_MUST int ctr_recover_digest(const uint8_t nonce[32], const uint8_t hpke_key[32], const void *ct,
				size_t n, uint8_t out[CTR_SHA256_SIZE], struct ctr_err *e);

#endif
