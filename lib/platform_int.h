/* What the platforms' parts share. */
#ifndef LIB_PLATFORM_INT_H
#define LIB_PLATFORM_INT_H

#include "platform.h"

struct ctr_platform;

/* One way to evidence. */
struct ctr_platform_kind {
	const char *name;
	bool vmpl;	/* "name,vmpl=N" may be said */
	bool takes_arg; /* written "name:arg", for open */
	bool may_lie;	/* a report for other data is what its user asked for */
	/* Leaves the reason in e: id "platform.open" or "platform.provider". */
	int (*open)(struct ctr_platform *p, const char *arg, struct ctr_err *e);
	void (*close)(struct ctr_platform *p); /* what open left beside fd, or NULL */
	/* A report and, where there is one, the certificate table, appended; NULL for none. */
	int (*report)(struct ctr_platform *p, const uint8_t *report_data, struct ctr_buf *report,
		      struct ctr_buf *table, struct ctr_err *e);
	/* A TDREPORT, or NULL; not asked for when tee is another. */
	int (*tdreport)(struct ctr_platform *p, const uint8_t *report_data, uint8_t *report,
			struct ctr_err *e);
};
extern const struct ctr_platform_kind ctr_platform_tsm, ctr_platform_sev, ctr_platform_tdx,
	ctr_platform_sim;

/*
 * What a program has, NULL at the end. lib/platform_kinds.c has all; a program that must not have
 * them all brings a list of its own, and the linker takes that one.
 */
extern const struct ctr_platform_kind *const ctr_platform_kinds[];

struct ctr_platform {
	const struct ctr_platform_kind *kind;
	enum ctr_tee tee;
	const struct ctr_platform_io *io;
	int fd; /* of the device, or -1 */
	bool has_vmpl;
	unsigned vmpl;
	struct ctr_sim *sim;
};

#endif
