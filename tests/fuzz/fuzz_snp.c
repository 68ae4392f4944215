/* An SNP report: refused with a reason, or its claims print and its TCBs decode; verification ends
 * whatever certificates there are. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "appraisal.h"
#include "snp_verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool ok)
{
	if (!ok)
		abort();
}

static void claims(const struct ctr_snp_report *r)
{
	ctr_auto_json struct ctr_json *obj = ctr_json_new_object();
	ctr_auto_buf struct ctr_buf text = { 0 };
	struct ctr_err e = { 0 };

	for (int p = 0; p <= CTR_PRODUCTS; p++)
		ctr_snp_claims(r, (enum ctr_snp_product)p, obj);
	demand(ctr_json_print(obj, 0, &text, &e) == 0);
}

/* The report, then what stands for the leaf and the list. */
static void verify(const uint8_t *data, size_t size)
{
	struct ctr_verify_opts o = { .at = 1780000000, .crl = CTR_CRL_IF_AVAILABLE };
	ctr_auto_evidence struct ctr_evidence ev = { 0 };
	ctr_auto_appraisal struct ctr_appraisal a;
	ctr_auto_checks struct ctr_checks cs = { 0 };
	struct ctr_snp_result r;
	struct ctr_err e = { 0 };
	size_t rest = size - CTR_SNP_REPORT_SIZE,
	       leaf = rest > 2 ? (size_t)(data[CTR_SNP_REPORT_SIZE] << 8 |
					  data[CTR_SNP_REPORT_SIZE + 1])
			       : 0;

	rest = rest > 2 ? rest - 2 : 0;
	leaf = leaf < rest ? leaf : rest;
	ctr_buf_add(&ev.item[CTR_REPORT], data, CTR_SNP_REPORT_SIZE);
	ctr_buf_add(&ev.item[CTR_VCEK], data + size - rest, leaf);
	ctr_buf_add(&ev.item[CTR_CRL], data + size - rest + leaf, rest - leaf);
	ctr_appraisal_init(&a);
	if (ctr_snp_verify(&ev, &o, NULL, &cs, &r, &e) < 0) {
		demand(e.id && e.msg[0]);
		return;
	}
	demand(!r.authenticated); /* nobody here can sign */
	ctr_appraise_snp(&a.snp, &r, &cs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ctr_snp_report r;
	struct ctr_err e = { 0 };

	if (size < CTR_SNP_REPORT_SIZE) {
		demand(ctr_snp_parse(data, size, &r, &e) < 0 && e.code == CTR_FORMAT);
		return 0;
	}
	if (ctr_snp_parse(data, CTR_SNP_REPORT_SIZE, &r, &e) < 0)
		demand(e.code == CTR_FORMAT && e.id && e.msg[0]);
	else
		claims(&r);
	verify(data, size);
	return 0;
}
