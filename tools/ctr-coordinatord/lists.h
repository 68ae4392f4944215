/*
 * AMD's revocation lists as they were found lately, or that none could be had: so that not each
 * join asks the disk, or the vendor, again. They add no trust: the verifier checks a list's
 * signature and dates each time.
 */
#ifndef TOOLS_CTR_COORDINATORD_LISTS_H
#define TOOLS_CTR_COORDINATORD_LISTS_H

#include <pthread.h>

#include "evidence.h"
#include "snp.h"

#define LISTS_SECONDS 60 /* until one is looked for again */

struct lists {
	pthread_mutex_t lock;
	struct {
		struct ctr_buf der; /* empty: none could be had */
		time_t until;	    /* on coord_clock(); 0: not looked for yet */
	} v[CTR_PRODUCTS][2];	    /* for chips (VCEK), for clouds (VLEK) */
};
void lists_init(struct lists *l);
void lists_free(struct lists *l);

/* True when it is known what there is for ev, which gets the list if it has none. A report that
 * does not say its product is never known. */
bool lists_get(struct lists *l, time_t now, struct ctr_evidence *ev);
/* What was found, and is in ev. */
void lists_put(struct lists *l, time_t now, const struct ctr_evidence *ev);

#endif
