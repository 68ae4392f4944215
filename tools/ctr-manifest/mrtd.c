#include "mrtd.h"

#include <string.h>

#define CHUNK 256 /* bytes that one TDH.MR.EXTEND takes */
#define BLOCK 128

/* The block of an operation: its name, padded to 16 bytes, the address, zeros. */
static int operation(struct ctr_hasher *h, const char *name, uint64_t gpa, struct ctr_err *e)
{
	uint8_t b[BLOCK] = { 0 };

	memcpy(b, name, strlen(name));
	for (int i = 0; i < 8; i++)
		b[16 + i] = (uint8_t)(gpa >> 8 * i);
	return ctr_hasher_add(h, b, sizeof b, e);
}

static int add(struct ctr_hasher *h, uint64_t gpa, struct ctr_err *e)
{
	return operation(h, "MEM.PAGE.ADD", gpa, e);
}

/* One page; behind the end of its data it is zero. */
static int extend(struct ctr_hasher *h, uint64_t gpa, struct ctr_rd *data, struct ctr_err *e)
{
	for (uint64_t at = 0; at < FIRMWARE_PAGE; at += CHUNK) {
		uint8_t chunk[CHUNK] = { 0 };

		if (ctr_rd_copy(data, chunk, data->left < CHUNK ? data->left : CHUNK) < 0 ||
		    operation(h, "MR.EXTEND", gpa + at, e) < 0 ||
		    ctr_hasher_add(h, chunk, sizeof chunk, e) < 0)
			return -1;
	}
	return 0;
}

static int section(struct ctr_hasher *h, const struct fw_td_section *s, bool by_section,
		   struct ctr_err *e)
{
	bool extended = s->attributes & FW_TD_EXTEND;
	struct ctr_rd data = s->data;

	for (uint64_t at = 0; at < s->size; at += FIRMWARE_PAGE) {
		if (add(h, s->gpa + at, e) < 0 ||
		    (extended && !by_section && extend(h, s->gpa + at, &data, e) < 0))
			return -1;
	}
	for (uint64_t at = 0; extended && by_section && at < s->size; at += FIRMWARE_PAGE) {
		if (extend(h, s->gpa + at, &data, e) < 0)
			return -1;
	}
	return 0;
}

int mrtd(const struct firmware *fw, bool by_section, uint8_t out[MRTD_SIZE], struct ctr_err *e)
{
	ctr_auto_hasher struct ctr_hasher *h = NULL;

	if (ctr_hasher_new(CTR_SHA384, &h, e) < 0)
		return -1;
	for (size_t i = 0; i < fw->n_td; i++) {
		if (!(fw->td[i].attributes & FW_TD_AUG) &&
		    section(h, &fw->td[i], by_section, e) < 0)
			return -1;
	}
	return ctr_hasher_end(h, out, e);
}

int rtmr_extend(uint8_t reg[MRTD_SIZE], const uint8_t digest[MRTD_SIZE], struct ctr_err *e)
{
	uint8_t b[2 * MRTD_SIZE];

	memcpy(b, reg, MRTD_SIZE);
	memcpy(b + MRTD_SIZE, digest, MRTD_SIZE);
	return ctr_hash(CTR_SHA384, b, sizeof b, reg, e);
}

int rtmr_measure(uint8_t reg[MRTD_SIZE], const void *p, size_t n, struct ctr_err *e)
{
	uint8_t digest[MRTD_SIZE];

	return ctr_hash(CTR_SHA384, p, n, digest, e) < 0 ? -1 : rtmr_extend(reg, digest, e);
}

static int measure_text(uint8_t reg[MRTD_SIZE], const char *text, struct ctr_err *e)
{
	return rtmr_measure(reg, text, strlen(text), e);
}

int rtmr1_direct(const void *p, size_t n, bool separator, uint8_t out[MRTD_SIZE], struct ctr_err *e)
{
	static const uint8_t zero[4];
	uint8_t image[MRTD_SIZE];

	memset(out, 0, MRTD_SIZE);
	/* the firmware loads the image before it says that it is ready to boot: TCG PC Client
	 * Platform Firmware Profile */
	if (pe_digest(p, n, image, e) < 0 || rtmr_extend(out, image, e) < 0 ||
	    measure_text(out, "Calling EFI Application from Boot Option", e) < 0 ||
	    (separator && rtmr_measure(out, zero, sizeof zero, e) < 0) ||
	    measure_text(out, "Exit Boot Services Invocation", e) < 0)
		return -1;
	return measure_text(out, "Exit Boot Services Returned with Success", e);
}

int rtmr2_direct(const char *cmdline, const uint8_t *initrd, uint8_t out[MRTD_SIZE],
		 struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf wide = { 0 };
	size_t n = strlen(cmdline) + 1;

	memset(out, 0, MRTD_SIZE);
	for (size_t i = 0; i < n; i++) {
		ctr_buf_addc(&wide, cmdline[i]);
		ctr_buf_addc(&wide, '\0');
	}
	if (ctr_buf_ok(&wide, "command line", e) < 0 || rtmr_measure(out, wide.p, wide.n, e) < 0)
		return -1;
	return initrd ? rtmr_extend(out, initrd, e) : 0;
}
