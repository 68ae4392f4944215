/* Which level of Intel's lists a platform has, and what follows from it (Intel PCS, "Get TDX TCB
 * Info"): no cryptography. */
#ifndef LIB_TDX_LEVEL_H
#define LIB_TDX_LEVEL_H

#include "tdx.h"
#include "tdx_pck.h"
#include "tdx_tcb.h"

/* The first level whose ISVSVN is at most this one: of a quoting enclave or a TDX module. NULL:
 * none. */
const struct ctr_tcb_level *ctr_tcb_svn_level(const struct ctr_tcb_levels *l, uint16_t isvsvn);

/*
 * The first level whose SGX components and PCESVN the PCK certificate has, and whose TDX components
 * svn (TEE_TCB_SVN) has. The first two of these count for module version 0 alone: later modules
 * have lists of their own. NULL: none.
 */
const struct ctr_tcb_level *ctr_tcb_platform_level(const struct ctr_tcb_levels *l,
						   const struct ctr_pck *p, const uint8_t svn[16]);

/* The identity of the module version that svn[1] says; NULL: there is none. */
const struct ctr_tdx_module *ctr_tdx_module_of(const struct ctr_tcb_info *t, const uint8_t svn[16]);

/* The status after that of a part (module, QE) is taken in: Revoked wins, OutOfDate makes out of
 * date, others leave it. */
enum ctr_tcb_status ctr_tcb_merge(enum ctr_tcb_status status, enum ctr_tcb_status part);

/*
 * After merging: when the TD was started on an old module and microcode and the platform
 * (TEE_TCB_SVN2) is at the newest level since, a new start mends it, and the status says so.
 * platform, module, qe: the statuses before they were merged.
 */
enum ctr_tcb_status ctr_tcb_relaunch(const struct ctr_tcb_info *t, const struct ctr_pck *p,
				     const struct ctr_tdx_report *td, enum ctr_tcb_status platform,
				     enum ctr_tcb_status module, enum ctr_tcb_status qe,
				     enum ctr_tcb_status merged);

#endif
