/*
 * Seed shares and owners' signatures. The first byte chooses: a document, which no key opens that
 * it was not made for; or a key and a signature (the second byte is the key's length), which is
 * good for nobody, and refused for its reason.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "owner.h"
#include "seedshare.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ctr_buf rsa;

static void demand(bool ok)
{
	if (!ok)
		abort();
}

static void make_key(void)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	BIO *bio = BIO_new(BIO_s_mem());
	char *p;
	long n;

	demand(key && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
	n = BIO_get_mem_data(bio, &p);
	ctr_buf_add(&rsa, p, (size_t)n);
	BIO_free(bio);
	EVP_PKEY_free(key);
}

static void document(const uint8_t *p, size_t n)
{
	struct ctr_secret seed, salt;
	struct ctr_err e = { 0 };

	if (!rsa.p)
		make_key();
	demand(ctr_seedshares_open("fuzz", (const char *)p, n, "key", &rsa, &seed, &salt, &e) < 0);
	demand(e.id && e.msg[0] && !seed.p && !salt.p);
	demand(e.code == CTR_FORMAT || (e.code == CTR_NO && strcmp(e.id, "seedshare.none") == 0));
}

static void signature(const uint8_t *p, size_t n)
{
	static const uint8_t t[32] = { 7 };
	size_t n_key = n && p[0] < n - 1 ? p[0] : 0;
	struct ctr_err e = { 0 };
	bool good = true;
	int rc;

	if (n == 0)
		return;
	p++;
	n--;
	rc = ctr_owner_verify(p, n_key, t, p + n_key, n - n_key, &good, &e);
	demand(!good);
	demand(rc == 0 || strcmp(e.id, "key.spki") == 0 || strcmp(e.id, "key.kind") == 0 ||
	       strcmp(e.id, "ecdsa.signature") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] & 1)
		signature(data + 1, size - 1);
	else
		document(data + 1, size - 1);
	return 0;
}
