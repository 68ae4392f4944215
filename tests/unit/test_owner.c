/* What workload owners sign, and a recovery: by the openssl command as by us, and each way to
 * refuse. */
#include "owner.h"

#include "crypto_ecdsa.h"
#include "enc.h"
#include "keykit.h"

static const uint8_t t1[32] = { 1, 0xab }, t2[32] = { 2, 0xab };

static void owners_sign_on_three_curves(void **s)
{
	(void)s;
	for (int i = 0; i < 3; i++) {
		ctr_auto_buf struct ctr_buf spki = { 0 }, sig = { 0 }, other = { 0 }, sig2 = { 0 };
		bool good;

		T_OK(ctr_owner_sign("k", &ec[i], t1, &spki, &sig, e));
		T_OK(ctr_owner_verify(spki.p, spki.n, t1, sig.p, sig.n, &good, e));
		assert_true(good);
		T_OK(ctr_owner_verify(spki.p, spki.n, t2, sig.p, sig.n, &good, e));
		assert_false(good); /* of another transition */
		T_OK(ctr_owner_sign("k", &ec[(i + 1) % 3], t1, &other, &sig2, e));
		T_OK(ctr_owner_verify(other.p, other.n, t1, sig.p, sig.n, &good, e));
		assert_false(good); /* by another key */
		T_OK(ctr_owner_verify(spki.p, spki.n, t1, sig2.p, sig2.n, &good, e));
		assert_false(good);
		T_OK(ctr_ecdsa_verify(spki.p, spki.n, CTR_SHA256, t1, sizeof t1, sig.p, sig.n,
				      &good, e));
		assert_false(good); /* the digits are signed, not the bytes */
	}
}

static void openssl_signs_and_verifies(void **s)
{
	ctr_auto_buf struct ctr_buf hex = { 0 };

	(void)s;
	ctr_hex_add(&hex, t1, sizeof t1);
	put("t", hex.p, hex.n);
	for (int i = 0; i < 3; i++) {
		ctr_auto_buf struct ctr_buf spki = { 0 }, sig = { 0 }, theirs = { 0 };
		bool good;

		T_OK(ctr_owner_sign("k", &ec[i], t1, &spki, &sig, e));
		put("key.pem", ec[i].p, ec[i].n);
		put("spki", spki.p, spki.n);
		put("sig", sig.p, sig.n);
		assert_true(
			runs("openssl dgst -sha256 -keyform DER -verify spki -signature sig t"));
		assert_true(runs("openssl dgst -sha256 -sign key.pem -out theirs t"));
		theirs = result("theirs");
		T_OK(ctr_owner_verify(spki.p, spki.n, t1, theirs.p, theirs.n, &good, e));
		assert_true(good);
		assert_true(runs("openssl dgst -sha384 -sign key.pem -out theirs t"));
		ctr_buf_free(&theirs);
		theirs = result("theirs");
		T_OK(ctr_owner_verify(spki.p, spki.n, t1, theirs.p, theirs.n, &good, e));
		assert_false(good); /* SHA-256 whatever the curve */
	}
}

static void refuses_signing_keys(void **s)
{
	ctr_auto_buf struct ctr_buf a = { 0 }, b = { 0 }, none = { 0 };

	(void)s;
	T_FAILS(ctr_owner_sign("k", &none, t1, &a, &b, e), CTR_FORMAT, "key.pem");
	T_FAILS(ctr_owner_sign("k", &rsa[0], t1, &a, &b, e), CTR_FORMAT, "key.kind");
	T_FAILS(ctr_owner_sign("k", &ed25519, t1, &a, &b, e), CTR_FORMAT, "key.kind");
	T_FAILS(ctr_owner_sign("k", &k1, t1, &a, &b, e), CTR_FORMAT, "key.kind");
	assert_int_equal(a.n + b.n, 0);
}

#define VERIFY(k, n_k, sg, n_sg) ctr_owner_verify(k, n_k, t1, sg, n_sg, &good, e)

/* The key with its point compressed: the same key, but another text and so another digest. */
static struct ctr_buf compressed(const struct ctr_buf *pem)
{
	put("key.pem", pem->p, pem->n);
	assert_true(runs("openssl ec -in key.pem -pubout -outform DER -conv_form compressed "
			 "-out compressed"));
	return result("compressed");
}

static void refuses_other_spellings_of_a_key(void **s)
{
	ctr_auto_buf struct ctr_buf spki = { 0 }, sig = { 0 }, other = { 0 }, wrong = { 0 };
	uint8_t buf[CTR_ECDSA_SPKI_MAX + 2] = { 0 };
	bool good = true;

	(void)s;
	T_OK(ctr_owner_sign("k", &ec[0], t1, &spki, &sig, e));
	memcpy(buf, spki.p, spki.n);
	for (size_t n = 0; n < spki.n; n++)
		T_FAILS(VERIFY(buf, n, sig.p, sig.n), CTR_FORMAT, "key.spki");
	T_FAILS(VERIFY(buf, spki.n + 1, sig.p, sig.n), CTR_FORMAT, "key.spki");
	T_FAILS(VERIFY(buf, sizeof buf, sig.p, sig.n), CTR_FORMAT, "key.spki");
	buf[spki.n - 1] ^= 1; /* no point of the curve */
	T_FAILS(VERIFY(buf, spki.n, sig.p, sig.n), CTR_FORMAT, "key.spki");
	other = compressed(&ec[0]);
	T_FAILS(VERIFY(other.p, other.n, sig.p, sig.n), CTR_FORMAT, "key.spki");
	put("key.pem", k1.p, k1.n);
	assert_true(runs("openssl ec -in key.pem -pubout -outform DER -out wrong"));
	wrong = result("wrong");
	T_FAILS(VERIFY(wrong.p, wrong.n, sig.p, sig.n), CTR_FORMAT, "key.kind");
	assert_false(good);
}

/* A curve by its parameters, and the point at infinity: OpenSSL could read both. */
static void refuses_keys_that_are_none(void **s)
{
	ctr_auto_buf struct ctr_buf spki = { 0 }, sig = { 0 }, explicit = { 0 };
	uint8_t infinity[] = { 0x30, 0x19, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
			       0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
			       0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x02, 0x00, 0x00 };
	bool good = true;

	(void)s;
	T_OK(ctr_owner_sign("k", &ec[0], t1, &spki, &sig, e));
	put("key.pem", ec[0].p, ec[0].n);
	assert_true(runs("openssl ec -in key.pem -pubout -outform DER -param_enc explicit "
			 "-out explicit"));
	explicit = result("explicit");
	T_FAILS(VERIFY(explicit.p, explicit.n, sig.p, sig.n), CTR_FORMAT, "key.spki");
	T_FAILS(VERIFY(infinity, sizeof infinity, sig.p, sig.n), CTR_FORMAT, "key.spki");
	assert_false(good);
}

static void refuses_other_spellings_of_a_signature(void **s)
{
	ctr_auto_buf struct ctr_buf spki = { 0 }, sig = { 0 };
	uint8_t b[CTR_ECDSA_SIG_MAX + 8];
	bool good = true;

	(void)s;
	T_OK(ctr_owner_sign("k", &ec[1], t1, &spki, &sig, e));
	for (size_t n = 0; n < sig.n; n++)
		T_FAILS(VERIFY(spki.p, spki.n, sig.p, n), CTR_FORMAT, "ecdsa.signature");
	memcpy(b, sig.p, sig.n);
	b[sig.n] = 0;
	T_FAILS(VERIFY(spki.p, spki.n, b, sig.n + 1), CTR_FORMAT, "ecdsa.signature");
	/* the length in two bytes, which is BER and not DER */
	b[1] = 0x81;
	memcpy(b + 2, sig.p + 1, sig.n - 1);
	T_FAILS(VERIFY(spki.p, spki.n, b, sig.n + 1), CTR_FORMAT, "ecdsa.signature");
	/* a zero in front of r that its sign does not need */
	b[1] = (uint8_t)(sig.p[1] + 1);
	b[3] = (uint8_t)(sig.p[3] + 1);
	b[4] = 0;
	b[0] = 0x30;
	b[2] = 0x02;
	memcpy(b + 5, sig.p + 4, sig.n - 4);
	T_FAILS(VERIFY(spki.p, spki.n, b, sig.n + 1), CTR_FORMAT, "ecdsa.signature");
	assert_false(good);
}

static void changed_signatures_are_not_good(void **s)
{
	static const uint8_t zeros[] = { 0x30, 6, 2, 1, 0, 2, 1, 0 };
	ctr_auto_buf struct ctr_buf spki = { 0 }, sig = { 0 };
	bool good = true;

	(void)s;
	T_OK(ctr_owner_sign("k", &ec[2], t1, &spki, &sig, e));
	T_OK(VERIFY(spki.p, spki.n, zeros, sizeof zeros));
	assert_false(good);
	for (size_t i = 0; i < 8 * sig.n; i++) {
		struct ctr_err err = { 0 };

		sig.p[i / 8] ^= (char)(1 << i % 8);
		if (ctr_owner_verify(spki.p, spki.n, t1, sig.p, sig.n, &good, &err) < 0)
			T_STR(err.id, "ecdsa.signature");
		assert_false(good);
		sig.p[i / 8] ^= (char)(1 << i % 8);
	}
}

/* printf 'contrast recover v1' and the parts, through sha256sum */
static void recovery_binds_every_part(void **s)
{
	static const char want[] =
		"d1bda34a778eb39726cd9277bafd0946111f2199514c5abb4e1284eec1957754";
	uint8_t a[32] = { 1 }, b[32] = { 2 }, d[32], x[32], expect[32];
	ctr_auto_buf struct ctr_buf info = { 0 };

	(void)s;
	ctr_recover_info(a, &info);
	assert_int_equal(info.n, 19 + 32);
	T_MEM(info.p, "contrast recover v1\1\0", 21);
	T_OK(ctr_recover_digest(a, b, "sealed", 6, d, e));
	T_OK(ctr_hex_parse(want, 64, expect, 32, e));
	T_MEM(d, expect, 32);
	T_OK(ctr_recover_digest(b, b, "sealed", 6, x, e));
	assert_memory_not_equal(d, x, 32);
	T_OK(ctr_recover_digest(a, a, "sealed", 6, x, e));
	assert_memory_not_equal(d, x, 32);
	T_OK(ctr_recover_digest(a, b, "seale", 5, x, e));
	assert_memory_not_equal(d, x, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(owners_sign_on_three_curves),
		cmocka_unit_test(openssl_signs_and_verifies),
		cmocka_unit_test(refuses_signing_keys),
		cmocka_unit_test(refuses_other_spellings_of_a_key),
		cmocka_unit_test(refuses_keys_that_are_none),
		cmocka_unit_test(refuses_other_spellings_of_a_signature),
		cmocka_unit_test(changed_signatures_are_not_good),
		cmocka_unit_test(recovery_binds_every_part),
	};

	return cmocka_run_group_tests_name("owner", tests, setup, teardown);
}
