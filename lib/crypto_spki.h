/* Public keys that a mesh certificate may be for. */
#ifndef LIB_CRYPTO_SPKI_H
#define LIB_CRYPTO_SPKI_H

#include "buf.h"

#define CTR_SPKI_MAX 4096 /* bytes */

/*
 * Whether der[0..n) is the SubjectPublicKeyInfo of a key on P-256 or P-384 (named curve,
 * uncompressed point), or RSA as ctr_key_rsa_check takes it (*rsa), in canonical DER with nothing
 * behind it. CTR_FORMAT "ca.key".
 */
CTR_MUST int ctr_spki_check(const void *der, size_t n, bool *rsa, struct ctr_err *e);

/* The only block of PEM text, a PUBLIC KEY (RFC 7468 section 13), as DER, appended: to be checked.
 * CTR_FORMAT "ca.key". */
CTR_MUST int ctr_spki_pem(const char *pem, size_t n, struct ctr_buf *der, struct ctr_err *e);

#endif
