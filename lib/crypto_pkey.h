/* Keys as OpenSSL has them: read and looked at, for lib/crypto*.c. */
#ifndef LIB_CRYPTO_PKEY_H
#define LIB_CRYPTO_PKEY_H

#include <openssl/evp.h>

#include "buf.h"

/* The private key in PEM text, not encrypted. The caller frees *key. CTR_FORMAT "key.pem"; `name`
 * is for messages. */
CTR_MUST int ctr_pkey_private(const char *name, const struct ctr_buf *pem, EVP_PKEY **key,
			      struct ctr_err *e);

/*
 * An EC key on P-256, P-384 or P-521 that says so by the curve's name. Its point is printed
 * uncompressed from then on: all encode such a key to the same SubjectPublicKeyInfo.
 */
bool ctr_pkey_plain_ec(EVP_PKEY *key);

/* What an i2d function of OpenSSL made: appended, and freed. */
CTR_MUST int ctr_pkey_take(uint8_t *der, int n, struct ctr_buf *b, struct ctr_err *e);

#endif
