/* What the hardware says that this guest was started with. */
#ifndef TOOLS_CTR_INITDATA_REPORT_H
#define TOOLS_CTR_INITDATA_REPORT_H

#include "doc.h"
#include "platform.h"

struct report {
	const char *field; /* "HOSTDATA" or "MRCONFIGID" */
	size_t n;	   /* DOC_SNP or DOC_TDX */
	uint8_t value[DOC_TDX];
};

/*
 * A fresh report by the platform of `spec` (platform.h), asked for with random report data. On
 * SEV-SNP the report itself, which the guest's kernel takes from the firmware through a channel
 * encrypted with a key of the guest's own; on TDX the TDREPORT, which the TDX module writes into
 * the guest's memory. Neither passes through the host's hands, so that no signature need be looked
 * at. A TDX quote does, and is not taken: "auto" chooses tdx-guest in a TD. Ids of platform.h,
 * ctr_snp_parse; CTR_ENV "report.quote" (the platform gives a quote, or nothing, in a TD),
 * "report.data" (for other report data); CTR_FORMAT "report.tdreport" (no TDREPORT of a TD).
 */
CTR_MUST int report_get(const char *spec, const struct ctr_platform_io *io, struct report *r,
			struct ctr_err *e);

#endif
