/* What mesh certificates carry: names and their constraints, keys, claims. */
#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include "ca_claim.h"
#include "tests/unit/cakit.h"
#include "x509_names.h"

static void sans_are(const X509 *c, const char *const *want, size_t n)
{
	GENERAL_NAMES *g = X509_get_ext_d2i(c, NID_subject_alt_name, NULL, NULL);

	assert_int_equal(sk_GENERAL_NAME_num(g), n);
	for (size_t i = 0; i < n; i++) {
		ctr_auto_buf struct ctr_buf b = { 0 };

		assert_true(ctr_x509_name_text(sk_GENERAL_NAME_value(g, (int)i), &b));
		T_STR(ctr_buf_str(&b), want[i]);
	}
	GENERAL_NAMES_free(g);
}

/* Who the certificate is for is what the manifest says, and nothing else. */
static void lesson_names_of_the_manifest_alone(void **state)
{
	struct ctr_issue i = usual();
	ctr_auto_x509 X509 *c = issue(mesh, &i), *d = NULL, *n = NULL, *l = NULL;
	static const char *const ips[] = { "10.0.0.7", "*" };
	char label[80];
	const char *const lng[] = { label };

	(void)state;
	sans_are(c, names, 5);
	/* without a common name the names are critical */
	i.sans = ips;
	i.n_sans = 2;
	d = issue(mesh, &i);
	cn_is(d, "");
	extension(d, NID_subject_alt_name, true);
	assert_int_equal(X509_NAME_entry_count(X509_get_subject_name(d)), 0);
	sans_are(d, ips, 2);
	i.n_sans = 0;
	n = issue(mesh, &i);
	cn_is(n, "mesh certificate");
	assert_int_equal(X509_get_ext_by_NID(n, NID_subject_alt_name, -1), -1);
	snprintf(label, sizeof label, "%060d.%s", 0, "svc.a");
	i.sans = lng;
	i.n_sans = 1;
	l = issue(mesh, &i);
	cn_is(l, "");
}

static void leaf_keys(void **state)
{
	EVP_PKEY *rsa = EVP_RSA_gen(2048), *weak = EVP_RSA_gen(1024), *p384 = EVP_EC_gen("P-384"),
		 *p521 = EVP_EC_gen("P-521"), *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
		 *p256 = EVP_EC_gen("P-256");
	struct ctr_issue i = usual();
	ctr_auto_buf struct ctr_buf b = { 0 };
	ctr_auto_x509 X509 *c = NULL, *d = NULL;

	(void)state;
	spki_of(rsa, &b);
	i.spki = (struct ctr_bytes){ b.p, b.n };
	c = issue(mesh, &i);
	assert_int_equal(X509_get_key_usage(c), KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
	i.spki.n--;
	refused(mesh, &i, CTR_FORMAT, "ca.key");
	spki_of(p384, &b);
	i.spki = (struct ctr_bytes){ b.p, b.n };
	d = issue(mesh, &i);
	assert_int_equal(X509_get_key_usage(d), KU_DIGITAL_SIGNATURE);
	ctr_buf_addc(&b, 0); /* something behind it */
	i.spki = (struct ctr_bytes){ b.p, b.n };
	refused(mesh, &i, CTR_FORMAT, "ca.key");
	spki_of(p521, &b);
	i.spki = (struct ctr_bytes){ b.p, b.n };
	refused(mesh, &i, CTR_FORMAT, "ca.key");
	spki_of(weak, &b);
	i.spki = (struct ctr_bytes){ b.p, b.n };
	refused(mesh, &i, CTR_FORMAT, "ca.key");
	spki_of(ed, &b);
	i.spki = (struct ctr_bytes){ b.p, b.n };
	refused(mesh, &i, CTR_FORMAT, "ca.key");
	EVP_PKEY_set_utf8_string_param(p256, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
				       "compressed");
	spki_of(p256, &b);
	i.spki = (struct ctr_bytes){ b.p, b.n };
	refused(mesh, &i, CTR_FORMAT, "ca.key");
	spki_of(p384, &b);
	b.p[b.n - 1] ^= 1; /* no point of the curve */
	i.spki = (struct ctr_bytes){ b.p, b.n };
	refused(mesh, &i, CTR_FORMAT, "ca.key");
	i.spki = (struct ctr_bytes){ NULL, 0 };
	refused(mesh, &i, CTR_FORMAT, "ca.key");
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(weak);
	EVP_PKEY_free(p384);
	EVP_PKEY_free(p521);
	EVP_PKEY_free(ed);
	EVP_PKEY_free(p256);
}

static void bad_names(void **state)
{
	static const char *const bad[] = {
		"a_b", "web..svc",    "10.0.0.300",	     "web.",   "",
		"a b", "sp iffe://x", "caf\xc3\xa9.example", "*.*.svc"
	};
	char(*big)[1000] = calloc(64, sizeof *big);
	const char *many[64];
	struct ctr_issue i = usual();

	(void)state;
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
		i.sans = &bad[k];
		i.n_sans = 1;
		refused(mesh, &i, CTR_FORMAT, "ca.san");
	}
	for (int k = 0; k < 64; k++) {
		snprintf(big[k], sizeof *big, "https://a/%0900d", k);
		many[k] = big[k];
	}
	i.sans = many;
	i.n_sans = 64;
	refused(mesh, &i, CTR_FORMAT, "ca.san");
	free(big);
}

/* --- claims --- */

static void claims(void **state)
{
	struct ctr_issue i = usual();
	ctr_auto_x509 X509 *c = issue(mesh, &i), *none = NULL;
	ctr_auto_buf struct ctr_buf der = { 0 };
	uint8_t h[CTR_SHA256_SIZE];
	struct ctr_rd r;

	(void)state;
	assert_int_equal(ctr_x509_ext(c, CTR_CLAIM_ARC ".1", &r), 1);
	is_hex(r.p, r.left, "0c075345562d534e50");
	T_OK(ctr_x509_print(c, &der, e));
	T_OK(ctr_mesh_policy(der.p, der.n, h, e));
	T_MEM(h, digest, sizeof h);
	T_FAILS(ctr_mesh_policy(der.p, der.n - 1, h, e), CTR_FORMAT, "x509.der");
	i.n_claims = 1;
	none = issue(mesh, &i);
	ctr_buf_reset(&der);
	T_OK(ctr_x509_print(none, &der, e));
	T_FAILS(ctr_mesh_policy(der.p, der.n, h, e), CTR_FORMAT, "ca.claim");
}

static void bad_claims(void **state)
{
	static const struct ctr_claim bad[] = {
		{ "nonsense", { "a", 1 } },	   { "tee", { "", 0 } },
		{ "tee", { "a\xff", 2 } },	   { "tee", { "a\0b", 3 } },
		{ "policy_hash", { digest, 31 } }, { "measurement", { digest, 32 } },
		{ "tcb", { digest, 7 } },	   { "tcb", { digest, 17 } },
		{ "transition", { digest, 0 } },
	};
	struct ctr_claim twice[] = { some[0], some[1], some[0] };
	struct ctr_claim many[33];
	struct ctr_issue i = usual();

	(void)state;
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
		i.claims = &bad[k];
		i.n_claims = 1;
		refused(mesh, &i, CTR_FORMAT, "ca.claim");
	}
	i.claims = twice;
	i.n_claims = 3;
	refused(mesh, &i, CTR_FORMAT, "ca.claim");
	for (int k = 0; k < 33; k++)
		many[k] = some[0];
	i.claims = many;
	i.n_claims = 33;
	refused(mesh, &i, CTR_FORMAT, "ca.claim");
}

/* All of the table at once; each number is one of its own and small. */
static void every_claim(void **state)
{
	static const uint8_t zeros[64];
	struct ctr_claim all[32];
	struct ctr_issue i = usual();
	ctr_auto_x509 X509 *c = NULL;
	size_t n = 0;

	(void)state;
	for (const struct ctr_claim_kind *k = ctr_claim_kinds; k->name; k++) {
		all[n++] = (struct ctr_claim){
			k->name, { k->text ? (const void *)"text" : zeros, k->text ? 4 : k->max }
		};
		assert_true(k->number > 0 && k->number < 128);
		assert_ptr_equal(ctr_claim_find(k->name), k);
		for (const struct ctr_claim_kind *o = ctr_claim_kinds; o != k; o++)
			assert_true(o->number != k->number);
	}
	i.claims = all;
	i.n_claims = n;
	c = issue(mesh, &i);
	assert_true(ctr_x509_sound(c));
}

/* --- name constraints --- */

static void constraints_are(const X509 *c, const char *const *want, size_t n, bool excluded)
{
	NAME_CONSTRAINTS *nc = X509_get_ext_d2i(c, NID_name_constraints, NULL, NULL);
	STACK_OF(GENERAL_SUBTREE) * t;

	assert_non_null(nc);
	t = excluded ? nc->excludedSubtrees : nc->permittedSubtrees;
	assert_int_equal(t ? sk_GENERAL_SUBTREE_num(t) : 0, n);
	for (size_t i = 0; i < n; i++) {
		ctr_auto_buf struct ctr_buf b = { 0 };

		assert_true(ctr_x509_name_text(sk_GENERAL_SUBTREE_value(t, (int)i)->base, &b));
		T_STR(ctr_buf_str(&b), want[i]);
	}
	NAME_CONSTRAINTS_free(nc);
}

static void permitted_names(void **state)
{
	static const char *const permit[] = { "shop.svc", "10.1.0.0/16", "192.0.2.7" };
	static const char *const in[] = { "shop.svc", "shop.svc", ".shop.svc", "10.1.0.0/16",
					  "192.0.2.7/32" };
	static const char *const out[] = { "::/0" };
	static const char *const good[] = {
		"web.shop.svc", "*.shop.svc",	       "10.1.2.3",
		"192.0.2.7",	"spiffe://shop.svc/a", "https://a.shop.svc/"
	};
	static const char *const bad[] = { "shop.example",     "xshop.svc",   "*",
					   "10.2.0.1",	       "192.0.2.8",   "fd00::1",
					   "spiffe://other/a", "urn:shop.svc" };
	struct ctr_mesh_opts o = { .now = NOW, .permitted = permit, .n_permitted = 3 };
	ctr_auto_mesh struct ctr_mesh *m = make_mesh(&o);
	ctr_auto_x509 X509 *i = cert(ctr_mesh_intermediate(m), 0), *s = cert(ctr_mesh_pem(m), 0),
			   *leaf = NULL;
	struct ctr_issue is = usual();

	(void)state;
	extension(i, NID_name_constraints, true);
	extension(s, NID_name_constraints, true);
	constraints_are(i, in, 5, false);
	constraints_are(i, out, 1, true);
	is.sans = good;
	is.n_sans = 6;
	leaf = issue(m, &is);
	is.n_sans = 1;
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
		is.sans = &bad[k];
		refused(m, &is, CTR_FORMAT, "ca.san");
	}
}

/* Where addresses alone are permitted there are no other names. */
static void permitted_addresses(void **state)
{
	static const char *const permit[] = { "fd00::/8" };
	static const char *const good[] = { "fd00::1" };
	static const char *const bad[] = { "a.b", "10.0.0.1", "fe80::1", "https://a/",
					   "https://x" };
	struct ctr_mesh_opts o = { .now = NOW, .permitted = permit, .n_permitted = 1 };
	ctr_auto_mesh struct ctr_mesh *m = make_mesh(&o);
	ctr_auto_x509 X509 *leaf = NULL;
	struct ctr_issue i = usual();

	(void)state;
	i.sans = good;
	i.n_sans = 1;
	leaf = issue(m, &i);
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
		i.sans = &bad[k];
		refused(m, &i, CTR_FORMAT, "ca.san");
	}
}

static void bad_constraints(void **state)
{
	static const char *const bad[] = {
		"*",	       "*.svc",		"",
		".svc",	       "https://a/",	"10.0.0.1/8",
		"10.0.0.0/33", "10.0.0.0/",	"10.0.0.0/-1",
		"10.0.0.0/ 8", "10.0.0.0/0008", "fd00::/129",
		"10.0.0/8",    "a/8",		"10.0.0.0/8x",
	};
	struct ctr_mesh_opts o = { .now = NOW, .n_permitted = 1 };
	struct ctr_mesh *m;

	(void)state;
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
		o.permitted = &bad[k];
		T_FAILS(ctr_mesh_new(root, &o, &m, e), CTR_USAGE, "ca.permit");
		assert_null(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "lesson: names come from the manifest alone", lesson_names_of_the_manifest_alone,
		  NULL, NULL, NULL },
		cmocka_unit_test(leaf_keys),
		cmocka_unit_test(bad_names),
		cmocka_unit_test(claims),
		cmocka_unit_test(bad_claims),
		cmocka_unit_test(every_claim),
		cmocka_unit_test(permitted_names),
		cmocka_unit_test(permitted_addresses),
		cmocka_unit_test(bad_constraints),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
