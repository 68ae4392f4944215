#include "crypto_spki.h"

#include <string.h>

#include <openssl/ec.h>
#include <openssl/pem.h>

#include "crypto.h"
#include "rd.h"

/* A SubjectPublicKeyInfo on a named curve has one beginning; then follows the point. OpenSSL's
 * decoder would take longer than the signature on the certificate. */
static const struct curve {
	int nid;
	size_t n_head, n_point;
	uint8_t head[27];
} curves[] = {
	{ NID_X9_62_prime256v1, 26, 65, { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
					  0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
					  0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00 } },
	{ NID_secp384r1, 23, 97, { 0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86,
				   0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
				   0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00 } },
};

static bool on_curve(const struct curve *c, const uint8_t *point)
{
	EC_GROUP *g = point[0] == POINT_CONVERSION_UNCOMPRESSED ? EC_GROUP_new_by_curve_name(c->nid)
								: NULL;
	EC_POINT *p = g ? EC_POINT_new(g) : NULL;
	bool ok = p && EC_POINT_oct2point(g, p, point, c->n_point, NULL) == 1;

	EC_POINT_free(p);
	EC_GROUP_free(g);
	return ok;
}

static EVP_PKEY *rsa_key(const void *der, size_t n)
{
	const uint8_t *at = der;
	EVP_PKEY *key = n <= CTR_SPKI_MAX ? d2i_PUBKEY(NULL, &at, (long)n) : NULL;
	uint8_t *again = NULL;
	int len = key && EVP_PKEY_is_a(key, "RSA") ? i2d_PUBKEY(key, &again) : 0;
	bool same = len > 0 && (size_t)len == n && ctr_same(again, der, n);

	OPENSSL_free(again);
	if (same)
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

static int check_rsa(EVP_PKEY *key, struct ctr_err *e)
{
	struct ctr_err why = { 0 };
	uint8_t *der = NULL;
	int n = i2d_PublicKey(key, &der), rc;
	unsigned bits;

	if (n <= 0)
		return ctr_fail_mem(e);
	rc = ctr_key_rsa_check(der, (size_t)n, &bits, &why);
	OPENSSL_free(der);
	return rc == 0 ? 0 : ctr_fail(e, CTR_FORMAT, "ca.key", "%s", why.msg);
}

int ctr_spki_check(const void *der, size_t n, bool *rsa, struct ctr_err *e)
{
	const uint8_t *p = der;
	EVP_PKEY *key;
	int rc;

	*rsa = false;
	for (size_t i = 0; i < sizeof curves / sizeof *curves; i++) {
		const struct curve *c = &curves[i];

		if (n == c->n_head + c->n_point && ctr_same(p, c->head, c->n_head) &&
		    on_curve(c, p + c->n_head))
			return 0;
	}
	key = n > 0 ? rsa_key(der, n) : NULL;
	if (!key)
		return ctr_fail(e, CTR_FORMAT, "ca.key",
				"no public key on P-256 or P-384, and none for RSA (expected "
				"SubjectPublicKeyInfo in DER)");
	*rsa = true;
	rc = check_rsa(key, e);
	EVP_PKEY_free(key);
	return rc;
}

int ctr_spki_pem(const char *pem, size_t n, struct ctr_buf *der, struct ctr_err *e)
{
	BIO *bio = n <= 2 * (size_t)CTR_SPKI_MAX ? BIO_new_mem_buf(pem, (int)n) : NULL;
	char *name = NULL, *head = NULL, *more = NULL;
	uint8_t *p = NULL, *rest = NULL;
	long len = 0, len_rest = 0;
	bool ok = bio && PEM_read_bio(bio, &name, &head, &p, &len) == 1 &&
		  strcmp(name, PEM_STRING_PUBLIC) == 0;

	OPENSSL_free(head);
	head = NULL;
	if (ok)
		ok = PEM_read_bio(bio, &more, &head, &rest, &len_rest) != 1;
	if (ok)
		ctr_buf_add(der, p, (size_t)len);
	OPENSSL_free(name);
	OPENSSL_free(more);
	OPENSSL_free(head);
	OPENSSL_clear_free(p, (size_t)len); /* may be a private key, by mistake */
	OPENSSL_clear_free(rest, (size_t)len_rest);
	BIO_free(bio);
	return ok ? ctr_buf_ok(der, "key", e)
		  : ctr_fail(e, CTR_FORMAT, "ca.key",
			     "no public key (expected one PUBLIC KEY in PEM)");
}
