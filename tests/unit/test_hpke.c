/* HPKE: RFC 9180 appendix A.1.1 (the same KEM and schedule with AES-128-GCM), and each way to
 * refuse. */
#include "crypto_hpke_int.h"
#include "enc.h"
#include "t.h"

static size_t unhex(const char *s, uint8_t *out)
{
	T_OK(ctr_hex_parse(s, strlen(s), out, strlen(s) / 2, e));
	return strlen(s) / 2;
}

static void rfc9180_vector(void **s)
{
	static const char info[] = "Ode on a Grecian Urn", pt[] = "Beauty is truth, truth beauty",
			  aad[] = "Count-0";
	uint8_t sk_e[32], sk_r[32], enc[32], pk_r[32], want[64], out[64], back[64];
	struct ctr_hpke_context c = { .n_key = 16 }, d = { .n_key = 16 };
	size_t n = sizeof pt - 1;
	bool good;

	(void)s;
	unhex("52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736", sk_e);
	unhex("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431", enc);
	unhex("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8", sk_r);
	unhex("3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d", pk_r);
	T_OK(ctr_hpke_schedule(&c, sk_e, pk_r, enc, pk_r, info, sizeof info - 1, e));
	unhex("fe0e18c9f024ce43799ae393c7e8fe8fce9d218875e8227b0187c04e7d2ea1fc", want);
	T_MEM(c.shared, want, 32);
	unhex("4531685d41d65f03dc48f6b8302c05b0", want);
	T_MEM(c.key, want, 16);
	unhex("56d890e5accaaf011cff4b7d", want);
	T_MEM(c.nonce, want, 12);
	T_OK(ctr_gcm_encrypt(c.key, c.n_key, c.nonce, aad, sizeof aad - 1, pt, n, out, e));
	assert_int_equal(unhex("f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8"
			       "770ac83d07bea87e13c512a",
			       want),
			 n + CTR_GCM_TAG);
	T_MEM(out, want, n + CTR_GCM_TAG);
	T_OK(ctr_hpke_schedule(&d, sk_r, enc, enc, pk_r, info, sizeof info - 1, e));
	T_OK(ctr_gcm_decrypt(d.key, d.n_key, d.nonce, aad, sizeof aad - 1, out, n, back, &good, e));
	assert_true(good);
	T_MEM(back, pt, n);
}

struct pair {
	struct ctr_secret sk;
	uint8_t pk[32];
};

static void opens_what_was_sealed(void **s)
{
	static const size_t sizes[] = { 0, 1, 15, 16, 17, 96, 70000 };
	ctr_auto_buf struct ctr_buf plain = { 0 };
	struct pair k;

	(void)s;
	T_OK(ctr_hpke_generate(&k.sk, k.pk, e));
	for (size_t i = 0; i < 70000; i++)
		ctr_buf_addc(&plain, (char)i);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		ctr_auto_buf struct ctr_buf out = { 0 }, again = { 0 };
		ctr_auto_secret struct ctr_secret pt = { 0 };

		T_OK(ctr_hpke_seal(k.pk, "i", 1, "a", 1, plain.p, sizes[i], &out, e));
		T_OK(ctr_hpke_seal(k.pk, "i", 1, "a", 1, plain.p, sizes[i], &again, e));
		assert_int_equal(out.n, sizes[i] + CTR_HPKE_EXTRA);
		assert_true(memcmp(out.p, again.p, CTR_X25519_SIZE) != 0);
		T_OK(ctr_hpke_open(&k.sk, "i", 1, "a", 1, out.p, out.n, &pt, e));
		assert_int_equal(pt.n, sizes[i]);
		if (pt.n)
			T_MEM(pt.p, plain.p, pt.n);
	}
	ctr_secret_free(&k.sk);
}

/* The first 32 bytes are the encapsulated key: X25519 ignores its highest bit, but the key schedule
 * does not. */
static void refuses_each_cut_and_each_changed_bit(void **s)
{
	ctr_auto_buf struct ctr_buf out = { 0 };
	struct ctr_secret pt = { 0 };
	struct pair k, other;

	(void)s;
	T_OK(ctr_hpke_generate(&k.sk, k.pk, e));
	T_OK(ctr_hpke_generate(&other.sk, other.pk, e));
	T_OK(ctr_hpke_seal(k.pk, "info", 4, "aad", 3, "seed", 4, &out, e));
	for (size_t n = 0; n < CTR_HPKE_EXTRA; n++)
		T_FAILS(ctr_hpke_open(&k.sk, "info", 4, "aad", 3, out.p, n, &pt, e), CTR_FORMAT,
			"hpke.length");
	for (size_t n = CTR_HPKE_EXTRA; n < out.n; n++)
		T_FAILS(ctr_hpke_open(&k.sk, "info", 4, "aad", 3, out.p, n, &pt, e), CTR_NO,
			"hpke.open");
	for (size_t i = 0; i < out.n * 8; i++) {
		out.p[i / 8] = (char)(out.p[i / 8] ^ (1 << i % 8));
		T_FAILS(ctr_hpke_open(&k.sk, "info", 4, "aad", 3, out.p, out.n, &pt, e), CTR_NO,
			"hpke.open");
		assert_null(pt.p);
		out.p[i / 8] = (char)(out.p[i / 8] ^ (1 << i % 8));
	}
	T_FAILS(ctr_hpke_open(&other.sk, "info", 4, "aad", 3, out.p, out.n, &pt, e), CTR_NO,
		"hpke.open");
	T_FAILS(ctr_hpke_open(&k.sk, "infx", 4, "aad", 3, out.p, out.n, &pt, e), CTR_NO,
		"hpke.open");
	T_FAILS(ctr_hpke_open(&k.sk, "info", 4, "aax", 3, out.p, out.n, &pt, e), CTR_NO,
		"hpke.open");
	T_OK(ctr_hpke_open(&k.sk, "info", 4, "aad", 3, out.p, out.n, &pt, e));
	ctr_secret_free(&pt);
	ctr_secret_free(&k.sk);
	ctr_secret_free(&other.sk);
}

static void refuses_keys_of_small_order(void **s)
{
	uint8_t pk[32] = { 0 }, msg[CTR_HPKE_EXTRA] = { 0 };
	ctr_auto_buf struct ctr_buf out = { 0 };
	struct ctr_secret pt = { 0 };
	struct pair k;

	(void)s;
	T_OK(ctr_hpke_generate(&k.sk, k.pk, e));
	for (uint8_t i = 0; i < 2; i++) {
		pk[0] = msg[0] = i;
		T_FAILS(ctr_hpke_seal(pk, "", 0, "", 0, "x", 1, &out, e), CTR_FORMAT, "hpke.key");
		assert_int_equal(out.n, 0);
		T_FAILS(ctr_hpke_open(&k.sk, "", 0, "", 0, msg, sizeof msg, &pt, e), CTR_FORMAT,
			"hpke.key");
	}
	T_FAILS(ctr_hpke_seal(k.pk, "", 0, "", 0, NULL, CTR_HPKE_MAX + 1, &out, e), CTR_FORMAT,
		"hpke.length");
	ctr_secret_free(&k.sk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc9180_vector),
		cmocka_unit_test(opens_what_was_sealed),
		cmocka_unit_test(refuses_each_cut_and_each_changed_bit),
		cmocka_unit_test(refuses_keys_of_small_order),
	};

	return cmocka_run_group_tests_name("hpke", tests, NULL, NULL);
}
