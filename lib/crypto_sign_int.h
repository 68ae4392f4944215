/* Signing keys as OpenSSL has them, for lib/crypto*.c and lib/x509*.c. */
#ifndef LIB_CRYPTO_SIGN_INT_H
#define LIB_CRYPTO_SIGN_INT_H

#include <openssl/evp.h>

#include "crypto_sign.h"

EVP_PKEY *ctr_sign_key_evp(const struct ctr_sign_key *key); /* borrowed */

#endif
