/* From when, and for how long. */
#ifndef TOOLS_CTR_CA_WHEN_H
#define TOOLS_CTR_CA_WHEN_H

#include <time.h>

#include "err.h"

struct when {
	time_t at;
	bool fixed;    /* `at` was given */
	unsigned days; /* 0: not said */
};
time_t when_time(const struct when *w);
/* The values of --days and --at. CTR_USAGE "number", "usage". */
CTR_MUST int when_days(struct when *w, const char *value, struct ctr_err *e);
CTR_MUST int when_at(struct when *w, const char *value, struct ctr_err *e);

#endif
