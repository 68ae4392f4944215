/* Names and bits that reading and writing a manifest share. */
#ifndef LIB_MANIFEST_FIELDS_H
#define LIB_MANIFEST_FIELDS_H

#include "manifest.h"

struct ctr_ref_bit {
	const char *name;
	unsigned bit;
	bool optional; /* written only when set: a later addition */
};

/* Each ends with a NULL name. AMD publication 56860, tables "Guest Policy Structure" and "PLATFORM_INFO". */
extern const struct ctr_ref_bit ctr_snp_policy_bits[];
extern const struct ctr_ref_bit ctr_snp_platform_bits[];
extern const char *const ctr_snp_tcb_names[CTR_TCB_N];

#endif
