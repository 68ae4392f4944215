#include <string.h>

#include "platform_int.h"
#include "tdx.h"

/* DIR ends at the first comma. */
static int sim_open(struct ctr_platform *p, const char *arg, struct ctr_err *e)
{
	ctr_auto char *dir = strdup(arg);
	char *comma = dir ? strchr(dir, ',') : NULL;

	if (!dir)
		return ctr_fail_mem(e);
	if (comma)
		*comma = '\0';
	if (ctr_sim_open(dir, comma ? comma + 1 : "", &p->sim, e) < 0)
		return -1;
	p->tee = ctr_sim_tee(p->sim);
	return 0;
}

static void sim_close(struct ctr_platform *p)
{
	ctr_sim_free(p->sim);
}

static int sim_report(struct ctr_platform *p, const uint8_t *report_data, struct ctr_buf *report,
		      struct ctr_buf *table, struct ctr_err *e)
{
	if (ctr_sim_mint(p->sim, report_data, report, e) < 0)
		return -1;
	return p->tee == CTR_TEE_SNP ? ctr_sim_table(p->sim, table, e) : 0;
}

/* Intel TDX module ABI, TDREPORT_STRUCT: REPORTMACSTRUCT, TEE_TCB_INFO, TDINFO_STRUCT at 512. The
 * MAC is left zero: software has no key for it. */
static int sim_tdreport(struct ctr_platform *p, const uint8_t *report_data, uint8_t *report,
			struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf quote = { 0 };
	struct ctr_tdx_quote q;
	const struct ctr_tdx_report *r = &q.report;
	uint8_t *info = report + 512;

	if (ctr_sim_mint(p->sim, report_data, &quote, e) < 0 ||
	    ctr_tdx_parse(quote.p, quote.n, &q, e) < 0)
		return -1;
	report[0] = 0x81; /* TDX */
	memcpy(report + 128, r->reportdata, sizeof r->reportdata);
	memcpy(info, r->tdattributes, 8);
	memcpy(info + 8, r->xfam, 8);
	memcpy(info + 16, r->mrtd, 48);
	memcpy(info + 64, r->mrconfigid, 48);
	memcpy(info + 112, r->mrowner, 48);
	memcpy(info + 160, r->mrownerconfig, 48);
	memcpy(info + 208, r->rtmr, sizeof r->rtmr);
	memcpy(info + 400, r->mrservicetd, 48);
	return 0;
}

const struct ctr_platform_kind ctr_platform_sim = {
	.name = "sim",
	.takes_arg = true,
	.may_lie = true,
	.open = sim_open,
	.close = sim_close,
	.report = sim_report,
	.tdreport = sim_tdreport,
};
