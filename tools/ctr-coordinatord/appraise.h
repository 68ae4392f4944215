/* Is a peer what the active manifest permits? */
#ifndef TOOLS_CTR_COORDINATORD_APPRAISE_H
#define TOOLS_CTR_COORDINATORD_APPRAISE_H

#include "coord.h"

struct peer {
	struct ctr_evidence ev;
	struct ctr_verdict verdict; /* borrows from ev and from the state */
};
void peer_free(struct peer *p);
#define auto_peer CTR_AUTO(peer_free)

/*
 * Verifies evidence (CBOR) that must be bound to report_data, against s: role CTR_ROLE_NONE is any.
 * On success p->verdict.policy is the manifest's. CTR_NO "coord.evidence": refused, and all about
 * it is in the log with `request`; CTR_FORMAT: cannot be read; CTR_ENV "coord.collateral": what
 * endorses it cannot be had, "coord.busy": others are being asked for.
 */
CTR_MUST int appraise(struct coord *c, struct state *s, const char *request,
		      const struct ctr_buf *evidence, const uint8_t report_data[CTR_REPORT_DATA],
		      enum ctr_role role, struct peer *p, struct ctr_err *e);

#endif
