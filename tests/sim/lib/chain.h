/* What simchain makes: everything that stands behind a report, with what the options chose. */
#ifndef TESTS_SIM_LIB_CHAIN_H
#define TESTS_SIM_LIB_CHAIN_H

#include "pki.h"

#define CHAIN_EXTS 16

struct chain_opts {
	const char *dir, *keys;
	time_t from, until;	     /* of the leaf */
	time_t ca_from, ca_until;    /* of the others; 0: as the real ones */
	const char *ext[CHAIN_EXTS]; /* changes to the leaf's extensions (pki_change) */
	size_t next;
	time_t crl_from, crl_until; /* of revocation lists */
	const char *revoked;	    /* "ark", "ask"; "ca", "tcb", "pck" */
	bool no_crl;
	/* SNP */
	const char *product, *tcb, *chip_id, *csp_id;
	bool vlek;
	/* TDX */
	const char *fmspc, *pceid, *status, *module_status, *qe_status, *advisories;
	unsigned eval;
	bool processor;
	time_t info_from, info_until; /* issueDate, nextUpdate */
	const char *info,
		*identity; /* files: the inner objects as they are to be signed; NULL: made */
};

void chain_snp(const struct chain_opts *o);
void chain_tdx(const struct chain_opts *o);

#endif
