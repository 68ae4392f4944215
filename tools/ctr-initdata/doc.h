/* What is measured, taken apart: an initdata document, or a policy alone. */
#ifndef TOOLS_CTR_INITDATA_DOC_H
#define TOOLS_CTR_INITDATA_DOC_H

#include "buf.h"
#include "hash.h"
#include "toml.h"

#define DOC_POLICY "policy.rego"
#define DOC_WHOLE                                                                                  \
	"initdata.toml" /* the file with the document itself, for the attestation agent            \
			 */

/* Bytes of HOSTDATA (SEV-SNP) and MRCONFIGID (TDX). */
#define DOC_SNP 32
#define DOC_TDX 48

struct doc_entry {
	char name[CTR_TOML_KEY_MAX + 1];
	struct ctr_buf text;
};

/* A zeroed one with the bytes in `measured` is what the readers below start from. */
struct doc {
	struct ctr_buf measured; /* the bytes that the digest is of */
	bool bare;		 /* measured is the policy, no document */
	enum ctr_hash_alg alg;
	uint8_t digest[CTR_HASH_MAX];
	uint8_t expected[DOC_TDX]; /* the digest as MRCONFIGID holds it; its first 32 bytes as
				      HOSTDATA does */
	struct doc_entry entry[CTR_TOML_KEYS];
	size_t n;
};
void doc_free(struct doc *d);
#define doc_auto CTR_AUTO(doc_free)

/*
 * Reads d->measured as a document. The ids of ctr_initdata_walk, and CTR_FORMAT "initdata.policy"
 * (none, or an empty one), "initdata.name" (a name that is not to be a file's).
 */
CTR_MUST int doc_read(struct doc *d, struct ctr_err *e);

/* As a policy alone, whose SHA-256 is measured. CTR_FORMAT "initdata.policy" (empty, or no text).
 */
CTR_MUST int doc_read_policy(struct doc *d, struct ctr_err *e);

#endif
