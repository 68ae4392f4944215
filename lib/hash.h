/* SHA-2 digests over OpenSSL. */
#ifndef LIB_HASH_H
#define LIB_HASH_H

#include <stdint.h>

#include "cleanup.h"
#include "err.h"

enum ctr_hash_alg { CTR_SHA256, CTR_SHA384, CTR_SHA512 };
#define CTR_SHA256_SIZE 32
#define CTR_HASH_MAX 64

/* Bytes of a digest: 32, 48 or 64. */
size_t ctr_hash_size(enum ctr_hash_alg alg);

/* The whole at once; out has ctr_hash_size bytes. */
CTR_MUST int ctr_hash(enum ctr_hash_alg alg, const void *p, size_t n, uint8_t *out,
		      struct ctr_err *e);

/* Digests of CTR_SHA256_SIZE bytes, or what begins with one, in ascending order: for qsort and bsearch. */
int ctr_sha256_order(const void *a, const void *b);

/* In pieces. The context is on the heap; free takes NULL. */
struct ctr_hasher;
CTR_MUST int ctr_hasher_new(enum ctr_hash_alg alg, struct ctr_hasher **h, struct ctr_err *e);
CTR_MUST int ctr_hasher_add(struct ctr_hasher *h, const void *p, size_t n, struct ctr_err *e);
CTR_MUST int ctr_hasher_end(struct ctr_hasher *h, uint8_t *out, struct ctr_err *e);
/* A second one in the same state; the source is only read. */
CTR_MUST int ctr_hasher_copy(const struct ctr_hasher *from, struct ctr_hasher **h,
			     struct ctr_err *e);
CTR_MUST int ctr_hasher_restart(struct ctr_hasher *h, struct ctr_err *e);
void ctr_hasher_free(struct ctr_hasher *h);
void ctr_hasher_cleanup(struct ctr_hasher **h);
#define ctr_auto_hasher CTR_AUTO(ctr_hasher_cleanup)

#endif
