/*
 * What a join costs in cryptography alone, and nobody can do without: the report's signature
 * (P-384), the proof of possession (P-256, with a key that is new each time), the certificate's
 * signature (P-256), and HPKE's sealing of the secret: a key pair and an agreement on X25519, the
 * eight HMACs of its key schedule, AES-256-GCM. barejoin: prints processor seconds for one.
 */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define JOINS 1000

struct signing {
	EVP_PKEY *key;
	uint8_t digest[48], sig[128];
	size_t n_digest, n_sig;
};

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void sign(struct signing *s)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(s->key, NULL);

	s->n_sig = sizeof s->sig;
	must(EVP_PKEY_sign_init(ctx) == 1 &&
	     EVP_PKEY_sign(ctx, s->sig, &s->n_sig, s->digest, s->n_digest) == 1);
	EVP_PKEY_CTX_free(ctx);
}

static void verify(const struct signing *s)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(s->key, NULL);

	must(EVP_PKEY_verify_init(ctx) == 1 &&
	     EVP_PKEY_verify(ctx, s->sig, s->n_sig, s->digest, s->n_digest) == 1);
	EVP_PKEY_CTX_free(ctx);
}

/* As the 65 bytes of an uncompressed point, which is how it comes. */
static EVP_PKEY *read_key(uint8_t point[65])
{
	char group[] = "prime256v1";
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string("group", group, 0),
				OSSL_PARAM_construct_octet_string("pub", point, 65),
				OSSL_PARAM_construct_end() };
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;

	must(EVP_PKEY_fromdata_init(ctx) == 1 &&
	     EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) == 1);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static void seal(void)
{
	static const uint8_t key[32], nonce[12], text[64];
	uint8_t out[80];
	EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
	int len;

	for (int i = 0; i < 8; i++)
		must(HMAC(EVP_sha256(), key, sizeof key, text, sizeof text, out, NULL) != NULL);
	must(EVP_EncryptInit_ex(x, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
	     EVP_EncryptUpdate(x, out, &len, text, sizeof text) == 1 &&
	     EVP_EncryptFinal_ex(x, out + 64, &len) == 1);
	EVP_CIPHER_CTX_free(x);
}

static void agree(EVP_PKEY *peer)
{
	EVP_PKEY *own = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own, NULL);
	uint8_t shared[32];
	size_t n = sizeof shared;

	must(EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
	     EVP_PKEY_derive(ctx, shared, &n) == 1);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(own);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(void)
{
	struct signing report = { .key = EVP_EC_gen("P-384"), .n_digest = 48 };
	struct signing proof = { .key = EVP_EC_gen("P-256"), .n_digest = 32 }, ca = proof;
	EVP_PKEY *peer = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	uint8_t point[65];
	size_t n_point = sizeof point;
	double from;

	must(EVP_PKEY_get_octet_string_param(proof.key, "pub", point, sizeof point, &n_point) == 1);
	memset(report.digest, 7, sizeof report.digest);
	memset(proof.digest, 7, sizeof proof.digest);
	sign(&report);
	sign(&proof);
	from = now();
	for (int i = 0; i < JOINS; i++) {
		struct signing fresh = proof;

		fresh.key = read_key(point);
		verify(&fresh);
		EVP_PKEY_free(fresh.key);
		verify(&report);
		sign(&ca);
		agree(peer);
		seal();
	}
	printf("%.9f\n", (now() - from) / JOINS);
	EVP_PKEY_free(report.key);
	EVP_PKEY_free(proof.key);
	EVP_PKEY_free(peer);
	return 0;
}
