/* What stands behind a TDX quote: certificates, lists and Intel's collateral, checked once and
 * kept: for lib/tdx_verify.c. */
#ifndef LIB_TDX_TRUST_H
#define LIB_TDX_TRUST_H

#include <openssl/evp.h>

#include "checks.h"
#include "evidence.h"
#include "tdx.h"
#include "tdx_pck.h"
#include "tdx_tcb.h"
#include "verify.h"

#define CTR_TDX_WINDOWS 8

/* What depends neither on what the quote reports nor on the time. */
struct ctr_tdx_trust {
	struct ctr_checks checks; /* that were made */
	bool pck_good;		  /* the PCK chain is sound and ends in the pinned root */
	bool has_pck;		  /* pck was readable, be it genuine or not */
	struct ctr_pck pck;
	EVP_PKEY *key; /* the PCK certificate's, NULL when it cannot be used */
	/* Signed by Intel and for this platform: then the reason is NULL. Their head.text is empty.
	 */
	const char *tcb_unfit, *qe_unfit;
	bool qe_absent; /* no QE identity was given */
	struct ctr_tcb_info tcb;
	struct ctr_qe_identity qe;
	struct ctr_tdx_window {
		const char *what, *check;
		time_t from, until; /* both included */
	} window[CTR_TDX_WINDOWS];
	size_t n_windows;
	uint8_t id[CTR_SHA256_SIZE]; /* these two are lib/tdx_cache.c's; refs under its lock */
	unsigned refs;
};

/*
 * Checks the quote's PCK chain, and the lists and collateral in ev, into an empty t. CTR_FORMAT:
 * the ids of ctr_x509_pem, ctr_crl_der, ctr_tcb_info_parse and ctr_qe_identity_parse; CTR_ENV
 * "collateral.missing" with the names of what is not there.
 */
CTR_MUST int ctr_tdx_trust_check(const struct ctr_evidence *ev, const struct ctr_tdx_quote *q,
				 const struct ctr_verify_opts *o, struct ctr_tdx_trust *t,
				 struct ctr_err *e);
void ctr_tdx_trust_free(struct ctr_tdx_trust *t);

#endif
