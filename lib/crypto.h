/* Asymmetric keys as bytes, over OpenSSL. */
#ifndef LIB_CRYPTO_H
#define LIB_CRYPTO_H

#include "buf.h"

#define CTR_RSA_MIN 2048 /* bits */
#define CTR_RSA_MAX 16384

/*
 * The size of the RSA public key der[0..n): RSAPublicKey (RFC 8017 A.1.1), canonical DER, nothing behind
 * it. CTR_FORMAT "key.rsa": no such key, outside CTR_RSA_MIN to CTR_RSA_MAX, exponent below 65537.
 */
CTR_MUST int ctr_key_rsa_check(const uint8_t *der, size_t n, unsigned *bits, struct ctr_err *e);

/*
 * The public half of the first key in PEM text, public or private, appended as DER: an EC key on P-256, P-384
 * or P-521 as SubjectPublicKeyInfo with a named curve and an uncompressed point, an RSA key as RSAPublicKey.
 * CTR_FORMAT "key.pem" (no key, or an encrypted one), "key.kind" (another kind or curve).
 */
CTR_MUST int ctr_key_ec_spki(const char *pem, size_t n, struct ctr_buf *der, struct ctr_err *e);
CTR_MUST int ctr_key_rsa_public(const char *pem, size_t n, struct ctr_buf *der, struct ctr_err *e);

/*
 * A new key, RSA of 4096 bits or EC P-384: PKCS #8 and SubjectPublicKeyInfo in PEM, appended. `private` is
 * made one that is wiped. CTR_ENV "key.generate".
 */
CTR_MUST int ctr_key_generate(bool rsa, struct ctr_buf *private, struct ctr_buf *public,
			      struct ctr_err *e);

/* OpenSSL's password callback for PEM, for lib/crypto*.c: never one, and never a question on the terminal. */
int ctr_key_no_password(char *buf, int size, int rw, void *ctx);

#endif
