/*
 * RSA as seed share owners use it (RFC 8017), over OpenSSL. Public keys are RSAPublicKey in DER as
 * in the manifest (struct ctr_seedshare_key), private ones unencrypted PEM; both of CTR_RSA_MIN to
 * CTR_RSA_MAX bits. On another key all of these fail with CTR_FORMAT "key.rsa", for private ones
 * also "key.pem", "key.kind". `name` is for messages.
 */
#ifndef LIB_CRYPTO_RSA_H
#define LIB_CRYPTO_RSA_H

#include "buf.h"

#define CTR_RSA_DIGEST 32 /* bytes of the SHA-256 that is signed */

/* RSAES-OAEP with SHA-256 and MGF1 SHA-256, appended. CTR_FORMAT "rsa.length": too long for the key
 * (66 bytes less than its modulus fit). CTR_ENV "rsa.encrypt". */
CTR_MUST int ctr_rsa_encrypt(const uint8_t *pub, size_t n_pub, const char *label, const void *p,
			     size_t n, struct ctr_buf *out, struct ctr_err *e);

/* The reverse; the caller frees *out, which is empty on failure. CTR_NO "rsa.decrypt": for another
 * key or label, or changed. */
CTR_MUST int ctr_rsa_decrypt(const char *name, const struct ctr_buf *pem, const char *label,
			     const void *p, size_t n, struct ctr_secret *out, struct ctr_err *e);

/* RSASSA-PSS with SHA-256, MGF1 SHA-256 and a salt of 32 bytes over a digest that is made already;
 * appended. CTR_ENV "key.sign". */
CTR_MUST int ctr_rsa_sign(const char *name, const struct ctr_buf *pem,
			  const uint8_t digest[CTR_RSA_DIGEST], struct ctr_buf *sig,
			  struct ctr_err *e);

/* Whether sig[0..n) is such a signature, exactly as long as the modulus. */
CTR_MUST int ctr_rsa_verify(const uint8_t *pub, size_t n_pub, const uint8_t digest[CTR_RSA_DIGEST],
			    const void *sig, size_t n, bool *good, struct ctr_err *e);

#endif
