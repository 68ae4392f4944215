/* The certificates behind an SNP report, checked once and kept: for lib/snp_verify.c. */
#ifndef LIB_SNP_CHAIN_H
#define LIB_SNP_CHAIN_H

#include "snp_verify.h"

#define CTR_SNP_LINKS 4

/* What does not depend on the report, nor on the time. */
struct ctr_snp_chain {
	struct ctr_checks checks; /* that were made */
	bool has_vek;
	struct ctr_snp_vek vek;
	enum ctr_snp_product
		product; /* by the names in the chain, CTR_PRODUCTS when they do not fit */
	EVP_PKEY *key;	 /* the leaf's, NULL when it cannot be used */
	struct {
		const char *what, *check;
		time_t from, until;
	} window[CTR_SNP_LINKS]; /* leaf, intermediate, root, list */
	size_t n_windows;
};

CTR_MUST int ctr_snp_chain_check(const struct ctr_evidence *ev, bool vlek,
				 const struct ctr_verify_opts *o, struct ctr_snp_chain *ch,
				 struct ctr_err *e);
void ctr_snp_chain_free(struct ctr_snp_chain *ch);

#endif
