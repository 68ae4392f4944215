/* needs: tools/ctr-attest-verify/ccel.c */
/* An event log is refused with a reason, or what it says adds up; so is a quote. */
#include <stdlib.h>
#include <string.h>

#include "tools/ctr-attest-verify/ccel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void refused(const struct ctr_err *e)
{
	if (e->code != CTR_FORMAT || !e->id || !e->msg[0])
		abort();
}

/* The registers again, from the events. */
static void adds_up(const struct ccel *log, size_t size)
{
	uint8_t rtmr[CCEL_RTMRS][CCEL_DIGEST] = { 0 }, b[2 * CCEL_DIGEST];
	struct ctr_err e = { 0 };
	size_t bytes = 0;

	for (size_t i = 0; i < log->n; i++) {
		const struct ccel_event *ev = &log->events[i];

		bytes += ev->size;
		if (!ev->extended)
			continue;
		memcpy(b, rtmr[ev->index - 1], CCEL_DIGEST);
		memcpy(b + CCEL_DIGEST, ev->digest, CCEL_DIGEST);
		if (ctr_hash(CTR_SHA384, b, sizeof b, rtmr[ev->index - 1], &e) < 0)
			abort();
	}
	if (memcmp(rtmr, log->rtmr, sizeof rtmr) != 0 || log->used > size || bytes > log->used)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t rtmr[CCEL_RTMRS][CCEL_DIGEST];
	auto_ccel struct ccel log = { 0 };
	struct ctr_err e = { 0 };

	if (ccel_replay(data, size, &log, &e) < 0)
		refused(&e);
	else
		adds_up(&log, size);
	e = (struct ctr_err){ 0 };
	if (ccel_quote(data, size, rtmr, &e) < 0)
		refused(&e);
	return 0;
}
