#include "crypto_rsa.h"

#include <string.h>

#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "crypto.h"
#include "crypto_p256.h"
#include "crypto_pkey.h"

static void ctx_cleanup(EVP_PKEY_CTX **ctx)
{
	EVP_PKEY_CTX_free(*ctx);
}

#define auto_ctx CTR_AUTO(ctx_cleanup)

static int read_public(const uint8_t *der, size_t n, EVP_PKEY **key, struct ctr_err *e)
{
	const uint8_t *p = der;
	unsigned bits;

	*key = NULL;
	if (ctr_key_rsa_check(der, n, &bits, e) < 0)
		return -1;
	*key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, (long)n);
	return *key ? 0 : ctr_fail_mem(e);
}

static int read_private(const char *name, const struct ctr_buf *pem, EVP_PKEY **key,
			struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf pub = { 0 };
	uint8_t *der = NULL;
	unsigned bits;
	int n;

	if (ctr_pkey_private(name, pem, key, e) < 0)
		return -1;
	if (!EVP_PKEY_is_a(*key, "RSA"))
		return ctr_fail(e, CTR_FORMAT, "key.kind", "%s: no RSA key", name);
	n = i2d_PublicKey(*key, &der);
	if (ctr_pkey_take(der, n, &pub, e) < 0)
		return -1;
	if (ctr_key_rsa_check((const uint8_t *)pub.p, pub.n, &bits, e) < 0)
		return ctr_wrap(e, "%s", name);
	return 0;
}

/* OpenSSL owns the label from the call on. */
static bool oaep(EVP_PKEY_CTX *ctx, const char *label)
{
	char *own = OPENSSL_strdup(label);

	if (!own || EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) != 1 ||
	    EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) != 1 ||
	    EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, own, (int)strlen(own)) != 1) {
		OPENSSL_free(own);
		return false;
	}
	return true;
}

static bool pss(EVP_PKEY_CTX *ctx)
{
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
}

int ctr_rsa_encrypt(const uint8_t *pub, size_t n_pub, const char *label, const void *p, size_t n,
		    struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_pkey EVP_PKEY *key = NULL;
	auto_ctx EVP_PKEY_CTX *ctx = NULL;
	size_t len;
	uint8_t *to;

	if (read_public(pub, n_pub, &key, e) < 0)
		return -1;
	len = (size_t)EVP_PKEY_get_size(key);
	if (n > len - 2 * CTR_RSA_DIGEST - 2)
		return ctr_fail(e, CTR_FORMAT, "rsa.length",
				"%zu bytes for an RSA key of %zu (expected at most %zu)", n, len,
				len - 2 * CTR_RSA_DIGEST - 2);
	ctx = EVP_PKEY_CTX_new(key, NULL);
	to = ctr_buf_room(out, len);
	if (!ctx || !to || EVP_PKEY_encrypt_init(ctx) != 1 || !oaep(ctx, label) ||
	    EVP_PKEY_encrypt(ctx, to, &len, p, n) != 1)
		return ctr_fail(e, CTR_ENV, "rsa.encrypt", "the encryption failed");
	ctr_buf_commit(out, len);
	return ctr_buf_ok(out, "ciphertext", e);
}

int ctr_rsa_decrypt(const char *name, const struct ctr_buf *pem, const char *label, const void *p,
		    size_t n, struct ctr_secret *out, struct ctr_err *e)
{
	ctr_auto_pkey EVP_PKEY *key = NULL;
	auto_ctx EVP_PKEY_CTX *ctx = NULL;
	ctr_auto_secret struct ctr_secret room = { 0 };
	size_t len;

	*out = (struct ctr_secret){ 0 };
	if (read_private(name, pem, &key, e) < 0)
		return -1;
	len = (size_t)EVP_PKEY_get_size(key);
	ctx = EVP_PKEY_CTX_new(key, NULL);
	if (ctr_secret_new(&room, len, e) < 0)
		return -1;
	if (!ctx || EVP_PKEY_decrypt_init(ctx) != 1 || !oaep(ctx, label))
		return ctr_fail_mem(e);
	if (n != len || EVP_PKEY_decrypt(ctx, room.p, &len, p, n) != 1)
		return ctr_fail(e, CTR_NO, "rsa.decrypt",
				"%s: not encrypted for this key and purpose, or changed", name);
	if (ctr_secret_new(out, len, e) < 0)
		return -1;
	memcpy(out->p, room.p, len);
	return 0;
}

int ctr_rsa_sign(const char *name, const struct ctr_buf *pem, const uint8_t digest[CTR_RSA_DIGEST],
		 struct ctr_buf *sig, struct ctr_err *e)
{
	ctr_auto_pkey EVP_PKEY *key = NULL;
	auto_ctx EVP_PKEY_CTX *ctx = NULL;
	size_t len;
	uint8_t *to;

	if (read_private(name, pem, &key, e) < 0)
		return -1;
	len = (size_t)EVP_PKEY_get_size(key);
	ctx = EVP_PKEY_CTX_new(key, NULL);
	to = ctr_buf_room(sig, len);
	if (!ctx || !to || EVP_PKEY_sign_init(ctx) != 1 || !pss(ctx) ||
	    EVP_PKEY_sign(ctx, to, &len, digest, CTR_RSA_DIGEST) != 1)
		return ctr_fail(e, CTR_ENV, "key.sign", "%s: the signature could not be made",
				name);
	ctr_buf_commit(sig, len);
	return ctr_buf_ok(sig, "signature", e);
}

int ctr_rsa_verify(const uint8_t *pub, size_t n_pub, const uint8_t digest[CTR_RSA_DIGEST],
		   const void *sig, size_t n, bool *good, struct ctr_err *e)
{
	ctr_auto_pkey EVP_PKEY *key = NULL;
	auto_ctx EVP_PKEY_CTX *ctx = NULL;

	*good = false;
	if (read_public(pub, n_pub, &key, e) < 0)
		return -1;
	ctx = EVP_PKEY_CTX_new(key, NULL);
	if (!ctx || EVP_PKEY_verify_init(ctx) != 1 || !pss(ctx))
		return ctr_fail_mem(e);
	*good = n == (size_t)EVP_PKEY_get_size(key) &&
		EVP_PKEY_verify(ctx, sig, n, digest, CTR_RSA_DIGEST) == 1;
	return 0;
}
