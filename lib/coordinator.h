/*
 * A Coordinator as its clients see it (ctr-api(7)): it is asked with a nonce, and
 * believed when its evidence is that of a machine with the role of a Coordinator in a manifest,
 * bound to the nonce and to all that it says.
 */
#ifndef LIB_COORDINATOR_H
#define LIB_COORDINATOR_H

#include "answer.h"
#include "appraisal.h"
#include "collateral.h"
#include "manifest.h"

#define CTR_API_CODE 40 /* bytes of an error's code, "manifest_conflict", and its NUL */

/*
 * POSTs a JSON text to URL/v1/NAME; the body of the 200, at most max bytes, is appended. `code` may
 * be NULL; it gets what a refusal says, else "". "coordinator.refused": CTR_NO when the Coordinator
 * judged the request (a code such as invalid_signature, permission_denied, manifest_conflict),
 * CTR_ENV for all other answers, among them those of somebody in between. The errors of
 * ctr_http_do.
 */
CTR_MUST int ctr_coordinator_post(const struct ctr_http_opts *o, const char *url, const char *name,
				  const char *json, size_t max, struct ctr_buf *body,
				  char code[CTR_API_CODE], struct ctr_err *e);

/* The failure of an answer that is not what was asked for, as above. Returns -1. */
int ctr_coordinator_refused(const char *url, const struct ctr_http_resp *r, char code[CTR_API_CODE],
			    struct ctr_err *e);

/* Asks for evidence under a fresh nonce; the answer's text is appended. Also CTR_ENV
 * "coordinator.random". */
CTR_MUST int ctr_coordinator_ask(const struct ctr_http_opts *o, const char *url,
				 uint8_t nonce[CTR_NONCE_SIZE], struct ctr_buf *answer,
				 struct ctr_err *e);

/* An answer, taken apart and not yet believed. A zeroed one is empty. */
struct ctr_attested {
	uint8_t nonce[CTR_NONCE_SIZE];
	struct ctr_answer answer;
	struct ctr_answer_index *policies;
	struct ctr_evidence evidence;
};
void ctr_attested_free(struct ctr_attested *a);
#define ctr_auto_attested CTR_AUTO(ctr_attested_free)

/* Reads the text into an empty one, whose nonce is set already. Ids of ctr_answer_parse,
 * ctr_evidence_read. The structure must stay where it is. */
CTR_MUST int ctr_attested_read(const char *name, const struct ctr_buf *text, struct ctr_attested *a,
			       struct ctr_err *e);

/* The report data that the evidence must have is asked for in p. */
CTR_MUST int ctr_attested_bind(const struct ctr_attested *a, struct ctr_appraisal *p,
			       struct ctr_err *e);

/* What the Coordinator must be found to do. */
struct ctr_coordinator_want {
	enum {
		CTR_COORDINATOR_SERVES, /* the manifest below, byte for byte, is the active one */
		CTR_COORDINATOR_ANY,	/* whatever history, or none */
		CTR_COORDINATOR_WAITS,	/* no history: a first manifest or recovery is due */
	} state;
	const struct ctr_buf *bytes;	     /* of the manifest; only for SERVES */
	const struct ctr_manifest *manifest; /* knows reference values, policies and roles */
	const struct ctr_buf *root_ca; /* PEM: the root CA must have this certificate; NULL: any */
};

/* The checks "coordinator.…" of an answer whose evidence is another's to verify. */
void ctr_attested_check(const struct ctr_attested *a, const struct ctr_coordinator_want *w,
			struct ctr_checks *cs);

/* Where a Coordinator is, and how its evidence is looked at. Strings are borrowed. */
struct ctr_coordinator {
	const char *url;		 /* of its API, without "/v1/…" */
	struct ctr_collateral_opts from; /* `http` is for the Coordinator, too */
	struct ctr_verify_opts verify;
};

/*
 * Asks, reads and verifies, all that the above does: on 0, a holds what may be believed, and on any
 * failure nothing. CTR_NO with the name of the check that failed: "coordinator.manifest",
 * "policy.role", "snp.report_data", …
 */
CTR_MUST int ctr_coordinator_attest(const struct ctr_coordinator *c,
				    const struct ctr_coordinator_want *w, struct ctr_attested *a,
				    struct ctr_err *e);

/* A root CA that is known, for `root_ca` above: one certificate in a PEM file. CTR_FORMAT
 * "x509.pem". */
CTR_MUST int ctr_root_ca_load(const char *path, struct ctr_buf *pem, struct ctr_err *e);

/* Whether two PEM texts hold the same single certificate. */
bool ctr_same_certificate(const struct ctr_buf *a, const struct ctr_buf *b);

/*
 * Writes a verified answer into a directory (made when missing): manifests/NNNNNN-HASH,
 * policies/HASH, then coordinator-root-ca.pem and mesh-ca.pem: who finds them finds the rest.
 */
CTR_MUST int ctr_answer_save(const char *dir, const struct ctr_answer *a, struct ctr_err *e);

#endif
