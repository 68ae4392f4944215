/* What the Coordinator answers when it refuses (ctr-api(7)). */
#ifndef LIB_PROBLEM_H
#define LIB_PROBLEM_H

#include "buf.h"

enum ctr_problem {
	CTR_P_INVALID_ARGUMENT, /* 400, or the 4xx that says more */
	CTR_P_INVALID_SIGNATURE,
	CTR_P_PERMISSION_DENIED,
	CTR_P_NO_MANIFEST,
	CTR_P_NEEDS_RECOVERY,
	CTR_P_ALREADY_RECOVERED,
	CTR_P_MANIFEST_CONFLICT,
	CTR_P_ATTESTATION_FAILED,
	CTR_P_INTERNAL,
	CTR_P_N,
};

/* "invalid_argument": part of the interface. */
const char *ctr_problem_code(enum ctr_problem p);

/* The HTTP status that goes with it. */
unsigned ctr_problem_status(enum ctr_problem p);

/* The code named `word`, or CTR_P_N. */
enum ctr_problem ctr_problem_find(const char *word);

/*
 * {"version","status_code","code","error"} and a line feed, appended. `status` 0 is the problem's
 * own; `text` is for people, shows no secret and is cut at 512 bytes, escaped where it is not
 * printable.
 */
void ctr_problem_add(struct ctr_buf *b, enum ctr_problem p, unsigned status, const char *text);

#endif
