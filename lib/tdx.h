/* TDX quotes of version 4 and 5 (Intel TDX DCAP Quoting Library API, appendix A): bytes to fields,
 * nothing is believed. */
#ifndef LIB_TDX_H
#define LIB_TDX_H

#include "json.h"
#include "rd.h"

#define CTR_TDX_QUOTE_MAX ((size_t)1 << 20) /* bytes, with what is behind the signature data */
#define CTR_TDX_SIG_MAX ((size_t)64 << 10)  /* signature data */

/* Bytes in the order of the report; numbers within are little endian. */
struct ctr_tdx_report {
	uint8_t tee_tcb_svn[16], mrseam[48], mrsignerseam[48], seamattributes[8], tdattributes[8],
		xfam[8];
	uint8_t mrtd[48], mrconfigid[48], mrowner[48], mrownerconfig[48], rtmr[4][48],
		reportdata[64];
	bool v15; /* the two below are there */
	uint8_t tee_tcb_svn2[16], mrservicetd[48];
};

/* Report of the quoting enclave. */
struct ctr_sgx_report {
	uint8_t cpusvn[16], miscselect[4], attributes[16], mrenclave[32], mrsigner[32],
		reportdata[64];
	uint16_t isvprodid, isvsvn;
};

/* The views borrow from the bytes that were parsed. */
struct ctr_tdx_quote {
	uint16_t version, att_key_type,
		body_type; /* body type: 2 TD report 1.0 (all of version 4), 3 TD report 1.5 */
	uint32_t tee_type;
	uint8_t reserved[4], qe_vendor_id[16], user_data[20];
	struct ctr_tdx_report report;
	struct ctr_rd signed_part; /* what the attestation key signs: all before the length of the
				      signature data */
	uint8_t signature[64], att_key[64]; /* r, s; x, y: big endian, 32 bytes each */
	struct ctr_sgx_report qe;
	struct ctr_rd qe_bytes; /* the 384 bytes of it, which the PCK key signs */
	uint8_t qe_signature[64];
	struct ctr_rd qe_auth;	/* QE authentication data */
	struct ctr_rd chain;	/* PCK certificates in PEM, leaf first */
	struct ctr_rd trailing; /* behind the signature data: hosts pad, and nobody signs it */
};

/*
 * Strict: each length agrees with the one around it. CTR_FORMAT "tdx.length" (short, or lengths
 * that disagree), "tdx.size", "tdx.version", "tdx.key-type", "tdx.tee-type", "tdx.vendor",
 * "tdx.body" (type and size), "tdx.cert-type".
 */
CTR_MUST int ctr_tdx_parse(const void *p, size_t n, struct ctr_tdx_quote *q, struct ctr_err *e);

/*
 * Adds every field to an object under its name in the specification, in lower case; bytes in
 * hexadecimal as they stand in the quote. "memory".
 */
CTR_MUST int ctr_tdx_claims(const struct ctr_tdx_quote *q, struct ctr_json *obj, struct ctr_err *e);

/* Bits of TDATTRIBUTES. Behind them: one bit, 0 to 63, and all of them, of TDATTRIBUTES or XFAM. */
enum {
	CTR_TD_DEBUG = 0,
	CTR_TD_LASS = 27,
	CTR_TD_SEPT_VE_DISABLE = 28,
	CTR_TD_MIGRATABLE = 29,
	CTR_TD_PKS = 30,
	CTR_TD_KL = 31,
	CTR_TD_PERFMON = 63,
};
bool ctr_tdx_bit(const uint8_t field[8], unsigned bit);
uint64_t ctr_tdx_le64(const uint8_t field[8]);

#endif
