#include "crypto_sign.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "crypto_key.h"
#include "crypto_pkey.h"
#include "crypto_sign_int.h"
#include "rd.h"

struct ctr_sign_key {
	EVP_PKEY *key;
	size_t half;
};

/* The bytes of a coordinate; 0 for what is not one of the two curves. */
static size_t curve(EVP_PKEY *key)
{
	char name[64] = "";

	if (!EVP_PKEY_is_a(key, "EC") || EVP_PKEY_get_group_name(key, name, sizeof name, NULL) != 1)
		return 0;
	return strcmp(name, "prime256v1") == 0 ? 32 : strcmp(name, "secp384r1") == 0 ? 48 : 0;
}

/* Takes the key, also on failure. */
static int wrap_key(EVP_PKEY *key, struct ctr_sign_key **out, struct ctr_err *e)
{
	*out = malloc(sizeof **out);
	if (!*out) {
		EVP_PKEY_free(key);
		return ctr_fail_mem(e);
	}
	**out = (struct ctr_sign_key){ .key = key, .half = curve(key) };
	return 0;
}

int ctr_sign_key_read(const char *name, const struct ctr_buf *pem, size_t half,
		      struct ctr_sign_key **out, struct ctr_err *e)
{
	EVP_PKEY *key = NULL;

	*out = NULL;
	if (ctr_pkey_private(name, pem, &key, e) < 0)
		return -1;
	if (curve(key) == 0 || (half && curve(key) != half)) {
		EVP_PKEY_free(key);
		return ctr_fail(e, CTR_FORMAT, "key.kind", "%s: no EC key on %s", name,
				half == 0    ? "P-256 or P-384"
				: half == 32 ? "P-256"
					     : "P-384");
	}
	return wrap_key(key, out, e);
}

size_t ctr_sign_key_half(const struct ctr_sign_key *key)
{
	return key->half;
}

void ctr_sign_key_free(struct ctr_sign_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->key);
	free(key);
}

EVP_PKEY *ctr_sign_key_evp(const struct ctr_sign_key *key)
{
	return key->key;
}

int ctr_sign_key_derive(const struct ctr_secret *raw, struct ctr_sign_key **out, struct ctr_err *e)
{
	EVP_PKEY *key;

	*out = NULL;
	if (raw->n != CTR_KEY_P384_RAW)
		return ctr_fail(e, CTR_ENV, "key.generate", "%zu bytes to derive a key from",
				raw->n);
	return ctr_key_p384_from(raw->p, &key, e) < 0 ? -1 : wrap_key(key, out, e);
}

static bool split(const uint8_t *der, size_t n, uint8_t *rs, size_t half)
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);
	bool ok = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), rs, (int)half) == (int)half &&
		  BN_bn2binpad(ECDSA_SIG_get0_s(sig), rs + half, (int)half) == (int)half;

	ECDSA_SIG_free(sig);
	return ok;
}

static const char *const hash_names[] = { "SHA256", "SHA384", "SHA512" };

static int sign(const struct ctr_sign_key *key, enum ctr_hash_alg alg, const void *p, size_t n,
		uint8_t der[CTR_ECDSA_DER_MAX], size_t *len, struct ctr_err *e)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok;

	*len = CTR_ECDSA_DER_MAX;
	ok = ctx &&
	     EVP_DigestSignInit_ex(ctx, NULL, hash_names[alg], NULL, NULL, key->key, NULL) == 1 &&
	     EVP_DigestSign(ctx, der, len, p, n) == 1;
	EVP_MD_CTX_free(ctx);
	return ok ? 0 : ctr_fail(e, CTR_ENV, "key.sign", "the signature could not be made");
}

int ctr_sign(const struct ctr_sign_key *key, enum ctr_hash_alg alg, const void *p, size_t n,
	     uint8_t *rs, struct ctr_err *e)
{
	uint8_t der[CTR_ECDSA_DER_MAX];
	size_t len;

	if (sign(key, alg, p, n, der, &len, e) < 0)
		return -1;
	return split(der, len, rs, key->half)
		       ? 0
		       : ctr_fail(e, CTR_ENV, "key.sign", "the signature could not be made");
}

int ctr_sign_der(const struct ctr_sign_key *key, enum ctr_hash_alg alg, const void *p, size_t n,
		 struct ctr_buf *sig, struct ctr_err *e)
{
	uint8_t der[CTR_ECDSA_DER_MAX];
	size_t len;

	if (sign(key, alg, p, n, der, &len, e) < 0)
		return -1;
	ctr_buf_add(sig, der, len);
	return ctr_buf_ok(sig, "signature", e);
}

int ctr_sign_key_point(const struct ctr_sign_key *key, uint8_t *xy, struct ctr_err *e)
{
	BIGNUM *x = NULL, *y = NULL;
	int half = (int)key->half;
	bool ok = EVP_PKEY_get_bn_param(key->key, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 &&
		  EVP_PKEY_get_bn_param(key->key, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1 &&
		  BN_bn2binpad(x, xy, half) == half && BN_bn2binpad(y, xy + half, half) == half;

	BN_free(x);
	BN_free(y);
	return ok ? 0 : ctr_fail(e, CTR_ENV, "key.sign", "the public key has no coordinates");
}

int ctr_sign_key_new(struct ctr_sign_key **out, struct ctr_err *e)
{
	EVP_PKEY *key;

	*out = NULL;
	return ctr_key_p256_new(&key, e) < 0 ? -1 : wrap_key(key, out, e);
}

int ctr_sign_key_pem(const struct ctr_sign_key *key, struct ctr_buf *pem, struct ctr_err *e)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *p = NULL;
	long n = 0;

	pem->wipe = true;
	if (bio && PEM_write_bio_PKCS8PrivateKey(bio, key->key, NULL, NULL, 0, NULL, NULL) == 1)
		n = BIO_get_mem_data(bio, &p);
	if (n > 0) {
		ctr_buf_add(pem, p, (size_t)n);
		OPENSSL_cleanse(p, (size_t)n);
	}
	BIO_free(bio);
	return n > 0 ? ctr_buf_ok(pem, "key", e)
		     : ctr_fail(e, CTR_ENV, "key.sign", "the key could not be written");
}

/* In the one form that is canonical for its curve. */
static bool add_spki(EVP_PKEY *key, struct ctr_buf *der)
{
	uint8_t *p = NULL;
	int n = curve(key) && EVP_PKEY_set_utf8_string_param(
				      key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
				      "uncompressed") == 1
			? i2d_PUBKEY(key, &p)
			: 0;

	if (n > 0)
		ctr_buf_add(der, p, (size_t)n);
	OPENSSL_free(p);
	return n > 0;
}

int ctr_sign_key_spki(const struct ctr_sign_key *key, struct ctr_buf *der, struct ctr_err *e)
{
	return add_spki(key->key, der)
		       ? ctr_buf_ok(der, "key", e)
		       : ctr_fail(e, CTR_ENV, "key.sign", "the public key could not be written");
}
