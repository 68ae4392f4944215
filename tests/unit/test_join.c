/* The handshake of a pod that joins the mesh: the form of its messages, what they are bound to, and
 * each refusal. */
#include "enc.h"
#include "join.h"
#include "peer.h"
#include "t.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

static const uint8_t nonce[CTR_NONCE_SIZE] = { 1, 2, 3 };

/* A sound request by a fresh key. */
static struct ctr_sign_key *sound(struct ctr_join *j)
{
	struct ctr_sign_key *key;

	T_OK(ctr_sign_key_new(&key, e));
	ctr_buf_adds(&j->evidence, "evidence");
	T_OK(ctr_sign_key_spki(key, &j->cert_key, e));
	memset(j->kem_key, 7, sizeof j->kem_key);
	T_OK(ctr_join_sign(j, key, nonce, e));
	return key;
}

static void prints_and_reads_back(void **s)
{
	ctr_auto_join struct ctr_join j = { 0 }, k = { 0 };
	ctr_auto_buf struct ctr_buf text = { 0 };
	uint8_t one[64], two[64];

	(void)s;
	ctr_sign_key_free(sound(&j));
	T_OK(ctr_join_print(&j, &text, e));
	T_OK(ctr_join_parse("request", text.p, text.n, &k, e));
	T_OK(ctr_join_report_data(&j, nonce, one, e));
	T_OK(ctr_join_report_data(&k, nonce, two, e));
	T_MEM(one, two, 64);
	T_STR(ctr_buf_str(&k.evidence), "evidence");
	T_OK(ctr_join_verify(&k, nonce, e));
}

/* ctr-api(7), computed once with other tools. */
static void report_data_is_of_keys_and_nonce(void **s)
{
	static const char want[] =
		"3be1baa4828173c8a710bb8593424ca682f2539d871afd9e7f4da9c4d45bae2f"
		"5e7bce7eebcbac464cc7ca5db8d8893fc76652ef530bfd68e4ddc75e5059397a";
	ctr_auto_join struct ctr_join j = { 0 };
	ctr_auto_buf struct ctr_buf hex = { 0 };
	uint8_t zero[CTR_NONCE_SIZE] = { 0 }, out[64];

	(void)s;
	ctr_buf_adds(&j.cert_key, "key");
	memset(j.kem_key, 'k', sizeof j.kem_key);
	T_OK(ctr_join_report_data(&j, zero, out, e));
	ctr_hex_add(&hex, out, sizeof out);
	T_STR(ctr_buf_str(&hex), want);
}

static void signature_covers_all_three(void **s)
{
	ctr_auto_join struct ctr_join j = { 0 };
	struct ctr_sign_key *key = sound(&j), *other;
	uint8_t late[CTR_NONCE_SIZE] = { 9 };

	(void)s;
	T_FAILS(ctr_join_verify(&j, late, e), CTR_NO, "join.signature");
	j.kem_key[31] ^= 1; /* lesson: the key that a secret is sealed to must not be exchanged */
	T_FAILS(ctr_join_verify(&j, nonce, e), CTR_NO, "join.signature");
	j.kem_key[31] ^= 1;
	T_OK(ctr_join_verify(&j, nonce, e));
	T_OK(ctr_sign_key_new(&other, e));
	ctr_buf_reset(&j.cert_key);
	T_OK(ctr_sign_key_spki(other, &j.cert_key, e));
	T_FAILS(ctr_join_verify(&j, nonce, e), CTR_NO, "join.signature");
	T_OK(ctr_join_sign(&j, other, nonce, e));
	T_OK(ctr_join_verify(&j, nonce, e));
	ctr_buf_addc(&j.signature, '\0');
	T_FAILS(ctr_join_verify(&j, nonce, e), CTR_FORMAT, "ecdsa.signature");
	ctr_buf_reset(&j.signature);
	T_FAILS(ctr_join_verify(&j, nonce, e), CTR_FORMAT, "ecdsa.signature");
	ctr_sign_key_free(key);
	ctr_sign_key_free(other);
}

static void pem(EVP_PKEY *key, struct ctr_buf *b)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p = NULL;
	long n;

	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	n = BIO_get_mem_data(bio, &p);
	ctr_buf_add(b, p, (size_t)n);
	BIO_free(bio);
}

static void accepts_p384_too(void **s)
{
	ctr_auto_join struct ctr_join j = { 0 };
	ctr_auto_buf struct ctr_buf text = { 0 };
	EVP_PKEY *raw = EVP_EC_gen("P-384");
	struct ctr_sign_key *key;

	(void)s;
	ctr_sign_key_free(sound(&j));
	pem(raw, &text);
	T_OK(ctr_sign_key_read("key", &text, 48, &key, e));
	ctr_buf_reset(&j.cert_key);
	T_OK(ctr_sign_key_spki(key, &j.cert_key, e));
	assert_int_equal(j.cert_key.n, CTR_SPKI_P384);
	T_OK(ctr_join_sign(&j, key, nonce, e));
	T_OK(ctr_join_verify(&j, nonce, e));
	ctr_sign_key_free(key);
	EVP_PKEY_free(raw);
}

static void spki_of(EVP_PKEY *key, const char *form, struct ctr_buf *b)
{
	uint8_t *p = NULL;
	int n;

	if (form)
		assert_int_equal(EVP_PKEY_set_utf8_string_param(key, "point-format", form), 1);
	n = i2d_PUBKEY(key, &p);
	assert_true(n > 0);
	ctr_buf_reset(b);
	ctr_buf_add(b, p, (size_t)n);
	OPENSSL_free(p);
	EVP_PKEY_free(key);
}

static void refuses_other_keys(void **s)
{
	ctr_auto_join struct ctr_join j = { 0 };

	(void)s;
	ctr_sign_key_free(sound(&j));
	j.cert_key.p[0] ^= 1;
	T_FAILS(ctr_join_verify(&j, nonce, e), CTR_FORMAT, "key.spki");
	j.cert_key.p[0] ^= 1;
	j.cert_key.p[90] ^= 1; /* no point of the curve */
	T_FAILS(ctr_join_verify(&j, nonce, e), CTR_FORMAT, "key.spki");
	ctr_buf_addc(&j.cert_key, '\0');
	T_FAILS(ctr_join_verify(&j, nonce, e), CTR_FORMAT, "key.spki");
	spki_of(EVP_EC_gen("P-256"), "compressed", &j.cert_key);
	T_FAILS(ctr_join_verify(&j, nonce, e), CTR_FORMAT, "key.spki");
	spki_of(EVP_EC_gen("secp256k1"), NULL, &j.cert_key);
	T_FAILS(ctr_join_verify(&j, nonce, e), CTR_FORMAT, "key.kind");
	spki_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL, &j.cert_key);
	T_FAILS(ctr_join_verify(&j, nonce, e), CTR_FORMAT, "key.kind");
	ctr_buf_reset(&j.cert_key);
	T_FAILS(ctr_join_verify(&j, nonce, e), CTR_FORMAT, "key.spki");
}

/* A request's text with one member replaced by `text` (JSON), or taken out. */
static void request_with(const char *key, const char *text, const char *id)
{
	ctr_auto_join struct ctr_join j = { 0 }, k = { 0 };
	ctr_auto_buf struct ctr_buf all = { 0 }, changed = { 0 };
	ctr_auto_json struct ctr_json *obj = NULL, *other = NULL;

	ctr_sign_key_free(sound(&j));
	T_OK(ctr_join_print(&j, &all, e));
	T_OK(ctr_json_parse("request", all.p, all.n, &obj, e));
	ctr_json_remove(obj, key);
	if (text) {
		T_OK(ctr_json_parse("member", text, strlen(text), &other, e));
		assert_non_null(ctr_json_set_copy(obj, key, other));
	}
	T_OK(ctr_json_print(obj, 0, &changed, e));
	T_FAILS(ctr_join_parse("request", changed.p, changed.n, &k, e), CTR_FORMAT, id);
}

/* n bytes of zero in base64, with quotes. */
static const char *zeros(size_t n)
{
	static const uint8_t none[128];
	static char text[256];
	ctr_auto_buf struct ctr_buf b = { 0 };

	ctr_base64_add(&b, none, n);
	snprintf(text, sizeof text, "\"%s\"", ctr_buf_str(&b));
	return text;
}

static void refuses_each_bad_request(void **s)
{
	static const char *const keys[] = { "evidence", "cert_pub_key", "kem_pub_key",
					    "signature" };

	(void)s;
	for (size_t i = 0; i < 4; i++) {
		request_with(keys[i], NULL, "json.missing");
		request_with(keys[i], "null", "json.type");
		request_with(keys[i], "17", "json.type");
		request_with(keys[i], "\"\"", "join.size");
		request_with(keys[i], "\"AAAA=\"", "base64");
		request_with(keys[i], "\"AA A\"", "base64");
	}
	request_with("more", "true", "json.unknown");
	request_with("cert_pub_key", zeros(90), "join.size");
	request_with("cert_pub_key", zeros(92), "join.size");
	request_with("cert_pub_key", zeros(121), "join.size");
	request_with("kem_pub_key", zeros(31), "join.size");
	request_with("kem_pub_key", zeros(33), "join.size");
	request_with("signature", zeros(7), "join.size");
	request_with("signature", zeros(105), "join.size");
}

static void refuses_text_of_another_kind(void **s)
{
	ctr_auto_join struct ctr_join j = { 0 };
	ctr_auto_buf struct ctr_buf big = { 0 };

	(void)s;
	T_FAILS(ctr_join_parse("request", "[]", 2, &j, e), CTR_FORMAT, "json.type");
	T_FAILS(ctr_join_parse("request", "{}x", 3, &j, e), CTR_FORMAT, "json.syntax");
	T_FAILS(ctr_join_parse("request", "", 0, &j, e), CTR_FORMAT, "json.syntax");
	T_FAILS(ctr_join_parse("request", "{\"evidence\":\"\",\"evidence\":\"\"}", 29, &j, e),
		CTR_FORMAT, "json.duplicate");
	for (size_t i = 0; i <= CTR_JOIN_MAX; i++)
		ctr_buf_addc(&big, ' ');
	T_FAILS(ctr_join_parse("request", big.p, big.n, &j, e), CTR_FORMAT, "join.size");
	T_FAILS(ctr_join_parse("request", big.p, big.n - 1, &j, e), CTR_FORMAT, "json.syntax");
	ctr_buf_add(&j.evidence, big.p, big.n);
	ctr_buf_reset(&big);
	T_FAILS(ctr_join_print(&j, &big, e), CTR_FORMAT, "join.size");
}

static void challenge_reads_back(void **s)
{
	char text[CTR_JOIN_HEADER_MAX], upper[CTR_JOIN_HEADER_MAX];
	uint8_t back[CTR_NONCE_SIZE];

	(void)s;
	ctr_join_challenge(nonce, text, sizeof text);
	T_STR(text, "contrast-attestation-v1 "
		    "nonce=\"AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"");
	T_OK(ctr_join_nonce(text, back, e));
	T_MEM(back, nonce, sizeof back);
	snprintf(upper, sizeof upper, "Contrast-Attestation-V1%s", text + 23);
	T_OK(ctr_join_nonce(upper, back, e));
	T_MEM(back, nonce, sizeof back);
}

static void refuses_each_other_header(void **s)
{
#define B64 "AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	static const char *const bad[] = {
		"",
		"Basic YTpi",
		"contrast-attestation-v1",
		"contrast-attestation-v1 nonce=" B64,
		"contrast-attestation-v1 nonce=\"\"",
		"contrast-attestation-v1 nonce=\"" B64 "\" ",
		" contrast-attestation-v1 nonce=\"" B64 "\"",
		"contrast-attestation-v1  nonce=\"" B64 "\"",
		"contrast-attestation-v1 Nonce=\"" B64 "\"",
		"contrast-attestation-v2 nonce=\"" B64 "\"",
		"contrast-attestation-v1 nonce='" B64 "'",
		"contrast-attestation-v1 nonce=\"" B64 "\", nonce=\"" B64 "\"",
		"contrast-attestation-v1 nonce=\"" B64 "\", Basic realm=\"x\"",
		/* 31 and 33 bytes, stray bits, another alphabet */
		"contrast-attestation-v1 nonce=\"AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\"",
		"contrast-attestation-v1 nonce=\"AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"",
		"contrast-attestation-v1 nonce=\"AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\"",
		"contrast-attestation-v1 nonce=\"AQID-_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"",
	};
	uint8_t back[CTR_NONCE_SIZE];

	(void)s;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		T_FAILS(ctr_join_nonce(bad[i], back, e), CTR_FORMAT, "join.authorization");
	T_FAILS(ctr_join_nonce(NULL, back, e), CTR_FORMAT, "join.authorization");
	assert_int_equal(back[0], 0);
}

static void answer(struct ctr_join_answer *a, bool secret)
{
	ctr_buf_adds(&a->cert_chain, "chain");
	ctr_buf_adds(&a->mesh_ca, "mesh");
	ctr_buf_adds(&a->root_ca, "root");
	for (int i = 0; secret && i < CTR_JOIN_SECRET_SIZE + CTR_HPKE_EXTRA; i++)
		ctr_buf_addc(&a->sealed, (char)i);
}

static void answer_reads_back(void **s)
{
	(void)s;
	for (int secret = 0; secret < 2; secret++) {
		ctr_auto_join_answer struct ctr_join_answer a = { 0 }, b = { 0 };
		ctr_auto_buf struct ctr_buf text = { 0 };

		answer(&a, secret);
		T_OK(ctr_join_answer_print(&a, &text, e));
		T_OK(ctr_join_answer_parse("answer", text.p, text.n, &b, e));
		T_STR(ctr_buf_str(&b.cert_chain), "chain");
		T_STR(ctr_buf_str(&b.mesh_ca), "mesh");
		T_STR(ctr_buf_str(&b.root_ca), "root");
		assert_int_equal(b.sealed.n, secret ? 112 : 0);
	}
}

typedef int (*parse_fn)(const char *p, size_t n, struct ctr_err *e);

static int parse_answer(const char *p, size_t n, struct ctr_err *e)
{
	ctr_auto_join_answer struct ctr_join_answer a = { 0 };

	return ctr_join_answer_parse("answer", p, n, &a, e);
}

static int parse_peer(const char *p, size_t n, struct ctr_err *e)
{
	ctr_auto_peer_answer struct ctr_peer_answer a = { 0 };

	return ctr_peer_answer_parse("answer", p, n, &a, e);
}

static int parse_state(const char *p, size_t n, struct ctr_err *e)
{
	ctr_auto_peer_state struct ctr_peer_state a = { 0 };
	ctr_auto_secret struct ctr_secret text = { 0 };

	if (ctr_secret_new(&text, n, e) < 0)
		return -1;
	memcpy(text.p, p, n);
	return ctr_peer_state_parse(&text, &a, e);
}

/* `good` with one member replaced or taken out. */
static void changed(parse_fn parse, const struct ctr_buf *good, const char *key, const char *text,
		    const char *id)
{
	ctr_auto_json struct ctr_json *obj = NULL, *other = NULL;
	ctr_auto_buf struct ctr_buf b = { 0 };

	T_OK(parse(good->p, good->n, e));
	T_OK(ctr_json_parse("answer", good->p, good->n, &obj, e));
	ctr_json_remove(obj, key);
	if (text) {
		T_OK(ctr_json_parse("member", text, strlen(text), &other, e));
		assert_non_null(ctr_json_set_copy(obj, key, other));
	}
	T_OK(ctr_json_print(obj, 0, &b, e));
	T_FAILS(parse(b.p, b.n, e), CTR_FORMAT, id);
}

static void refuses_each_bad_answer(void **s)
{
	static const char *const keys[] = { "cert_chain", "mesh_ca", "root_ca" };
	ctr_auto_join_answer struct ctr_join_answer a = { 0 };
	ctr_auto_buf struct ctr_buf good = { 0 }, big = { 0 };

	(void)s;
	answer(&a, true);
	T_OK(ctr_join_answer_print(&a, &good, e));
	for (size_t i = 0; i < 3; i++) {
		changed(parse_answer, &good, keys[i], NULL, "json.missing");
		changed(parse_answer, &good, keys[i], "\"\"", "join.size");
		changed(parse_answer, &good, keys[i], "\"A\"", "base64");
		changed(parse_answer, &good, keys[i], "[]", "json.type");
	}
	changed(parse_answer, &good, "version", "\"v2\"", "join.version");
	changed(parse_answer, &good, "version", NULL, "json.missing");
	changed(parse_answer, &good, "more", "1", "json.unknown");
	changed(parse_answer, &good, "sealed_secret", "null", "json.type");
	changed(parse_answer, &good, "sealed_secret", "\"\"", "join.size");
	changed(parse_answer, &good, "sealed_secret", zeros(111), "join.size");
	changed(parse_answer, &good, "sealed_secret", zeros(113), "join.size");
	for (size_t i = 0; i <= CTR_JOIN_MAX; i++)
		ctr_buf_addc(&big, ' ');
	T_FAILS(parse_answer(big.p, big.n, e), CTR_FORMAT, "join.size");
	T_FAILS(parse_answer("[]", 2, e), CTR_FORMAT, "json.type");
}

static void infos_differ_by_purpose_and_nonce(void **s)
{
	ctr_auto_buf struct ctr_buf a = { 0 }, b = { 0 };

	(void)s;
	ctr_join_info(nonce, &a);
	ctr_peer_info(nonce, &b);
	assert_int_equal(a.n, 23 + 32);
	T_MEM(a.p, "contrast mesh secret v1\1\2\3", 26);
	assert_int_equal(b.n, 24 + 32);
	T_MEM(b.p, "contrast mesh recover v1\1\2\3", 27);
}

static void state(struct ctr_peer_state *p)
{
	p->generation = 7;
	memset(p->transition, 1, sizeof p->transition);
	T_OK(ctr_secret_new(&p->seed, CTR_PEER_SEED, e));
	T_OK(ctr_secret_new(&p->salt, CTR_PEER_SALT, e));
	T_OK(ctr_secret_new(&p->mesh_key, 100, e));
	memset(p->seed.p, 2, p->seed.n);
	ctr_buf_adds(&p->intermediate, "intermediate");
	ctr_buf_adds(&p->mesh_ca, "mesh");
}

static void peer_state_reads_back(void **s)
{
	ctr_auto_peer_state struct ctr_peer_state a = { 0 }, b = { 0 };
	ctr_auto_buf struct ctr_buf text = { 0 };
	struct ctr_secret secret;

	(void)s;
	state(&a);
	T_OK(ctr_peer_state_print(&a, &text, e));
	assert_true(text.wipe);
	secret = (struct ctr_secret){ (uint8_t *)text.p, text.n };
	T_OK(ctr_peer_state_parse(&secret, &b, e));
	assert_true(b.generation == 7 && ctr_secret_same(&a.seed, &b.seed) &&
		    ctr_secret_same(&a.salt, &b.salt) && ctr_secret_same(&a.mesh_key, &b.mesh_key));
	T_MEM(a.transition, b.transition, sizeof a.transition);
	T_STR(ctr_buf_str(&b.intermediate), "intermediate");
	T_STR(ctr_buf_str(&b.mesh_ca), "mesh");
}

static void refuses_each_bad_peer_state(void **s)
{
	static const char *const keys[] = { "transition_hash", "seed",	       "salt",
					    "mesh_key",	       "intermediate", "mesh_ca" };
	ctr_auto_peer_state struct ctr_peer_state a = { 0 };
	ctr_auto_buf struct ctr_buf good = { 0 };

	(void)s;
	state(&a);
	T_OK(ctr_peer_state_print(&a, &good, e));
	for (size_t i = 0; i < 6; i++) {
		changed(parse_state, &good, keys[i], NULL, "json.missing");
		changed(parse_state, &good, keys[i], "\"\"", "peer.size");
		changed(parse_state, &good, keys[i], "\"A\"", "base64");
	}
	changed(parse_state, &good, "seed", zeros(63), "peer.size");
	changed(parse_state, &good, "salt", zeros(33), "peer.size");
	changed(parse_state, &good, "transition_hash", zeros(31), "peer.size");
	changed(parse_state, &good, "generation", NULL, "json.missing");
	changed(parse_state, &good, "generation", "-1", "json.range");
	changed(parse_state, &good, "more", "1", "json.unknown");
	T_FAILS(parse_state("[]", 2, e), CTR_FORMAT, "json.type");
	T_FAILS(parse_state("", 0, e), CTR_FORMAT, "json.syntax");
}

static void refuses_each_bad_peer_answer(void **s)
{
	ctr_auto_peer_answer struct ctr_peer_answer a = { 0 }, b = { 0 };
	ctr_auto_buf struct ctr_buf good = { 0 }, big = { 0 };

	(void)s;
	ctr_buf_adds(&a.sealed, "sealed");
	ctr_buf_adds(&a.evidence, "evidence");
	T_OK(ctr_peer_answer_print(&a, &good, e));
	changed(parse_peer, &good, "version", "\"v2\"", "peer.version");
	changed(parse_peer, &good, "sealed_state", "\"\"", "peer.size");
	changed(parse_peer, &good, "sealed_state", NULL, "json.missing");
	changed(parse_peer, &good, "evidence", NULL, "json.missing");
	changed(parse_peer, &good, "evidence", "\"A\"", "base64");
	changed(parse_peer, &good, "more", "1", "json.unknown");
	T_FAILS(parse_peer("[]", 2, e), CTR_FORMAT, "json.type");
	for (size_t i = 0; i <= CTR_PEER_MAX; i++)
		ctr_buf_addc(&big, ' ');
	T_FAILS(parse_peer(big.p, big.n, e), CTR_FORMAT, "peer.size");
	ctr_buf_add(&b.sealed, big.p, big.n);
	ctr_buf_adds(&b.evidence, "x");
	ctr_buf_reset(&big);
	T_FAILS(ctr_peer_answer_print(&b, &big, e), CTR_FORMAT, "peer.size");
}

static void peer_report_data_is_of_nonce_and_state(void **s)
{
	ctr_auto_peer_answer struct ctr_peer_answer a = { 0 };
	uint8_t one[64], two[64], late[CTR_NONCE_SIZE] = { 9 };

	(void)s;
	ctr_buf_adds(&a.sealed, "sealed");
	T_OK(ctr_peer_report_data(&a, nonce, one, e));
	T_OK(ctr_peer_report_data(&a, late, two, e));
	assert_memory_not_equal(one, two, 64);
	ctr_buf_addc(&a.sealed, '!');
	T_OK(ctr_peer_report_data(&a, nonce, two, e));
	assert_memory_not_equal(one, two, 64);
}

static void key_reads_back_from_its_pem(void **s)
{
	ctr_auto_buf struct ctr_buf text = { 0 }, one = { 0 }, two = { 0 };
	struct ctr_sign_key *a, *b;

	(void)s;
	T_OK(ctr_sign_key_new(&a, e));
	T_OK(ctr_sign_key_pem(a, &text, e));
	assert_true(text.wipe);
	T_OK(ctr_sign_key_read("key", &text, 32, &b, e));
	T_OK(ctr_sign_key_spki(a, &one, e));
	T_OK(ctr_sign_key_spki(b, &two, e));
	assert_int_equal(one.n, CTR_SPKI_P256);
	T_MEM(one.p, two.p, one.n);
	ctr_sign_key_free(a);
	ctr_sign_key_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_and_reads_back),
		cmocka_unit_test(report_data_is_of_keys_and_nonce),
		cmocka_unit_test(signature_covers_all_three),
		cmocka_unit_test(accepts_p384_too),
		cmocka_unit_test(refuses_other_keys),
		cmocka_unit_test(refuses_each_bad_request),
		cmocka_unit_test(refuses_text_of_another_kind),
		cmocka_unit_test(challenge_reads_back),
		cmocka_unit_test(refuses_each_other_header),
		cmocka_unit_test(answer_reads_back),
		cmocka_unit_test(refuses_each_bad_answer),
		cmocka_unit_test(infos_differ_by_purpose_and_nonce),
		cmocka_unit_test(peer_state_reads_back),
		cmocka_unit_test(refuses_each_bad_peer_state),
		cmocka_unit_test(refuses_each_bad_peer_answer),
		cmocka_unit_test(peer_report_data_is_of_nonce_and_state),
		cmocka_unit_test(key_reads_back_from_its_pem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
