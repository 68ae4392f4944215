/* HKDF: the SHA-256 vectors of RFC 5869 appendix A, and its bounds. */
#include "enc.h"
#include "kdf.h"
#include "t.h"

static size_t unhex(const char *s, uint8_t *out)
{
	T_OK(ctr_hex_parse(s, strlen(s), out, strlen(s) / 2, e));
	return strlen(s) / 2;
}

static void count(uint8_t *p, uint8_t first, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(first + i);
}

static void vector(const uint8_t *salt, size_t n_salt, const uint8_t *ikm, size_t n_ikm,
		   const uint8_t *info, size_t n_info, const char *prk_hex, const char *okm_hex)
{
	uint8_t prk[32], want_prk[32], okm[128], want[128];
	size_t n = unhex(okm_hex, want);

	unhex(prk_hex, want_prk);
	T_OK(ctr_hkdf_extract(salt, n_salt, ikm, n_ikm, prk, e));
	T_MEM(prk, want_prk, 32);
	T_OK(ctr_hkdf_expand(prk, info, n_info, okm, n, e));
	T_MEM(okm, want, n);
}

static void rfc5869_vectors(void **s)
{
	uint8_t ikm[80], salt[80], info[80];

	(void)s;
	memset(ikm, 0x0b, 22);
	count(salt, 0, 13);
	count(info, 0xf0, 10);
	vector(salt, 13, ikm, 22, info, 10,
	       "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
	       "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b88718586"
	       "5");
	vector(NULL, 0, ikm, 22, NULL, 0,
	       "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
	       "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c"
	       "8");
	count(ikm, 0, 80);
	count(salt, 0x60, 80);
	count(info, 0xb0, 80);
	vector(salt, 80, ikm, 80, info, 80,
	       "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
	       "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271c"
	       "b41c65e590e09da3275600c2f09b8"
	       "367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
}

static void both_steps_are_one_secret(void **s)
{
	ctr_auto_secret struct ctr_secret got = { 0 };
	uint8_t prk[32], want[56];

	(void)s;
	T_OK(ctr_hkdf_extract("salt", 4, "key", 3, prk, e));
	T_OK(ctr_hkdf_expand(prk, "label", 5, want, sizeof want, e));
	T_OK(ctr_hkdf("salt", 4, "key", 3, "label", sizeof want, &got, e));
	assert_int_equal(got.n, sizeof want);
	T_MEM(got.p, want, sizeof want);
}

static void has_the_bounds_of_the_rfc(void **s)
{
	static uint8_t out[CTR_HKDF_MAX + 1];
	struct ctr_secret secret = { 0 };
	uint8_t prk[32] = { 1 };

	(void)s;
	T_OK(ctr_hkdf_expand(prk, NULL, 0, out, CTR_HKDF_MAX, e));
	T_FAILS(ctr_hkdf_expand(prk, NULL, 0, out, CTR_HKDF_MAX + 1, e), CTR_FORMAT, "hkdf.length");
	T_FAILS(ctr_hkdf_expand(prk, NULL, 0, out, 0, e), CTR_FORMAT, "hkdf.length");
	T_FAILS(ctr_hkdf(NULL, 0, "k", 1, "l", CTR_HKDF_MAX + 1, &secret, e), CTR_FORMAT,
		"hkdf.length");
	assert_null(secret.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc5869_vectors),
		cmocka_unit_test(both_steps_are_one_secret),
		cmocka_unit_test(has_the_bounds_of_the_rfc),
	};

	return cmocka_run_group_tests_name("kdf", tests, NULL, NULL);
}
