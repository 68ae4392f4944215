/* The event log of a TDX guest: TCG's crypto agile log as ACPI's CCEL area has it (TCG PC Client
 * Platform Firmware Profile). */
#ifndef TOOLS_CTR_ATTEST_VERIFY_CCEL_H
#define TOOLS_CTR_ATTEST_VERIFY_CCEL_H

#include "err.h"
#include "hash.h"

#define CCEL_MAX ((size_t)16 << 20) /* bytes */
#define CCEL_EVENTS 65536
#define CCEL_DIGEST 48
#define CCEL_RTMRS 4

struct ccel_event {
	uint32_t index; /* 0 MRTD, 1 to 4 RTMR0 to RTMR3 */
	uint32_t type;
	uint8_t digest[CCEL_DIGEST]; /* SHA-384 */
	uint32_t size;		     /* bytes of event data */
	bool extended;		     /* it changed its register */
	bool bound; /* the digest is that of the event data: the data is as trustworthy as the
		       digest */
};

struct ccel {
	struct ccel_event *events; /* without the header */
	size_t n;
	size_t used;			       /* bytes up to the end of the last event */
	uint8_t rtmr[CCEL_RTMRS][CCEL_DIGEST]; /* what the replay ends with */
};
void ccel_free(struct ccel *log);
#define auto_ccel CTR_AUTO(ccel_free)

/*
 * Reads and replays the log p[0..n) into a zeroed *log. It ends at an index of 0xffffffff, at
 * zeros, or with the bytes. CTR_FORMAT: "eventlog.header" (no Spec ID event, or one without
 * SHA-384), "eventlog.event" (an event is cut off, has digests that the header does not announce,
 * or a register that there is not), "limit".
 */
CTR_MUST int ccel_replay(const void *p, size_t n, struct ccel *log, struct ctr_err *e);

/* The four RTMRs of a TDX quote, version 4 or 5, that nobody verified here. CTR_FORMAT
 * "eventlog.quote". */
CTR_MUST int ccel_quote(const void *p, size_t n, uint8_t rtmr[CCEL_RTMRS][CCEL_DIGEST],
			struct ctr_err *e);

/* "EV_SEPARATOR" …, NULL for what has no name. */
const char *ccel_type(uint32_t type);

#endif
