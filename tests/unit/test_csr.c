/* Certification requests: the proof that whoever asks holds the key, and the names it asks for. */
#include "x509_csr.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "crypto_p256.h"
#include "t.h"

/* NULL names: none. */
static X509_REQ *request(EVP_PKEY *key, const char *names, const EVP_MD *md)
{
	X509_REQ *r = X509_REQ_new();
	STACK_OF(X509_EXTENSION) *exts = sk_X509_EXTENSION_new_null();

	assert_int_equal(X509_REQ_set_version(r, X509_REQ_VERSION_1), 1);
	assert_int_equal(X509_REQ_set_pubkey(r, key), 1);
	X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(r), "CN", MBSTRING_ASC,
				   (const unsigned char *)"bank.example", -1, -1, 0);
	if (names) {
		sk_X509_EXTENSION_push(
			exts, X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names));
		assert_int_equal(X509_REQ_add_extensions(r, exts), 1);
	}
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	assert_true(X509_REQ_sign(r, key, md) > 0);
	return r;
}

static void der_of(X509_REQ *r, struct ctr_buf *b)
{
	uint8_t *der = NULL;
	int n = i2d_X509_REQ(r, &der);

	ctr_buf_reset(b);
	ctr_buf_add(b, der, (size_t)n);
	OPENSSL_free(der);
	X509_REQ_free(r);
}

static void add_pem(struct ctr_buf *b, X509_REQ *r)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p;
	long n;

	PEM_write_bio_X509_REQ(bio, r);
	n = BIO_get_mem_data(bio, &p);
	ctr_buf_add(b, p, (size_t)n);
	BIO_free(bio);
}

static void refused(const struct ctr_buf *b, bool names, enum ctr_code code, const char *id)
{
	struct ctr_csr c;

	T_FAILS(ctr_csr_parse("r", b->p, b->n, names, &c, e), code, id);
	assert_null(c.spki.p);
	assert_null(c.sans);
}

static void reads(void **state)
{
	ctr_auto_pkey EVP_PKEY *key = EVP_EC_gen("P-256"), *rsa = EVP_RSA_gen(2048);
	ctr_auto_buf struct ctr_buf b = { 0 };
	ctr_auto_csr struct ctr_csr c = { 0 };
	X509_REQ *r = request(key, "DNS:web.svc,IP:10.0.0.1,URI:spiffe://a/b", EVP_sha384());
	uint8_t *der = NULL;
	int n = i2d_PUBKEY(key, &der);

	(void)state;
	add_pem(&b, r);
	/* what it asks for counts only when somebody says so */
	T_OK(ctr_csr_parse("r", b.p, b.n, false, &c, e));
	assert_int_equal(c.spki.n, n);
	T_MEM(c.spki.p, der, (size_t)n);
	assert_int_equal(c.n_sans, 0);
	ctr_csr_free(&c);
	der_of(r, &b);
	T_OK(ctr_csr_parse("r", b.p, b.n, true, &c, e));
	assert_int_equal(c.n_sans, 3);
	T_STR(c.sans[0], "web.svc");
	T_STR(c.sans[1], "10.0.0.1");
	T_STR(c.sans[2], "spiffe://a/b");
	ctr_csr_free(&c);
	der_of(request(rsa, NULL, EVP_sha256()), &b);
	T_OK(ctr_csr_parse("r", b.p, b.n, true, &c, e));
	assert_int_equal(c.n_sans, 0);
	OPENSSL_free(der);
}

static void malformed(void **state)
{
	ctr_auto_pkey EVP_PKEY *key = EVP_EC_gen("P-256");
	ctr_auto_buf struct ctr_buf b = { 0 };
	static char big[CTR_CSR_MAX + 1];
	struct ctr_buf big_buf = { .p = big, .n = sizeof big };
	X509_REQ *r = request(key, NULL, EVP_sha256());

	(void)state;
	refused(&b, false, CTR_FORMAT, "csr.parse");
	refused(&big_buf, false, CTR_FORMAT, "csr.parse");
	ctr_buf_adds(&b, "no request");
	refused(&b, false, CTR_FORMAT, "csr.parse");
	ctr_buf_reset(&b);
	add_pem(&b, r);
	b.n -= 40;
	refused(&b, false, CTR_FORMAT, "csr.parse");
	/* of two, which? */
	ctr_buf_reset(&b);
	add_pem(&b, r);
	add_pem(&b, r);
	refused(&b, false, CTR_FORMAT, "csr.parse");
	der_of(r, &b);
	ctr_buf_addc(&b, 0);
	refused(&b, false, CTR_FORMAT, "csr.parse");
	b.n -= 2;
	refused(&b, false, CTR_FORMAT, "csr.parse");
}

static void not_by_its_key(void **state)
{
	ctr_auto_pkey EVP_PKEY *key = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256"),
			       *rsa = EVP_RSA_gen(2048);
	ctr_auto_buf struct ctr_buf b = { 0 };
	X509_REQ *r = request(key, NULL, EVP_sha256());

	(void)state;
	X509_REQ_sign(r, other, EVP_sha256());
	der_of(r, &b);
	refused(&b, false, CTR_NO, "csr.signature");
	der_of(request(key, NULL, EVP_sha256()), &b);
	b.p[b.n - 1] ^= 1;
	refused(&b, false, CTR_NO, "csr.signature");
	/* hashes that collide */
	der_of(request(key, NULL, EVP_sha1()), &b);
	refused(&b, false, CTR_NO, "csr.signature");
	der_of(request(rsa, NULL, EVP_md5()), &b);
	refused(&b, false, CTR_NO, "csr.signature");
}

static void wrong_keys(void **state)
{
	ctr_auto_pkey EVP_PKEY *p521 = EVP_EC_gen("P-521"), *weak = EVP_RSA_gen(1024),
			       *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	ctr_auto_buf struct ctr_buf b = { 0 };

	(void)state;
	der_of(request(p521, NULL, EVP_sha512()), &b);
	refused(&b, false, CTR_FORMAT, "ca.key");
	der_of(request(weak, NULL, EVP_sha256()), &b);
	refused(&b, false, CTR_FORMAT, "ca.key");
	der_of(request(ed, NULL, NULL), &b);
	refused(&b, false, CTR_FORMAT, "ca.key");
}

static void wrong_names(void **state)
{
	ctr_auto_pkey EVP_PKEY *key = EVP_EC_gen("P-256");
	ctr_auto_buf struct ctr_buf b = { 0 }, many = { 0 };
	ctr_auto_csr struct ctr_csr c = { 0 };
	static const char *const bad[] = { "email:a@b.c", "DNS:a_b", "RID:1.2.3",
					   "DNS:web.svc,URI:mailto:x" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		der_of(request(key, bad[i], EVP_sha256()), &b);
		refused(&b, true, CTR_FORMAT, "csr.san");
		T_OK(ctr_csr_parse("r", b.p, b.n, false, &c, e));
		ctr_csr_free(&c);
	}
	for (int i = 0; i < 257; i++)
		ctr_buf_addf(&many, "%sDNS:n%d", i ? "," : "", i);
	der_of(request(key, ctr_buf_str(&many), EVP_sha256()), &b);
	refused(&b, true, CTR_FORMAT, "csr.san");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),	  cmocka_unit_test(malformed),
		cmocka_unit_test(not_by_its_key), cmocka_unit_test(wrong_keys),
		cmocka_unit_test(wrong_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
