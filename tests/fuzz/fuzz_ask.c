/*
 * The answer of a vendor's service: the first byte says to what request, a NUL ends the header, the
 * rest is the body. It is refused as no answer, or gives items that have bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "ask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool ok)
{
	if (!ok)
		abort();
}

static int make(unsigned kind, struct ctr_ask *a)
{
	static const uint8_t id[64] = { 1 };
	const struct ctr_snp_svn tcb = { { 0 } };

	switch (kind % 6) {
	case 0:
		return ctr_kds_vcek("http://h", CTR_MILAN, id, &tcb, a, NULL);
	case 1:
		return ctr_kds_chain("http://h", CTR_MILAN, false, a, NULL);
	case 2:
		return ctr_kds_crl("http://h", CTR_MILAN, false, a, NULL);
	case 3:
		return ctr_pcs_tcb_info("http://h", id, a, NULL);
	case 4:
		return ctr_pcs_pck_crl("http://h", false, a, NULL);
	default:
		return ctr_pcs_root_crl("http://h", NULL, a, NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ctr_auto_buf struct ctr_buf body = { 0 }, header = { 0 };
	struct ctr_buf out[2] = { { 0 }, { 0 } };
	struct ctr_err e = { 0 };
	struct ctr_ask a;
	const uint8_t *end;

	if (size < 2 || !(end = memchr(data + 1, 0, size - 1)))
		return 0;
	demand(make(data[0], &a) == 0);
	ctr_buf_add(&header, data + 1, (size_t)(end - data) - 1);
	ctr_buf_add(&body, end + 1, size - (size_t)(end - data) - 1);
	if (ctr_ask_split(&a, &body, &header, out, &e) < 0) {
		demand(e.code == CTR_ENV && strcmp(e.id, "collateral.answer") == 0 && e.msg[0]);
	} else {
		for (size_t i = 0; i < a.n; i++)
			demand(out[i].n > 0);
		demand(out[0].p[0] == (a.v[0].item == CTR_TCB_INFO ? '{' : 0x30));
	}
	ctr_buf_free(&out[0]);
	ctr_buf_free(&out[1]);
	return 0;
}
