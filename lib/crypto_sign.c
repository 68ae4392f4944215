#include "crypto_sign.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include "crypto_pkey.h"

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
	*out = malloc(sizeof **out);
	if (!*out) {
		EVP_PKEY_free(key);
		return ctr_fail_mem(e);
	}
	**out = (struct ctr_sign_key){ .key = key, .half = curve(key) };
	return 0;
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

static bool split(const uint8_t *der, size_t n, uint8_t *rs, size_t half)
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);
	bool ok = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), rs, (int)half) == (int)half &&
		  BN_bn2binpad(ECDSA_SIG_get0_s(sig), rs + half, (int)half) == (int)half;

	ECDSA_SIG_free(sig);
	return ok;
}

int ctr_sign(const struct ctr_sign_key *key, enum ctr_hash_alg alg, const void *p, size_t n,
	     uint8_t *rs, struct ctr_err *e)
{
	static const char *const names[] = { "SHA256", "SHA384", "SHA512" };
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t der[160];
	size_t len = sizeof der;
	bool ok = ctx &&
		  EVP_DigestSignInit_ex(ctx, NULL, names[alg], NULL, NULL, key->key, NULL) == 1 &&
		  EVP_DigestSign(ctx, der, &len, p, n) == 1 && split(der, len, rs, key->half);

	EVP_MD_CTX_free(ctx);
	return ok ? 0 : ctr_fail(e, CTR_ENV, "key.sign", "the signature could not be made");
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
