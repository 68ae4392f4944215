/* Deterministic ECDSA: RFC 6979 appendix A.2.6 (P-384, SHA-384). */
#include "crypto_rfc6979.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "crypto_key.h"
#include "enc.h"
#include "t.h"

#define X                                                                                          \
	"6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea" \
	"60d2edf5"

static EVP_PKEY *key_of(const char *hex)
{
	uint8_t raw[CTR_KEY_P384_RAW] = { 0 };
	EVP_PKEY *key = NULL;

	/* raw is the number d - 1: x ends in a digit above 0, so that its last byte has one to give
	 */
	T_OK(ctr_hex_parse(hex, 96, raw + 8, 48, e));
	raw[sizeof raw - 1]--;
	T_OK(ctr_key_p384_from(raw, &key, e));
	return key;
}

static void number(const BIGNUM *n, const char *want)
{
	BIGNUM *w = NULL;

	assert_int_equal(BN_hex2bn(&w, want), 96);
	assert_int_equal(BN_cmp(n, w), 0);
	BN_free(w);
}

static void signs(const char *msg, const char *r, const char *s)
{
	ctr_auto_buf struct ctr_buf sig = { 0 };
	ctr_auto_pkey EVP_PKEY *key = key_of(X);
	const unsigned char *at;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	ECDSA_SIG *pair;

	T_OK(ctr_rfc6979_sign(key, msg, strlen(msg), &sig, e));
	at = (const unsigned char *)sig.p;
	pair = d2i_ECDSA_SIG(NULL, &at, (long)sig.n);
	assert_non_null(pair);
	number(ECDSA_SIG_get0_r(pair), r);
	number(ECDSA_SIG_get0_s(pair), s);
	ECDSA_SIG_free(pair);
	assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha384(), NULL, key), 1);
	assert_int_equal(EVP_DigestVerify(ctx, (const unsigned char *)sig.p, sig.n,
					  (const unsigned char *)msg, strlen(msg)),
			 1);
	EVP_MD_CTX_free(ctx);
}

static void vectors(void **state)
{
	(void)state;
	signs("sample",
	      "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36"
	      "dd1e80fabe46",
	      "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82"
	      "c71a38628ac8");
	signs("test",
	      "8203b63d3c853e8d77227fb377bcf7b7b772e97892a80f36ab775d509d7a5feb0542a7f0812998da8f1d"
	      "d3ca3cf023db",
	      "ddd0760448d42d8a43af45af836fce4de8be06b485e9b61b827c2f13173923e06a739f040649a667bf3b"
	      "828246baa5a5");
}

/* OpenSSL verifies what any key signs, and the next signature is the same. */
static void verifies(void **state)
{
	(void)state;
	for (int i = 0; i < 32; i++) {
		ctr_auto_pkey EVP_PKEY *key = EVP_EC_gen("P-384");
		ctr_auto_buf struct ctr_buf sig = { 0 }, again = { 0 };
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();

		T_OK(ctr_rfc6979_sign(key, &i, sizeof i, &sig, e));
		T_OK(ctr_rfc6979_sign(key, &i, sizeof i, &again, e));
		assert_int_equal(sig.n, again.n);
		T_MEM(sig.p, again.p, sig.n);
		assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha384(), NULL, key), 1);
		assert_int_equal(EVP_DigestVerify(ctx, (const unsigned char *)sig.p, sig.n,
						  (const unsigned char *)&i, sizeof i),
				 1);
		EVP_MD_CTX_free(ctx);
	}
}

/* A key without its private half. */
static EVP_PKEY *public_only(EVP_PKEY *from)
{
	uint8_t point[97];
	size_t n = 0;
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;

	assert_int_equal(EVP_PKEY_get_octet_string_param(from, OSSL_PKEY_PARAM_PUB_KEY, point,
							 sizeof point, &n),
			 1);
	OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, "P-384", 0);
	OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, n);
	params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY_fromdata_init(ctx);
	assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static void refuses_other_keys(void **state)
{
	ctr_auto_pkey EVP_PKEY *p256 = EVP_EC_gen("P-256"), *rsa = EVP_RSA_gen(1024),
			       *whole = key_of(X), *half = public_only(whole);
	ctr_auto_buf struct ctr_buf sig = { 0 };

	(void)state;
	T_FAILS(ctr_rfc6979_sign(p256, "a", 1, &sig, e), CTR_FORMAT, "key.kind");
	T_FAILS(ctr_rfc6979_sign(rsa, "a", 1, &sig, e), CTR_FORMAT, "key.kind");
	T_FAILS(ctr_rfc6979_sign(half, "a", 1, &sig, e), CTR_ENV, "key.sign");
	assert_int_equal(sig.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(verifies),
		cmocka_unit_test(refuses_other_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
