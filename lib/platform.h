/* Where evidence is produced: the interfaces that a confidential guest's kernel has, or software
 * (ctr-attest-verify(1)). */
#ifndef LIB_PLATFORM_H
#define LIB_PLATFORM_H

#include <sys/types.h>

#include "evidence.h"
#include "sim.h"

#define CTR_TDREPORT_SIZE 1024

/* What a platform asks of the system. Callers pass NULL for the real one; tests put their own here.
 */
struct ctr_platform_io {
	const char *tsm;		   /* "/sys/kernel/config/tsm/report" */
	const char *sev_guest, *tdx_guest; /* "/dev/sev-guest", "/dev/tdx_guest" */
	int (*mkdir)(const char *path, mode_t mode);
	int (*rmdir)(const char *path);
	ssize_t (*write)(int fd, const void *p, size_t n);
	int (*ioctl)(int fd, unsigned long request, void *arg);
	void (*pause)(unsigned ms);
};

struct ctr_platform;

/*
 * Opens what `spec` says; the caller frees *p:
 *   configfs-tsm[,vmpl=N]  Linux 6.7 and later, SNP and TDX
 *   sev-guest[,vmpl=N]     the ioctls of the device, for older kernels
 *   tdx-guest              the device alone: a TDREPORT, no quote
 *   sim:DIR[,NAME=VALUE…]  software (sim.h)
 *   auto                   configfs-tsm, else sev-guest: never sim
 * CTR_USAGE "platform.spec"; CTR_ENV "platform.none" (auto: names all paths and what was wrong with
 * them), "platform.open" (the path is not there or not ours to use), "platform.provider" (no
 * provider, or of another kind of machine); those of ctr_sim_open.
 */
CTR_MUST int ctr_platform_open(const char *spec, const struct ctr_platform_io *io,
			       struct ctr_platform **p, struct ctr_err *e);
void ctr_platform_free(struct ctr_platform *p); /* NULL is legal */
void ctr_platform_cleanup(struct ctr_platform **p);
#define ctr_auto_platform CTR_AUTO(ctr_platform_cleanup)

/* "configfs-tsm", "sev-guest", "tdx-guest" or "sim"; and what kind of report it gives. */
const char *ctr_platform_name(const struct ctr_platform *p);
enum ctr_tee ctr_platform_tee(const struct ctr_platform *p);

/*
 * Evidence for report_data, 64 bytes in the order of memory: fills tee, the report or quote and, on
 * SNP, the certificates that the host gave, into an empty ev; nothing of it is verified. That the
 * report is for report_data was looked at (save for sim, which may be told to lie): kernels that
 * mix up requests are no help. CTR_ENV "open", "read" (an attribute), "platform.io",
 * "platform.race" (others kept using the same entry), "platform.busy" (the host kept the firmware
 * busy), "platform.firmware" (refused by the firmware), "platform.report-data", "platform.tdreport"
 * (tdx-guest gives no quote); CTR_FORMAT "platform.report" (no report), "limit", and "cert-table"
 * of ctr_evidence_add_table.
 */
CTR_MUST int ctr_platform_issue(struct ctr_platform *p, const uint8_t report_data[CTR_REPORT_DATA],
				struct ctr_evidence *ev, struct ctr_err *e);

/*
 * The same as bare bytes: appends the report or quote and, on SNP, the host's certificate table,
 * which nobody has looked at.
 */
CTR_MUST int ctr_platform_report(struct ctr_platform *p, const uint8_t report_data[CTR_REPORT_DATA],
				 struct ctr_buf *report, struct ctr_buf *table, struct ctr_err *e);

/*
 * tdx-guest, and sim of a TD: a TDREPORT, which only this machine can check (Intel TDX module ABI,
 * TDREPORT_STRUCT). CTR_ENV "platform.io"; CTR_USAGE "platform.spec" on other platforms.
 */
CTR_MUST int ctr_platform_tdreport(struct ctr_platform *p,
				   const uint8_t report_data[CTR_REPORT_DATA],
				   uint8_t report[CTR_TDREPORT_SIZE], struct ctr_err *e);

#endif
