/* HPKE with the choices made by the caller, as test vectors need it. */
#ifndef LIB_CRYPTO_HPKE_INT_H
#define LIB_CRYPTO_HPKE_INT_H

#include "crypto_hpke.h"

/* Key and base nonce of a context (RFC 9180 section 5.1). */
struct ctr_hpke_context {
	size_t n_key; /* 32: AES-256-GCM; 16: AES-128-GCM, which only the published vectors use */
	uint8_t shared[32], key[32], nonce[12];
};

/* Fills c from a private key and the peer's public one; enc and pk_r are the encapsulated and the
 * receiver's key. */
CTR_MUST int ctr_hpke_schedule(struct ctr_hpke_context *c, const uint8_t *sk, const uint8_t *peer,
			       const uint8_t *enc, const uint8_t *pk_r, const void *info,
			       size_t n_info, struct ctr_err *e);

#endif
