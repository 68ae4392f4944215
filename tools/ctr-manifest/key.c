#include "key.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "file.h"

#define PEM_MAX ((size_t)64 * 1024)

static void cleanup_key(EVP_PKEY **k)
{
	EVP_PKEY_free(*k);
}

static void cleanup_bio(BIO **b)
{
	BIO_free(*b);
}

#define auto_key CTR_AUTO(cleanup_key)
#define auto_bio CTR_AUTO(cleanup_bio)

/* OpenSSL would ask on the terminal. */
static int no_password(char *buf, int size, int rw, void *ctx)
{
	(void)buf;
	(void)size;
	(void)rw;
	(void)ctx;
	return -1;
}

static int read_pem(const char *path, EVP_PKEY **key, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { .wipe = true };
	auto_bio BIO *bio = NULL;

	*key = NULL;
	if (ctr_file_read(path, PEM_MAX, &b, e) < 0)
		return -1;
	bio = BIO_new_mem_buf(ctr_buf_str(&b), (int)b.n);
	if (!bio)
		return ctr_fail_mem(e);
	*key = PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL);
	if (!*key && BIO_reset(bio) == 1)
		*key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	if (*key)
		return 0;
	ctr_fail(e, CTR_FORMAT, "key.pem",
		 "%s: no key found (expected a public or unencrypted private key in PEM)", path);
	return ctr_err_fix(e, "ctr-manifest keygen makes one");
}

/* Only what others encode to the same SubjectPublicKeyInfo: a named curve, the point uncompressed. */
static bool plain_ec(EVP_PKEY *key)
{
	static const char *const curves[] = { "prime256v1", "secp384r1", "secp521r1" };
	char curve[64] = "", form[32] = "";
	size_t i = 0;

	if (!EVP_PKEY_is_a(key, "EC") ||
	    EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, form, sizeof form, NULL) != 1 ||
	    strcmp(form, OSSL_PKEY_EC_ENCODING_GROUP) != 0 ||
	    EVP_PKEY_get_group_name(key, curve, sizeof curve, NULL) != 1)
		return false;
	while (i < 3 && strcmp(curves[i], curve) != 0)
		i++;
	return i < 3 && EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
						       "uncompressed") == 1;
}

int key_add_owner(struct ctr_manifest *m, const char *path, struct ctr_err *e)
{
	auto_key EVP_PKEY *key = NULL;
	uint8_t *der = NULL, digest[CTR_SHA256_SIZE];
	int n, rc;

	if (read_pem(path, &key, e) < 0)
		return -1;
	if (!plain_ec(key))
		return ctr_fail(e, CTR_FORMAT, "key.kind",
				"%s: no key for a workload owner (expected EC on P-256, P-384 or P-521)", path);
	n = i2d_PUBKEY(key, &der);
	if (n <= 0)
		return ctr_fail_mem(e);
	rc = ctr_hash(CTR_SHA256, der, (size_t)n, digest, e);
	OPENSSL_free(der);
	return rc < 0 ? -1 : ctr_manifest_add_owner(m, digest, e);
}

int key_add_seedshare(struct ctr_manifest *m, const char *path, struct ctr_err *e)
{
	auto_key EVP_PKEY *key = NULL;
	uint8_t *der = NULL;
	int n, rc;

	if (read_pem(path, &key, e) < 0)
		return -1;
	if (!EVP_PKEY_is_a(key, "RSA"))
		return ctr_fail(e, CTR_FORMAT, "key.kind",
				"%s: no key for a seed share owner (expected RSA)", path);
	n = i2d_PublicKey(key, &der);
	if (n <= 0)
		return ctr_fail_mem(e);
	rc = ctr_manifest_add_seedshare(m, der, (size_t)n, e);
	OPENSSL_free(der);
	return rc < 0 ? ctr_wrap(e, "%s", path) : 0;
}

static int take_bio(BIO *bio, struct ctr_buf *b, struct ctr_err *e)
{
	char *p = NULL;
	long n = BIO_get_mem_data(bio, &p);

	if (n <= 0)
		return ctr_fail_mem(e);
	ctr_buf_add(b, p, (size_t)n);
	OPENSSL_cleanse(p, (size_t)n);
	return ctr_buf_ok(b, "key", e);
}

int key_generate(bool rsa, struct ctr_buf *private, struct ctr_buf *public, struct ctr_err *e)
{
	auto_key EVP_PKEY *key = rsa ? EVP_RSA_gen(4096) : EVP_EC_gen("P-384");
	auto_bio BIO *priv = BIO_new(BIO_s_mem()), *pub = BIO_new(BIO_s_mem());

	private->wipe = true;
	if (!key || !priv || !pub || PEM_write_bio_PKCS8PrivateKey(priv, key, NULL, NULL, 0, NULL, NULL) != 1 ||
	    PEM_write_bio_PUBKEY(pub, key) != 1)
		return ctr_fail(e, CTR_ENV, "key.generate", "the key could not be made");
	return take_bio(priv, private, e) < 0 ? -1 : take_bio(pub, public, e);
}
