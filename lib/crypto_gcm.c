#include "crypto_gcm.h"

#include <string.h>

#include <openssl/evp.h>

static const EVP_CIPHER *cipher(size_t n_key)
{
	return n_key == 32 ? EVP_aes_256_gcm() : n_key == 16 ? EVP_aes_128_gcm() : NULL;
}

static EVP_CIPHER_CTX *context(size_t n_key, size_t n_aad, size_t n)
{
	return cipher(n_key) && n <= CTR_GCM_MAX && n_aad <= CTR_GCM_MAX ? EVP_CIPHER_CTX_new()
									 : NULL;
}

int ctr_gcm_encrypt(const uint8_t *key, size_t n_key, const uint8_t nonce[CTR_GCM_NONCE],
		    const void *aad, size_t n_aad, const void *pt, size_t n, uint8_t *out,
		    struct ctr_err *e)
{
	EVP_CIPHER_CTX *x = context(n_key, n_aad, n);
	int len;
	bool ok = x && EVP_EncryptInit_ex(x, cipher(n_key), NULL, key, nonce) == 1 &&
		  (n_aad == 0 || EVP_EncryptUpdate(x, NULL, &len, aad, (int)n_aad) == 1) &&
		  (n == 0 || EVP_EncryptUpdate(x, out, &len, pt, (int)n) == 1) &&
		  EVP_EncryptFinal_ex(x, out + n, &len) == 1 &&
		  EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_GET_TAG, CTR_GCM_TAG, out + n) == 1;

	EVP_CIPHER_CTX_free(x);
	return ok ? 0 : ctr_fail(e, CTR_ENV, "gcm", "encryption failed");
}

int ctr_gcm_decrypt(const uint8_t *key, size_t n_key, const uint8_t nonce[CTR_GCM_NONCE],
		    const void *aad, size_t n_aad, const uint8_t *ct, size_t n, uint8_t *pt,
		    bool *good, struct ctr_err *e)
{
	EVP_CIPHER_CTX *x = context(n_key, n_aad, n);
	uint8_t tag[CTR_GCM_TAG], none[16];
	int len;
	bool ok;

	memcpy(tag, ct + n, sizeof tag);
	ok = x && EVP_DecryptInit_ex(x, cipher(n_key), NULL, key, nonce) == 1 &&
	     (n_aad == 0 || EVP_DecryptUpdate(x, NULL, &len, aad, (int)n_aad) == 1) &&
	     (n == 0 || EVP_DecryptUpdate(x, pt, &len, ct, (int)n) == 1) &&
	     EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_SET_TAG, CTR_GCM_TAG, tag) == 1;
	*good = ok && EVP_DecryptFinal_ex(x, none, &len) == 1;
	EVP_CIPHER_CTX_free(x);
	return ok ? 0 : ctr_fail(e, CTR_ENV, "gcm", "decryption failed");
}
