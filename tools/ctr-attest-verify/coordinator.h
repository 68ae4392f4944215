/* A Coordinator's answer: is it the one that enforces this manifest, and are these its
 * certificates? */
#ifndef TOOLS_CTR_ATTEST_VERIFY_COORDINATOR_H
#define TOOLS_CTR_ATTEST_VERIFY_COORDINATOR_H

#include "answer.h"
#include "verify.h"

struct coordinator {
	const char *response;	       /* file of a saved answer, NULL: it is asked for */
	const char *url;	       /* of the Coordinator's API, without "/v1/attest" */
	uint8_t nonce[CTR_NONCE_SIZE]; /* that was sent for the saved answer */
	const char *manifest;	       /* file: the active one must be this, byte for byte */
	const char *output;	       /* directory for what was verified, NULL for none */
};

/*
 * As job_run; on success also writes the directory. The answer's own faults: ids of
 * ctr_answer_parse; CTR_ENV: those of ctr_http_do, "coordinator.refused" with the Coordinator's own
 * words, "coordinator.random".
 */
CTR_MUST int coordinator_run(const struct job *j, const struct coordinator *c, struct ctr_buf *out,
			     struct ctr_err *e);

#endif
