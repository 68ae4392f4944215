#include "crypto.h"

#include <limits.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "crypto_pkey.h"

static void cleanup_key(EVP_PKEY **k)
{
	EVP_PKEY_free(*k);
}

static void cleanup_bio(BIO **b)
{
	BIO_free(*b);
}

#define auto_key CTR_AUTO(cleanup_key)
#define auto_bio CTR_AUTO(cleanup_bio)

int ctr_key_no_password(char *buf, int size, int rw, void *ctx)
{
	(void)buf;
	(void)size;
	(void)rw;
	(void)ctx;
	return -1;
}

static bool canonical(EVP_PKEY *key, const uint8_t *der, size_t n)
{
	uint8_t *again = NULL;
	int len = i2d_PublicKey(key, &again);
	bool same = len > 0 && (size_t)len == n && CRYPTO_memcmp(again, der, n) == 0;

	OPENSSL_free(again);
	return same;
}

static bool sound_exponent(EVP_PKEY *key)
{
	BIGNUM *exp = NULL;
	bool ok = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exp) == 1 &&
		  BN_is_odd(exp) && BN_num_bits(exp) > 16 && BN_num_bits(exp) <= 64;

	BN_free(exp);
	return ok;
}

int ctr_key_rsa_check(const uint8_t *der, size_t n, unsigned *bits, struct ctr_err *e)
{
	const uint8_t *p = der;
	/* the cap keeps the parser away from numbers that no key has */
	EVP_PKEY *key = n > 0 && n <= 4096 ? d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, (long)n) : NULL;
	bool whole = key && canonical(key, der, n), exponent = whole && sound_exponent(key);

	*bits = whole ? (unsigned)EVP_PKEY_get_bits(key) : 0;
	EVP_PKEY_free(key);
	if (!whole)
		return ctr_fail(e, CTR_FORMAT, "key.rsa", "no RSA public key (expected RSAPublicKey in DER)");
	if (!exponent)
		return ctr_fail(e, CTR_FORMAT, "key.rsa", "weak RSA exponent (expected 65537 or more)");
	if (*bits < CTR_RSA_MIN || *bits > CTR_RSA_MAX)
		return ctr_fail(e, CTR_FORMAT, "key.rsa", "RSA key of %u bits (expected %u to %u)", *bits,
				CTR_RSA_MIN, CTR_RSA_MAX);
	return 0;
}

static int read_pem(const char *pem, size_t n, EVP_PKEY **key, struct ctr_err *e)
{
	auto_bio BIO *bio = n <= INT_MAX ? BIO_new_mem_buf(pem, (int)n) : NULL;

	*key = NULL;
	if (!bio)
		return ctr_fail_mem(e);
	*key = PEM_read_bio_PUBKEY(bio, NULL, ctr_key_no_password, NULL);
	if (!*key && BIO_reset(bio) == 1)
		*key = PEM_read_bio_PrivateKey(bio, NULL, ctr_key_no_password, NULL);
	if (*key)
		return 0;
	ctr_fail(e, CTR_FORMAT, "key.pem",
		 "no key found (expected a public or unencrypted private key in PEM)");
	return ctr_err_fix(e, "ctr-manifest keygen makes one");
}

int ctr_key_ec_spki(const char *pem, size_t n, struct ctr_buf *der, struct ctr_err *e)
{
	auto_key EVP_PKEY *key = NULL;
	uint8_t *p = NULL;
	int len;

	if (read_pem(pem, n, &key, e) < 0)
		return -1;
	if (!ctr_pkey_plain_ec(key))
		return ctr_fail(e, CTR_FORMAT, "key.kind", "no EC key on P-256, P-384 or P-521");
	len = i2d_PUBKEY(key, &p);
	return ctr_pkey_take(p, len, der, e);
}

int ctr_key_rsa_public(const char *pem, size_t n, struct ctr_buf *der, struct ctr_err *e)
{
	auto_key EVP_PKEY *key = NULL;
	uint8_t *p = NULL;
	int len;

	if (read_pem(pem, n, &key, e) < 0)
		return -1;
	if (!EVP_PKEY_is_a(key, "RSA"))
		return ctr_fail(e, CTR_FORMAT, "key.kind", "no RSA key");
	len = i2d_PublicKey(key, &p);
	return ctr_pkey_take(p, len, der, e);
}

static int take_bio(BIO *bio, struct ctr_buf *b, struct ctr_err *e)
{
	char *p = NULL;
	long n = BIO_get_mem_data(bio, &p);

	if (n <= 0)
		return ctr_fail_mem(e);
	ctr_buf_add(b, p, (size_t)n);
	OPENSSL_cleanse(p, (size_t)n);
	return ctr_buf_ok(b, "key", e);
}

int ctr_key_generate(bool rsa, struct ctr_buf *private, struct ctr_buf *public, struct ctr_err *e)
{
	auto_key EVP_PKEY *key = rsa ? EVP_RSA_gen(4096) : EVP_EC_gen("P-384");
	auto_bio BIO *priv = BIO_new(BIO_s_mem()), *pub = BIO_new(BIO_s_mem());

	private->wipe = true;
	if (!key || !priv || !pub || PEM_write_bio_PKCS8PrivateKey(priv, key, NULL, NULL, 0, NULL, NULL) != 1 ||
	    PEM_write_bio_PUBKEY(pub, key) != 1)
		return ctr_fail(e, CTR_ENV, "key.generate", "the key could not be made");
	return take_bio(priv, private, e) < 0 ? -1 : take_bio(pub, public, e);
}
