/* What evidence lacks for its verification, found: lib/collateral.h with the verifier's eyes. */
#ifndef LIB_ENDORSE_H
#define LIB_ENDORSE_H

#include "collateral.h"

/*
 * What the verification of ev will want, into n: FMSPC and CA of a TDX quote, the product of a
 * report that does not say it where its certificate does (n->product is left alone otherwise).
 * CTR_FORMAT: ids of ctr_tdx_parse, ctr_x509_pem and ctr_pck_parse; "pck.missing" without the
 * extension.
 */
CTR_MUST int ctr_endorse_needs(const struct ctr_evidence *ev, struct ctr_collateral_needs *n,
			       struct ctr_err *e);

/*
 * A ctr_still_good: of its form, and `at` within its dates. Signatures are the verifier's, which
 * sees every item each time; this one says whether to fetch another.
 */
bool ctr_endorsement_good(void *ctx, enum ctr_item item, const struct ctr_buf *b, time_t at,
			  time_t *expires);

/*
 * Fills what ev lacks, as o says (its still_good and time are set here, the latter to v->at). What
 * cannot be read is left to the verifier. Errors of ctr_collateral_fill.
 */
CTR_MUST int ctr_endorse(const struct ctr_collateral_opts *o, const struct ctr_verify_opts *v,
			 struct ctr_evidence *ev, struct ctr_err *e);

#endif
