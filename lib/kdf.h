/* HKDF with SHA-256 (RFC 5869). */
#ifndef LIB_KDF_H
#define LIB_KDF_H

#include "buf.h"
#include "hash.h"

#define CTR_HKDF_MAX ((size_t)255 * CTR_SHA256_SIZE) /* bytes that one key can be expanded to */

/* Section 2.2: the pseudorandom key of ikm[0..n_ikm). The salt may be NULL with length 0. CTR_ENV
 * "hash". */
CTR_MUST int ctr_hkdf_extract(const void *salt, size_t n_salt, const void *ikm, size_t n_ikm,
			      uint8_t prk[CTR_SHA256_SIZE], struct ctr_err *e);

/* Section 2.3: n bytes, 1 to CTR_HKDF_MAX, into out. CTR_ENV "hash"; CTR_FORMAT "hkdf.length": n is
 * outside of this. */
CTR_MUST int ctr_hkdf_expand(const uint8_t prk[CTR_SHA256_SIZE], const void *info, size_t n_info,
			     uint8_t *out, size_t n, struct ctr_err *e);

/* Both steps; the n bytes are a secret that the caller frees. On failure *out is empty. */
CTR_MUST int ctr_hkdf(const void *salt, size_t n_salt, const void *ikm, size_t n_ikm,
		      const char *info, size_t n, struct ctr_secret *out, struct ctr_err *e);

#endif
