/*
 * Takes the place of lib/hash.c: the same interface over the digests of libcrypto alone. What EVP
 * brings along would be several megabytes in a static program.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* "use EVP": see above */
#include "hash.h"

#include <openssl/sha.h>

struct ctr_hasher {
	enum ctr_hash_alg alg;
	union {
		SHA256_CTX small;
		SHA512_CTX large;
	};
};

static int ended(int ok, struct ctr_err *e)
{
	return ok == 1 ? 0 : ctr_fail(e, CTR_ENV, "hash", "the digest could not be computed");
}

size_t ctr_hash_size(enum ctr_hash_alg alg)
{
	return alg == CTR_SHA256 ? 32 : alg == CTR_SHA384 ? 48 : 64;
}

int ctr_hasher_restart(struct ctr_hasher *h, struct ctr_err *e)
{
	switch (h->alg) {
	case CTR_SHA256:
		return ended(SHA256_Init(&h->small), e);
	case CTR_SHA384:
		return ended(SHA384_Init(&h->large), e);
	case CTR_SHA512:
		return ended(SHA512_Init(&h->large), e);
	}
	return ended(0, e);
}

int ctr_hasher_add(struct ctr_hasher *h, const void *p, size_t n, struct ctr_err *e)
{
	if (n == 0)
		return 0;
	switch (h->alg) {
	case CTR_SHA256:
		return ended(SHA256_Update(&h->small, p, n), e);
	case CTR_SHA384:
		return ended(SHA384_Update(&h->large, p, n), e);
	case CTR_SHA512:
		return ended(SHA512_Update(&h->large, p, n), e);
	}
	return ended(0, e);
}

int ctr_hasher_end(struct ctr_hasher *h, uint8_t *out, struct ctr_err *e)
{
	switch (h->alg) {
	case CTR_SHA256:
		return ended(SHA256_Final(out, &h->small), e);
	case CTR_SHA384:
		return ended(SHA384_Final(out, &h->large), e);
	case CTR_SHA512:
		return ended(SHA512_Final(out, &h->large), e);
	}
	return ended(0, e);
}

int ctr_hash(enum ctr_hash_alg alg, const void *p, size_t n, uint8_t *out, struct ctr_err *e)
{
	struct ctr_hasher h = { .alg = alg };

	if (ctr_hasher_restart(&h, e) < 0 || ctr_hasher_add(&h, p, n, e) < 0)
		return -1;
	return ctr_hasher_end(&h, out, e);
}

int ctr_hasher_new(enum ctr_hash_alg alg, struct ctr_hasher **out, struct ctr_err *e)
{
	struct ctr_hasher *h = calloc(1, sizeof *h);

	*out = h;
	if (!h)
		return ctr_fail_mem(e);
	h->alg = alg;
	return ctr_hasher_restart(h, e);
}

int ctr_hasher_copy(const struct ctr_hasher *from, struct ctr_hasher **out, struct ctr_err *e)
{
	*out = malloc(sizeof **out);
	if (!*out)
		return ctr_fail_mem(e);
	**out = *from;
	return 0;
}

void ctr_hasher_free(struct ctr_hasher *h)
{
	free(h);
}

void ctr_hasher_cleanup(struct ctr_hasher **h)
{
	ctr_hasher_free(*h);
}
