/* AES-GCM (NIST SP 800-38D) with a nonce of 96 bits, over OpenSSL. */
#ifndef LIB_CRYPTO_GCM_H
#define LIB_CRYPTO_GCM_H

#include "buf.h"

#define CTR_GCM_NONCE 12
#define CTR_GCM_TAG 16
#define CTR_GCM_MAX ((size_t)1 << 20) /* bytes of a message, and of what goes with it */

/*
 * out has n + CTR_GCM_TAG bytes: the ciphertext, then the tag. The key has 32 bytes, or 16; a nonce
 * is used once with a key. aad[0..n_aad) goes with the message unencrypted. CTR_ENV "gcm".
 */
CTR_MUST int ctr_gcm_encrypt(const uint8_t *key, size_t n_key, const uint8_t nonce[CTR_GCM_NONCE],
			     const void *aad, size_t n_aad, const void *pt, size_t n, uint8_t *out,
			     struct ctr_err *e);

/* The reverse: ct has n bytes and the tag, pt has n. *good says whether the tag is right; if not,
 * pt is not to be looked at. */
CTR_MUST int ctr_gcm_decrypt(const uint8_t *key, size_t n_key, const uint8_t nonce[CTR_GCM_NONCE],
			     const void *aad, size_t n_aad, const uint8_t *ct, size_t n,
			     uint8_t *pt, bool *good, struct ctr_err *e);

#endif
