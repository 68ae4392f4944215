/* A TDX quote: refused with a reason, or its parts lie within it one after another and all fields
 * can be shown. */
#include <stdint.h>
#include <stdlib.h>

#include "tdx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ctr_auto_json struct ctr_json *obj = ctr_json_new_object();
	struct ctr_tdx_quote q;
	struct ctr_err e = { 0 };

	if (ctr_tdx_parse(data, size, &q, &e) < 0) {
		demand(e.code == CTR_FORMAT && e.id && e.msg[0]);
		return 0;
	}
	/* 4: length; 64, 64: signature and key; 6, 6: two headers of certification data; 2: length
	 * of authentication data */
	demand(q.signed_part.left + 4 + 64 + 64 + 6 + q.qe_bytes.left + 64 + 2 + q.qe_auth.left +
		       6 + q.chain.left + q.trailing.left ==
	       size);
	demand(q.signed_part.p == data && q.trailing.p + q.trailing.left == data + size);
	demand(q.chain.p + q.chain.left == q.trailing.p);
	demand(ctr_tdx_claims(&q, obj, &e) == 0);
	return 0;
}
