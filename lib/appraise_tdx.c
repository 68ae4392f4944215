#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "appraisal.h"

static const struct {
	const char *check;
	size_t offset, size; /* in the report's structure */
} values[CTR_TDX_VALUES] = {
#define ROW(name, field)                                                                           \
	{                                                                                          \
		"tdx." name, offsetof(struct ctr_tdx_report, field),                               \
			sizeof((struct ctr_tdx_report *)NULL)->field                               \
	}
	[CTR_TDX_REPORTDATA] = ROW("reportdata", reportdata),
	[CTR_TDX_MRTD] = ROW("mrtd", mrtd),
	[CTR_TDX_RTMR0] = ROW("rtmr0", rtmr[0]),
	[CTR_TDX_RTMR1] = ROW("rtmr1", rtmr[1]),
	[CTR_TDX_RTMR2] = ROW("rtmr2", rtmr[2]),
	[CTR_TDX_RTMR3] = ROW("rtmr3", rtmr[3]),
	[CTR_TDX_MRSEAM] = ROW("mrseam", mrseam),
	[CTR_TDX_MRSIGNERSEAM] = ROW("mrsignerseam", mrsignerseam),
	[CTR_TDX_MRCONFIGID] = ROW("mrconfigid", mrconfigid),
	[CTR_TDX_MROWNER] = ROW("mrowner", mrowner),
	[CTR_TDX_MROWNERCONFIG] = ROW("mrownerconfig", mrownerconfig),
	[CTR_TDX_TDATTR] = ROW("tdattributes", tdattributes),
	[CTR_TDX_XFAM] = ROW("xfam", xfam),
};

#define BIT(n) ((uint64_t)1 << (n))
#define ATTRIBUTES_KNOWN                                                                           \
	(BIT(CTR_TD_DEBUG) | BIT(CTR_TD_LASS) | BIT(CTR_TD_SEPT_VE_DISABLE) |                      \
	 BIT(CTR_TD_MIGRATABLE) | BIT(CTR_TD_PKS) | BIT(CTR_TD_KL) | BIT(CTR_TD_PERFMON))
#define XFAM_KNOWN ((uint64_t)0x6dbe7)
#define XFAM_MUST ((uint64_t)3) /* x87 and SSE */

static void check_values(const struct ctr_tdx_policy *p, const struct ctr_tdx_report *td,
			 struct ctr_checks *cs)
{
	for (int i = 0; i < CTR_TDX_VALUES; i++) {
		if (p->expect[i].what == CTR_WANT_NOTHING)
			ctr_check_skip(cs, values[i].check, "not asked for");
		else if (p->expect[i].what == CTR_WANT_UNKNOWN)
			ctr_check_unknown(cs, values[i].check,
					  (const uint8_t *)td + values[i].offset, values[i].size);
		else
			ctr_check_bytes(cs, values[i].check, p->expect[i].v,
					(const uint8_t *)td + values[i].offset, values[i].size,
					NULL);
	}
}

/* One bit of TDATTRIBUTES. */
static void check_bit(struct ctr_checks *cs, const char *check, bool asked, bool want, bool found,
		      const char *detail)
{
	if (asked)
		ctr_check(cs, check, want == found, want ? "set" : "clear", found ? "set" : "clear",
			  "%s", detail);
	else
		ctr_check_skip(cs, check, "not asked for");
}

static void check_attributes(const struct ctr_tdx_policy *p, const struct ctr_tdx_report *td,
			     struct ctr_checks *cs)
{
	uint64_t attributes = ctr_tdx_le64(td->tdattributes), xfam = ctr_tdx_le64(td->xfam);
	char got[24];

	check_bit(cs, "tdx.tdattributes.debug", !p->allow_debug, false,
		  attributes & BIT(CTR_TD_DEBUG), "with DEBUG the host reads the TD's memory");
	snprintf(got, sizeof got, "0x%" PRIx64, attributes);
	ctr_check(cs, "tdx.tdattributes.reserved", !(attributes & ~ATTRIBUTES_KNOWN),
		  "bits 1 to 7 and undefined bits clear", got, "TDATTRIBUTES");
	check_bit(cs, "tdx.tdattributes.sept_ve_disable", p->require_sept_ve_disable, true,
		  attributes & BIT(CTR_TD_SEPT_VE_DISABLE), "without it the host can inject #VE");
	check_bit(cs, "tdx.tdattributes.migratable", !p->allow_migratable, false,
		  attributes & BIT(CTR_TD_MIGRATABLE),
		  "a migratable TD can be taken over by another machine");
	snprintf(got, sizeof got, "0x%" PRIx64, xfam);
	ctr_check(cs, "tdx.xfam.known", (xfam & XFAM_MUST) == XFAM_MUST && !(xfam & ~XFAM_KNOWN),
		  "bits 0 and 1 set, none outside of 0x6dbe7", got, "XFAM");
}

static void accepted(const struct ctr_tdx_policy *p, char *b, size_t size)
{
	size_t n = 0;

	for (int i = 0; i < CTR_TCB_STATUSES && n < size; i++) {
		if (p->accept_status >> i & 1)
			n += (size_t)snprintf(b + n, size - n, "%s%s", n ? ", " : "",
					      ctr_tcb_status_names[i]);
	}
}

static void check_status(const struct ctr_tdx_policy *p, const struct ctr_tdx_result *r,
			 struct ctr_checks *cs)
{
	char want[256] = "nothing";

	if (r->status == CTR_TCB_NONE) {
		ctr_check_skip(cs, "tdx.tcb_status", "not known");
		return;
	}
	accepted(p, want, sizeof want);
	ctr_check(cs, "tdx.tcb_status",
		  r->status != CTR_TCB_REVOKED && (p->accept_status >> r->status & 1), want,
		  ctr_tcb_status_names[r->status],
		  "platform %s, TDX module %s, QE %s: update what is not UpToDate",
		  ctr_tcb_status_names[r->platform], ctr_tcb_status_names[r->module],
		  ctr_tcb_status_names[r->qe]);
}

static void check_advisories(const struct ctr_tdx_policy *p, const struct ctr_tdx_result *r,
			     struct ctr_checks *cs)
{
	const char *found = "";

	if (!p->n_refuse_advisories) {
		ctr_check_skip(cs, "tdx.advisories", "not asked for");
		return;
	}
	for (size_t i = 0; i < p->n_refuse_advisories; i++) {
		for (size_t k = 0; k < r->advisories.n; k++) {
			if (strcmp(p->refuse_advisories[i], r->advisories.v[k]) == 0)
				found = p->refuse_advisories[i];
		}
	}
	/* who does not know the levels does not know their advisories */
	if (r->status == CTR_TCB_NONE)
		found = "unknown";
	ctr_check(cs, "tdx.advisories", *found == '\0', "none of the refused ones", found, NULL);
}

static void check_versions(const struct ctr_tdx_policy *p, const struct ctr_tdx_result *r,
			   struct ctr_checks *cs)
{
	const uint8_t *have = r->quote.report.tee_tcb_svn;
	bool enough = true;

	if (p->min_tcb_eval) {
		ctr_check_least(cs, "tdx.tcb_info.eval", p->min_tcb_eval,
				r->has_tcb_info ? r->tcb_info_eval : 0,
				"tcbEvaluationDataNumber of the TCB info: get newer collateral");
		ctr_check_least(cs, "tdx.qe_identity.eval", p->min_tcb_eval,
				r->has_qe_identity ? r->qe_identity_eval : 0,
				"tcbEvaluationDataNumber of the QE identity: get newer collateral");
	} else {
		ctr_check_skip(cs, "tdx.tcb_info.eval", "not asked for");
		ctr_check_skip(cs, "tdx.qe_identity.eval", "not asked for");
	}
	if (ctr_zero(p->min_tee_tcb_svn, 16)) {
		ctr_check_skip(cs, "tdx.tee_tcb_svn", "not asked for");
		return;
	}
	for (int i = 0; i < 16; i++)
		enough = enough && have[i] >= p->min_tee_tcb_svn[i];
	ctr_check(cs, "tdx.tee_tcb_svn", enough, "each component at least min_tee_tcb_svn",
		  enough ? "so" : "less", "TEE_TCB_SVN, see the claims");
}

/* What the PCK certificate says of the machine. */
static void check_platform(const struct ctr_tdx_policy *p, const struct ctr_tdx_result *r,
			   struct ctr_checks *cs)
{
	const struct ctr_pck *pck = &r->pck;
	bool listed = false;

	for (size_t i = 0; r->has_pck && pck->has_piid && i < p->n_piids; i++)
		listed = listed || ctr_same(p->piids[i], pck->piid, sizeof pck->piid);
	if (p->n_piids)
		ctr_check(cs, "tdx.piid", listed, "one of the allowed platforms", "another",
			  "platform instance id; add it if the machine is yours");
	else
		ctr_check_skip(cs, "tdx.piid", "any machine will do");
	if (p->memory_integrity)
		ctr_check(cs, "tdx.memory_integrity",
			  r->has_pck && pck->sgx_type == CTR_SGX_INTEGRITY,
			  "SGX type with integrity",
			  r->has_pck ? ctr_sgx_type_names[pck->sgx_type] : "unknown", NULL);
	else
		ctr_check_skip(cs, "tdx.memory_integrity", "not asked for");
	if (p->smt_disabled)
		ctr_check(cs, "tdx.smt_disabled", r->has_pck && pck->has_smt && !pck->smt_enabled,
			  "SMT disabled", r->has_pck && pck->has_smt ? "enabled" : "unknown", NULL);
	else
		ctr_check_skip(cs, "tdx.smt_disabled", "not asked for");
	if (p->static_platform)
		ctr_check(cs, "tdx.static_platform",
			  r->has_pck && pck->has_dynamic && !pck->dynamic_platform,
			  "no dynamic platform",
			  r->has_pck && pck->has_dynamic ? "dynamic" : "unknown", NULL);
	else
		ctr_check_skip(cs, "tdx.static_platform", "not asked for");
}

void ctr_appraise_tdx(const struct ctr_tdx_policy *p, const struct ctr_tdx_result *r,
		      struct ctr_checks *cs)
{
	const struct ctr_tdx_report *td = &r->quote.report;

	check_values(p, td, cs);
	check_attributes(p, td, cs);
	check_status(p, r, cs);
	check_advisories(p, r, cs);
	check_versions(p, r, cs);
	check_platform(p, r, cs);
	if (p->refuse_service_td)
		ctr_check(cs, "tdx.mrservicetd", ctr_zero(td->mrservicetd, sizeof td->mrservicetd),
			  "no service TD",
			  ctr_zero(td->mrservicetd, sizeof td->mrservicetd) ? "none" : "one",
			  "MRSERVICETD");
	else
		ctr_check_skip(cs, "tdx.mrservicetd", "not asked for");
}
