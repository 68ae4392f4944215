#include "verity.h"

#include <string.h>

#include "hash.h"

#define BLOCK ((size_t)4096)
#define LEVELS 10 /* 128^9 blocks of data are more than 2^63 bytes */

struct level {
	uint8_t block[BLOCK];
	size_t n;	/* bytes waiting in block */
	uint64_t total; /* digests ever put here (level 0: blocks of data) */
};

struct verity {
	struct ctr_hasher *h;
	uint8_t salt[VERITY_SALT_MAX];
	size_t n_salt;
	struct level level[LEVELS]; /* 0: the data, 1: the digests of its blocks, ... */
};

int verity_new(const uint8_t *salt, size_t n, struct verity **out, struct ctr_err *e)
{
	auto_verity struct verity *v = NULL;

	*out = NULL;
	if (n > VERITY_SALT_MAX)
		return ctr_fail(e, CTR_USAGE, "verity.salt", "salt of %zu bytes (at most %d)", n,
				VERITY_SALT_MAX);
	v = calloc(1, sizeof *v);
	if (!v)
		return ctr_fail_mem(e);
	if (n)
		memcpy(v->salt, salt, n);
	v->n_salt = n;
	if (ctr_hasher_new(CTR_SHA256, &v->h, e) < 0)
		return -1;
	*out = ctr_give(v);
	return 0;
}

void verity_free(struct verity *v)
{
	if (!v)
		return;
	ctr_hasher_free(v->h);
	free(v);
}

void verity_cleanup(struct verity **v)
{
	verity_free(*v);
}

static int hash_block(struct verity *v, const uint8_t *block, uint8_t sum[VERITY_ROOT],
		      struct ctr_err *e)
{
	if (ctr_hasher_restart(v->h, e) < 0 || ctr_hasher_add(v->h, v->salt, v->n_salt, e) < 0 ||
	    ctr_hasher_add(v->h, block, BLOCK, e) < 0)
		return -1;
	return ctr_hasher_end(v->h, sum, e);
}

/* A full block of level k: its digest goes one level up, which may fill a block there. */
static int push(struct verity *v, size_t k, const uint8_t *block, struct ctr_err *e)
{
	for (;;) {
		struct level *up = &v->level[k + 1];

		if (k + 1 == LEVELS)
			return ctr_fail(e, CTR_FORMAT, "limit", "too much data for a hash tree");
		if (hash_block(v, block, up->block + up->n, e) < 0)
			return -1;
		up->n += VERITY_ROOT;
		up->total++;
		if (up->n < BLOCK)
			return 0;
		up->n = 0;
		block = up->block;
		k++;
	}
}

int verity_add(struct verity *v, const void *data, size_t n, struct ctr_err *e)
{
	struct level *l = &v->level[0];
	const uint8_t *p = data;

	while (n > 0) {
		size_t part = BLOCK - l->n < n ? BLOCK - l->n : n;

		if (part < BLOCK) {
			memcpy(l->block + l->n, p, part);
			l->n += part;
		}
		if (part == BLOCK || l->n == BLOCK) {
			l->n = 0;
			l->total++;
			if (push(v, 0, part == BLOCK ? p : l->block, e) < 0)
				return -1;
		}
		p += part;
		n -= part;
	}
	return 0;
}

int verity_end(struct verity *v, uint8_t root[VERITY_ROOT], struct ctr_err *e)
{
	for (size_t k = 0; k < LEVELS; k++) {
		struct level *l = &v->level[k];

		/* a level of one digest is no level: that digest is the root */
		if (k > 0 && l->total == 1) {
			memcpy(root, l->block, VERITY_ROOT);
			return 0;
		}
		if (l->n == 0)
			continue;
		memset(l->block + l->n, 0, BLOCK - l->n);
		l->n = 0;
		l->total++; /* of use for level 0 only */
		if (push(v, k, l->block, e) < 0)
			return -1;
	}
	return ctr_fail(e, CTR_FORMAT, "verity.empty", "no data: a hash tree needs a block");
}
