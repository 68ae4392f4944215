/* The vendors' public certificates, as shipped in data/trust. They save a fetch; trust comes from
 * the pins alone. */
#ifndef LIB_TRUST_H
#define LIB_TRUST_H

#include "rd.h"
#include "snp.h"

enum ctr_amd_ca { CTR_AMD_ARK, CTR_AMD_ASK, CTR_AMD_ASVK };

/* The certificate in DER; it lives as long as the program. */
struct ctr_rd ctr_trust_amd(enum ctr_snp_product product, enum ctr_amd_ca kind);
struct ctr_rd ctr_trust_intel_root(void);

#endif
