/* Deterministic ECDSA (RFC 6979) on P-384 with SHA-384: the same key and message give the same
 * signature, so that a certificate can be made again byte for byte. */
#ifndef LIB_CRYPTO_RFC6979_H
#define LIB_CRYPTO_RFC6979_H

#include <openssl/evp.h>

#include "buf.h"

/* Appends the signature of p[0..n) as ECDSA-Sig-Value in DER. CTR_FORMAT "key.kind": no private key
 * on P-384; CTR_ENV "key.sign". */
CTR_MUST int ctr_rfc6979_sign(EVP_PKEY *key, const void *p, size_t n, struct ctr_buf *sig,
			      struct ctr_err *e);

#endif
