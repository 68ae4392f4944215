/* Linux, Documentation/virt/coco/tdx-guest.rst. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

#include "platform_int.h"

struct tdreport_request {
	uint8_t report_data[CTR_REPORT_DATA];
	uint8_t report[CTR_TDREPORT_SIZE];
};
_Static_assert(sizeof(struct tdreport_request) == 1088, "ABI");
#define GET_REPORT0 _IOWR('T', 1, struct tdreport_request)

static int tdx_open(struct ctr_platform *p, const char *arg, struct ctr_err *e)
{
	(void)arg;
	p->tee = CTR_TEE_TDX;
	p->fd = open(p->io->tdx_guest, O_RDWR | O_CLOEXEC);
	return p->fd < 0 ? ctr_fail_sys(e, "platform.open", "%s", p->io->tdx_guest) : 0;
}

static int tdx_tdreport(struct ctr_platform *p, const uint8_t *report_data, uint8_t *report,
			struct ctr_err *e)
{
	struct tdreport_request q = { 0 };
	int rc;

	memcpy(q.report_data, report_data, CTR_REPORT_DATA);
	do
		rc = p->io->ioctl(p->fd, GET_REPORT0, &q);
	while (rc < 0 && errno == EINTR);
	if (rc != 0)
		return ctr_fail_sys(e, "platform.io", "%s", p->io->tdx_guest);
	memcpy(report, q.report, CTR_TDREPORT_SIZE);
	return 0;
}

const struct ctr_platform_kind ctr_platform_tdx = {
	.name = "tdx-guest",
	.open = tdx_open,
	.tdreport = tdx_tdreport,
};
