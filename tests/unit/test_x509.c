/* needs: tests/sim/lib/pki.c */
#include "x509.h"

#include <openssl/rsa.h>

#include "snp_verify.h"
#include "t.h"
#include "tdx_chain.h"
#include "tests/sim/lib/pki.h"
#include "trust.h"

static const char *const base[] = { "O", "Test", NULL };
static EVP_PKEY *rsa, *ec;
static struct pki_ca ca;

/* A CA on an EC key: the signatures that need RSA are made by hand below. */
static int make_keys(void **state)
{
	const struct pki_cert c = { .base = base,
				    .cn = "CA",
				    .from = 1000,
				    .until = 2000000000,
				    .ca = true,
				    .key_ids = true,
				    .pathlen = -1,
				    .usage = "critical,keyCertSign,cRLSign" };

	(void)state;
	rsa = EVP_RSA_gen(2048);
	ec = EVP_EC_gen("P-256");
	ca = (struct pki_ca){ .key = ec, .alg = PKI_ECDSA_SHA256 };
	ca.cert = pki_new(&c, ec, &ca);
	pki_sign(ca.cert, &ca);
	return rsa && ec ? 0 : -1;
}

static int free_keys(void **state)
{
	(void)state;
	X509_free(ca.cert);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
	return 0;
}

static X509 *leaf(const char *usage)
{
	const struct pki_cert c = { .base = base,
				    .cn = "Leaf",
				    .serial = "07",
				    .from = 1000,
				    .until = 2000,
				    .usage = usage };
	X509 *x = pki_new(&c, ec, &ca);

	pki_sign(x, &ca);
	return x;
}

static void der(void **state)
{
	ctr_auto_x509 X509 *x = leaf(NULL), *again = NULL;
	ctr_auto_buf struct ctr_buf b = { 0 };
	static char big[CTR_CERT_MAX + 1] = { 0x30 };

	(void)state;
	T_OK(ctr_x509_print(x, &b, e));
	T_OK(ctr_x509_der(b.p, b.n, "x", &again, e));
	assert_int_equal(X509_cmp(x, again), 0);
	X509_free(again);
	ctr_buf_addc(&b, 0);
	T_FAILS(ctr_x509_der(b.p, b.n, "x", &again, e), CTR_FORMAT, "x509.der");
	assert_null(again);
	T_FAILS(ctr_x509_der(b.p, b.n - 2, "x", &again, e), CTR_FORMAT, "x509.der");
	T_FAILS(ctr_x509_der(b.p, 0, "x", &again, e), CTR_FORMAT, "x509.der");
	T_FAILS(ctr_x509_der(big, sizeof big, "x", &again, e), CTR_FORMAT, "x509.der");
}

/* Appends n certificates. */
static void pem(struct ctr_buf *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		pki_pem(ca.cert, b);
}

static void is_chain(const struct ctr_buf *b, size_t n)
{
	ctr_auto_chain struct ctr_chain c = { 0 };

	T_OK(ctr_x509_pem(b->p, b->n, "c", &c, e));
	assert_int_equal(c.n, n);
}

static void is_none(const struct ctr_buf *b)
{
	struct ctr_chain c;

	T_FAILS(ctr_x509_pem(b->p, b->n, "c", &c, e), CTR_FORMAT, "x509.pem");
	assert_int_equal(c.n, 0);
}

static void pem_texts(void **state)
{
	static const char key[] =
		"-----BEGIN EC PRIVATE KEY-----\nMDkC\n-----END EC PRIVATE KEY-----\n";
	ctr_auto_buf struct ctr_buf b = { 0 };

	(void)state;
	is_none(&b);
	pem(&b, 3);
	is_chain(&b, 3);
	ctr_buf_addc(&b, 0); /* Intel's quoting library leaves its end in the quote */
	is_chain(&b, 3);
	ctr_buf_addc(&b, 0);
	is_none(&b);
	/* text around is ignored (RFC 7468) */
	ctr_buf_reset(&b);
	ctr_buf_adds(&b, "subject: one\n");
	pem(&b, 1);
	ctr_buf_adds(&b, "and -----BEGINNING of another\n");
	pem(&b, 1);
	ctr_buf_adds(&b, "the end\n");
	is_chain(&b, 2);
	/* other blocks are not certificates, wherever they stand */
	ctr_buf_adds(&b, key);
	is_none(&b);
	ctr_buf_reset(&b);
	ctr_buf_adds(&b, key);
	pem(&b, 1);
	is_none(&b);
	ctr_buf_reset(&b);
	ctr_buf_adds(&b, "no certificate at all");
	is_none(&b);
	/* as many as there may be, and one more */
	ctr_buf_reset(&b);
	pem(&b, CTR_CHAIN_MAX);
	is_chain(&b, CTR_CHAIN_MAX);
	pem(&b, 1);
	is_none(&b);
	/* one that is cut */
	ctr_buf_reset(&b);
	pem(&b, 2);
	b.n -= 40;
	is_none(&b);
	/* a NUL within */
	ctr_buf_reset(&b);
	pem(&b, 1);
	ctr_buf_addc(&b, 0);
	pem(&b, 1);
	is_none(&b);
}

static void common_names(void **state)
{
	ctr_auto_x509 X509 *x = leaf(NULL);
	X509_NAME *name = X509_NAME_dup(X509_get_subject_name(x));
	char cn[8];

	(void)state;
	assert_true(ctr_x509_cn(x, false, cn, sizeof cn));
	T_STR(cn, "Leaf");
	assert_true(ctr_x509_cn(x, true, cn, sizeof cn));
	T_STR(cn, "CA");
	assert_false(ctr_x509_cn(x, false, cn, 4)); /* not cut: "Lea" is another name */
	T_STR(cn, "");
	/* two of them: which one is it? */
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
						    (const unsigned char *)"Two", -1, -1, 0),
			 1);
	assert_int_equal(X509_set_subject_name(x, name), 1);
	assert_false(ctr_x509_cn(x, false, cn, sizeof cn));
	X509_NAME_free(name);
	/* none; one with a NUL; one of another kind of string */
	name = X509_NAME_new();
	assert_int_equal(X509_set_subject_name(x, name), 1);
	assert_false(ctr_x509_cn(x, false, cn, sizeof cn));
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)"A\0B", 3, -1,
				   0);
	X509_set_subject_name(x, name);
	assert_false(ctr_x509_cn(x, false, cn, sizeof cn));
	X509_NAME_free(name);
	name = X509_NAME_new();
	X509_NAME_add_entry_by_txt(name, "CN", V_ASN1_BMPSTRING, (const unsigned char *)"\0A", 2,
				   -1, 0);
	X509_set_subject_name(x, name);
	assert_false(ctr_x509_cn(x, false, cn, sizeof cn));
	X509_NAME_free(name);
}

/* Signed by RSA as the parameters say. */
static X509 *rsa_signed(const EVP_MD *md, const EVP_MD *mgf, int padding, int salt)
{
	const struct pki_cert c = { .base = base,
				    .cn = "CA",
				    .from = 1000,
				    .until = 2000000000,
				    .ca = true,
				    .pathlen = -1,
				    .usage = "critical,keyCertSign" };
	struct pki_ca self = { .key = rsa };
	X509 *x = pki_new(&c, rsa, &self);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *k;

	assert_int_equal(EVP_DigestSignInit(ctx, &k, md, NULL, rsa), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(k, padding), 1);
	if (padding == RSA_PKCS1_PSS_PADDING) {
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(k, salt), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(k, mgf), 1);
	}
	assert_true(X509_sign_ctx(x, ctx) > 0);
	EVP_MD_CTX_free(ctx);
	return x;
}

static void signatures(void **state)
{
	const struct {
		const EVP_MD *md, *mgf;
		int padding, salt;
		bool good;
	} rows[] = {
		{ EVP_sha384(), EVP_sha384(), RSA_PKCS1_PSS_PADDING, 48, true },
		{ EVP_sha384(), NULL, RSA_PKCS1_PADDING, 0, false },
		{ EVP_sha256(), NULL, RSA_PKCS1_PADDING, 0, false },
		{ EVP_sha256(), EVP_sha256(), RSA_PKCS1_PSS_PADDING, 32, false },
		{ EVP_sha256(), EVP_sha384(), RSA_PKCS1_PSS_PADDING, 48, false },
		{ EVP_sha384(), EVP_sha256(), RSA_PKCS1_PSS_PADDING, 48, false },
		{ EVP_sha384(), EVP_sha384(), RSA_PKCS1_PSS_PADDING, 32, false },
		{ EVP_sha384(), EVP_sha384(), RSA_PKCS1_PSS_PADDING, 49, false },
		{ EVP_sha512(), EVP_sha512(), RSA_PKCS1_PSS_PADDING, 48, false },
		{ EVP_sha1(), EVP_sha1(), RSA_PKCS1_PSS_PADDING, 20, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		ctr_auto_x509 X509 *x =
			rsa_signed(rows[i].md, rows[i].mgf, rows[i].padding, rows[i].salt);

		assert_int_equal(X509_verify(x, rsa),
				 1); /* the signature itself is good, each time */
		if (ctr_x509_signed(x, x, CTR_SIG_PSS_SHA384) != rows[i].good)
			fail_msg("row %zu", i);
		assert_false(ctr_x509_signed(x, x, CTR_SIG_ECDSA_SHA256));
		assert_false(ctr_x509_signed(x, ca.cert, CTR_SIG_PSS_SHA384));
	}
	assert_true(ctr_x509_signed(ca.cert, ca.cert, CTR_SIG_ECDSA_SHA256));
	assert_false(ctr_x509_signed(ca.cert, ca.cert, CTR_SIG_PSS_SHA384));
}

static void keys(void **state)
{
	ctr_auto_x509 X509 *x = rsa_signed(EVP_sha384(), EVP_sha384(), RSA_PKCS1_PSS_PADDING, 48);

	(void)state;
	assert_true(ctr_x509_key_ec(ca.cert, NID_X9_62_prime256v1));
	assert_false(ctr_x509_key_ec(ca.cert, NID_secp384r1));
	assert_false(ctr_x509_key_ec(x, NID_X9_62_prime256v1));
	assert_true(ctr_x509_key_rsa(x, 2048));
	assert_false(ctr_x509_key_rsa(x, 4096));
	assert_false(ctr_x509_key_rsa(ca.cert, 2048));
}

static X509 *with_usage(bool is_ca, const char *usage)
{
	const struct pki_cert c = { .base = base,
				    .cn = "X",
				    .from = 1000,
				    .until = 2000,
				    .ca = is_ca,
				    .pathlen = -1,
				    .usage = usage };
	X509 *x = pki_new(&c, ec, &ca);

	pki_sign(x, &ca);
	return x;
}

static void authorities(void **state)
{
	static const struct {
		bool is_ca;
		const char *usage;
		bool ca, list, leaf;
	} rows[] = {
		{ true, "critical,keyCertSign,cRLSign", true, true, false },
		{ true, "critical,keyCertSign", true, false, false },
		{ true, "critical,cRLSign", false, false, false },
		{ true, NULL, false, false, false }, /* without a word on usage it is none for us */
		{ false, "critical,keyCertSign", false, false, false },
		{ false, "critical,digitalSignature", false, false, true },
		{ false, NULL, false, false, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		ctr_auto_x509 X509 *x = with_usage(rows[i].is_ca, rows[i].usage);

		if (ctr_x509_is_ca(x, false) != rows[i].ca ||
		    ctr_x509_is_ca(x, true) != rows[i].list || ctr_x509_is_leaf(x) != rows[i].leaf)
			fail_msg("row %zu", i);
	}
}

static void soundness(void **state)
{
	ctr_auto_x509 X509 *good = leaf(NULL), *twice = leaf(NULL), *critical = leaf(NULL),
			   *old = leaf(NULL);
	ASN1_OCTET_STRING *s = ASN1_OCTET_STRING_new();
	ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.4.1.3704.9", 1);
	X509_EXTENSION *ext = X509_EXTENSION_create_by_OBJ(NULL, oid, 1, s);
	struct ctr_rd v;

	(void)state;
	assert_true(ctr_x509_sound(good));
	pki_ext(twice, "1.3.6.1.4.1.3704.1", "a", 1);
	assert_true(ctr_x509_sound(twice));
	assert_int_equal(ctr_x509_ext(twice, "1.3.6.1.4.1.3704.1", &v), 1);
	assert_int_equal(v.left, 1);
	T_MEM(v.p, "a", 1);
	assert_int_equal(ctr_x509_ext(twice, "1.3.6.1.4.1.3704.2", &v), 0);
	assert_int_equal(ctr_x509_ext(twice, "no oid", &v), -1);
	pki_ext(twice, "1.3.6.1.4.1.3704.1", "a", 1);
	assert_false(ctr_x509_sound(twice));
	assert_int_equal(ctr_x509_ext(twice, "1.3.6.1.4.1.3704.1", &v), -1);
	assert_int_equal(v.left, 0);
	assert_int_equal(X509_add_ext(critical, ext, -1), 1);
	assert_false(ctr_x509_sound(critical));
	assert_int_equal(X509_set_version(old, X509_VERSION_1), 1);
	assert_false(ctr_x509_sound(old));
	X509_EXTENSION_free(ext);
	ASN1_OBJECT_free(oid);
	ASN1_OCTET_STRING_free(s);
}

static void lists(void **state)
{
	ctr_auto_x509 X509 *x = leaf(NULL);
	ctr_auto_crl X509_CRL *l = pki_crl(&ca, &x, 1, 1000, 2000),
			      *none = pki_crl(&ca, NULL, 0, 1000, 2000), *again = NULL;
	unsigned char *p = NULL;
	int n = i2d_X509_CRL(l, &p);
	time_t from, until;

	(void)state;
	assert_true(ctr_crl_of(l, ca.cert) && !ctr_crl_of(l, x));
	assert_true(ctr_crl_has(l, x) && !ctr_crl_has(none, x) && !ctr_crl_has(l, ca.cert));
	assert_true(ctr_crl_signed(l, ca.cert, CTR_SIG_ECDSA_SHA256));
	assert_false(ctr_crl_signed(l, ca.cert, CTR_SIG_PSS_SHA384));
	assert_true(ctr_crl_sound(l));
	assert_true(ctr_crl_window(l, &from, &until));
	assert_int_equal(from, 1000);
	assert_int_equal(until, 2000);
	T_OK(ctr_crl_der(p, (size_t)n, "l", &again, e));
	assert_true(ctr_crl_signed(again, ca.cert, CTR_SIG_ECDSA_SHA256));
	X509_CRL_free(again);
	T_FAILS(ctr_crl_der(p, (size_t)n - 1, "l", &again, e), CTR_FORMAT, "x509.crl");
	T_FAILS(ctr_crl_der(p, 0, "l", &again, e), CTR_FORMAT, "x509.crl");
	OPENSSL_free(p);
}

/* A list of parts, or of changes, is not the list. */
static void partial_lists(void **state)
{
	static const char *const oids[] = { "2.5.29.27", "2.5.29.28", "1.3.6.1.4.1.3704.9" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		ctr_auto_crl X509_CRL *l = pki_crl(&ca, NULL, 0, 1000, 2000);
		ASN1_OBJECT *oid = OBJ_txt2obj(oids[i], 1);
		ASN1_OCTET_STRING *s = ASN1_OCTET_STRING_new();
		X509_EXTENSION *ext = X509_EXTENSION_create_by_OBJ(NULL, oid, i == 2, s);

		assert_int_equal(X509_CRL_add_ext(l, ext, -1), 1);
		assert_false(ctr_crl_sound(l));
		X509_EXTENSION_free(ext);
		ASN1_OCTET_STRING_free(s);
		ASN1_OBJECT_free(oid);
	}
}

static void times(void **state)
{
	static const char *const bad[] = { "",
					   "2026-11-24",
					   "2026-11-24T10:00:00",
					   "2026-11-24T10:00:00Z ",
					   "2026-02-30T00:00:00Z",
					   "2026-11-24T24:00:00Z",
					   "2026-1-24T10:00:00Z",
					   "2026-11-24T10:00:00+01:00" };
	char b[CTR_TIME_MAX];
	time_t t;

	(void)state;
	T_OK(ctr_time_parse("2026-11-24T10:00:00Z", &t, e));
	assert_int_equal(t, 1795514400);
	T_STR(ctr_time_print(t, b), "2026-11-24T10:00:00Z");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		T_FAILS(ctr_time_parse(bad[i], &t, e), CTR_FORMAT, "time");
}

/* What is shipped is what the pins are of, and a chain. */
static void shipped_certificates(void **state)
{
	(void)state;
	for (int p = 0; p < CTR_PRODUCTS; p++) {
		X509 *x[3];
		uint8_t pin[CTR_SHA256_SIZE];

		for (int k = CTR_AMD_ARK; k <= CTR_AMD_ASVK; k++) {
			struct ctr_rd r =
				ctr_trust_amd((enum ctr_snp_product)p, (enum ctr_amd_ca)k);

			T_OK(ctr_x509_der(r.p, r.left, "shipped", &x[k], e));
			assert_true(ctr_x509_signed(x[k], x[CTR_AMD_ARK], CTR_SIG_PSS_SHA384));
			assert_true(ctr_x509_key_rsa(x[k], 4096));
		}
		T_OK(ctr_x509_spki(x[CTR_AMD_ARK], pin, e));
		T_MEM(pin, ctr_snp_roots[p], sizeof pin);
		for (int k = 0; k < 3; k++)
			X509_free(x[k]);
	}
}

static void shipped_root_of_intel(void **state)
{
	struct ctr_rd r = ctr_trust_intel_root();
	ctr_auto_x509 X509 *x = NULL;
	uint8_t pin[CTR_SHA256_SIZE];

	(void)state;
	T_OK(ctr_x509_der(r.p, r.left, "shipped", &x, e));
	T_OK(ctr_x509_spki(x, pin, e));
	T_MEM(pin, ctr_tdx_root, sizeof pin);
	assert_true(ctr_x509_signed(x, x, CTR_SIG_ECDSA_SHA256));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(der),
		cmocka_unit_test(pem_texts),
		cmocka_unit_test(common_names),
		cmocka_unit_test(signatures),
		cmocka_unit_test(keys),
		cmocka_unit_test(authorities),
		cmocka_unit_test(soundness),
		cmocka_unit_test(lists),
		cmocka_unit_test(partial_lists),
		cmocka_unit_test(times),
		cmocka_unit_test(shipped_certificates),
		cmocka_unit_test(shipped_root_of_intel),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
