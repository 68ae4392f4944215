/* Owners' keys, and a directory in which the openssl command works with them. */
#ifndef TESTS_UNIT_KEYKIT_H
#define TESTS_UNIT_KEYKIT_H

#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "crypto.h"
#include "file.h"
#include "t.h"

static char dir[] = "/tmp/ctr-owner-XXXXXX";
static struct ctr_buf ec[3], rsa[2], rsa_pub[2], rsa_short, ed25519, k1;

static inline struct ctr_buf pem_of(EVP_PKEY *key)
{
	struct ctr_buf b = { .wipe = true };
	BIO *bio = BIO_new(BIO_s_mem());
	char *p;
	long n;

	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	n = BIO_get_mem_data(bio, &p);
	ctr_buf_add(&b, p, (size_t)n);
	BIO_free(bio);
	EVP_PKEY_free(key);
	return b;
}

static inline int setup(void **s)
{
	static const char *const curves[] = { "P-256", "P-384", "P-521" };
	struct ctr_err e = { 0 };

	(void)s;
	if (!mkdtemp(dir))
		return -1;
	for (int i = 0; i < 3; i++)
		ec[i] = pem_of(EVP_EC_gen(curves[i]));
	for (int i = 0; i < 2; i++) {
		rsa[i] = pem_of(EVP_RSA_gen(2048));
		if (ctr_key_rsa_public(rsa[i].p, rsa[i].n, &rsa_pub[i], &e) < 0)
			return -1;
	}
	rsa_short = pem_of(EVP_RSA_gen(1024));
	ed25519 = pem_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	k1 = pem_of(EVP_EC_gen("secp256k1"));
	return 0;
}

static inline int teardown(void **s)
{
	char cmd[128];

	(void)s;
	for (int i = 0; i < 3; i++)
		ctr_buf_free(&ec[i]);
	for (int i = 0; i < 2; i++) {
		ctr_buf_free(&rsa[i]);
		ctr_buf_free(&rsa_pub[i]);
	}
	ctr_buf_free(&rsa_short);
	ctr_buf_free(&ed25519);
	ctr_buf_free(&k1);
	snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
	return system(cmd);
}

static inline const char *put(const char *name, const void *p, size_t n)
{
	static char path[4][128];
	static unsigned i;
	char *s = path[i++ % 4];

	snprintf(s, 128, "%s/%s", dir, name);
	T_OK(ctr_file_write(s, p, n, 0600, e));
	return s;
}

/* In the directory, quietly. */
static inline bool runs(const char *command)
{
	char cmd[1024];

	snprintf(cmd, sizeof cmd, "cd %s && %s >/dev/null 2>&1", dir, command);
	return system(cmd) == 0;
}

static inline struct ctr_buf result(const char *name)
{
	char path[128];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return t_file(path);
}

#endif
