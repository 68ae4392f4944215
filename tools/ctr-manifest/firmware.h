/* The tables at the end of a virtual machine's firmware (OVMF, TDVF): where memory must be, and
 * what is measured. */
#ifndef TOOLS_CTR_MANIFEST_FIRMWARE_H
#define TOOLS_CTR_MANIFEST_FIRMWARE_H

#include "rd.h"

#define FIRMWARE_MAX ((size_t)64 << 20) /* bytes */
#define FIRMWARE_PAGE 4096u
#define FIRMWARE_SECTIONS 64 /* of one kind */
#define FIRMWARE_MEMORY                                                                            \
	((uint64_t)512 << 20) /* bytes that the sections of one kind may name together */

enum fw_sev_type {
	FW_SEV_MEMORY = 1,
	FW_SEV_SECRETS,
	FW_SEV_CPUID,
	FW_SEV_CALLING_AREA,
	FW_SEV_KERNEL_HASHES = 0x10,
};
struct fw_sev_section {
	uint32_t gpa, size; /* bytes, whole pages */
	uint32_t type;	    /* enum fw_sev_type */
};

enum fw_td_type {
	FW_TD_BFV,
	FW_TD_CFV,
	FW_TD_HOB,
	FW_TD_TEMPORARY,
	FW_TD_PERMANENT,
	FW_TD_PAYLOAD,
	FW_TD_PARAMETERS
};
#define FW_TD_EXTEND 1u /* attribute: the content is measured too */
#define FW_TD_AUG 2u	/* attribute: the pages are not added at build time */
struct fw_td_section {
	struct ctr_rd data; /* its part of the image, may be shorter than the memory */
	uint64_t gpa, size; /* bytes, whole pages */
	uint32_t type, attributes;
};

/* Borrows the image. */
struct firmware {
	struct ctr_rd image;
	uint32_t ap_eip; /* where processors other than the first start */
	bool has_hashes; /* the firmware checks a kernel against hashes at this place */
	uint32_t hashes_gpa, hashes_size;
	struct fw_sev_section sev[FIRMWARE_SECTIONS];
	size_t n_sev;
	struct fw_td_section td[FIRMWARE_SECTIONS];
	size_t n_td;
};

/*
 * Read the image p[0..n) for SEV-SNP (reset block, kernel hash area, SEV metadata) and for TDX (TDX
 * metadata). CTR_FORMAT: "firmware.size" (not whole pages, or too large), "firmware.table" (no
 * table of GUIDs, or a broken one), "firmware.entry" (a needed entry is missing, short or there
 * twice), "firmware.metadata" (the list of sections is broken), "firmware.section" (a section is
 * unknown, not whole pages or outside the image).
 */
CTR_MUST int firmware_snp(const void *p, size_t n, struct firmware *fw, struct ctr_err *e);
CTR_MUST int firmware_tdx(const void *p, size_t n, struct firmware *fw, struct ctr_err *e);

#endif
