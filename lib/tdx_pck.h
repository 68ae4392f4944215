/* What Intel says of a platform in its PCK certificate: the SGX extensions,
 * OID 1.2.840.113741.1.13.1. */
#ifndef LIB_TDX_PCK_H
#define LIB_TDX_PCK_H

#include "rd.h"

#define CTR_PCK_OID "1.2.840.113741.1.13.1"

enum ctr_sgx_type { CTR_SGX_STANDARD, CTR_SGX_SCALABLE, CTR_SGX_INTEGRITY };
extern const char
	*const ctr_sgx_type_names[3]; /* "standard", "scalable", "scalable-with-integrity" */

struct ctr_pck {
	uint8_t ppid[16], cpusvn[16], comp[16], pceid[2], fmspc[6], piid[16];
	uint16_t pcesvn;
	enum ctr_sgx_type sgx_type;
	bool has_piid, has_dynamic, has_cached,
		has_smt; /* only platforms under the Platform CA have these */
	bool dynamic_platform, cached_keys, smt_enabled;
};

/*
 * The value of the extension (Intel SGX PCK Certificate and CRL Profile, section 1.3.5): every
 * member once, none unknown, the mandatory ones there. CTR_FORMAT "pck.encoding", "pck.duplicate",
 * "pck.unknown", "pck.missing".
 */
CTR_MUST int ctr_pck_parse(struct ctr_rd value, struct ctr_pck *p, struct ctr_err *e);

#endif
