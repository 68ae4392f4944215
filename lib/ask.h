/* What to ask a vendor's service for: one request and the endorsements that its answer gives. */
#ifndef LIB_ASK_H
#define LIB_ASK_H

#include "evidence.h"
#include "snp.h"

#define CTR_KDS_URL "https://kdsintf.amd.com"
#define CTR_PCS_URL "https://api.trustedservices.intel.com"
#define CTR_ROOT_CRL_URL "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"

#define CTR_ASK_NAME 256
#define CTR_ASK_URL 768

enum ctr_answer {
	CTR_ANSWER_DER,	  /* the body is the item */
	CTR_ANSWER_CRL,	  /* the body is a list in DER, or as hexadecimal digits (PCCS) */
	CTR_ANSWER_CHAIN, /* the body is PEM: the first certificate, then the second */
	CTR_ANSWER_SIGNED /* the body is the first item, a header of the answer the second */
};

/* Plain data: names and URLs are made of fixed text, numbers and hexadecimal digits. */
struct ctr_ask {
	char url[CTR_ASK_URL]; /* "" when there is nowhere to ask; `why` says why */
	enum ctr_answer answer;
	const char *header; /* CTR_ANSWER_SIGNED: holds a chain in PEM, percent-encoded */
	size_t n;	    /* items, one or two */
	struct ctr_ask_item {
		enum ctr_item item;
		char name[CTR_ASK_NAME]; /* the file that holds it in a cache or a directory */
	} v[2];
	const char *why_id, *why; /* for the message when url is "" */
};

/*
 * AMD's Key Distribution Service (publication 57230, chapter 4). base is without a slash at the
 * end. Of a leaf's TCB the product's components are used, of a Turin chip's id the first 8 bytes. A
 * VLEK, and the VCEK of an id of zeros, cannot be asked for. CTR_FORMAT "collateral.url" when base
 * is too long.
 */
CTR_MUST int ctr_kds_vcek(const char *base, enum ctr_snp_product p, const uint8_t chip_id[64],
			  const struct ctr_snp_svn *tcb, struct ctr_ask *a, struct ctr_err *e);
CTR_MUST int ctr_kds_vlek(enum ctr_snp_product p, const struct ctr_snp_svn *tcb, struct ctr_ask *a,
			  struct ctr_err *e);
CTR_MUST int ctr_kds_chain(const char *base, enum ctr_snp_product p, bool vlek, struct ctr_ask *a,
			   struct ctr_err *e);
CTR_MUST int ctr_kds_crl(const char *base, enum ctr_snp_product p, bool vlek, struct ctr_ask *a,
			 struct ctr_err *e);

/* Intel's Provisioning Certification Service, API version 4, or a PCCS. Errors as above. */
CTR_MUST int ctr_pcs_tcb_info(const char *base, const uint8_t fmspc[6], struct ctr_ask *a,
			      struct ctr_err *e);
CTR_MUST int ctr_pcs_qe_identity(const char *base, struct ctr_ask *a, struct ctr_err *e);
CTR_MUST int ctr_pcs_pck_crl(const char *base, bool processor_ca, struct ctr_ask *a,
			     struct ctr_err *e);
/* From url; NULL: Intel's, or that of the PCCS when base is one (not CTR_PCS_URL). */
CTR_MUST int ctr_pcs_root_crl(const char *base, const char *url, struct ctr_ask *a,
			      struct ctr_err *e);

/* The name that any item of that kind has in a directory that holds one of each: "vcek.der",
 * "tcb_info.json". */
void ctr_ask_plain_name(enum ctr_item item, char name[CTR_ASK_NAME]);

/*
 * What the answer says, into the buffers of the ask's items (out[1] is unused with one item).
 * `header` is the value of a->header, NULL without. CTR_ENV "collateral.answer" when it is not what
 * such an answer is, by its outer form.
 */
CTR_MUST int ctr_ask_split(const struct ctr_ask *a, const struct ctr_buf *body,
			   const struct ctr_buf *header, struct ctr_buf out[2], struct ctr_err *e);

#endif
