/* HPKE (RFC 9180), base mode, one message: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. */
#ifndef LIB_CRYPTO_HPKE_H
#define LIB_CRYPTO_HPKE_H

#include "crypto_gcm.h"

#define CTR_X25519_SIZE 32
#define CTR_HPKE_EXTRA (CTR_X25519_SIZE + CTR_GCM_TAG) /* what sealing adds */
#define CTR_HPKE_MAX ((size_t)1 << 20)			/* bytes of a plaintext */

/* A fresh key pair as bytes (RFC 7748); the caller frees *sk. CTR_ENV "key.generate". */
CTR_MUST int ctr_hpke_generate(struct ctr_secret *sk, uint8_t pk[CTR_X25519_SIZE],
			       struct ctr_err *e);

/*
 * Appends to out what only the holder of pk's private key reads: the encapsulated key (32 bytes),
 * then the ciphertext with its tag. info says what the message is for, aad goes with it
 * unencrypted. CTR_FORMAT "hpke.key": pk gives no shared secret (section 7.1.4); "hpke.length":
 * more than CTR_HPKE_MAX. CTR_ENV "hpke".
 */
CTR_MUST int ctr_hpke_seal(const uint8_t pk[CTR_X25519_SIZE], const void *info, size_t n_info,
			   const void *aad, size_t n_aad, const void *pt, size_t n,
			   struct ctr_buf *out, struct ctr_err *e);

/*
 * The reverse: msg is the encapsulated key, then the ciphertext with its tag. The caller frees *pt,
 * which is empty on failure. CTR_FORMAT "hpke.length": shorter than CTR_HPKE_EXTRA, or too long;
 * "hpke.key" as above. CTR_NO "hpke.open": for another key, info or aad, or changed.
 */
CTR_MUST int ctr_hpke_open(const struct ctr_secret *sk, const void *info, size_t n_info,
			   const void *aad, size_t n_aad, const void *msg, size_t n,
			   struct ctr_secret *pt, struct ctr_err *e);

#endif
