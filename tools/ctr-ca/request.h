/* What a certificate is asked for with: a JSON object. */
#ifndef TOOLS_CTR_CA_REQUEST_H
#define TOOLS_CTR_CA_REQUEST_H

#include "ca.h"
#include "json.h"
#include "x509_csr.h"

#define REQUEST_MAX ((size_t)1024 * 1024) /* bytes of one */
#define REQUEST_CLAIMS_MAX 32

struct request {
	struct ctr_json *json; /* the names are its */
	struct ctr_csr csr;    /* the key, and with csr_names the names */
	const char **sans;
	size_t n_sans;
	struct ctr_claim claims[REQUEST_CLAIMS_MAX];
	struct ctr_buf bytes[REQUEST_CLAIMS_MAX];
	size_t n_claims;
};
void request_free(struct request *r); /* leaves an empty one, as = { 0 } */
#define auto_request CTR_AUTO(request_free)

/*
 * Reads {"csr": PEM} or {"public_key": PEM}, with "sans" (an array; with csr_names and a request
 * those that it asks for, when there is none) and "claims" (an object, bytes being hexadecimal),
 * into an empty r. CTR_FORMAT "json.…", "ca.key", "ca.san", "ca.claim"; and those of ctr_csr_parse.
 */
CTR_MUST int request_parse(const char *name, const char *p, size_t n, bool csr_names,
			   struct request *r, struct ctr_err *e);

/* The same from a request alone, PEM or DER; names come from it, or from elsewhere. */
CTR_MUST int request_csr(const char *name, const char *p, size_t n, bool csr_names,
			 struct request *r, struct ctr_err *e);

/* The chain, appended. As ctr_mesh_issue. */
CTR_MUST int request_issue(const struct request *r, const struct ctr_mesh *m, time_t now,
			   unsigned days, struct ctr_buf *chain, struct ctr_err *e);

#endif
