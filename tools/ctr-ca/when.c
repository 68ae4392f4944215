#include "when.h"

#include "tool.h"
#include "x509.h"

#define DAYS_MAX 36500

time_t when_time(const struct when *w)
{
	return w->fixed ? w->at : time(NULL);
}

int when_days(struct when *w, const char *value, struct ctr_err *e)
{
	uint64_t n;

	if (ctr_number(value, "--days", 1, DAYS_MAX, &n, e) < 0)
		return -1;
	w->days = (unsigned)n;
	return 0;
}

int when_at(struct when *w, const char *value, struct ctr_err *e)
{
	w->fixed = ctr_time_parse(value, &w->at, NULL) == 0;
	if (w->fixed)
		return 0;
	return ctr_fail(e, CTR_USAGE, "usage", "--at=%s (expected YYYY-MM-DDThh:mm:ssZ)", value);
}
