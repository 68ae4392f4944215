/* Runs another program: bounded in time and output, with none of our descriptors. */
#ifndef LIB_SPAWN_H
#define LIB_SPAWN_H

#include "buf.h"

struct ctr_spawn {
	const char *const *argv; /* ends with NULL; looked up on the PATH unless it has a slash */
	const char *const *env;	 /* ends with NULL; NULL: ours */
	const char *root;	 /* its root directory, NULL or "": ours */
	const char *in;		 /* text on its standard input, NULL: /dev/null */
	struct ctr_buf *out;	 /* gathers its output, less than out->max; NULL: goes to our stderr */
	struct ctr_buf *err;	 /* gathers its standard error; NULL: see quiet */
	bool quiet;		 /* its standard error is dropped, else it is ours */
	unsigned seconds;	 /* then it is killed */
	const char *id;		 /* of a failure */
};

/*
 * Waits for its end; *status is its exit status, 128 + N after signal N. CTR_ENV s->id: it cannot
 * be started, printed too much, or did not end in time. No message holds what it printed. What it
 * leaves running in the background is not waited for once its output is closed.
 */
CTR_MUST int ctr_spawn(const struct ctr_spawn *s, int *status, struct ctr_err *e);

#endif
