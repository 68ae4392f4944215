/* Private EC keys of the certificate authority: derived ones, and fresh ones. */
#ifndef LIB_CRYPTO_KEY_H
#define LIB_CRYPTO_KEY_H

#include <openssl/evp.h>

#include "crypto_p256.h"

#define CTR_KEY_P384_RAW 56 /* bytes: the order of P-384 and 64 bits more */

/*
 * The P-384 key of raw[0..CTR_KEY_P384_RAW), a big-endian number c: d = (c mod (n - 1)) + 1 (FIPS
 * 186-5 appendix A.2.1). The caller frees *key. CTR_ENV "key.generate".
 */
CTR_MUST int ctr_key_p384_from(const uint8_t raw[CTR_KEY_P384_RAW], EVP_PKEY **key,
			       struct ctr_err *e);

/* A new key on P-256. The caller frees *key. CTR_ENV "key.generate". */
CTR_MUST int ctr_key_p256_new(EVP_PKEY **key, struct ctr_err *e);

#endif
