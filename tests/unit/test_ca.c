/* The certificate authority: what the seed decides, mesh CAs and their files, the profiles and the
 * validity of certificates. */
#include <malloc.h>
#include <openssl/pem.h>
#include <pthread.h>

#include "tests/unit/cakit.h"
#include "x509_issue.h"

#define ID "apps/v1/Deployment/shop/web"

static void key_is(const X509 *c, const char *want)
{
	uint8_t h[CTR_SHA256_SIZE];

	T_OK(ctr_x509_spki(c, h, e));
	is_hex(h, sizeof h, want);
}

/* --- what the seed decides --- */

/* Fixed: a Coordinator of another version must come to the same. The figures were computed by a
 * program of its own (HMAC and the curve's formulas alone), the certificate's signature too. */
static void vectors(void **state)
{
	ctr_auto_x509 X509 *c = cert(ctr_root_pem(root), 0);
	ctr_auto_secret struct ctr_secret s = { 0 }, t = { 0 };
	ctr_auto_buf struct ctr_buf der = { 0 };
	const struct ctr_buf *pem = ctr_root_history_pem(root);
	BIO *bio = BIO_new_mem_buf(pem->p, (int)pem->n);
	EVP_PKEY *history = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	uint8_t h[CTR_SHA256_SIZE];

	(void)state;
	BIO_free(bio);
	key_is(c, "97e7ec2abe718571ba75de5f945318d45aaf19a53aa7d01cba98fbdd2c9895b5");
	spki_of(history, &der);
	EVP_PKEY_free(history);
	T_OK(ctr_hash(CTR_SHA256, der.p, der.n, h, e));
	is_hex(h, sizeof h, "72055c1cee9481640adcd66663df7d17a0153f6ac38f1ff45ebf2f2c726d145e");
	T_OK(ctr_root_workload_secret(root, ID, &s, e));
	is_hex(s.p, s.n,
	       "4b95bcd24d5595fac62df6b28dde365eddd35d389c2179321307bdc54e94805d"
	       "1d914b4f2019b8a108bf13ecda30e6419e2b109146873519570e2bab07e46546");
	T_OK(ctr_root_transit_key(root, ID, &t, e));
	is_hex(t.p, t.n, "10a5a56c0b765c88520d9aeb49c01c6d016b57b5667d22147121a3646151a8d8");
	ctr_buf_reset(&der);
	T_OK(ctr_x509_print(c, &der, e));
	T_OK(ctr_hash(CTR_SHA256, der.p, der.n, h, e));
	is_hex(h, sizeof h, "981cb39ad8f3615929d7742dc5f29c804709bc16bc7757d0f2f0c594a8c3337e");
}

static void same_seed_same_root(void **state)
{
	ctr_auto_root struct ctr_root *again = make_root(0), *other = make_root(1);
	ctr_auto_secret struct ctr_secret a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };

	(void)state;
	T_STR(ctr_root_pem(again)->p, ctr_root_pem(root)->p);
	assert_string_not_equal(ctr_root_pem(other)->p, ctr_root_pem(root)->p);
	T_OK(ctr_root_workload_secret(root, "a", &a, e));
	T_OK(ctr_root_workload_secret(again, "a", &b, e));
	T_OK(ctr_root_workload_secret(other, "a", &c, e));
	T_OK(ctr_root_workload_secret(root, "b", &d, e));
	assert_int_equal(a.n, CTR_WORKLOAD_SECRET_SIZE);
	assert_true(ctr_secret_same(&a, &b));
	assert_false(ctr_secret_same(&a, &c));
	assert_false(ctr_secret_same(&a, &d));
}

static void salt_counts(void **state)
{
	ctr_auto_secret struct ctr_secret seed = counted(CTR_SEED_SIZE, 0),
					  salt = counted(CTR_SALT_SIZE, 65);
	ctr_auto_root struct ctr_root *r = NULL;

	(void)state;
	T_OK(ctr_root_derive(&seed, &salt, &r, e));
	assert_string_not_equal(ctr_root_pem(r)->p, ctr_root_pem(root)->p);
}

static void seed_sizes(void **state)
{
	ctr_auto_secret struct ctr_secret seed = counted(CTR_SEED_SIZE, 0),
					  salt = counted(CTR_SALT_SIZE, 0);
	struct ctr_root *r;

	(void)state;
	seed.n--;
	T_FAILS(ctr_root_derive(&seed, &salt, &r, e), CTR_FORMAT, "ca.seed");
	assert_null(r);
	seed.n++;
	salt.n--;
	T_FAILS(ctr_root_derive(&seed, &salt, &r, e), CTR_FORMAT, "ca.seed");
	salt.n++;
}

static void secret_ids(void **state)
{
	ctr_auto_secret struct ctr_secret s = { 0 }, t = { 0 };
	char id[1026];

	(void)state;
	memset(id, 'x', sizeof id - 1);
	id[sizeof id - 1] = '\0';
	T_FAILS(ctr_root_workload_secret(root, "", &s, e), CTR_USAGE, "ca.secret-id");
	T_FAILS(ctr_root_transit_key(root, "", &s, e), CTR_USAGE, "ca.secret-id");
	T_FAILS(ctr_root_workload_secret(root, id, &s, e), CTR_USAGE, "ca.secret-id");
	assert_null(s.p);
	id[1024] = '\0';
	T_OK(ctr_root_workload_secret(root, id, &s, e));
	/* the kinds differ in more than their length */
	T_OK(ctr_root_transit_key(root, id, &t, e));
	assert_memory_not_equal(s.p, t.p, t.n);
}

static void signs_history(void **state)
{
	struct ctr_signer k = ctr_root_signer(root);
	ctr_auto_buf struct ctr_buf sig = { 0 };
	bool good;

	(void)state;
	T_OK(k.sign(k.ctx, "latest", 6, &sig, e));
	assert_true(sig.n <= CTR_LATEST_SIG_MAX);
	T_OK(k.verify(k.ctx, "latest", 6, sig.p, sig.n, &good, e));
	assert_true(good);
	T_OK(k.verify(k.ctx, "lasted", 6, sig.p, sig.n, &good, e));
	assert_false(good);
	sig.p[sig.n - 1] ^= 1;
	T_OK(k.verify(k.ctx, "latest", 6, sig.p, sig.n, &good, e));
	assert_false(good);
	T_OK(k.verify(k.ctx, "latest", 6, NULL, 0, &good, e));
	assert_false(good);
}

static void private_keys(void **state)
{
	ctr_auto_secret struct ctr_secret ca = { 0 }, history = { 0 };
	ctr_auto_x509 X509 *c = cert(ctr_root_pem(root), 0);
	EVP_PKEY *key;
	BIO *bio;

	(void)state;
	T_OK(ctr_root_ca_key(root, &ca, e));
	T_OK(ctr_root_history_key(root, &history, e));
	assert_false(ctr_secret_same(&ca, &history));
	bio = BIO_new_mem_buf(ca.p, (int)ca.n);
	key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	assert_int_equal(X509_check_private_key(c, key), 1);
	EVP_PKEY_free(key);
}

/* --- certificates --- */

static void is_ca(X509 *c, long pathlen)
{
	extension(c, NID_basic_constraints, true);
	extension(c, NID_key_usage, true);
	extension(c, NID_subject_key_identifier, false);
	extension(c, NID_authority_key_identifier, false);
	assert_true(ctr_x509_is_ca(c, true) && ctr_x509_sound(c));
	assert_int_equal(X509_get_key_usage(c), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
	assert_int_equal(X509_get_pathlen(c), pathlen);
	assert_int_equal(X509_get_version(c), X509_VERSION_3);
}

static void ca_profiles(void **state)
{
	ctr_auto_x509 X509 *r = cert(ctr_root_pem(root), 0),
			   *i = cert(ctr_mesh_intermediate(mesh), 0),
			   *m = cert(ctr_mesh_pem(mesh), 0);
	time_t from, until;

	(void)state;
	is_ca(r, 1);
	is_ca(i, 0);
	is_ca(m, 0);
	assert_true(ctr_x509_key_ec(r, NID_secp384r1));
	assert_true(ctr_x509_key_ec(i, NID_X9_62_prime256v1));
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(i), X509_get0_pubkey(m)), 1);
	assert_int_equal(X509_NAME_cmp(X509_get_subject_name(i), X509_get_subject_name(m)), 0);
	assert_int_equal(X509_get_signature_nid(r), NID_ecdsa_with_SHA384);
	assert_int_equal(X509_get_signature_nid(i), NID_ecdsa_with_SHA384);
	assert_int_equal(X509_get_signature_nid(m), NID_ecdsa_with_SHA256);
	assert_int_equal(X509_check_issued(r, i), X509_V_OK);
	assert_int_equal(X509_get_ext_by_NID(i, NID_name_constraints, -1), -1);
	assert_int_equal(
		ASN1_INTEGER_cmp(X509_get0_serialNumber(i), X509_get0_serialNumber(m)) == 0, 0);
	assert_true(ctr_x509_window(r, &from, &until));
	assert_true(from < NOW && until == CTR_CERT_FOREVER);
	assert_int_equal(X509_get0_notAfter(r)->type, V_ASN1_GENERALIZEDTIME);
	ctr_mesh_window(mesh, &from, &until);
	assert_int_equal(from, NOW - CTR_ISSUE_SKEW);
	assert_int_equal(until, NOW + (time_t)CTR_MESH_DAYS * DAY);
}

static void leaf_profile(void **state)
{
	struct ctr_issue i = usual();
	ctr_auto_x509 X509 *c = issue(mesh, &i), *by = cert(ctr_mesh_pem(mesh), 0);
	time_t from, until;

	(void)state;
	extension(c, NID_basic_constraints, true);
	extension(c, NID_key_usage, true);
	extension(c, NID_ext_key_usage, false);
	extension(c, NID_subject_alt_name, false);
	extension(c, NID_subject_key_identifier, false);
	extension(c, NID_authority_key_identifier, false);
	assert_true(ctr_x509_is_leaf(c) && ctr_x509_sound(c));
	assert_int_equal(X509_get_key_usage(c), KU_DIGITAL_SIGNATURE);
	assert_int_equal(X509_get_extended_key_usage(c), XKU_SSL_SERVER | XKU_SSL_CLIENT);
	cn_is(c, "web.shop.svc");
	assert_int_equal(X509_check_issued(by, c), X509_V_OK);
	assert_int_equal(X509_verify(c, X509_get0_pubkey(by)), 1);
	assert_true(ctr_x509_window(c, &from, &until));
	assert_int_equal(from, NOW - CTR_ISSUE_SKEW);
	assert_int_equal(until, NOW + 30 * DAY);
	assert_int_equal(X509_check_host(c, "web.shop.svc", 0, 0, NULL), 1);
	assert_int_equal(X509_check_ip_asc(c, "10.0.0.7", 0), 1);
	assert_int_equal(X509_check_ip_asc(c, "fd00::7", 0), 1);
	assert_int_equal(X509_check_ip_asc(c, "10.0.0.8", 0), 0);
}

static void validity(void **state)
{
	struct ctr_mesh_opts o = { .now = NOW, .days = 10 };
	ctr_auto_mesh struct ctr_mesh *m = make_mesh(&o), *none = NULL;
	struct ctr_issue i = usual();
	ctr_auto_x509 X509 *c = issue(m, &i), *first = NULL;
	time_t from, until, ca_from, ca_until;

	(void)state;
	ctr_mesh_window(m, &ca_from, &ca_until);
	assert_int_equal(ca_until, NOW + 10 * DAY);
	assert_true(ctr_x509_window(c, &from, &until));
	assert_int_equal(until, ca_until);
	/* not before the CA itself */
	i.now = ca_from + 1;
	i.seconds = 60;
	first = issue(m, &i);
	assert_true(ctr_x509_window(first, &from, &until));
	assert_int_equal(from, ca_from);
	assert_int_equal(until, ca_from + 61);
	i.now = ca_from - 1;
	refused(m, &i, CTR_USAGE, "ca.validity");
	i.now = ca_until + 1;
	refused(m, &i, CTR_USAGE, "ca.validity");
	i.now = NOW;
	i.seconds = 0;
	refused(m, &i, CTR_USAGE, "ca.validity");
	i.seconds = UINT64_MAX;
	X509_free(first);
	first = issue(m, &i);
	o.now = 1000;
	T_FAILS(ctr_mesh_new(root, &o, &none, e), CTR_USAGE, "ca.validity");
	o.now = CTR_CERT_FOREVER + 1;
	T_FAILS(ctr_mesh_new(root, &o, &none, e), CTR_USAGE, "ca.validity");
	o.now = NOW;
	o.days = UINT32_MAX;
	T_OK(ctr_mesh_new(root, &o, &none, e));
	ctr_mesh_window(none, &from, &until);
	assert_int_equal(until, CTR_CERT_FOREVER);
}

static void serials(void **state)
{
	struct ctr_issue i = usual();
	X509 *c[16];

	(void)state;
	for (int k = 0; k < 16; k++) {
		const ASN1_INTEGER *s;

		c[k] = issue(mesh, &i);
		s = X509_get0_serialNumber(c[k]);
		assert_int_equal(s->type, V_ASN1_INTEGER); /* not negative */
		assert_int_equal(s->length, CTR_SERIAL_SIZE);
		assert_true(s->data[0] < 0x80);
		for (int n = 0; n < k; n++)
			assert_true(ASN1_INTEGER_cmp(s, X509_get0_serialNumber(c[n])) != 0);
	}
	for (int k = 0; k < 16; k++)
		X509_free(c[k]);
}

/* --- mesh CAs from their files --- */

static void loads(void **state)
{
	ctr_auto_secret struct ctr_secret key = { 0 }, again = { 0 };
	ctr_auto_mesh struct ctr_mesh *m = NULL;
	struct ctr_issue i = usual();
	ctr_auto_x509 X509 *c = NULL;

	(void)state;
	T_OK(ctr_mesh_key(mesh, &key, e));
	T_OK(ctr_mesh_load(&key, ctr_mesh_intermediate(mesh), ctr_mesh_pem(mesh),
			   ctr_root_pem(root), &m, e));
	T_STR(ctr_mesh_pem(m)->p, ctr_mesh_pem(mesh)->p);
	T_STR(ctr_mesh_intermediate(m)->p, ctr_mesh_intermediate(mesh)->p);
	T_OK(ctr_mesh_key(m, &again, e));
	assert_true(ctr_secret_same(&key, &again));
	c = issue(m, &i);
}

static void loads_no_strangers(void **state)
{
	struct ctr_mesh_opts o = { .now = NOW };
	ctr_auto_root struct ctr_root *other_root = make_root(9);
	ctr_auto_mesh struct ctr_mesh *other = make_mesh(&o), *m = NULL;
	ctr_auto_secret struct ctr_secret key = { 0 }, wrong = { 0 }, p384 = { 0 };
	ctr_auto_buf struct ctr_buf two = { 0 };
	const struct ctr_buf *in = ctr_mesh_intermediate(mesh), *self = ctr_mesh_pem(mesh),
			     *r = ctr_root_pem(root);

	(void)state;
	T_OK(ctr_mesh_key(mesh, &key, e));
	T_OK(ctr_mesh_key(other, &wrong, e));
	T_OK(ctr_root_ca_key(root, &p384, e));
	T_FAILS(ctr_mesh_load(&wrong, in, self, r, &m, e), CTR_NO, "ca.mesh");
	assert_null(m);
	T_FAILS(ctr_mesh_load(&key, ctr_mesh_intermediate(other), self, r, &m, e), CTR_NO,
		"ca.mesh");
	T_FAILS(ctr_mesh_load(&key, in, ctr_mesh_pem(other), r, &m, e), CTR_NO, "ca.mesh");
	T_FAILS(ctr_mesh_load(&key, in, self, ctr_root_pem(other_root), &m, e), CTR_NO, "ca.mesh");
	T_FAILS(ctr_mesh_load(&key, self, self, r, &m, e), CTR_NO, "ca.mesh");
	T_FAILS(ctr_mesh_load(&key, in, in, r, &m, e), CTR_NO, "ca.mesh");
	T_FAILS(ctr_mesh_load(&key, in, self, self, &m, e), CTR_NO, "ca.mesh");
	T_FAILS(ctr_mesh_load(&p384, in, self, r, &m, e), CTR_FORMAT, "ca.mesh");
	T_FAILS(ctr_mesh_load(&key, &two, self, r, &m, e), CTR_FORMAT, "ca.mesh");
	ctr_buf_add(&two, r->p, r->n);
	ctr_buf_add(&two, r->p, r->n);
	T_FAILS(ctr_mesh_load(&key, in, self, &two, &m, e), CTR_FORMAT, "ca.mesh");
	key.n -= 40;
	T_FAILS(ctr_mesh_load(&key, in, self, r, &m, e), CTR_FORMAT, "ca.mesh");
	key.n += 40;
}

/* An issuer must be a CA, and have the key. */
static void issuers(void **state)
{
	struct ctr_issue i = usual();
	ctr_auto_x509 X509 *leaf = issue(mesh, &i), *m = cert(ctr_mesh_pem(mesh), 0);
	ctr_auto_buf struct ctr_buf der = { 0 };
	struct ctr_sign_key *key;
	struct ctr_issuer *is;

	(void)state;
	T_OK(ctr_sign_key_new(&key, e));
	T_OK(ctr_x509_print(m, &der, e));
	T_FAILS(ctr_issuer_new(key, der.p, der.n, &is, e), CTR_FORMAT, "x509.issuer");
	ctr_buf_reset(&der);
	T_OK(ctr_x509_print(leaf, &der, e));
	T_FAILS(ctr_issuer_new(key, der.p, der.n, &is, e), CTR_FORMAT, "x509.issuer");
	T_FAILS(ctr_issuer_new(key, der.p, 5, &is, e), CTR_FORMAT, "x509.der");
	assert_null(is);
	ctr_sign_key_free(key);
}

/* --- use --- */

static void issue_n(int n)
{
	struct ctr_issue i = usual();
	ctr_auto_buf struct ctr_buf chain = { 0 };

	for (int k = 0; k < n; k++) {
		ctr_buf_reset(&chain);
		T_OK(ctr_mesh_issue(mesh, &i, &chain, e));
	}
}

static void lesson_no_memory_for_each_certificate(void **state)
{
	size_t before;

	(void)state;
	issue_n(500);
	before = mallinfo2().uordblks;
	issue_n(10000);
	/* under a sanitizer both are 0: its own leak check then speaks */
	assert_true(mallinfo2().uordblks <= before + 16384);
}

static void *in_thread(void *arg)
{
	struct ctr_issue i = usual();
	ctr_auto_buf struct ctr_buf chain = { 0 };
	ctr_auto_secret struct ctr_secret s = { 0 };
	struct ctr_err e = { 0 };

	for (int k = 0; k < 50; k++) {
		ctr_buf_reset(&chain);
		ctr_secret_free(&s);
		if (ctr_mesh_issue(mesh, &i, &chain, &e) < 0 ||
		    ctr_root_workload_secret(root, ID, &s, &e) < 0)
			*(bool *)arg = true;
	}
	return NULL;
}

static void threads_share(void **state)
{
	pthread_t t[4];
	bool bad[4] = { false };

	(void)state;
	for (int k = 0; k < 4; k++)
		assert_int_equal(pthread_create(&t[k], NULL, in_thread, &bad[k]), 0);
	for (int k = 0; k < 4; k++) {
		pthread_join(t[k], NULL);
		assert_false(bad[k]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(same_seed_same_root),
		cmocka_unit_test(salt_counts),
		cmocka_unit_test(seed_sizes),
		cmocka_unit_test(secret_ids),
		cmocka_unit_test(signs_history),
		cmocka_unit_test(private_keys),
		cmocka_unit_test(ca_profiles),
		cmocka_unit_test(leaf_profile),
		cmocka_unit_test(validity),
		cmocka_unit_test(serials),
		cmocka_unit_test(loads),
		cmocka_unit_test(loads_no_strangers),
		cmocka_unit_test(issuers),
		{ "lesson: issuing keeps no memory for each certificate",
		  lesson_no_memory_for_each_certificate, NULL, NULL, NULL },
		cmocka_unit_test(threads_share),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
