/* What an SNP signing certificate (VCEK, VLEK) says of its chip: AMD publication 57230, "VCEK and
 * VLEK certificate extensions". */
#ifndef LIB_SNP_CERT_H
#define LIB_SNP_CERT_H

#include "snp.h"
#include "x509.h"

struct ctr_snp_vek {
	bool vlek;		      /* by its common name; then csp is set, else hwid */
	enum ctr_snp_product product; /* of the product name extension */
	struct ctr_snp_svn tcb;
	uint8_t hwid[64]; /* as in CHIP_ID: Turin's 8 bytes, then zeros */
	char csp[128];	  /* the cloud provider's id, "" for a VCEK */
};

/*
 * Reads the extensions. Each value must be the exact DER, each be there once. CTR_FORMAT "snp.cert"
 * with the name of the extension; the certificate's signature is not looked at.
 */
CTR_MUST int ctr_snp_vek_read(const X509 *c, struct ctr_snp_vek *v, struct ctr_err *e);

/* The members of a claims object: kind, product, tcb, hwid or csp id. */
void ctr_snp_vek_claims(const struct ctr_snp_vek *v, struct ctr_json *obj);

#endif
