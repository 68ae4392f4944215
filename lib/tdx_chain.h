/* Intel's certificate chains and revocation lists (SGX PCK Certificate and CRL Profile): for
 * lib/tdx_trust.c. */
#ifndef LIB_TDX_CHAIN_H
#define LIB_TDX_CHAIN_H

#include "x509.h"

/* SHA-256 of the SubjectPublicKeyInfo of Intel's SGX Root CA. */
extern const uint8_t ctr_tdx_root[CTR_SHA256_SIZE];

enum ctr_tdx_chain_kind {
	CTR_TDX_PCK,	/* PCK certificate, Platform or Processor CA, root */
	CTR_TDX_SIGNER, /* TCB Signing certificate, root */
};

/*
 * What is wrong with the chain, NULL for nothing: number and order of the certificates, names, keys
 * on P-256, who is a CA, signatures up to the root and the root's own. Not looked at: the time, and
 * whether the root is the pinned one.
 */
const char *ctr_tdx_chain_fault(const struct ctr_chain *c, enum ctr_tdx_chain_kind kind);

/* When all of its certificates are valid; false when a date cannot be read. */
bool ctr_tdx_chain_window(const struct ctr_chain *c, time_t *from, time_t *until);

/* What is wrong with the list, NULL for nothing: complete, of that issuer, signed by it. */
const char *ctr_tdx_crl_fault(X509_CRL *l, const X509 *issuer);

#endif
