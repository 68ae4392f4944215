/*
 * What a join costs in cryptography alone, and nobody can do without: the report's signature
 * (P-384), the proof of possession (P-256), the certificate's signature (P-256), and the sealing of
 * the secret (a key pair and an agreement on X25519). barejoin: prints processor seconds for one.
 */
#include <openssl/ec.h>
#include <openssl/evp.h>
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
	double from;

	memset(report.digest, 7, sizeof report.digest);
	memset(proof.digest, 7, sizeof proof.digest);
	sign(&report);
	sign(&proof);
	from = now();
	for (int i = 0; i < JOINS; i++) {
		verify(&report);
		verify(&proof);
		sign(&ca);
		agree(peer);
	}
	printf("%.9f\n", (now() - from) / JOINS);
	EVP_PKEY_free(report.key);
	EVP_PKEY_free(proof.key);
	EVP_PKEY_free(peer);
	return 0;
}
