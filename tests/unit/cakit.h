/* A root, a mesh CA, a key to certify: what the tests of the certificate authority share. Included
 * once by each. */
#ifndef TESTS_UNIT_CAKIT_H
#define TESTS_UNIT_CAKIT_H

#include <openssl/x509v3.h>

#include "ca.h"
#include "enc.h"
#include "t.h"
#include "x509.h"

#define NOW ((time_t)1790000000) /* 2026-09-21 */
#define DAY 86400

static struct ctr_root *root;
static struct ctr_mesh *mesh;
static struct ctr_buf spki; /* of a leaf on P-256 */

/* 0, 1, 2, ... from `first` on. */
static struct ctr_secret counted(size_t n, uint8_t first)
{
	struct ctr_secret s;

	T_OK(ctr_secret_new(&s, n, e));
	for (size_t i = 0; i < n; i++)
		s.p[i] = (uint8_t)(first + i);
	return s;
}

static struct ctr_root *make_root(uint8_t first)
{
	ctr_auto_secret struct ctr_secret seed = counted(CTR_SEED_SIZE, first),
					  salt = counted(CTR_SALT_SIZE, 64);
	struct ctr_root *r;

	T_OK(ctr_root_derive(&seed, &salt, &r, e));
	return r;
}

static struct ctr_mesh *make_mesh(const struct ctr_mesh_opts *o)
{
	struct ctr_mesh *m;

	T_OK(ctr_mesh_new(root, o, &m, e));
	return m;
}

static void spki_of(EVP_PKEY *key, struct ctr_buf *b)
{
	uint8_t *der = NULL;
	int n = i2d_PUBKEY(key, &der);

	ctr_buf_reset(b);
	ctr_buf_add(b, der, (size_t)n);
	OPENSSL_free(der);
}

static int setup(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	(void)state;
	root = make_root(0);
	mesh = make_mesh(&(struct ctr_mesh_opts){ .now = NOW });
	spki_of(key, &spki);
	EVP_PKEY_free(key);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ctr_buf_free(&spki);
	ctr_mesh_free(mesh);
	ctr_root_free(root);
	return 0;
}

static X509 *cert(const struct ctr_buf *pem, size_t at)
{
	struct ctr_chain c;
	X509 *x;

	T_OK(ctr_x509_pem(pem->p, pem->n, "chain", &c, e));
	assert_true(at < c.n);
	x = c.v[at];
	X509_up_ref(x);
	ctr_chain_free(&c);
	return x;
}

static void is_hex(const void *p, size_t n, const char *want)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	ctr_hex_add(&b, p, n);
	T_STR(ctr_buf_str(&b), want);
}

static void extension(const X509 *c, int nid, bool critical)
{
	int at = X509_get_ext_by_NID(c, nid, -1);

	assert_true(at >= 0);
	assert_int_equal(X509_get_ext_by_NID(c, nid, at), -1);
	assert_int_equal(X509_EXTENSION_get_critical(X509_get_ext(c, at)), critical);
}

static const char *const names[] = { "web.shop.svc", "*", "10.0.0.7", "fd00::7",
				     "spiffe://shop/web" };

static const uint8_t digest[32] = { 0xaa, 0xbb, 1, 2, 3 };
static const struct ctr_claim some[] = { { "tee", { "SEV-SNP", 7 } },
					 { "policy_hash", { digest, 32 } } };

/* What a test changes. */
static struct ctr_issue usual(void)
{
	return (struct ctr_issue){ .spki = { spki.p, spki.n },
				   .sans = names,
				   .n_sans = 5,
				   .claims = some,
				   .n_claims = 2,
				   .now = NOW,
				   .seconds = 30 * DAY };
}

static X509 *issue(const struct ctr_mesh *m, const struct ctr_issue *i)
{
	ctr_auto_buf struct ctr_buf chain = { 0 };
	ctr_auto_x509 X509 *second = NULL, *inter = cert(ctr_mesh_intermediate(m), 0);
	X509 *c;

	T_OK(ctr_mesh_issue(m, i, &chain, e));
	c = cert(&chain, 0);
	second = cert(&chain, 1);
	assert_int_equal(X509_cmp(second, inter), 0);
	return c;
}

static void refused(const struct ctr_mesh *m, const struct ctr_issue *i, enum ctr_code code,
		    const char *id)
{
	ctr_auto_buf struct ctr_buf chain = { 0 };

	T_FAILS(ctr_mesh_issue(m, i, &chain, e), code, id);
	assert_int_equal(chain.n, 0);
}

static void cn_is(const X509 *c, const char *want)
{
	char cn[65];

	assert_int_equal(ctr_x509_cn(c, false, cn, sizeof cn), *want != '\0');
	T_STR(cn, want);
}

#endif
