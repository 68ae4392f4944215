/* Evidence of the machine that this runs on. */
#ifndef TOOLS_CTR_ATTEST_VERIFY_ISSUE_H
#define TOOLS_CTR_ATTEST_VERIFY_ISSUE_H

#include "buf.h"

/* Evidence for 64 bytes of report data from a platform (lib/platform.h), as CBOR into out. */
CTR_MUST int issue(const char *platform, const uint8_t report_data[64], struct ctr_buf *out,
		   struct ctr_err *e);

#endif
