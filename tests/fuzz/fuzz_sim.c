/* Values for simulated reports: refused with a reason, or what they say stands in the report, which
 * has its size. */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t report_data[CTR_REPORT_DATA] = { 1 };

static void same_again(const struct ctr_sim_values *l, const uint8_t *first)
{
	uint8_t report[CTR_SNP_SIZE];
	struct ctr_err e = { 0 };

	if (ctr_sim_snp(l, report_data, report, &e) < 0 ||
	    memcmp(first, report, sizeof report) != 0)
		abort();
	for (size_t i = CTR_SNP_SIGNED; i < sizeof report; i++) {
		if (report[i] != 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ctr_auto_sim_values struct ctr_sim_values l = { 0 };
	ctr_auto_buf struct ctr_buf text = { 0 }, body = { 0 };
	uint8_t report[CTR_SNP_SIZE];
	struct ctr_err e = { 0 }, snp = { 0 }, tdx = { 0 };
	int rc;

	ctr_buf_add(&text, data, size);
	rc = size > 0 && data[0] == '{' ? ctr_sim_add_json(&l, "fuzz", &text, &e)
					: ctr_sim_add_text(&l, (const char *)data, size, &e);
	if (rc < 0 && (e.code == CTR_OK || !e.id || !e.msg[0]))
		abort();
	if (ctr_sim_snp(&l, report_data, report, &snp) == 0)
		same_again(&l, report);
	else if (snp.code != CTR_USAGE)
		abort();
	if (ctr_sim_tdx_body(&l, report_data, &body, &tdx) < 0
		    ? tdx.code != CTR_USAGE
		    : body.n != 632 && body.n != 638 && body.n != 702)
		abort();
	return 0;
}
