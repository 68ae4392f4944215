#include "platform.h"

int ctr_platform_issue(struct ctr_platform *p, const uint8_t report_data[CTR_REPORT_DATA],
		       struct ctr_evidence *ev, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf table = { 0 };

	if (ctr_platform_report(p, report_data, &ev->item[CTR_REPORT], &table, e) < 0)
		return -1;
	ev->tee = ctr_platform_tee(p);
	if (ev->tee != CTR_TEE_SNP || table.n == 0)
		return 0;
	return ctr_evidence_add_table(ev, (const uint8_t *)table.p, table.n, e);
}
