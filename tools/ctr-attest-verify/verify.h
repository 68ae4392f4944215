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
	bool inspect;		      /* decode alone */
	bool ear;		      /* the result as an EAR */
	struct ctr_sign_key *ear_key; /* signed with it; NULL: as bare claims */
	bool at_given;
	unsigned warn_days;
	struct ctr_log *log;
};

/*
 * Verifies the file ("-": standard input) and appends the result as JSON and a line end, on one
 * line when `compact`. 0, or -1: CTR_NO for rejected (with the result), else nothing was appended
 * and e says why. Safe from several threads.
 */
CTR_MUST int job_run(const struct job *j, const char *path, bool compact, struct ctr_buf *out,
		     struct ctr_err *e);

/* What else must hold, checked when the evidence was: more checks, or -1 where nothing can be
 * judged. */
struct job_more {
	int (*check)(void *ctx, struct ctr_checks *cs, struct ctr_err *e);
	void *ctx;
};

/* The same for evidence that is at hand; `more` may be NULL, `path` is what messages name. */
CTR_MUST int job_evidence(const struct job *j, const char *path, struct ctr_evidence *ev,
			  const struct job_more *more, bool compact, struct ctr_buf *out,
			  struct ctr_err *e);

#endif
