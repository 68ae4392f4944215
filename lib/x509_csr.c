#include "x509_csr.h"

#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "crypto_spki.h"
#include "manifest.h"
#include "x509_names.h"

static void req_cleanup(X509_REQ **r)
{
	X509_REQ_free(*r);
}

#define auto_req CTR_AUTO(req_cleanup)

void ctr_csr_free(struct ctr_csr *c)
{
	for (size_t i = 0; i < c->n_sans; i++)
		free(c->sans[i]);
	free(c->sans);
	ctr_buf_free(&c->spki);
	*c = (struct ctr_csr){ 0 };
}

static const char begin[] = "-----BEGIN ";

static const char *block(const void *p, size_t n)
{
	return n > 0 ? memmem(p, n, begin, sizeof begin - 1) : NULL;
}

/* Of two requests, which is meant? */
static X509_REQ *read_pem(const char *p, size_t n)
{
	const char *second = block(p, n) + 1;
	BIO *bio = block(second, (size_t)(p + n - second)) ? NULL : BIO_new_mem_buf(p, (int)n);
	X509_REQ *r = bio ? PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	return r;
}

static int read_req(const char *name, const void *p, size_t n, X509_REQ **r, struct ctr_err *e)
{
	const unsigned char *at = p;

	*r = NULL;
	if (n > CTR_CSR_MAX)
		return ctr_fail(e, CTR_FORMAT, "csr.parse", "%s: more than %d bytes", name,
				CTR_CSR_MAX);
	if (block(p, n))
		*r = read_pem(p, n);
	else if (n > 0)
		*r = d2i_X509_REQ(NULL, &at, (long)n);
	if (*r && (at == p || at == (const unsigned char *)p + n) && X509_REQ_get0_pubkey(*r))
		return 0;
	return ctr_fail(e, CTR_FORMAT, "csr.parse",
			"%s: no certification request (expected PKCS #10 in PEM or DER)", name);
}

/* It need only be good now, but a hash that is broken proves nothing. */
static bool sound_signature(int nid)
{
	static const int sound[] = { NID_ecdsa_with_SHA256,	  NID_ecdsa_with_SHA384,
				     NID_ecdsa_with_SHA512,	  NID_sha256WithRSAEncryption,
				     NID_sha384WithRSAEncryption, NID_sha512WithRSAEncryption };

	for (size_t i = 0; i < sizeof sound / sizeof *sound; i++) {
		if (sound[i] == nid)
			return true;
	}
	return false;
}

static int take_key(const char *name, X509_REQ *r, struct ctr_csr *c, struct ctr_err *e)
{
	EVP_PKEY *key = X509_REQ_get0_pubkey(r);
	bool rsa;
	uint8_t *der = NULL;
	int n = i2d_X509_PUBKEY(X509_REQ_get_X509_PUBKEY(r), &der);

	if (n <= 0)
		return ctr_fail_mem(e);
	ctr_buf_add(&c->spki, der, (size_t)n);
	OPENSSL_free(der);
	if (ctr_buf_ok(&c->spki, "key", e) < 0)
		return -1;
	if (ctr_spki_check(c->spki.p, c->spki.n, &rsa, e) < 0)
		return ctr_wrap(e, "%s", name);
	if (!sound_signature(X509_REQ_get_signature_nid(r)))
		return ctr_fail(e, CTR_NO, "csr.signature",
				"%s: signed with another algorithm (expected ECDSA or RSA, with "
				"SHA-256, SHA-384 or SHA-512)",
				name);
	return X509_REQ_verify(r, key) == 1
		       ? 0
		       : ctr_fail(e, CTR_NO, "csr.signature",
				  "%s: not signed by the key that it is for", name);
}

static int take_names(const char *name, const GENERAL_NAMES *names, struct ctr_csr *c,
		      struct ctr_err *e)
{
	int n = sk_GENERAL_NAME_num(names);

	if (n > CTR_SANS_MAX)
		return ctr_fail(e, CTR_FORMAT, "csr.san", "%s: more than %d names", name,
				CTR_SANS_MAX);
	c->sans = calloc((size_t)n + 1, sizeof *c->sans);
	if (!c->sans)
		return ctr_fail_mem(e);
	for (int i = 0; i < n; i++) {
		ctr_auto_buf struct ctr_buf text = { 0 };

		if (!ctr_x509_name_text(sk_GENERAL_NAME_value(names, i), &text) || text.bad ||
		    ctr_san_kind(ctr_buf_str(&text)) == CTR_SAN_NONE)
			return ctr_fail(e, CTR_FORMAT, "csr.san",
					"%s: name %d is no DNS name, IP address or URI", name,
					i + 1);
		c->sans[c->n_sans] = strdup(ctr_buf_str(&text));
		if (!c->sans[c->n_sans])
			return ctr_fail_mem(e);
		c->n_sans++;
	}
	return 0;
}

static int wanted(const char *name, X509_REQ *r, struct ctr_csr *c, struct ctr_err *e)
{
	STACK_OF(X509_EXTENSION) *exts = X509_REQ_get_extensions(r);
	int found = -1, rc = 0;
	GENERAL_NAMES *names =
		exts ? X509V3_get_d2i(exts, NID_subject_alt_name, &found, NULL) : NULL;

	if (names)
		rc = take_names(name, names, c, e);
	else if (exts && found != -1)
		rc = ctr_fail(e, CTR_FORMAT, "csr.san", "%s: its names cannot be read", name);
	GENERAL_NAMES_free(names);
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	return rc;
}

int ctr_csr_parse(const char *name, const void *p, size_t n, bool names, struct ctr_csr *c,
		  struct ctr_err *e)
{
	auto_req X509_REQ *r = NULL;

	*c = (struct ctr_csr){ 0 };
	if (read_req(name, p, n, &r, e) == 0 && take_key(name, r, c, e) == 0 &&
	    (!names || wanted(name, r, c, e) == 0))
		return 0;
	ctr_csr_free(c);
	return -1;
}
