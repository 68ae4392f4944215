#include "crypto_p256.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/param_build.h>

void ctr_pkey_cleanup(EVP_PKEY **k)
{
	EVP_PKEY_free(*k);
}

EVP_PKEY *ctr_p256_key(const uint8_t xy[64])
{
	static const char group[] = "prime256v1";
	uint8_t point[65] = { POINT_CONVERSION_UNCOMPRESSED };
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;

	for (size_t i = 0; i < 64; i++)
		point[i + 1] = xy[i];
	if (b && OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point) == 1)
		params = OSSL_PARAM_BLD_to_param(b);
	if (ctx && params &&
	    (EVP_PKEY_fromdata_init(ctx) != 1 ||
	     EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(b);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* The signature in DER, which is what OpenSSL verifies; its length, or 0. */
static size_t der_signature(const uint8_t rs[64], uint8_t out[80])
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(rs, 32, NULL), *s = BN_bin2bn(rs + 32, 32, NULL);
	int n = 0;

	if (sig && r && s && ECDSA_SIG_set0(sig, r, s) == 1) {
		r = s = NULL;
		n = i2d_ECDSA_SIG(sig, NULL);
		n = n > 0 && n <= 80 ? i2d_ECDSA_SIG(sig, &out) : 0;
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(sig);
	return n > 0 ? (size_t)n : 0;
}

bool ctr_p256_signed(EVP_PKEY *key, const void *p, size_t n, const uint8_t rs[64])
{
	uint8_t der[80];
	size_t len = der_signature(rs, der);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = len && ctx && key && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
		  EVP_PKEY_get_bits(key) == 256 &&
		  EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
		  EVP_DigestVerify(ctx, der, len, p, n) == 1;

	EVP_MD_CTX_free(ctx);
	return ok;
}
