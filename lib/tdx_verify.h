/* Is this TDX quote genuine, and what does Intel say of its platform? Intel's quote verification,
 * up to a pinned root key. */
#ifndef LIB_TDX_VERIFY_H
#define LIB_TDX_VERIFY_H

#include "checks.h"
#include "evidence.h"
#include "tdx.h"
#include "tdx_pck.h"
#include "tdx_tcb.h"
#include "verify.h"

/*
 * Statuses are CTR_TCB_NONE where they could not be found: a quote that is not authenticated, no
 * collateral, collateral that is not Intel's, a quoting enclave that is not the one of the
 * identity. A part without a level that it reaches is CTR_TCB_NOT_SUPPORTED. Which status is good
 * enough, and what the TD itself must be (DEBUG, XFAM, measurements), is not judged here.
 */
struct ctr_tdx_result {
	struct ctr_tdx_quote quote; /* borrows from the evidence */
	bool authenticated; /* PCK chain up to the pinned root and valid, QE report, QE binding and
			       quote signature: all passed; without a QE identity the QE has Intel's
			       signer and product too */
	bool has_pck;	    /* pck was readable, be it genuine or not */
	struct ctr_pck pck;
	enum ctr_tcb_status platform, module,
		qe; /* of the single levels; module stays NONE for module version 0 */
	enum ctr_tcb_status status;	    /* merged */
	struct ctr_advisories advisories;   /* of the levels that were found */
	time_t tcb_date;		    /* of the platform's level; 0: none */
	bool has_tcb_info, has_qe_identity; /* signed by Intel; TCB info: and of this platform */
	uint32_t tcb_info_eval, qe_identity_eval; /* their tcbEvaluationDataNumber then */
	time_t expires; /* when the first of the certificates, lists and bodies used runs out */
	const char *expires_item;		/* which: "PCK chain", "tcb_info", "tcb_info_chain",
						   "qe_identity", … "root_crl" */
	struct ctr_expiry expiry[CTR_EXPIRIES]; /* of each */
	size_t n_expiry;
};
void ctr_tdx_result_free(struct ctr_tdx_result *r);
#define ctr_auto_tdx_result CTR_AUTO(ctr_tdx_result_free)

/* Chains, lists and collateral that were checked before are known again by their bytes; safe from
 * several threads. */
struct ctr_tdx_cache;
CTR_MUST int ctr_tdx_cache_new(struct ctr_tdx_cache **c, struct ctr_err *e); /* "memory" */
void ctr_tdx_cache_free(struct ctr_tdx_cache *c); /* takes NULL; nobody may use it any more */

/*
 * Checks the quote in ev with the collateral in ev, which must outlive r. Adds every check to cs
 * ("tdx.…"), those that could not be made as skipped. cache may be NULL. CTR_PCK_CRL_CHAIN is not
 * looked at: a list counts when the CA in the quote's own chain signed it. The verdict is that no
 * check failed; r->authenticated alone says nothing of revocation or TCB. -1 only where there is
 * nothing to judge, and then r holds nothing to free: CTR_FORMAT (ids of ctr_tdx_parse,
 * ctr_x509_pem, ctr_crl_der, ctr_tcb_info_parse, ctr_qe_identity_parse), CTR_ENV
 * "collateral.missing" (TCB info and QE identity: not with o->tcb_optional; lists: by o->crl),
 * "memory".
 */
CTR_MUST int ctr_tdx_verify(const struct ctr_evidence *ev, const struct ctr_verify_opts *o,
			    struct ctr_tdx_cache *cache, struct ctr_checks *cs,
			    struct ctr_tdx_result *r, struct ctr_err *e);

#endif
