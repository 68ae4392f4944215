/* ECDSA on P-256 with SHA-256 (FIPS 186-5), keys and signatures as the bare numbers that quotes and
 * collateral have. */
#ifndef LIB_CRYPTO_P256_H
#define LIB_CRYPTO_P256_H

#include <openssl/evp.h>
#include <stdint.h>

#include "cleanup.h"
#include "err.h"

void ctr_pkey_cleanup(EVP_PKEY **k);
#define ctr_auto_pkey CTR_AUTO(ctr_pkey_cleanup)

/* The public key with coordinates x and y, 32 bytes each, big endian; NULL when they are no point
 * of the curve. */
EVP_PKEY *ctr_p256_key(const uint8_t xy[64]);

/* rs: r and s, 32 bytes each, big endian. False also for a key of another kind. */
bool ctr_p256_signed(EVP_PKEY *key, const void *p, size_t n, const uint8_t rs[64]);

#endif
