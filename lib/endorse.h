/* What evidence lacks for its verification, found: lib/collateral.h with the verifier's eyes. */
#ifndef LIB_ENDORSE_H
#define LIB_ENDORSE_H

#include "collateral.h"

/*
 * Fills what ev lacks, as o says (its still_good and ctx are set here; its time is v->at). What is needed is read from the report
 * or quote; a TDX quote verified with v->tcb_optional needs nothing. Errors of ctr_collateral_fill, ctr_tdx_parse, ctr_x509_pem
 * and ctr_pck_parse. *n, unless NULL, is what was needed.
 */
CTR_MUST int ctr_endorse(const struct ctr_collateral_opts *o, const struct ctr_verify_opts *v, struct ctr_evidence *ev,
			 struct ctr_collateral_needs *n, struct ctr_err *e);

#endif
