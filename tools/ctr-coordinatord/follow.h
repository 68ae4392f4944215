/*
 * What other Coordinators do to a store that is shared (hstore_kube.h): a thread notices a later
 * manifest than the one that is served. Its mesh CA is with whoever set it, so that from then on
 * nothing is served here until that one, or a seed share owner, gives it.
 *
 * The store's notices are hints, and only make this thread read the record: at the latest 20
 * seconds after it was read last. A record is believed when it is signed with the seed's key, which
 * only Coordinators of the deployment have. One of a transition that was served already is the
 * store set back, and moves nothing; nor does anything else that is no later history. Once a later
 * one is known of, no peer and no store brings this process back behind it (restore_publish).
 */
#ifndef TOOLS_CTR_COORDINATORD_FOLLOW_H
#define TOOLS_CTR_COORDINATORD_FOLLOW_H

#include "coord.h"

/* Does nothing with a store that is not shared. CTR_ENV "memory". */
struct follow;
CTR_MUST int follow_start(struct coord *c, struct follow **out, struct ctr_err *e);
void follow_now(struct follow *f);  /* ends a pause; NULL is legal, as below */
void follow_stop(struct follow *f); /* waits for its end */

#endif
