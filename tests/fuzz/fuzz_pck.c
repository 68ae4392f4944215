/* The SGX extension of a PCK certificate: refused with a reason, or all of it was read: no shorter
 * piece is one too. */
#include <stdint.h>
#include <stdlib.h>

#include "tdx_pck.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ctr_err e = { 0 }, shorter = { 0 };
	struct ctr_pck p, q;
	struct ctr_rd r;

	ctr_rd_init(&r, data, size);
	if (ctr_pck_parse(r, &p, &e) < 0) {
		demand(e.code == CTR_FORMAT && e.id && e.msg[0]);
		return 0;
	}
	demand(p.sgx_type <= CTR_SGX_INTEGRITY);
	demand((p.has_dynamic || !p.dynamic_platform) && (p.has_cached || !p.cached_keys) &&
	       (p.has_smt || !p.smt_enabled));
	ctr_rd_init(&r, data, size - 1);
	demand(ctr_pck_parse(r, &q, &shorter) < 0 && shorter.code == CTR_FORMAT);
	return 0;
}
