#include "crypto_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>

/* d = (c mod (n - 1)) + 1, for n the order of the group. */
static bool scalar(BIGNUM *d, const EC_GROUP *g, BN_CTX *ctx)
{
	BIGNUM *m = BN_dup(EC_GROUP_get0_order(g));
	bool ok;

	BN_set_flags(d, BN_FLG_CONSTTIME);
	ok = m && BN_sub_word(m, 1) && BN_nnmod(d, d, m, ctx) && BN_add_word(d, 1);
	BN_free(m);
	return ok;
}

static EVP_PKEY *import(const BIGNUM *d, const uint8_t *point, size_t n)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;

	if (bld && OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, "P-384", 0) &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, d) &&
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, n))
		params = OSSL_PARAM_BLD_to_param(bld);
	if (params && ctx && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1)
		key = NULL;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

int ctr_key_p384_from(const uint8_t raw[CTR_KEY_P384_RAW], EVP_PKEY **key, struct ctr_err *e)
{
	EC_GROUP *g = EC_GROUP_new_by_curve_name(NID_secp384r1);
	BIGNUM *d = BN_secure_new();
	BN_CTX *ctx = BN_CTX_secure_new();
	EC_POINT *p = g ? EC_POINT_new(g) : NULL;
	uint8_t point[97];

	*key = NULL;
	if (p && d && ctx && BN_bin2bn(raw, CTR_KEY_P384_RAW, d) && scalar(d, g, ctx) &&
	    EC_POINT_mul(g, p, d, NULL, NULL, ctx) == 1 &&
	    EC_POINT_point2oct(g, p, POINT_CONVERSION_UNCOMPRESSED, point, sizeof point, ctx) ==
		    sizeof point)
		*key = import(d, point, sizeof point);
	EC_POINT_free(p);
	BN_CTX_free(ctx);
	BN_clear_free(d);
	EC_GROUP_free(g);
	return *key ? 0 : ctr_fail(e, CTR_ENV, "key.generate", "the key could not be derived");
}

int ctr_key_p256_new(EVP_PKEY **key, struct ctr_err *e)
{
	*key = EVP_EC_gen("P-256");
	return *key ? 0 : ctr_fail(e, CTR_ENV, "key.generate", "the key could not be made");
}
