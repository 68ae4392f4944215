/* The whole question: is this evidence genuine, and is it what a manifest or an appraisal policy
 * permits? */
#ifndef LIB_VERDICT_H
#define LIB_VERDICT_H

#include "appraisal.h"

struct ctr_verifier {
	struct ctr_verify_opts opts;
	/*
	 * What is asked for besides the reference values; with a manifest, what must hold for each
	 * of its sets. Never NULL. Without a manifest it alone decides.
	 */
	const struct ctr_appraisal *appraisal;
	const struct ctr_manifest *refs; /* NULL: no reference values */
	bool any_guest;	    /* without refs: the appraisal need not hold a launch measurement */
	bool policies;	    /* HOSTDATA or MRCONFIGID must be a policy of the manifest */
	enum ctr_role role; /* and that policy's role, CTR_ROLE_NONE for any */
	struct ctr_snp_cache *snp; /* may be NULL */
	struct ctr_tdx_cache *tdx;
};

struct ctr_verdict { /* borrows from the evidence and the manifest */
	enum ctr_tee tee;
	bool accepted;
	bool authenticated; /* the evidence is genuine, whether permitted or not */
	unsigned matched; /* the set of reference values that fits, counted from 1; 0: none, or none
			     was asked for */
	struct ctr_checks checks;
	struct ctr_snp_result snp;
	struct ctr_tdx_result tdx;
	const struct ctr_manifest_policy *policy; /* of the manifest, when `policies` */
	time_t expires;				  /* of what the evidence stands on, the first */
	const char *expires_item;
};
void ctr_verdict_free(struct ctr_verdict *v);
#define ctr_auto_verdict CTR_AUTO(ctr_verdict_free)

/*
 * Fills v. -1 only where there is nothing to judge: CTR_FORMAT for evidence that cannot be read,
 * CTR_ENV "collateral.missing", "memory". Whatever is wrong otherwise is a check that failed, and
 * v->accepted is false.
 */
CTR_MUST int ctr_verify(const struct ctr_verifier *vf, const struct ctr_evidence *ev,
			struct ctr_verdict *v, struct ctr_err *e);

/* The verdict as members of a JSON object (ctr-attest-verify(1)). */
CTR_MUST int ctr_verdict_json(const struct ctr_verifier *vf, const struct ctr_verdict *v,
			      struct ctr_json *obj, struct ctr_err *e);

/* What the verdict stands on, in no order; *n of them. They live as long as v. */
const struct ctr_expiry *ctr_verdict_expiries(const struct ctr_verdict *v, size_t *n);

/* What the TEE was started with on behalf of the pod: HOST_DATA, or the first 32 bytes of
 * MRCONFIGID. */
const uint8_t *ctr_verdict_host_data(const struct ctr_verdict *v);

#endif
