/* needs: tools/ctr-manifest/firmware.c tools/ctr-manifest/launch.c tools/ctr-manifest/vmsa.c tools/ctr-manifest/mrtd.c */
/* needs: tools/ctr-manifest/pe.c */
/* A firmware image is refused with a reason, or measured, and the measurement covers each of its
 * bytes. */
#include <stdlib.h>
#include <string.h>

#include "tools/ctr-manifest/launch.h"
#include "tools/ctr-manifest/mrtd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void refused(const struct ctr_err *e)
{
	if (e->code != CTR_FORMAT || !e->id || !e->msg[0])
		abort();
}

static void snp(const uint8_t *data, size_t size)
{
	static const struct launch_kernel kernel;
	const struct launch_vm vm = { VMM_EC2, 0x800f12, 2, 1, &kernel };
	struct launch l = { 0 }, other = { 0 };
	struct ctr_err e = { 0 };
	struct firmware fw;
	uint8_t *copy;

	if (firmware_snp(data, size, &fw, &e) < 0) {
		refused(&e);
		return;
	}
	copy = malloc(size);
	if (!copy || launch_firmware(&l, &fw, &e) < 0)
		abort();
	memcpy(copy, data, size);
	copy[size / 2] ^= 1;
	ctr_rd_init(&fw.image, copy, size);
	if (launch_firmware(&other, &fw, &e) < 0 || memcmp(&l, &other, sizeof l) == 0)
		abort();
	free(copy);
	if (launch_rest(&l, &fw, &vm, &e) < 0)
		refused(&e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t digest[MRTD_SIZE];
	struct ctr_err e = { 0 };
	struct firmware fw;

	snp(data, size);
	if (firmware_tdx(data, size, &fw, &e) < 0)
		refused(&e);
	else if (mrtd(&fw, size % 8192 == 0, digest, &e) < 0)
		abort();
	e = (struct ctr_err){ 0 };
	if (pe_digest(data, size, digest, &e) < 0)
		refused(&e);
	return 0;
}
