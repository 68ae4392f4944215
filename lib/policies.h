/*
 * The policies that a transition brings, as the one blob of the store that has the transition's
 * name (hstore.h): "ctr-policies-v1\n", then for each its length (32 bits, little endian) and its
 * bytes, in ascending order of their SHA-256.
 */
#ifndef LIB_POLICIES_H
#define LIB_POLICIES_H

#include "buf.h"
#include "hash.h"

struct ctr_policy {
	uint8_t hash[CTR_SHA256_SIZE]; /* of text */
	struct ctr_bytes text;
};

/* Appends the blob of v[0..n), which is sorted. CTR_FORMAT "limit"; "memory". */
CTR_MUST int ctr_policies_build(struct ctr_policy *v, size_t n, struct ctr_buf *b,
				struct ctr_err *e);

/*
 * Fills in the texts of v[0..n), whose hashes are given, in ascending order: the blob has these,
 * all of them, and nothing else. They are in p. CTR_FORMAT "store.policies".
 */
CTR_MUST int ctr_policies_parse(const void *p, size_t len, struct ctr_policy *v, size_t n,
				struct ctr_err *e);

#endif
