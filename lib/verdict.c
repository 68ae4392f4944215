#include "verdict.h"

#include <string.h>

#include "enc.h"

void ctr_verdict_free(struct ctr_verdict *v)
{
	ctr_checks_free(&v->checks);
	ctr_tdx_result_free(&v->tdx);
	*v = (struct ctr_verdict){ 0 };
}

const uint8_t *ctr_verdict_host_data(const struct ctr_verdict *v)
{
	return v->tee == CTR_TEE_SNP ? v->snp.report.host_data : v->tdx.quote.report.mrconfigid;
}

const struct ctr_expiry *ctr_verdict_expiries(const struct ctr_verdict *v, size_t *n)
{
	*n = v->tee == CTR_TEE_SNP ? v->snp.n_expiry : v->tdx.n_expiry;
	return v->tee == CTR_TEE_SNP ? v->snp.expiry : v->tdx.expiry;
}

static void appraise(const struct ctr_appraisal *a, const struct ctr_verdict *v,
		     struct ctr_checks *cs)
{
	if (v->tee == CTR_TEE_SNP)
		ctr_appraise_snp(&a->snp, &v->snp, cs);
	else
		ctr_appraise_tdx(&a->tdx, &v->tdx, cs);
}

static size_t sets(const struct ctr_manifest *m, enum ctr_tee tee)
{
	return tee == CTR_TEE_SNP ? m->n_snp : m->n_tdx;
}

/* One set; its checks into cs. */
static int appraise_set(const struct ctr_verifier *vf, const struct ctr_verdict *v, size_t i,
			struct ctr_checks *cs, struct ctr_err *e)
{
	ctr_auto_appraisal struct ctr_appraisal a = { 0 };
	int rc;

	if (v->tee == CTR_TEE_SNP)
		rc = ctr_appraisal_snp_ref(vf->appraisal, &vf->refs->snp[i], &a, e);
	else
		rc = ctr_appraisal_tdx_ref(vf->appraisal, &vf->refs->tdx[i], &a, e);
	if (rc < 0)
		return -1;
	appraise(&a, v, cs);
	return 0;
}

/* Any set may match; then its checks are the ones that count. When none does, all are shown. */
static int appraise_sets(const struct ctr_verifier *vf, struct ctr_verdict *v, struct ctr_err *e)
{
	ctr_auto_checks struct ctr_checks all = { 0 };

	if (sets(vf->refs, v->tee) == 0) {
		ctr_check(&v->checks, "reference_values", false, "reference values for this TEE",
			  "none", "the manifest permits no %s guest", ctr_tee_names[v->tee]);
		return 0;
	}
	for (size_t i = 0; i < sets(vf->refs, v->tee); i++) {
		ctr_auto_checks struct ctr_checks one = { .set = (unsigned)i + 1 };

		if (appraise_set(vf, v, i, &one, e) < 0)
			return -1;
		if (ctr_checks_ok(&one)) {
			v->matched = (unsigned)i + 1;
			ctr_checks_append(&v->checks, &one);
			return 0;
		}
		ctr_checks_append(&all, &one);
	}
	ctr_checks_append(&v->checks, &all);
	return 0;
}

/* The digest of the pod's policy is what the whole deployment hangs on. */
static void check_policy(const struct ctr_verifier *vf, struct ctr_verdict *v)
{
	static const uint8_t zero[16];
	const uint8_t *hash = ctr_verdict_host_data(v);
	ctr_auto_buf struct ctr_buf found = { 0 };

	if (!vf->policies)
		return;
	v->policy = ctr_manifest_find(vf->refs, hash);
	/* MRCONFIGID is longer than the digest: the rest is zero, or it is another value */
	if (v->tee == CTR_TEE_TDX && !ctr_same(hash + CTR_SHA256_SIZE, zero, sizeof zero))
		v->policy = NULL;
	ctr_hex_add(&found, hash, CTR_SHA256_SIZE);
	v->checks.bad = v->checks.bad || found.bad;
	ctr_check(&v->checks, "policy.listed", v->policy, "a policy of the manifest",
		  ctr_buf_str(&found), "HOST_DATA or MRCONFIGID: the digest of the pod's policy");
	if (vf->role != CTR_ROLE_NONE)
		ctr_check(&v->checks, "policy.role", v->policy && v->policy->role == vf->role,
			  "coordinator",
			  v->policy && v->policy->role == CTR_ROLE_COORDINATOR ? "coordinator"
									       : "none",
			  "the policy's Role in the manifest");
}

static int authenticate(const struct ctr_verifier *vf, const struct ctr_evidence *ev,
			struct ctr_verdict *v, struct ctr_err *e)
{
	if (ev->tee == CTR_TEE_SNP) {
		if (ctr_snp_verify(ev, &vf->opts, vf->snp, &v->checks, &v->snp, e) < 0)
			return -1;
		v->authenticated = v->snp.authenticated;
		v->expires = v->snp.expires;
		v->expires_item = v->snp.expires_item;
		return 0;
	}
	if (ctr_tdx_verify(ev, &vf->opts, vf->tdx, &v->checks, &v->tdx, e) < 0)
		return -1;
	v->authenticated = v->tdx.authenticated;
	if (v->authenticated && !vf->opts.tcb_optional && v->tdx.status == CTR_TCB_NONE)
		ctr_check(&v->checks, "tdx.tcb_status", false, "a status", "none",
			  "collateral that is not sound says nothing of the platform");
	v->expires = v->tdx.expires;
	v->expires_item = v->tdx.expires_item;
	return 0;
}

int ctr_verify(const struct ctr_verifier *vf, const struct ctr_evidence *ev, struct ctr_verdict *v,
	       struct ctr_err *e)
{
	*v = (struct ctr_verdict){ .tee = ev->tee };
	if (authenticate(vf, ev, v, e) < 0)
		return -1;
	if (vf->refs && appraise_sets(vf, v, e) < 0)
		return -1;
	if (!vf->refs) {
		appraise(vf->appraisal, v, &v->checks);
		/* the evidence chooses the TEE: a policy that holds one kind of guest lets nothing
		 * in of the other */
		if (!vf->any_guest)
			ctr_check(&v->checks, "appraisal.pins",
				  ctr_appraisal_pins(vf->appraisal, v->tee),
				  "a launch measurement is asked for",
				  ctr_appraisal_pins(vf->appraisal, v->tee) ? "so"
									    : "not for this TEE",
				  NULL);
	}
	check_policy(vf, v);
	if (v->checks.bad)
		return ctr_fail_mem(e);
	v->accepted = v->authenticated && ctr_checks_ok(&v->checks) && (!vf->refs || v->matched);
	return 0;
}

static int snp_json(const struct ctr_verdict *v, struct ctr_json *obj, struct ctr_err *e)
{
	struct ctr_json *claims;

	if (v->snp.product == CTR_PRODUCTS)
		ctr_json_set_null(obj, "product");
	else
		ctr_json_set_string(obj, "product", ctr_snp_product_names[v->snp.product]);
	claims = ctr_json_set_object(obj, "claims");
	ctr_json_set_bool(claims, "authenticated", v->authenticated);
	ctr_snp_claims(&v->snp.report, v->snp.product, claims);
	if (v->snp.has_vek)
		ctr_snp_vek_claims(&v->snp.vek, ctr_json_set_object(claims, "signing_key"));
	/* AMD has no levels: what the TCB must be is for the reference values to say */
	ctr_json_set_null(obj, "tcb_status");
	return claims && ctr_json_set_array(obj, "advisories") ? 0 : ctr_fail_mem(e);
}

static void pck_json(const struct ctr_pck *p, struct ctr_json *obj)
{
	ctr_json_set_hex(obj, "ppid", p->ppid, sizeof p->ppid);
	ctr_json_set_hex(obj, "cpusvn", p->cpusvn, sizeof p->cpusvn);
	ctr_json_set_hex(obj, "components", p->comp, sizeof p->comp);
	ctr_json_set_uint(obj, "pcesvn", p->pcesvn);
	ctr_json_set_hex(obj, "pceid", p->pceid, sizeof p->pceid);
	ctr_json_set_hex(obj, "fmspc", p->fmspc, sizeof p->fmspc);
	ctr_json_set_string(obj, "sgx_type", ctr_sgx_type_names[p->sgx_type]);
	if (p->has_piid)
		ctr_json_set_hex(obj, "piid", p->piid, sizeof p->piid);
	if (p->has_dynamic)
		ctr_json_set_bool(obj, "dynamic_platform", p->dynamic_platform);
	if (p->has_cached)
		ctr_json_set_bool(obj, "cached_keys", p->cached_keys);
	if (p->has_smt)
		ctr_json_set_bool(obj, "smt_enabled", p->smt_enabled);
}

static void status_json(struct ctr_json *obj, const char *key, enum ctr_tcb_status s)
{
	if (s == CTR_TCB_NONE)
		ctr_json_set_null(obj, key);
	else
		ctr_json_set_string(obj, key, ctr_tcb_status_names[s]);
}

static void tcb_json(const struct ctr_tdx_result *r, struct ctr_json *obj)
{
	char at[CTR_TIME_MAX];

	status_json(obj, "tcb_status", r->status);
	status_json(obj, "platform_status", r->platform);
	status_json(obj, "module_status", r->module);
	status_json(obj, "qe_status", r->qe);
	if (r->tcb_date)
		ctr_json_set_string(obj, "tcb_date", ctr_time_print(r->tcb_date, at));
	if (r->has_tcb_info)
		ctr_json_set_uint(obj, "tcb_evaluation_data_number", r->tcb_info_eval);
	if (r->has_qe_identity)
		ctr_json_set_uint(obj, "qe_evaluation_data_number", r->qe_identity_eval);
}

static int tdx_json(const struct ctr_verdict *v, struct ctr_json *obj, struct ctr_err *e)
{
	struct ctr_json *claims, *list;

	ctr_json_set_string(obj, "product", "TDX");
	claims = ctr_json_set_object(obj, "claims");
	ctr_json_set_bool(claims, "authenticated", v->authenticated);
	if (ctr_tdx_claims(&v->tdx.quote, claims, e) < 0)
		return -1;
	if (v->tdx.has_pck)
		pck_json(&v->tdx.pck, ctr_json_set_object(claims, "pck"));
	tcb_json(&v->tdx, obj);
	list = ctr_json_set_array(obj, "advisories");
	for (size_t i = 0; i < v->tdx.advisories.n; i++)
		ctr_json_add_string(list, v->tdx.advisories.v[i]);
	return list ? 0 : ctr_fail_mem(e);
}

int ctr_verdict_json(const struct ctr_verifier *vf, const struct ctr_verdict *v,
		     struct ctr_json *obj, struct ctr_err *e)
{
	struct ctr_json *checks;
	char at[CTR_TIME_MAX];

	ctr_json_set_string(obj, "verdict", v->accepted ? "accepted" : "rejected");
	ctr_json_set_string(obj, "tee", ctr_tee_names[v->tee]);
	if ((v->tee == CTR_TEE_SNP ? snp_json(v, obj, e) : tdx_json(v, obj, e)) < 0)
		return -1;
	if (v->matched)
		ctr_json_set_uint(obj, "matched_reference_value", v->matched - 1);
	else
		ctr_json_set_null(obj, "matched_reference_value");
	ctr_json_set_string(obj, "verified_at", ctr_time_print(vf->opts.at, at));
	if (v->expires_item) {
		ctr_json_set_string(obj, "collateral_expires", ctr_time_print(v->expires, at));
		ctr_json_set_string(obj, "collateral_expires_first", v->expires_item);
	} else {
		ctr_json_set_null(obj, "collateral_expires");
	}
	checks = ctr_json_set_array(obj, "checks");
	ctr_checks_json(&v->checks, checks);
	return checks ? 0 : ctr_fail_mem(e);
}
