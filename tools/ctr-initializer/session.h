/* Joining until it works, and again for as long as the pod lives. */
#ifndef TOOLS_CTR_INITIALIZER_SESSION_H
#define TOOLS_CTR_INITIALIZER_SESSION_H

#include "handshake.h"
#include "output.h"

struct session {
	struct handshake h;
	struct output output;
	struct ctr_log *log;
	const char *name; /* of the Coordinator, for messages */
	unsigned timeout; /* seconds until the first join is given up, 0: never */
	unsigned tries;	  /* refusals in a row, 0: any number */
	unsigned check;	  /* seconds between two looks at the mesh CA, 0: none */
	const char *on_renew;
	/* Is this who we want to be answered by? NULL: not asked. CTR_NO: no. */
	int (*verify)(void *ctx, const struct joined *j, struct ctr_err *e);
	void *ctx;
};

/*
 * Joins and writes the output; says why each time that it does not. CTR_ENV "join.timeout"; after
 * `tries` refusals in a row the last one.
 */
CTR_MUST int session_join(const struct session *s, struct ctr_err *e);

/*
 * The sidecar: joins when there is no output, then before each expiry, when the Coordinator's mesh
 * CA changes, and at SIGHUP. Returns only when the first join fails.
 */
CTR_MUST int session_renew(const struct session *s, struct ctr_err *e);

#endif
