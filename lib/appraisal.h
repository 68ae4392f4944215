/*
 * What a relying party asks of a genuine report, and the comparison (RFC 9334: appraisal policy and
 * reference values). A manifest's reference values and the file of --appraisal become the same
 * structure, and go through the same checks.
 */
#ifndef LIB_APPRAISAL_H
#define LIB_APPRAISAL_H

#include "checks.h"
#include "manifest.h"
#include "snp_verify.h"
#include "tdx_verify.h"

/* A value that must be equal. */
struct ctr_want {
	enum {
		CTR_WANT_NOTHING,
		CTR_WANT_EQUAL,
		CTR_WANT_UNKNOWN /* asked for without saying what: nothing is equal */
	} what;
	uint8_t v[64];
};

struct ctr_digest_list {
	uint8_t (*v)[48];
	size_t n;
};

enum ctr_snp_value {
	CTR_SNP_REPORT_DATA,
	CTR_SNP_MEASUREMENT,
	CTR_SNP_HOST_DATA,
	CTR_SNP_ID_KEY_DIGEST,
	CTR_SNP_AUTHOR_KEY_DIGEST,
	CTR_SNP_FAMILY_ID,
	CTR_SNP_IMAGE_ID,
	CTR_SNP_REPORT_ID,
	CTR_SNP_REPORT_ID_MA,
	CTR_SNP_CHIP_ID,
	CTR_SNP_VALUES,
};

#define CTR_MIN_NONE (-1)    /* of a TCB component: not asked for */
#define CTR_MIN_UNKNOWN (-2) /* asked for without saying how much: nothing is enough */

struct ctr_snp_policy {
	bool has_product;
	enum ctr_snp_product product;
	struct ctr_want expect[CTR_SNP_VALUES];
	bool allow_debug, allow_migration_agent, permit_provisional;
	int vmpl; /* -1: any */
	int16_t min_tcb[CTR_TCB_N], min_launch_tcb[CTR_TCB_N];
	uint32_t min_guest_svn;
	int min_major, min_minor, min_build; /* firmware, -1: not asked for */
	int abi_major, abi_minor;	     /* of POLICY, -1: not asked for */
	uint64_t policy_require,
		policy_forbid;		       /* bits of POLICY beside debug and migration agent */
	bool policy_unknown, platform_unknown; /* a reference that is null: nothing matches it */
	uint64_t platform_require, platform_forbid;
	uint64_t launch_mit, current_mit;
	bool require_id_block, require_author_key;
	struct ctr_digest_list id_keys, author_keys; /* n 0: any */
	uint8_t (*chips)[64];
	size_t n_chips; /* 0: any */
};

enum ctr_tdx_value {
	CTR_TDX_REPORTDATA,
	CTR_TDX_MRTD,
	CTR_TDX_RTMR0,
	CTR_TDX_RTMR1,
	CTR_TDX_RTMR2,
	CTR_TDX_RTMR3,
	CTR_TDX_MRSEAM,
	CTR_TDX_MRSIGNERSEAM,
	CTR_TDX_MRCONFIGID,
	CTR_TDX_MROWNER,
	CTR_TDX_MROWNERCONFIG,
	CTR_TDX_TDATTR,
	CTR_TDX_XFAM,
	CTR_TDX_VALUES,
};

struct ctr_tdx_policy {
	struct ctr_want expect[CTR_TDX_VALUES];
	bool allow_debug, allow_migratable, require_sept_ve_disable, refuse_service_td;
	unsigned accept_status; /* bits 1 << enum ctr_tcb_status; Revoked never */
	char **refuse_advisories;
	size_t n_refuse_advisories;
	uint32_t min_tcb_eval;
	uint8_t min_tee_tcb_svn[16];
	uint8_t (*piids)[16];
	size_t n_piids; /* 0: any */
	bool memory_integrity, smt_disabled, static_platform;
};

struct ctr_appraisal {
	struct ctr_snp_policy snp;
	struct ctr_tdx_policy tdx;
};

/* The defaults: debug, migration agent and provisional firmware refused, only UpToDate accepted;
 * nothing else is asked for. */
void ctr_appraisal_init(struct ctr_appraisal *a);
void ctr_appraisal_free(struct ctr_appraisal *a);
#define ctr_auto_appraisal CTR_AUTO(ctr_appraisal_free)

/*
 * Reads ctr-appraisal(5) over the defaults in a. CTR_FORMAT "json.…" with the path,
 * "appraisal.value" (a version, a mask, a status that cannot be).
 */
CTR_MUST int ctr_appraisal_parse(const char *name, const char *p, size_t n, struct ctr_appraisal *a,
				 struct ctr_err *e);
CTR_MUST int ctr_appraisal_load(const char *path, struct ctr_appraisal *a, struct ctr_err *e);

/*
 * What a manifest's reference values ask for, added to what `base` asks for: an own copy into a. A
 * set's null is CTR_WANT_UNKNOWN. VMPL is 0 unless base says otherwise.
 */
CTR_MUST int ctr_appraisal_snp_ref(const struct ctr_appraisal *base, const struct ctr_snp_ref *ref,
				   struct ctr_appraisal *a, struct ctr_err *e);
CTR_MUST int ctr_appraisal_tdx_ref(const struct ctr_appraisal *base, const struct ctr_tdx_ref *ref,
				   struct ctr_appraisal *a, struct ctr_err *e);

/* True when the launch measurement of such a TEE is held: otherwise any guest would do. */
bool ctr_appraisal_pins(const struct ctr_appraisal *a, enum ctr_tee tee);

/* The checks, one for each thing that is asked for; what is not asked for is listed as skipped. */
void ctr_appraise_snp(const struct ctr_snp_policy *p, const struct ctr_snp_result *r,
		      struct ctr_checks *cs);
/* Of that the TCB alone, a TCB_VERSION of 8 bytes as in a report. */
void ctr_appraise_tcb(struct ctr_checks *cs, const char *check, enum ctr_snp_product product,
		      const int16_t min[CTR_TCB_N], const uint8_t tcb[8]);
void ctr_appraise_tdx(const struct ctr_tdx_policy *p, const struct ctr_tdx_result *r,
		      struct ctr_checks *cs);

#endif
