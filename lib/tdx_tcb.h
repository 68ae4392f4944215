/* Intel's TCB info (version 3, TDX) and QE identity (version 2): what PCS signs about platforms and
 * quoting enclaves. */
#ifndef LIB_TDX_TCB_H
#define LIB_TDX_TCB_H

#include <stdint.h>
#include <time.h>

#include "cleanup.h"
#include "err.h"
#include "rd.h"

#define CTR_TCB_TEXT_MAX ((size_t)1 << 20) /* bytes of one body */
#define CTR_TCB_LEVELS_MAX 256
#define CTR_TCB_MODULES_MAX 64
#define CTR_ADVISORIES_MAX 256
#define CTR_ADVISORY_MAX 32 /* with its NUL */

enum ctr_tcb_status {
	CTR_TCB_NONE, /* not known: a check before it failed or was skipped */
	/* what levels can say */
	CTR_TCB_UP_TO_DATE,
	CTR_TCB_SW_HARDENING,
	CTR_TCB_CONFIGURATION,
	CTR_TCB_CONFIGURATION_SW_HARDENING,
	CTR_TCB_OUT_OF_DATE,
	CTR_TCB_OUT_OF_DATE_CONFIGURATION,
	CTR_TCB_REVOKED,
	/* what a verifier concludes */
	CTR_TCB_RELAUNCH,
	CTR_TCB_RELAUNCH_CONFIGURATION,
	CTR_TCB_NOT_SUPPORTED,
	CTR_TCB_STATUSES,
};
/* "", "UpToDate", "SWHardeningNeeded", … "TDRelaunchAdvised",
 * "TDRelaunchAdvisedConfigurationNeeded", "NotSupported" */
extern const char *const ctr_tcb_status_names[CTR_TCB_STATUSES];

struct ctr_advisories { /* zeroed: none */
	char (*v)[CTR_ADVISORY_MAX];
	size_t n;
};
void ctr_advisories_free(struct ctr_advisories *a);
/* Adds those that are not there yet. "memory". */
CTR_MUST int ctr_advisories_join(struct ctr_advisories *a, const struct ctr_advisories *more,
				 struct ctr_err *e);

struct ctr_tcb_level {
	uint8_t sgx[16], tdx[16]; /* components: platform levels alone */
	uint16_t svn;		  /* PCESVN of platform levels, else ISVSVN */
	time_t date;
	enum ctr_tcb_status status;
	struct ctr_advisories advisories;
};
struct ctr_tcb_levels { /* in the order of the text: newest first */
	struct ctr_tcb_level *v;
	size_t n;
};

struct ctr_tdx_module {
	char id[8]; /* "TDX_01"; "" for tdxModule, which stands for module version 0 */
	uint8_t mrsigner[48], attributes[8], attributes_mask[8];
	struct ctr_tcb_levels levels;
};

/* What both have: when they hold, and what is signed. */
struct ctr_tcb_head {
	time_t issued, next;
	uint32_t eval;	    /* tcbEvaluationDataNumber */
	struct ctr_rd text; /* the inner object, byte for byte: what is signed, and what was read;
			       borrows from the input */
	uint8_t signature[64];
};

struct ctr_tcb_info {
	struct ctr_tcb_head head;
	uint8_t fmspc[6], pceid[2];
	struct ctr_tdx_module module, *modules;
	size_t n_modules;
	struct ctr_tcb_levels levels;
};

struct ctr_qe_identity {
	struct ctr_tcb_head head;
	uint8_t miscselect[4], miscselect_mask[4], attributes[16], attributes_mask[16],
		mrsigner[32];
	uint16_t isvprodid;
	struct ctr_tcb_levels levels;
};

/*
 * Read a body as PCS sends it. The signed bytes are cut from the text, and only these are read;
 * what stands beside them and is not the signature is ignored. Members that are not known are
 * ignored too, duplicates are refused. CTR_FORMAT: "tcb_info.type", "qe_identity.type" (another id
 * or version), "tcb.status" (unknown), "tcb.count", "tcb.advisory", "tcb.size", "tcb.text" (no such
 * object), "time", the ids of lib/json.h, "hex". On failure *t is empty; free takes that too.
 */
CTR_MUST int ctr_tcb_info_parse(const void *p, size_t n, struct ctr_tcb_info *t, struct ctr_err *e);
CTR_MUST int ctr_qe_identity_parse(const void *p, size_t n, struct ctr_qe_identity *q,
				   struct ctr_err *e);
void ctr_tcb_info_free(struct ctr_tcb_info *t);
void ctr_qe_identity_free(struct ctr_qe_identity *q);
#define ctr_auto_tcb_info CTR_AUTO(ctr_tcb_info_free)
#define ctr_auto_qe_identity CTR_AUTO(ctr_qe_identity_free)

#endif
