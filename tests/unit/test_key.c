/* Derived keys: the private number is (c mod (n - 1)) + 1, the public point belongs to it. */
#include "crypto_key.h"
#include "enc.h"
#include "t.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>

#define ORDER                                                                                      \
	"ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196a" \
	"ccc52973"
#define BELOW                                                                                      \
	"ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196a" \
	"ccc52972"

/* The last 48 bytes of c, and what d must be. */
static void derives(const char *c, const char *want)
{
	uint8_t raw[CTR_KEY_P384_RAW] = { 0 };
	ctr_auto_pkey EVP_PKEY *key = NULL;
	BIGNUM *d = NULL, *expected = NULL;
	EVP_PKEY_CTX *ctx;

	T_OK(ctr_hex_parse(c, 96, raw + 8, 48, e));
	T_OK(ctr_key_p384_from(raw, &key, e));
	assert_int_equal(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &d), 1);
	assert_true(BN_hex2bn(&expected, want) > 0);
	assert_int_equal(BN_cmp(d, expected), 0);
	ctx = EVP_PKEY_CTX_new(key, NULL);
	assert_int_equal(EVP_PKEY_pairwise_check(ctx), 1);
	EVP_PKEY_CTX_free(ctx);
	BN_clear_free(d);
	BN_free(expected);
}

static void reduces_as_fips_186_5(void **s)
{
	char zero[97], two[97];

	(void)s;
	snprintf(zero, sizeof zero, "%096d", 0);
	snprintf(two, sizeof two, "%096d", 2);
	derives(zero, "1");
	derives(two, "3");
	derives(BELOW, "1"); /* n - 1 */
	derives(ORDER, "2");
}

static void fresh_keys_differ(void **s)
{
	ctr_auto_pkey EVP_PKEY *a = NULL, *b = NULL;

	(void)s;
	T_OK(ctr_key_p256_new(&a, e));
	T_OK(ctr_key_p256_new(&b, e));
	assert_int_equal(EVP_PKEY_get_bits(a), 256);
	assert_int_equal(EVP_PKEY_eq(a, b), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reduces_as_fips_186_5),
		cmocka_unit_test(fresh_keys_differ),
	};

	return cmocka_run_group_tests_name("key", tests, NULL, NULL);
}
