#include "sevstatus.h"

#include <errno.h>
#include <sys/ioctl.h>

#include "rd.h"

/* struct sev_issue_cmd, which is packed: command, address, error. Older headers lack SNP's command.
 */
#define ISSUE_SIZE 16
#define SEV_ISSUE_CMD _IOC(_IOC_READ | _IOC_WRITE, 'S', 0, ISSUE_SIZE)
#define SNP_PLATFORM_STATUS 9

int sev_status_parse(const uint8_t *p, size_t n, struct sev_status *s, struct ctr_err *e)
{
	uint32_t masks;
	struct ctr_rd r;
	uint8_t rmp;

	*s = (struct sev_status){ 0 };
	ctr_rd_init(&r, p, n);
	if (ctr_rd_u8(&r, &s->major) < 0 || ctr_rd_u8(&r, &s->minor) < 0 ||
	    ctr_rd_u8(&r, &s->state) < 0 || ctr_rd_u8(&r, &rmp) < 0 ||
	    ctr_rd_le32(&r, &s->build) < 0 || ctr_rd_le32(&r, &masks) < 0 ||
	    ctr_rd_le32(&r, &s->guests) < 0 ||
	    ctr_rd_copy(&r, s->current_tcb, sizeof s->current_tcb) < 0 ||
	    ctr_rd_copy(&r, s->reported_tcb, sizeof s->reported_tcb) < 0 || ctr_rd_end(&r) < 0)
		return ctr_fail(e, CTR_FORMAT, "sev.status", "status of %zu bytes (expected %d)", n,
				SEV_STATUS_SIZE);
	s->rmp = rmp & 1;
	s->mask_chip_id = masks & 1;
	s->mask_chip_key = masks >> 1 & 1;
	s->vlek = masks >> 2 & 1;
	if (s->state > 1)
		return ctr_fail(e, CTR_FORMAT, "sev.status", "state %u (expected 0 or 1)",
				s->state);
	return 0;
}

static void put(uint8_t *p, size_t n, uint64_t v)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

int sev_status_get(const struct host_io *io, int fd, struct sev_status *s, struct ctr_err *e)
{
	uint8_t status[SEV_STATUS_SIZE] = { 0 }, issue[ISSUE_SIZE] = { 0 };
	uint32_t firmware = 0;
	struct ctr_rd r;

	put(issue, 4, SNP_PLATFORM_STATUS);
	put(issue + 4, 8, (uintptr_t)status);
	if (io->ioctl(fd, SEV_ISSUE_CMD, (uintptr_t)issue) == 0)
		return sev_status_parse(status, sizeof status, s, e);
	ctr_rd_init(&r, issue + 12, 4);
	/* -1: the firmware was not called */
	if (errno == EIO && ctr_rd_le32(&r, &firmware) == 0 && firmware && firmware != UINT32_MAX)
		return ctr_fail(e, CTR_ENV, "sev.status", "the firmware refused: error 0x%x",
				(unsigned)firmware);
	if (errno == EINVAL || errno == ENOTTY)
		return ctr_fail(e, CTR_ENV, "sev.status",
				"the kernel does not know SNP_PLATFORM_STATUS");
	return ctr_fail_sys(e, "sev.status", "SNP_PLATFORM_STATUS");
}
