/* needs: tools/ctr-manifest/igvm.c tools/ctr-manifest/launch.c tools/ctr-manifest/vmsa.c tests/sim/guest.c */
/* An IGVM file is refused with a reason or measured, the same each time; its checksum is mended to
 * get further. */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/guest.h"
#include "tools/ctr-manifest/igvm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct launch l = { 0 }, again = { 0 };
	struct ctr_err e = { 0 };
	bool kvm;

	ctr_buf_add(&b, data, size);
	if (size >= 24)
		guest_igvm_crc(&b);
	if (igvm_snp(b.p, b.n, false, &l, &kvm, &e) < 0) {
		if (e.code != CTR_FORMAT || !e.id || !e.msg[0])
			abort();
	} else if (igvm_snp(b.p, b.n, false, &again, &kvm, &e) < 0 ||
		   memcmp(&l, &again, sizeof l) != 0) {
		abort();
	}
	return 0;
}
