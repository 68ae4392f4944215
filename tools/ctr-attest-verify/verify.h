/* One verification from bytes to JSON, with what the options of ctr-attest-verify ask for. */
#ifndef TOOLS_CTR_ATTEST_VERIFY_VERIFY_H
#define TOOLS_CTR_ATTEST_VERIFY_VERIFY_H

#include "crypto_sign.h"
#include "endorse.h"
#include "tool.h"
#include "verdict.h"

struct job {
	struct ctr_verifier vf;
	struct ctr_appraisal appraisal;
	struct ctr_manifest refs;
	struct ctr_collateral_opts from; /* what evidence lacks */
	uint8_t test_root[CTR_SHA256_SIZE];
	bool inspect; /* decode alone */
	bool ear;		     /* the result as an EAR */
	struct ctr_sign_key *ear_key; /* signed with it; NULL: as bare claims */
	bool at_given;
	unsigned warn_days;
	struct ctr_log *log;
};

/*
 * Verifies the file ("-": standard input) and appends the result as JSON and a line end, on one line when `compact`. 0, or -1: CTR_NO for
 * rejected (with the result), else nothing was appended and e says why. Safe from several threads.
 */
CTR_MUST int job_run(const struct job *j, const char *path, bool compact, struct ctr_buf *out, struct ctr_err *e);

#endif
