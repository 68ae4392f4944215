/* The SEV-SNP attestation report (AMD publication 56860, table ATTESTATION_REPORT). */
#ifndef LIB_SNP_H
#define LIB_SNP_H

#include <stdint.h>

#include "json.h"

#define CTR_SNP_REPORT_SIZE 1184
#define CTR_SNP_SIGNED_SIZE 672 /* the first bytes, which the signature covers */

/* Product lines that have a signing key hierarchy of their own; Bergamo and Siena are Genoa's. */
enum ctr_snp_product { CTR_MILAN, CTR_GENOA, CTR_TURIN, CTR_PRODUCTS };
extern const char *const ctr_snp_product_names[CTR_PRODUCTS];
/* The product of that name, CTR_PRODUCTS for none; n bytes. */
enum ctr_snp_product ctr_snp_product_find(const char *s, size_t n);

/* A TCB_VERSION by component, whatever places the product gives them. */
enum ctr_snp_tcb {
	CTR_TCB_BOOTLOADER,
	CTR_TCB_TEE,
	CTR_TCB_SNP,
	CTR_TCB_MICROCODE,
	CTR_TCB_FMC,
	CTR_TCB_N
};
extern const char *const ctr_snp_tcb_short[CTR_TCB_N]; /* "bl", "tee", "snp", "ucode", "fmc" */
struct ctr_snp_svn {
	uint8_t v[CTR_TCB_N]; /* FMC is 0 where the product has none */
};
/* Of 8 bytes as they stand in the report; a byte that the product reserves is -1 when it is not
 * zero. */
CTR_MUST int ctr_snp_svn(enum ctr_snp_product product, const uint8_t tcb[8],
			 struct ctr_snp_svn *svn);
/* The components that the product has: CTR_TCB_N for Turin, else one less. */
int ctr_snp_svn_n(enum ctr_snp_product product);
/* "bl 4, tee 0, snp 24, ucode 219" into b. */
const char *ctr_snp_svn_print(enum ctr_snp_product product, const struct ctr_snp_svn *svn,
			      char b[64]);

/* Bits of POLICY */
#define CTR_SNP_POLICY_SMT ((uint64_t)1 << 16)
#define CTR_SNP_POLICY_RESERVED_ONE ((uint64_t)1 << 17)
#define CTR_SNP_POLICY_MIGRATE_MA ((uint64_t)1 << 18)
#define CTR_SNP_POLICY_DEBUG ((uint64_t)1 << 19)
/* Bits of PLATFORM_INFO and SIGNER_INFO */
#define CTR_SNP_PLATFORM_SMT ((uint64_t)1)
#define CTR_SNP_SIGNER_AUTHOR_KEY 1u
#define CTR_SNP_SIGNER_MASK_CHIP_KEY 2u
enum ctr_snp_key { CTR_SNP_VCEK = 0, CTR_SNP_VLEK = 1, CTR_SNP_UNSIGNED = 7 }; /* SIGNING_KEY */

struct ctr_snp_firmware {
	uint8_t build, minor, major;
};

struct ctr_snp_report {
	uint8_t raw[CTR_SNP_REPORT_SIZE];
	uint32_t version, guest_svn;
	uint64_t policy;
	uint8_t family_id[16], image_id[16];
	uint32_t vmpl, signature_algo;
	uint8_t current_tcb[8];
	uint64_t platform_info;
	uint32_t signer_info;
	uint8_t report_data[64], measurement[48], host_data[32];
	uint8_t id_key_digest[48], author_key_digest[48], report_id[32], report_id_ma[32];
	uint8_t reported_tcb[8];
	uint8_t cpuid_family, cpuid_model, cpuid_stepping; /* version 3 and later, else 0 */
	uint8_t chip_id[64];
	uint8_t committed_tcb[8];
	struct ctr_snp_firmware current, committed;
	uint8_t launch_tcb[8];
	uint64_t launch_mit, current_mit; /* version 5 and later, else 0 */
	uint8_t r[48], s[48];		  /* of the signature, little-endian as in the report */
};

/*
 * Reads a report of version 2 to 5. What the specification says is zero or one must be so, the
 * unsigned tail too. CTR_FORMAT: "snp.length", "snp.version", "snp.reserved", "snp.field"
 * (signature algorithm, VMPL of the host).
 */
CTR_MUST int ctr_snp_parse(const uint8_t *p, size_t n, struct ctr_snp_report *r, struct ctr_err *e);

static inline enum ctr_snp_key ctr_snp_signing_key(const struct ctr_snp_report *r)
{
	return (enum ctr_snp_key)(r->signer_info >> 2 & 7);
}

/* The product of a CPU, by family and model as Linux shows them; CTR_PRODUCTS: not known. */
enum ctr_snp_product ctr_snp_cpu_product(unsigned family, unsigned model);

/* The product that the CPUID bytes say: CTR_PRODUCTS for version 2, which has none, and for what is
 * not known. */
enum ctr_snp_product ctr_snp_cpuid_product(const struct ctr_snp_report *r);

/*
 * Every field, by the specification's name in lower case, as a member of obj: numbers as such,
 * masks as "0x…", bytes in hexadecimal, TCBs by component of the product (CTR_PRODUCTS: as 8
 * bytes).
 */
void ctr_snp_claims(const struct ctr_snp_report *r, enum ctr_snp_product product,
		    struct ctr_json *obj);

#endif
