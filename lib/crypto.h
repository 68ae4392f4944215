/* Checks of keys that come in as bytes, over OpenSSL. */
#ifndef LIB_CRYPTO_H
#define LIB_CRYPTO_H

#include <stdint.h>

#include "err.h"

#define CTR_RSA_MIN 2048 /* bits */
#define CTR_RSA_MAX 16384

/*
 * The size of the RSA public key der[0..n) (RSAPublicKey, RFC 8017 A.1.1, canonical DER and nothing behind it).
 * CTR_FORMAT "key.rsa": no such key, outside CTR_RSA_MIN to CTR_RSA_MAX, or an exponent below 65537.
 */
CTR_MUST int ctr_rsa_check(const uint8_t *der, size_t n, unsigned *bits, struct ctr_err *e);

#endif
