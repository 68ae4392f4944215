/* What the platforms' parts share. */
#ifndef LIB_PLATFORM_INT_H
#define LIB_PLATFORM_INT_H

#include "platform.h"

enum platform_kind { PLATFORM_TSM, PLATFORM_SEV, PLATFORM_TDX, PLATFORM_SIM };

struct ctr_platform {
	enum platform_kind kind;
	enum ctr_tee tee;
	const struct ctr_platform_io *io;
	int fd; /* of the device, or -1 */
	bool has_vmpl;
	unsigned vmpl;
	struct ctr_sim *sim;
};

/* Each leaves the reason in e: id "platform.open" or "platform.provider". */
CTR_MUST int ctr_tsm_open(struct ctr_platform *p, struct ctr_err *e);
CTR_MUST int ctr_sev_open(struct ctr_platform *p, struct ctr_err *e);
CTR_MUST int ctr_tdx_open(struct ctr_platform *p, struct ctr_err *e);

/* A report and, where there is one, the certificate table, appended. */
CTR_MUST int ctr_tsm_issue(struct ctr_platform *p, const uint8_t *report_data,
			   struct ctr_buf *report, struct ctr_buf *table, struct ctr_err *e);
CTR_MUST int ctr_sev_issue(struct ctr_platform *p, const uint8_t *report_data,
			   struct ctr_buf *report, struct ctr_buf *table, struct ctr_err *e);

#endif
