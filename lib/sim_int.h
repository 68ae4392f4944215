/* What the parts of sim.h share. */
#ifndef LIB_SIM_INT_H
#define LIB_SIM_INT_H

#include "crypto_sign.h"
#include "sim.h"

/* A field of a layout. Tables end with a NULL name. */
struct ctr_sim_field {
	const char *name;
	unsigned at, size; /* bytes */
	bool number;	   /* little-endian, size at most 8; else bytes */
};

/* Little-endian, size bytes. */
void ctr_sim_put(uint8_t *at, size_t size, uint64_t v);
/* A decimal or 0x… number that fits into size bytes. CTR_USAGE "sim.value". */
CTR_MUST int ctr_sim_number(const struct ctr_sim_value *v, size_t size, uint64_t *n,
			    struct ctr_err *e);
/* Hexadecimal bytes, zeros behind. CTR_USAGE "sim.value". */
CTR_MUST int ctr_sim_bytes(const struct ctr_sim_value *v, uint8_t *at, size_t size,
			   struct ctr_err *e);
/*
 * Puts the value into image[0..n), where the table or "@OFFSET" says. *done tells if it did: a name
 * that is not there is no error yet.
 */
CTR_MUST int ctr_sim_set(const struct ctr_sim_field *table, const struct ctr_sim_value *v,
			 uint8_t *image, size_t n, bool *done, struct ctr_err *e);
int ctr_sim_unknown(const struct ctr_sim_value *v, struct ctr_err *e); /* fails with "sim.field" */

/* Signs in place: an all-zero signature when SIGNER_INFO says that there is no key. */
CTR_MUST int ctr_sim_snp_sign(uint8_t report[CTR_SNP_SIZE], const struct ctr_sign_key *key,
			      struct ctr_err *e);

/* The keys that a quote needs, and the PCK chain in PEM. */
struct ctr_sim_tdx_keys {
	struct ctr_sign_key *att, *pck;
	struct ctr_buf chain;
};
/*
 * Body, then signature data, appended. Further fields: those of the QE report, qe_cpusvn,
 * qe_miscselect, qe_attributes, qe_mrenclave, qe_mrsigner, qe_isvprodid, qe_isvsvn, qe_report_data;
 * qe_auth_data (bytes of any length); trailing (number of zero bytes behind).
 */
CTR_MUST int ctr_sim_tdx_quote(const struct ctr_sim_values *l,
			       const uint8_t report_data[CTR_REPORT_DATA],
			       const struct ctr_sim_tdx_keys *k, struct ctr_buf *b,
			       struct ctr_err *e);

#endif
