/* A history that is in the store, and a seed that somebody gave: what recovery by a seed share
 * owner (api_recover.c) and from a peer (peers.c) have in common. */
#ifndef TOOLS_CTR_COORDINATORD_RESTORE_H
#define TOOLS_CTR_COORDINATORD_RESTORE_H

#include "coord.h"

/* A zeroed one is empty. */
struct restore {
	struct ctr_secret seed, salt; /* set by the caller, before the rest */
	struct ctr_root *derived;     /* NULL: `root` is the Coordinator's, which served before */
	const struct ctr_root *root;
	struct ctr_history history;
	struct state *state;
};
void restore_free(struct restore *r);
#define auto_restore CTR_AUTO(restore_free)

/* Whether one is waited for: CTR_NO "coord.recovered", "coord.no-manifest" if not. */
CTR_MUST int restore_due(struct coord *c, struct ctr_err *e);

/*
 * The root of seed and salt, and the history of the store, which the seed's key must have signed.
 * One that served before has a seed, and it must be this one. The caller holds `change`: one history
 * at a time is read into memory. CTR_NO "coord.seed" (another did, or has), "history.rollback"
 * (there is none any more); those of ctr_root_derive and ctr_history_load.
 */
CTR_MUST int restore_load(struct coord *c, struct restore *r, struct ctr_err *e);

/* What will be served, with this mesh CA, which is taken over on success. Ids of state_new. */
CTR_MUST int restore_make(struct coord *c, struct restore *r, struct ctr_mesh **mesh,
			  struct ctr_err *e);

/* From now on it is served; r is empty then. CTR_NO "coord.recovered": another came first;
 * "history.rollback": the history lacks what was served, or seen in the store, before. */
CTR_MUST int restore_publish(struct coord *c, struct restore *r, struct ctr_err *e);

#endif
