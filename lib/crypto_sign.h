/* ECDSA signing with private keys from PEM, over OpenSSL. */
#ifndef LIB_CRYPTO_SIGN_H
#define LIB_CRYPTO_SIGN_H

#include "buf.h"
#include "hash.h"

/*
 * A private EC key from PEM text on the curve whose field has `half` bytes: 32 P-256, 48 P-384, 0
 * for either. The caller frees it. CTR_FORMAT "key.pem" (no key, or an encrypted one), "key.kind"
 * (another kind or curve); `name` is for messages.
 */
struct ctr_sign_key;
CTR_MUST int ctr_sign_key_read(const char *name, const struct ctr_buf *pem, size_t half,
			       struct ctr_sign_key **key, struct ctr_err *e);
size_t ctr_sign_key_half(const struct ctr_sign_key *key);
void ctr_sign_key_free(struct ctr_sign_key *key); /* NULL is legal */

/* r and s, then x and y of the public point: big-endian, `half` bytes each. CTR_ENV "key.sign". */
CTR_MUST int ctr_sign(const struct ctr_sign_key *key, enum ctr_hash_alg alg, const void *p,
		      size_t n, uint8_t *rs, struct ctr_err *e);
CTR_MUST int ctr_sign_key_point(const struct ctr_sign_key *key, uint8_t *xy, struct ctr_err *e);

#endif
