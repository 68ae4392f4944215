/* The log of the Coordinator, as --log says: one JSON object a line, or text. */
#ifndef TOOLS_CTR_COORDINATORD_EVENT_H
#define TOOLS_CTR_COORDINATORD_EVENT_H

#include "log.h"
#include "verdict.h"

/* Evidence that was refused: the policy digest, and each check that failed. Always JSON. */
void event_verdict(struct ctr_log *l, const char *request, const struct ctr_verdict *v);

/* A request that was answered with an error. */
void event_refusal(struct ctr_log *l, const char *request, const char *route,
		   const struct ctr_err *why);

/* Something that happened: `id` and a sentence. */
void event(struct ctr_log *l, const char *id, const char *request, const char *fmt, ...)
	CTR_FMT(4, 5);

#endif
