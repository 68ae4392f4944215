#include "issue.h"

#include "platform.h"

int issue(const char *platform, const uint8_t report_data[64], struct ctr_buf *out,
	  struct ctr_err *e)
{
	ctr_auto_platform struct ctr_platform *p = NULL;
	ctr_auto_evidence struct ctr_evidence ev = { 0 };

	if (ctr_platform_open(platform, NULL, &p, e) < 0 ||
	    ctr_platform_issue(p, report_data, &ev, e) < 0)
		return -1;
	return ctr_evidence_print(&ev, out, e);
}
