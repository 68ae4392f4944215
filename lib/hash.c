#include "hash.h"

#include <openssl/evp.h>

struct ctr_hasher {
	EVP_MD_CTX *ctx;
	const EVP_MD *md;
};

static const EVP_MD *md_of(enum ctr_hash_alg alg)
{
	switch (alg) {
	case CTR_SHA256:
		return EVP_sha256();
	case CTR_SHA384:
		return EVP_sha384();
	case CTR_SHA512:
		return EVP_sha512();
	}
	return NULL;
}

static int broken(struct ctr_err *e)
{
	return ctr_fail(e, CTR_ENV, "hash", "the digest could not be computed");
}

int ctr_sha256_order(const void *a, const void *b)
{
	const uint8_t *x = a, *y = b;

	for (size_t i = 0; i < CTR_SHA256_SIZE; i++) {
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	}
	return 0;
}

size_t ctr_hash_size(enum ctr_hash_alg alg)
{
	return alg == CTR_SHA256 ? 32 : alg == CTR_SHA384 ? 48 : 64;
}

int ctr_hash(enum ctr_hash_alg alg, const void *p, size_t n, uint8_t *out, struct ctr_err *e)
{
	return EVP_Digest(p ? p : "", n, out, NULL, md_of(alg), NULL) == 1 ? 0 : broken(e);
}

int ctr_hasher_restart(struct ctr_hasher *h, struct ctr_err *e)
{
	return EVP_DigestInit_ex(h->ctx, h->md, NULL) == 1 ? 0 : broken(e);
}

int ctr_hasher_new(enum ctr_hash_alg alg, struct ctr_hasher **out, struct ctr_err *e)
{
	ctr_auto_hasher struct ctr_hasher *h = calloc(1, sizeof *h);

	*out = NULL;
	if (!h)
		return ctr_fail_mem(e);
	h->md = md_of(alg);
	h->ctx = EVP_MD_CTX_new();
	if (!h->ctx)
		return ctr_fail_mem(e);
	if (ctr_hasher_restart(h, e) < 0)
		return -1;
	*out = ctr_give(h);
	return 0;
}

int ctr_hasher_add(struct ctr_hasher *h, const void *p, size_t n, struct ctr_err *e)
{
	return EVP_DigestUpdate(h->ctx, p, n) == 1 ? 0 : broken(e);
}

int ctr_hasher_copy(const struct ctr_hasher *from, struct ctr_hasher **out, struct ctr_err *e)
{
	ctr_auto_hasher struct ctr_hasher *h = calloc(1, sizeof *h);

	*out = NULL;
	if (!h)
		return ctr_fail_mem(e);
	h->md = from->md;
	h->ctx = EVP_MD_CTX_new();
	if (!h->ctx)
		return ctr_fail_mem(e);
	if (EVP_MD_CTX_copy_ex(h->ctx, from->ctx) != 1)
		return broken(e);
	*out = ctr_give(h);
	return 0;
}

int ctr_hasher_end(struct ctr_hasher *h, uint8_t *out, struct ctr_err *e)
{
	return EVP_DigestFinal_ex(h->ctx, out, NULL) == 1 ? 0 : broken(e);
}

void ctr_hasher_free(struct ctr_hasher *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

void ctr_hasher_cleanup(struct ctr_hasher **h)
{
	ctr_hasher_free(*h);
}
