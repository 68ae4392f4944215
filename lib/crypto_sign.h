/* ECDSA with private keys from PEM, or fresh ones, over OpenSSL. */
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
/* The key on P-384 that the secret (of CTR_KEY_P384_RAW bytes, crypto_key.h) stands for; the caller
 * frees it. CTR_ENV "key.generate". */
CTR_MUST int ctr_sign_key_derive(const struct ctr_secret *raw, struct ctr_sign_key **key,
				 struct ctr_err *e);

/* r and s, then x and y of the public point: big-endian, `half` bytes each. CTR_ENV "key.sign". */
CTR_MUST int ctr_sign(const struct ctr_sign_key *key, enum ctr_hash_alg alg, const void *p,
		      size_t n, uint8_t *rs, struct ctr_err *e);
CTR_MUST int ctr_sign_key_point(const struct ctr_sign_key *key, uint8_t *xy, struct ctr_err *e);

/* A fresh key on P-256; the caller frees it. CTR_ENV "key.generate". */
CTR_MUST int ctr_sign_key_new(struct ctr_sign_key **key, struct ctr_err *e);
/* PKCS #8 in PEM, appended; pem is made one that is wiped. CTR_ENV "key.sign". */
CTR_MUST int ctr_sign_key_pem(const struct ctr_sign_key *key, struct ctr_buf *pem,
			      struct ctr_err *e);
/* The public half, SubjectPublicKeyInfo in DER, appended. CTR_ENV "key.sign". */
CTR_MUST int ctr_sign_key_spki(const struct ctr_sign_key *key, struct ctr_buf *der,
			       struct ctr_err *e);
/* As ctr_sign, but an ECDSA-Sig-Value in DER (RFC 3279), appended. */
CTR_MUST int ctr_sign_der(const struct ctr_sign_key *key, enum ctr_hash_alg alg, const void *p,
			  size_t n, struct ctr_buf *sig, struct ctr_err *e);

#define CTR_SPKI_P256 91 /* bytes of a SubjectPublicKeyInfo */
#define CTR_SPKI_P384 120
#define CTR_ECDSA_DER_MAX 104 /* bytes of a signature in DER by a key on P-384 */

#endif
