/* A Coordinator's answer: is it the one that enforces this manifest, and are these its
 * certificates? */
#ifndef TOOLS_CTR_ATTEST_VERIFY_DEPLOYMENT_H
#define TOOLS_CTR_ATTEST_VERIFY_DEPLOYMENT_H

#include "coordinator.h"
#include "verify.h"

struct deployment {
	const char *response;	       /* file of a saved answer, NULL: it is asked for */
	const char *url;	       /* of the Coordinator's API, without "/v1/attest" */
	uint8_t nonce[CTR_NONCE_SIZE]; /* that was sent for the saved answer */
	const char *manifest;	       /* file: the active one must be this, byte for byte */
	const char *root_ca;	       /* file: the root CA that is known; NULL: any */
	const char *output;	       /* directory for what was verified, NULL for none */
};

/* As job_run; on success also writes the directory. Errors of ctr_coordinator_ask and
 * ctr_attested_read. */
CTR_MUST int deployment_run(const struct job *j, const struct deployment *d, struct ctr_buf *out,
			    struct ctr_err *e);

#endif
