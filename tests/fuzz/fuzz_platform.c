/*
 * What the kernel of a hostile host's guest may hand over: the input is errno, exitinfo2, the
 * response of the firmware and the certificate table. Evidence that comes of it holds a report for
 * the data that was asked for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "platform.h"
#include "rd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t report_data[CTR_REPORT_DATA] = "asked";
static struct ctr_rd input;

static uint8_t *at(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return (uint8_t *)(uintptr_t)v;
}

static void copy(uint8_t *to, size_t max)
{
	struct ctr_rd piece;

	if (ctr_rd_take(&input, input.left < max ? input.left : max, &piece) == 0)
		memcpy(to, piece.p, piece.left);
}

static int answer(int fd, unsigned long number, void *arg)
{
	uint8_t *q = arg, *request = at(q + 8), why = 0;
	uint32_t len;

	(void)fd;
	if (ctr_rd_u8(&input, &why) < 0)
		why = EIO;
	if (why) {
		copy(q + 24, 8);
		if (number == 0xc0205302)
			copy(request + 104, 4);
		errno = why;
		return -1;
	}
	copy(at(q + 16), 4000);
	if (number == 0xc0205302) {
		memcpy(&len, request + 104, sizeof len);
		copy(at(request + 96), len);
	}
	return 0;
}

static void no_pause(unsigned ms)
{
	(void)ms;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ctr_platform_io io = { .sev_guest = "/dev/null",
						   .ioctl = answer,
						   .pause = no_pause };
	ctr_auto_evidence struct ctr_evidence ev = { 0 };
	ctr_auto_platform struct ctr_platform *p = NULL;
	struct ctr_err e = { 0 };
	const struct ctr_buf *report = &ev.item[CTR_REPORT];

	ctr_rd_init(&input, data, size);
	if (ctr_platform_open("sev-guest", &io, &p, &e) < 0)
		abort();
	if (ctr_platform_issue(p, report_data, &ev, &e) < 0) {
		if (e.code == CTR_OK || !e.id || !e.msg[0])
			abort();
		return 0;
	}
	if (report->n != CTR_SNP_SIZE ||
	    memcmp(report->p + 0x50, report_data, sizeof report_data) != 0)
		abort();
	return 0;
}
