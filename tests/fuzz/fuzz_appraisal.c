/* An appraisal policy: refused with a reason, or what it asks for is within its bounds. */
#include <stdint.h>
#include <stdlib.h>

#include "appraisal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ctr_auto_appraisal struct ctr_appraisal a;
	struct ctr_err e = { 0 };

	ctr_appraisal_init(&a);
	if (ctr_appraisal_parse("policy", (const char *)data, size, &a, &e) < 0) {
		demand(e.code == CTR_FORMAT && e.id && e.msg[0]);
		return 0;
	}
	demand(a.snp.vmpl >= -1 && a.snp.vmpl <= 3 && a.snp.min_major <= 255 &&
	       a.snp.abi_minor <= 255);
	demand(!(a.tdx.accept_status >> CTR_TCB_REVOKED & 1) &&
	       !(a.tdx.accept_status >> CTR_TCB_NOT_SUPPORTED & 1));
	for (int i = 0; i < CTR_TCB_N; i++)
		demand(a.snp.min_tcb[i] >= CTR_MIN_NONE && a.snp.min_tcb[i] <= 255);
	return 0;
}
