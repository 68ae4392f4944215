/*
 * The root hash of a dm-verity tree (format 1, SHA-256, blocks of 4096 bytes for data and hashes)
 * over a stream, in memory of one block a level. The data is padded with zero bytes to a whole
 * block.
 */
#ifndef TOOLS_CTR_POLICYGEN_VERITY_H
#define TOOLS_CTR_POLICYGEN_VERITY_H

#include <stdint.h>

#include "cleanup.h"
#include "err.h"

#define VERITY_ROOT 32
#define VERITY_SALT_MAX 256

struct verity;

/* The salt goes in front of every block. CTR_USAGE "verity.salt" beyond VERITY_SALT_MAX bytes. */
CTR_MUST int verity_new(const uint8_t *salt, size_t n, struct verity **out, struct ctr_err *e);
CTR_MUST int verity_add(struct verity *v, const void *p, size_t n, struct ctr_err *e);
/* CTR_FORMAT "verity.empty" when there was no data: a tree needs a block. */
CTR_MUST int verity_end(struct verity *v, uint8_t root[VERITY_ROOT], struct ctr_err *e);
void verity_free(struct verity *v);
void verity_cleanup(struct verity **v);
#define auto_verity CTR_AUTO(verity_cleanup)

#endif
