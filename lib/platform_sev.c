/* Linux, Documentation/virt/coco/sev-guest.rst; AMD 56860 (MSG_REPORT_REQ, MSG_REPORT_RSP); AMD
 * 56421 (extended request). */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

#include "platform_int.h"
#include "rd.h"

/* The kernel's own forms: what goes over an ioctl is no foreign bytes. */
struct guest_request {
	uint8_t msg_version;
	uint64_t req, resp; /* addresses */
	uint64_t exitinfo2; /* low half from the firmware, high half from the hypervisor */
};
struct report_request {
	uint8_t user_data[CTR_REPORT_DATA];
	uint32_t vmpl;
	uint8_t reserved[28];
};
struct extended_request {
	struct report_request data;
	uint64_t certs_address;
	uint32_t certs_len;
};
#define RESPONSE 4000
#define REPORT_AT 32
_Static_assert(sizeof(struct guest_request) == 32, "ABI");
_Static_assert(sizeof(struct report_request) == 96, "ABI");
_Static_assert(sizeof(struct extended_request) == 112, "ABI");
#define GET_REPORT _IOWR('S', 0, struct guest_request)
#define GET_EXT_REPORT _IOWR('S', 2, struct guest_request)

#define VMM_TOO_SMALL 1
#define VMM_BUSY 2
#define BUSY_TRIES 8
#define BUSY_MS 50 /* doubled from try to try */
#define PAGE 4096
#define CERTS_FIRST (4 * PAGE)
#define CERTS_MAX CTR_EVIDENCE_ITEM_MAX

static int open_device(const char *path, int *fd, struct ctr_err *e)
{
	*fd = open(path, O_RDWR | O_CLOEXEC);
	return *fd < 0 ? ctr_fail_sys(e, "platform.open", "%s", path) : 0;
}

static int sev_open(struct ctr_platform *p, const char *arg, struct ctr_err *e)
{
	(void)arg;
	p->tee = CTR_TEE_SNP;
	return open_device(p->io->sev_guest, &p->fd, e);
}

static uint64_t address(void *p)
{
	return (uint64_t)(uintptr_t)p;
}

/* One ioctl, tried again while the host says that it is busy. On failure errno and q->exitinfo2
 * tell why. */
static int call(struct ctr_platform *p, unsigned long number, struct guest_request *q)
{
	unsigned waited = 0;

	for (;;) {
		q->exitinfo2 = 0;
		if (p->io->ioctl(p->fd, number, q) == 0)
			return 0;
		if (errno == EINTR)
			continue;
		if (q->exitinfo2 >> 32 != VMM_BUSY || waited == BUSY_TRIES)
			return -1;
		p->io->pause(BUSY_MS << waited++);
	}
}

static int refused(const struct ctr_platform *p, const struct guest_request *q, struct ctr_err *e)
{
	if (q->exitinfo2 >> 32 == VMM_BUSY)
		return ctr_fail(e, CTR_ENV, "platform.busy",
				"%s: the host kept the request waiting %d times", p->io->sev_guest,
				BUSY_TRIES + 1);
	if (q->exitinfo2)
		return ctr_fail(e, CTR_ENV, "platform.firmware",
				"%s: firmware error 0x%x, hypervisor error 0x%x", p->io->sev_guest,
				(unsigned)q->exitinfo2, (unsigned)(q->exitinfo2 >> 32));
	return ctr_fail_sys(e, "platform.io", "%s", p->io->sev_guest);
}

/* MSG_REPORT_RSP: status, size, 24 reserved bytes, the report. */
static int take_report(const struct ctr_platform *p, const uint8_t *response,
		       struct ctr_buf *report, struct ctr_err *e)
{
	struct ctr_rd r, skip, found;
	uint32_t status, size;

	ctr_rd_init(&r, response, RESPONSE);
	if (ctr_rd_le32(&r, &status) < 0 || status != 0)
		return ctr_fail(e, CTR_ENV, "platform.firmware",
				"%s: the firmware refused the request, status 0x%x%s",
				p->io->sev_guest, (unsigned)status,
				status == 0x16 ? " (invalid parameter)" : "");
	if (ctr_rd_le32(&r, &size) < 0 || size != CTR_SNP_SIZE ||
	    ctr_rd_take(&r, REPORT_AT - 8, &skip) < 0 || ctr_rd_take(&r, size, &found) < 0)
		return ctr_fail(e, CTR_FORMAT, "platform.report",
				"%s: a report of %u bytes (expected %d)", p->io->sev_guest,
				(unsigned)size, CTR_SNP_SIZE);
	ctr_buf_add(report, found.p, found.left);
	return ctr_buf_ok(report, "report", e);
}

/* Asks with room for n bytes of certificates; *need is more than n when that was too little. */
static int extended(struct ctr_platform *p, struct extended_request *x, uint8_t *response, size_t n,
		    size_t *need, struct ctr_buf *table, struct guest_request *q)
{
	uint8_t *room;

	ctr_buf_reset(table);
	room = ctr_buf_room(table, n);
	if (!room) {
		errno = ENOMEM;
		return -1;
	}
	memset(room, 0, n);
	x->certs_address = address(room);
	x->certs_len = (uint32_t)n;
	*q = (struct guest_request){ .msg_version = 1,
				     .req = address(x),
				     .resp = address(response) };
	if (call(p, GET_EXT_REPORT, q) < 0) {
		*need = q->exitinfo2 >> 32 == VMM_TOO_SMALL ? x->certs_len : 0;
		return -1;
	}
	ctr_buf_commit(table, n);
	return 0;
}

/* A table that begins with the end mark holds nothing. */
static void drop_empty(struct ctr_buf *table)
{
	struct ctr_rd r;

	ctr_rd_init(&r, table->p, table->n);
	if (ctr_rd_zeros(&r, 24) == 0)
		ctr_buf_reset(table);
}

static int sev_report(struct ctr_platform *p, const uint8_t *report_data, struct ctr_buf *report,
		      struct ctr_buf *table, struct ctr_err *e)
{
	struct extended_request x = { .data.vmpl = p->vmpl };
	struct guest_request q = { 0 };
	uint8_t response[RESPONSE] = { 0 };
	size_t need = 0;
	int rc;

	memcpy(x.data.user_data, report_data, CTR_REPORT_DATA);
	rc = extended(p, &x, response, CERTS_FIRST, &need, table, &q);
	if (rc < 0 && need > CERTS_FIRST && need <= CERTS_MAX && need % PAGE == 0)
		rc = extended(p, &x, response, need, &need, table, &q);
	if (rc < 0 && errno == ENOTTY) { /* a kernel without it: no certificates then */
		ctr_buf_reset(table);
		q = (struct guest_request){ .msg_version = 1,
					    .req = address(&x.data),
					    .resp = address(response) };
		rc = call(p, GET_REPORT, &q);
	}
	if (rc < 0)
		return refused(p, &q, e);
	drop_empty(table);
	return take_report(p, response, report, e);
}

const struct ctr_platform_kind ctr_platform_sev = {
	.name = "sev-guest",
	.vmpl = true,
	.open = sev_open,
	.report = sev_report,
};
