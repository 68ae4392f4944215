/* Evidence (ctr-evidence(5)): a report and, beside it, what endorses it. */
#ifndef LIB_EVIDENCE_H
#define LIB_EVIDENCE_H

#include "buf.h"

#define CTR_EVIDENCE_MAX ((size_t)4 << 20) /* bytes, whole */
#define CTR_EVIDENCE_ITEM_MAX ((size_t)1 << 20)

enum ctr_tee { CTR_TEE_SNP, CTR_TEE_TDX };
extern const char *const ctr_tee_names[2]; /* "snp", "tdx" */

/* Nothing here adds trust: what is an endorsement is only one once it is verified up to a pinned
 * key. */
enum ctr_item {
	CTR_REPORT, /* SNP report or TDX quote, as the hardware gave it */
	/* certificates and revocation list, DER (SNP) */
	CTR_VCEK,
	CTR_VLEK,
	CTR_ASK /* or ASVK */,
	CTR_ARK,
	CTR_CRL,
	/* bodies as PCS sent them; chains in PEM, leaf first; CRLs in DER (TDX) */
	CTR_TCB_INFO,
	CTR_TCB_INFO_CHAIN,
	CTR_QE_IDENTITY,
	CTR_QE_IDENTITY_CHAIN,
	CTR_PCK_CRL,
	CTR_PCK_CRL_CHAIN,
	CTR_ROOT_CRL,
	CTR_ITEMS,
};
extern const char *const
	ctr_item_names[CTR_ITEMS]; /* "report", "vcek", … "tcb_info", …: as in the CBOR maps */

/* A zeroed one is empty. An item of length 0 is absent. */
struct ctr_evidence {
	enum ctr_tee tee;
	struct ctr_buf item[CTR_ITEMS];
};
void ctr_evidence_free(struct ctr_evidence *ev);
#define ctr_auto_evidence CTR_AUTO(ctr_evidence_free)

/*
 * Reads the CBOR container into an empty ev: RFC 8949, definite lengths, no duplicate or unknown
 * keys, one item and nothing behind it; the CMW record around it (array or tag, RFC 9999) is
 * accepted and may be absent. CTR_FORMAT "evidence.cbor", "evidence.key", "evidence.duplicate",
 * "evidence.type", "evidence.missing", "evidence.size", "evidence.cmw".
 */
CTR_MUST int ctr_evidence_parse(const uint8_t *p, size_t n, struct ctr_evidence *ev,
				struct ctr_err *e);

/* The container as a CMW record, appended; deterministic encoding (RFC 8949 section 4.2.1). */
CTR_MUST int ctr_evidence_print(const struct ctr_evidence *ev, struct ctr_buf *b,
				struct ctr_err *e);

/*
 * Any form that evidence comes in, told by its content: CBOR, SNP report (1184 bytes), HCL report
 * of an Azure vTPM (magic "HCLA": the SNP report within), TDX quote, and hexadecimal or base64 text
 * of these (blanks and line ends between digits ignored). CTR_FORMAT "evidence.form" when it is
 * none of them, else the errors above.
 */
CTR_MUST int ctr_evidence_read(const uint8_t *p, size_t n, struct ctr_evidence *ev,
			       struct ctr_err *e);

/*
 * Adds the certificates of an SNP certificate table (auxblob of an extended report; facts section
 * 2, AMD 56421): DER or PEM, stored as DER; unknown GUIDs are skipped, what ev has already stays.
 * CTR_FORMAT "cert-table".
 */
CTR_MUST int ctr_evidence_add_table(struct ctr_evidence *ev, const uint8_t *p, size_t n,
				    struct ctr_err *e);

/* One entry of a table, for who wants to look at it: called in file order; kind is "vcek", …, or
 * the GUID's text. */
typedef int (*ctr_table_fn)(void *ctx, const char *kind, size_t offset, const uint8_t *p, size_t n,
			    struct ctr_err *e);
CTR_MUST int ctr_table_walk(const uint8_t *p, size_t n, ctr_table_fn fn, void *ctx,
			    struct ctr_err *e);

#endif
