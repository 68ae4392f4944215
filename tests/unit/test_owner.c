/* What owners sign, open and seal: by the openssl command as by us, and each way to refuse. */
#include "owner.h"

#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "crypto.h"
#include "crypto_ecdsa.h"
#include "crypto_rsa.h"
#include "enc.h"
#include "file.h"
#include "seedshare.h"
#include "t.h"

static char dir[] = "/tmp/ctr-owner-XXXXXX";
static const char *const curves[] = { "P-256", "P-384", "P-521" };
static struct ctr_buf ec[3], rsa[2], rsa_pub[2], rsa_short, ed25519, k1;
static const uint8_t t1[32] = { 1, 0xab }, t2[32] = { 2, 0xab };

static struct ctr_buf pem_of(EVP_PKEY *key)
{
	struct ctr_buf b = { .wipe = true };
	BIO *bio = BIO_new(BIO_s_mem());
	char *p;
	long n;

	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	n = BIO_get_mem_data(bio, &p);
	ctr_buf_add(&b, p, (size_t)n);
	BIO_free(bio);
	EVP_PKEY_free(key);
	return b;
}

static int setup(void **s)
{
	struct ctr_err e = { 0 };

	(void)s;
	if (!mkdtemp(dir))
		return -1;
	for (int i = 0; i < 3; i++)
		ec[i] = pem_of(EVP_EC_gen(curves[i]));
	for (int i = 0; i < 2; i++) {
		rsa[i] = pem_of(EVP_RSA_gen(2048));
		if (ctr_key_rsa_public(rsa[i].p, rsa[i].n, &rsa_pub[i], &e) < 0)
			return -1;
	}
	rsa_short = pem_of(EVP_RSA_gen(1024));
	ed25519 = pem_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	k1 = pem_of(EVP_EC_gen("secp256k1"));
	return 0;
}

static int teardown(void **s)
{
	char cmd[128];

	(void)s;
	for (int i = 0; i < 3; i++)
		ctr_buf_free(&ec[i]);
	for (int i = 0; i < 2; i++) {
		ctr_buf_free(&rsa[i]);
		ctr_buf_free(&rsa_pub[i]);
	}
	ctr_buf_free(&rsa_short);
	ctr_buf_free(&ed25519);
	ctr_buf_free(&k1);
	snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
	return system(cmd);
}

static const char *put(const char *name, const void *p, size_t n)
{
	static char path[4][128];
	static unsigned i;
	char *s = path[i++ % 4];

	snprintf(s, 128, "%s/%s", dir, name);
	T_OK(ctr_file_write(s, p, n, 0600, e));
	return s;
}

/* In the directory, quietly. */
static bool runs(const char *command)
{
	char cmd[1024];

	snprintf(cmd, sizeof cmd, "cd %s && %s >/dev/null 2>&1", dir, command);
	return system(cmd) == 0;
}

static struct ctr_buf result(const char *name)
{
	char path[128];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return t_file(path);
}

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
		cmocka_unit_test(owners_sign_on_three_curves),
		cmocka_unit_test(openssl_signs_and_verifies),
		cmocka_unit_test(refuses_signing_keys),
		cmocka_unit_test(refuses_other_spellings_of_a_key),
		cmocka_unit_test(refuses_keys_that_are_none),
		cmocka_unit_test(refuses_other_spellings_of_a_signature),
		cmocka_unit_test(changed_signatures_are_not_good),
		cmocka_unit_test(rsa_opens_what_was_sealed),
		cmocka_unit_test(rsa_refuses_what_was_not),
		cmocka_unit_test(rsa_signs),
		cmocka_unit_test(openssl_opens_and_seals),
		cmocka_unit_test(openssl_makes_and_checks_pss),
		cmocka_unit_test(recovery_binds_every_part),
		cmocka_unit_test(each_owner_opens_a_share),
		cmocka_unit_test(makes_no_share_of_another_size),
		cmocka_unit_test(opens_no_share_of_another),
		cmocka_unit_test(opens_no_changed_document),
		cmocka_unit_test(opens_no_false_share),
	};

	return cmocka_run_group_tests_name("owner", tests, setup, teardown);
}
