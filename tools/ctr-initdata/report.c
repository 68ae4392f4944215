#include "report.h"

#include <string.h>
#include <sys/random.h>

#include "rd.h"
#include "snp.h"

static int other_data(struct ctr_err *e)
{
	return ctr_fail(e, CTR_ENV, "report.data",
			"the report is for other report data than was asked for");
}

/* Intel TDX module ABI, TDREPORT_STRUCT: type and report data in REPORTMACSTRUCT, which begins it;
 * MRCONFIGID behind attributes, XFAM and MRTD of TDINFO_STRUCT at 512. */
static int from_td(struct ctr_platform *p, const uint8_t *asked, struct report *r,
		   struct ctr_err *e)
{
	uint8_t raw[CTR_TDREPORT_SIZE];
	struct ctr_rd rd, skip, data;
	uint8_t type;

	if (ctr_platform_tdreport(p, asked, raw, e) < 0)
		return -1;
	r->field = "MRCONFIGID";
	r->n = DOC_TDX;
	ctr_rd_init(&rd, raw, sizeof raw);
	if (ctr_rd_u8(&rd, &type) < 0 || type != 0x81 || ctr_rd_take(&rd, 127, &skip) < 0 ||
	    ctr_rd_take(&rd, CTR_REPORT_DATA, &data) < 0 ||
	    ctr_rd_take(&rd, 512 - 128 - CTR_REPORT_DATA + 64, &skip) < 0 ||
	    ctr_rd_copy(&rd, r->value, r->n) < 0)
		return ctr_fail(e, CTR_FORMAT, "report.tdreport",
				"no TDREPORT of a TD (type 0x%02x)", type);
	return ctr_same(data.p, asked, CTR_REPORT_DATA) ? 0 : other_data(e);
}

static int from_snp(struct ctr_platform *p, const uint8_t *asked, struct report *r,
		    struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf raw = { 0 }, table = { 0 };
	struct ctr_snp_report s;

	if (ctr_platform_report(p, asked, &raw, &table, e) < 0 ||
	    ctr_snp_parse((const uint8_t *)ctr_buf_str(&raw), raw.n, &s, e) < 0)
		return -1;
	if (!ctr_same(s.report_data, asked, CTR_REPORT_DATA))
		return other_data(e);
	r->field = "HOSTDATA";
	r->n = DOC_SNP;
	memcpy(r->value, s.host_data, DOC_SNP);
	return 0;
}

/* A TD is told by its device, which needs no host: what configfs-tsm has there is for others. */
static int open_auto(const struct ctr_platform_io *io, struct ctr_platform **p, struct ctr_err *e)
{
	struct ctr_err tdx = { 0 };

	if (ctr_platform_open("tdx-guest", io, p, &tdx) == 0)
		return 0;
	if (ctr_platform_open("auto", io, p, e) < 0)
		return -1;
	if (ctr_platform_tee(*p) != CTR_TEE_TDX)
		return 0;
	return ctr_fail(e, CTR_ENV, "report.quote",
			"a quote passes through the host, a TDREPORT cannot be had: %s", tdx.msg);
}

int report_get(const char *spec, const struct ctr_platform_io *io, struct report *r,
	       struct ctr_err *e)
{
	ctr_auto_platform struct ctr_platform *p = NULL;
	uint8_t asked[CTR_REPORT_DATA];

	*r = (struct report){ 0 };
	if ((strcmp(spec, "auto") == 0 ? open_auto(io, &p, e)
				       : ctr_platform_open(spec, io, &p, e)) < 0)
		return -1;
	if (getrandom(asked, sizeof asked, 0) != sizeof asked)
		return ctr_fail_sys(e, "random", "no random bytes");
	if (ctr_platform_tee(p) == CTR_TEE_SNP)
		return from_snp(p, asked, r, e);
	if (strcmp(ctr_platform_name(p), "configfs-tsm") != 0)
		return from_td(p, asked, r, e);
	ctr_fail(e, CTR_ENV, "report.quote",
		 "configfs-tsm: a quote passes through the host's hands");
	return ctr_err_fix(e, "use --platform=tdx-guest, which gives a TDREPORT");
}
