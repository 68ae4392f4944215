/* Is this SNP report genuine? The checks of publications 56860 and 57230, up to a pinned root key.
 */
#ifndef LIB_SNP_VERIFY_H
#define LIB_SNP_VERIFY_H

#include "checks.h"
#include "evidence.h"
#include "snp_cert.h"
#include "verify.h"

/* SHA-256 of the SubjectPublicKeyInfo of each product's root, the ARK. */
extern const uint8_t ctr_snp_roots[CTR_PRODUCTS][CTR_SHA256_SIZE];

struct ctr_snp_result {
	struct ctr_snp_report report;
	bool has_vek; /* vek was readable, be it genuine or not */
	struct ctr_snp_vek vek;
	enum ctr_snp_product product; /* that all agree on; CTR_PRODUCTS when they do not */
	bool authenticated;	      /* every check of this module passed */
	time_t expires; /* when the first of the certificates and the list used runs out */
	const char *expires_item;		/* which */
	struct ctr_expiry expiry[CTR_EXPIRIES]; /* of each */
	size_t n_expiry;
};

/* Certificates that were verified before are known again by their bytes; safe from several threads.
 */
struct ctr_snp_cache;
CTR_MUST int ctr_snp_cache_new(struct ctr_snp_cache **c, struct ctr_err *e);
void ctr_snp_cache_free(struct ctr_snp_cache *c);

/*
 * Checks the report in ev with the certificates and the revocation list in ev; ASK, ASVK and ARK
 * that are missing there are the shipped ones. Adds every check to cs ("snp.…"), those that could
 * not be made as skipped. `cache` may be NULL. The verdict is r->authenticated. -1 only where there
 * is nothing to judge: CTR_FORMAT ("snp.…" of ctr_snp_parse, "x509.…"), CTR_ENV
 * "collateral.missing" (no leaf certificate; no list where one is required).
 */
CTR_MUST int ctr_snp_verify(const struct ctr_evidence *ev, const struct ctr_verify_opts *o,
			    struct ctr_snp_cache *cache, struct ctr_checks *cs,
			    struct ctr_snp_result *r, struct ctr_err *e);

#endif
