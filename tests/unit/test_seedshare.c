/* RSA as seed share owners use it, and their shares: by the openssl command as by us, and each way
 * to refuse. */
#include "seedshare.h"

#include "crypto_rsa.h"
#include "enc.h"
#include "keykit.h"

static const uint8_t t1[32] = { 1, 0xab }, t2[32] = { 2, 0xab };

#define PUB(i) (const uint8_t *)rsa_pub[i].p, rsa_pub[i].n

static void rsa_opens_what_was_sealed(void **s)
{
	ctr_auto_buf struct ctr_buf box = { 0 };
	ctr_auto_secret struct ctr_secret out = { 0 };
	char most[190] = "a secret";

	(void)s;
	T_OK(ctr_rsa_encrypt(PUB(0), "label", most, sizeof most, &box, e));
	assert_int_equal(box.n, 256);
	T_OK(ctr_rsa_decrypt("k", &rsa[0], "label", box.p, box.n, &out, e));
	assert_int_equal(out.n, sizeof most);
	T_MEM(out.p, most, sizeof most);
	T_FAILS(ctr_rsa_encrypt(PUB(0), "label", most, sizeof most + 1, &box, e), CTR_FORMAT,
		"rsa.length");
}

#define OPEN(key, label, p, n) ctr_rsa_decrypt("k", key, label, p, n, &out, e)

static void rsa_refuses_what_was_not(void **s)
{
	ctr_auto_buf struct ctr_buf box = { 0 }, none = { 0 };
	ctr_auto_secret struct ctr_secret out = { 0 };

	(void)s;
	T_OK(ctr_rsa_encrypt(PUB(0), "label", "x", 1, &box, e));
	ctr_buf_addc(&box, 0);
	T_FAILS(OPEN(&rsa[1], "label", box.p, 256), CTR_NO, "rsa.decrypt");
	T_FAILS(OPEN(&rsa[0], "labe", box.p, 256), CTR_NO, "rsa.decrypt");
	T_FAILS(OPEN(&rsa[0], "", box.p, 256), CTR_NO, "rsa.decrypt");
	T_FAILS(OPEN(&rsa[0], "label", box.p, 255), CTR_NO, "rsa.decrypt");
	T_FAILS(OPEN(&rsa[0], "label", box.p, 257), CTR_NO, "rsa.decrypt");
	T_FAILS(OPEN(&rsa[0], "label", "", 0), CTR_NO, "rsa.decrypt");
	T_FAILS(OPEN(&rsa_short, "label", box.p, 128), CTR_FORMAT, "key.rsa");
	T_FAILS(OPEN(&ec[0], "label", box.p, 256), CTR_FORMAT, "key.kind");
	T_FAILS(OPEN(&none, "label", box.p, 256), CTR_FORMAT, "key.pem");
	box.p[7] ^= 1;
	T_FAILS(OPEN(&rsa[0], "label", box.p, 256), CTR_NO, "rsa.decrypt");
	assert_null(out.p);
	T_FAILS(ctr_rsa_encrypt((const uint8_t *)"no key", 6, "label", "x", 1, &none, e),
		CTR_FORMAT, "key.rsa");
}

static void rsa_signs(void **s)
{
	ctr_auto_buf struct ctr_buf sig = { 0 }, none = { 0 }, weak = { 0 };
	bool good;

	(void)s;
	T_OK(ctr_rsa_sign("k", &rsa[0], t1, &sig, e));
	T_OK(ctr_rsa_verify(PUB(0), t1, sig.p, sig.n, &good, e));
	assert_true(good);
	T_OK(ctr_rsa_verify(PUB(0), t2, sig.p, sig.n, &good, e));
	assert_false(good);
	T_OK(ctr_rsa_verify(PUB(1), t1, sig.p, sig.n, &good, e));
	assert_false(good);
	T_OK(ctr_rsa_verify(PUB(0), t1, sig.p, sig.n - 1, &good, e));
	assert_false(good);
	T_OK(ctr_rsa_verify(PUB(0), t1, "", 0, &good, e));
	assert_false(good);
	sig.p[200] ^= 1;
	T_OK(ctr_rsa_verify(PUB(0), t1, sig.p, sig.n, &good, e));
	assert_false(good);
	T_FAILS(ctr_rsa_sign("k", &rsa_short, t1, &none, e), CTR_FORMAT, "key.rsa");
	T_FAILS(ctr_rsa_sign("k", &ec[0], t1, &none, e), CTR_FORMAT, "key.kind");
	T_OK(ctr_key_rsa_public(rsa_short.p, rsa_short.n, &weak, e));
	T_FAILS(ctr_rsa_verify((const uint8_t *)weak.p, weak.n, t1, sig.p, 128, &good, e),
		CTR_FORMAT, "key.rsa");
}

#define OAEP                                                                                       \
	" -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256"                              \
	" -pkeyopt rsa_mgf1_md:sha256 -pkeyopt rsa_oaep_label:6c6162656c "
#define PSS                                                                                        \
	" -pkeyopt rsa_padding_mode:pss -pkeyopt digest:sha256"                                    \
	" -pkeyopt rsa_mgf1_md:sha256 -pkeyopt rsa_pss_saltlen:"

static void openssl_opens_and_seals(void **s)
{
	ctr_auto_buf struct ctr_buf box = { 0 }, theirs = { 0 };
	ctr_auto_secret struct ctr_secret out = { 0 };

	(void)s;
	T_OK(ctr_rsa_encrypt(PUB(0), "label", "seed", 4, &box, e));
	put("key.pem", rsa[0].p, rsa[0].n);
	put("plain", "seed", 4);
	put("box", box.p, box.n);
	assert_true(runs("openssl pkeyutl -decrypt -inkey key.pem -in box -out opened" OAEP));
	assert_true(runs("cmp opened plain"));
	assert_true(runs("openssl pkeyutl -encrypt -inkey key.pem -in plain -out theirs" OAEP));
	theirs = result("theirs");
	T_OK(ctr_rsa_decrypt("k", &rsa[0], "label", theirs.p, theirs.n, &out, e));
	assert_int_equal(out.n, 4);
	T_MEM(out.p, "seed", 4);
}

static void openssl_makes_and_checks_pss(void **s)
{
	ctr_auto_buf struct ctr_buf sig = { 0 }, theirs = { 0 }, other = { 0 };
	bool good;

	(void)s;
	T_OK(ctr_rsa_sign("k", &rsa[1], t1, &sig, e));
	put("key.pem", rsa[1].p, rsa[1].n);
	put("digest", t1, sizeof t1);
	put("sig", sig.p, sig.n);
	assert_true(
		runs("openssl pkeyutl -verify -inkey key.pem -in digest -sigfile sig" PSS "32"));
	assert_true(runs("openssl pkeyutl -sign -inkey key.pem -in digest -out theirs" PSS "32"));
	theirs = result("theirs");
	T_OK(ctr_rsa_verify(PUB(1), t1, theirs.p, theirs.n, &good, e));
	assert_true(good);
	assert_true(runs("openssl pkeyutl -sign -inkey key.pem -in digest -out other" PSS "20"));
	other = result("other");
	T_OK(ctr_rsa_verify(PUB(1), t1, other.p, other.n, &good, e));
	assert_false(good); /* the salt has 32 bytes */
	ctr_buf_free(&other);
	assert_true(runs("openssl pkeyutl -sign -inkey key.pem -in digest -out other "
			 "-pkeyopt digest:sha256"));
	other = result("other");
	T_OK(ctr_rsa_verify(PUB(1), t1, other.p, other.n, &good, e));
	assert_false(good); /* PKCS #1 v1.5 */
}

struct share {
	struct ctr_manifest m;
	struct ctr_secret seed, salt;
	struct ctr_buf json;
};

static void share_make(struct share *w)
{
	*w = (struct share){ 0 };
	T_OK(ctr_manifest_add_seedshare(&w->m, PUB(0), e));
	T_OK(ctr_manifest_add_seedshare(&w->m, PUB(1), e));
	T_OK(ctr_secret_new(&w->seed, CTR_SEED_SIZE, e));
	T_OK(ctr_secret_new(&w->salt, CTR_SALT_SIZE, e));
	memset(w->seed.p, 's', w->seed.n);
	memset(w->salt.p, 'z', w->salt.n);
	T_OK(ctr_seedshares_make(&w->m, &w->seed, &w->salt, &w->json, e));
}

static void share_free(struct share *w)
{
	ctr_manifest_free(&w->m);
	ctr_secret_free(&w->seed);
	ctr_secret_free(&w->salt);
	ctr_buf_free(&w->json);
}

static void each_owner_opens_a_share(void **s)
{
	CTR_AUTO(share_free) struct share w;

	(void)s;
	share_make(&w);
	for (int i = 0; i < 2; i++) {
		ctr_auto_secret struct ctr_secret seed = { 0 }, salt = { 0 };

		T_OK(ctr_seedshares_open("d", w.json.p, w.json.n, "k", &rsa[i], &seed, &salt, e));
		assert_true(ctr_secret_same(&seed, &w.seed));
		assert_true(ctr_secret_same(&salt, &w.salt));
	}
	assert_null(strstr(w.json.p, "ssssssss"));
}

static void makes_no_share_of_another_size(void **s)
{
	CTR_AUTO(share_free) struct share w;
	ctr_auto_buf struct ctr_buf b = { 0 };

	(void)s;
	share_make(&w);
	w.seed.n--;
	T_FAILS(ctr_seedshares_make(&w.m, &w.seed, &w.salt, &b, e), CTR_FORMAT, "seedshare.size");
	w.seed.n++;
	w.salt.n--;
	T_FAILS(ctr_seedshares_make(&w.m, &w.seed, &w.salt, &b, e), CTR_FORMAT, "seedshare.size");
	w.salt.n++;
	assert_int_equal(b.n, 0);
}

#define SHARES(text, key) ctr_seedshares_open("d", text, strlen(text), "k", key, &seed, &salt, e)
#define SALT "\"Salt\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\""

static void opens_no_share_of_another(void **s)
{
	CTR_AUTO(share_free) struct share w;
	ctr_auto_secret struct ctr_secret seed = { 0 }, salt = { 0 };
	ctr_auto_buf struct ctr_buf third = pem_of(EVP_RSA_gen(2048));

	(void)s;
	share_make(&w);
	T_FAILS(SHARES(w.json.p, &third), CTR_NO, "seedshare.none");
	T_FAILS(SHARES("{\"SeedShares\":[]," SALT "}", &rsa[0]), CTR_NO, "seedshare.none");
	T_FAILS(SHARES(w.json.p, &ec[0]), CTR_FORMAT, "key.kind");
	T_FAILS(SHARES(w.json.p, &rsa_short), CTR_NO, "seedshare.none");
	assert_null(seed.p);
	assert_null(salt.p);
}

static void opens_no_changed_document(void **s)
{
	ctr_auto_secret struct ctr_secret seed = { 0 }, salt = { 0 };
	struct ctr_buf *k = &rsa[0];

	(void)s;
	T_FAILS(SHARES("[", k), CTR_FORMAT, "json.syntax");
	T_FAILS(SHARES("[]", k), CTR_FORMAT, "json.type");
	T_FAILS(SHARES("{\"SeedShares\":[]}", k), CTR_FORMAT, "json.missing");
	T_FAILS(SHARES("{" SALT "}", k), CTR_FORMAT, "json.missing");
	T_FAILS(SHARES("{\"SeedShares\":[],\"Seed\":\"\"," SALT "}", k), CTR_FORMAT,
		"json.unknown");
	T_FAILS(SHARES("{\"SeedShares\":[],\"Salt\":\"AA==\"}", k), CTR_FORMAT, "seedshare.size");
	T_FAILS(SHARES("{\"SeedShares\":[],\"Salt\":\"A\"}", k), CTR_FORMAT, "base64");
	T_FAILS(SHARES("{\"SeedShares\":[{\"PublicKey\":\"aa\"}]," SALT "}", k), CTR_FORMAT,
		"json.missing");
	T_FAILS(SHARES("{\"SeedShares\":[{\"PublicKey\":\"a\",\"EncryptedSeed\":\"\"}]," SALT "}",
		       k),
		CTR_FORMAT, "json.hex");
	T_FAILS(SHARES("{\"SeedShares\":[{\"PublicKey\":\"\",\"EncryptedSeed\":\"\",\"x\":1}]," SALT
		       "}",
		       k),
		CTR_FORMAT, "json.unknown");
}

/* A document with these shares for rsa[0]. */
static struct ctr_buf document(const void *seed, size_t n, const char *label, int times)
{
	ctr_auto_buf struct ctr_buf box = { 0 };
	struct ctr_buf b = { 0 };

	T_OK(ctr_rsa_encrypt(PUB(0), label, seed, n, &box, e));
	ctr_buf_adds(&b, "{\"SeedShares\":[");
	for (int i = 0; i < times; i++) {
		ctr_buf_adds(&b, i ? ",{\"PublicKey\":\"" : "{\"PublicKey\":\"");
		ctr_hex_add(&b, rsa_pub[0].p, rsa_pub[0].n);
		ctr_buf_adds(&b, "\",\"EncryptedSeed\":\"");
		ctr_base64_add(&b, box.p, box.n);
		ctr_buf_adds(&b, "\"}");
	}
	ctr_buf_adds(&b, "]," SALT "}");
	return b;
}

static void opens_no_false_share(void **s)
{
	ctr_auto_secret struct ctr_secret seed = { 0 }, salt = { 0 };
	uint8_t plain[65] = { 0 };
	ctr_auto_buf struct ctr_buf right = document(plain, 64, "seedshare", 1),
				    twice = document(plain, 64, "seedshare", 2),
				    many = document(plain, 64, "seedshare", CTR_OWNERS_MAX + 1),
				    label = document(plain, 64, "seed", 1),
				    shorter = document(plain, 63, "seedshare", 1),
				    longer = document(plain, 65, "seedshare", 1), big = { 0 };

	(void)s;
	T_OK(SHARES(right.p, &rsa[0]));
	ctr_secret_free(&seed);
	ctr_secret_free(&salt);
	T_FAILS(SHARES(twice.p, &rsa[0]), CTR_FORMAT, "seedshare.duplicate");
	T_FAILS(SHARES(many.p, &rsa[0]), CTR_FORMAT, "seedshare.count");
	T_FAILS(SHARES(label.p, &rsa[0]), CTR_NO, "rsa.decrypt");
	T_FAILS(SHARES(shorter.p, &rsa[0]), CTR_FORMAT, "seedshare.size");
	T_FAILS(SHARES(longer.p, &rsa[0]), CTR_FORMAT, "seedshare.size");
	assert_null(seed.p);
	memset(ctr_buf_room(&big, CTR_SEEDSHARES_MAX + 1), ' ', CTR_SEEDSHARES_MAX + 1);
	ctr_buf_commit(&big, CTR_SEEDSHARES_MAX + 1);
	T_FAILS(SHARES(big.p, &rsa[0]), CTR_FORMAT, "seedshare.limit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rsa_opens_what_was_sealed),
		cmocka_unit_test(rsa_refuses_what_was_not),
		cmocka_unit_test(rsa_signs),
		cmocka_unit_test(openssl_opens_and_seals),
		cmocka_unit_test(openssl_makes_and_checks_pss),
		cmocka_unit_test(each_owner_opens_a_share),
		cmocka_unit_test(makes_no_share_of_another_size),
		cmocka_unit_test(opens_no_share_of_another),
		cmocka_unit_test(opens_no_changed_document),
		cmocka_unit_test(opens_no_false_share),
	};

	return cmocka_run_group_tests_name("seedshare", tests, setup, teardown);
}
