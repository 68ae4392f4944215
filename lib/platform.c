#include "platform.h"

#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>

#include "platform_int.h"
#include "rd.h"

static int real_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg);
}

static void real_pause(unsigned ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	while (nanosleep(&t, &t) < 0)
		;
}

static const struct ctr_platform_io real = {
	.tsm = "/sys/kernel/config/tsm/report",
	.sev_guest = "/dev/sev-guest",
	.tdx_guest = "/dev/tdx_guest",
	.mkdir = mkdir,
	.rmdir = rmdir,
	.write = write,
	.ioctl = real_ioctl,
	.pause = real_pause,
};

void ctr_platform_free(struct ctr_platform *p)
{
	if (!p)
		return;
	ctr_cleanup_fd(&p->fd);
	if (p->kind && p->kind->close)
		p->kind->close(p);
	free(p);
}

void ctr_platform_cleanup(struct ctr_platform **p)
{
	ctr_platform_free(*p);
}

const char *ctr_platform_name(const struct ctr_platform *p)
{
	return p->kind->name;
}

enum ctr_tee ctr_platform_tee(const struct ctr_platform *p)
{
	return p->tee;
}

static int open_kind(struct ctr_platform *p, const struct ctr_platform_kind *kind, const char *arg,
		     struct ctr_err *e)
{
	p->kind = kind;
	return kind->open(p, arg, e);
}

/* Only what the hardware is behind: software must be named. */
static int open_auto(struct ctr_platform *p, struct ctr_err *e)
{
	struct ctr_err tsm = { 0 }, sev = { 0 }, tdx = { 0 };

	if (open_kind(p, &ctr_platform_tsm, NULL, &tsm) == 0 ||
	    open_kind(p, &ctr_platform_sev, NULL, &sev) == 0)
		return 0;
	if (open_kind(p, &ctr_platform_tdx, NULL, &tdx) == 0)
		ctr_fail(&tdx, CTR_ENV, "platform.tdreport",
			 "%s: gives only a TDREPORT, a quote needs configfs-tsm (Linux 6.7)",
			 p->io->tdx_guest);
	ctr_fail(e, CTR_ENV, "platform.none", "no way to evidence: %s; %s; %s", tsm.msg, sev.msg,
		 tdx.msg);
	return ctr_err_fix(
		e,
		"run as root in a confidential VM; a container needs %s or the device node mounted",
		p->io->tsm);
}

/* ",vmpl=N" or nothing. */
static bool read_vmpl(struct ctr_platform *p, const char *rest)
{
	if (*rest == '\0')
		return true;
	if (!p->kind->vmpl || strncmp(rest, ",vmpl=", 6) != 0 || rest[6] < '0' || rest[6] > '3' ||
	    rest[7] != '\0')
		return false;
	p->has_vmpl = true;
	p->vmpl = (unsigned)(rest[6] - '0');
	return true;
}

static int no_such(const char *spec, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf known = { 0 };

	for (size_t i = 0; ctr_platform_kinds[i]; i++) {
		const struct ctr_platform_kind *k = ctr_platform_kinds[i];

		ctr_buf_addf(&known, ", %s%s", k->name,
			     k->takes_arg ? ":DIR"
			     : k->vmpl	  ? "[,vmpl=0…3]"
					  : "");
	}
	return ctr_fail(e, CTR_USAGE, "platform.spec", "%s: no platform (auto%s)", spec,
			ctr_buf_str(&known));
}

/* "name", "name,vmpl=N", or "name:what it says". */
static int open_named(struct ctr_platform *p, const char *spec, struct ctr_err *e)
{
	size_t n = strcspn(spec, ",:");

	for (size_t i = 0; ctr_platform_kinds[i]; i++) {
		p->kind = ctr_platform_kinds[i];
		if (strlen(p->kind->name) != n || strncmp(p->kind->name, spec, n) != 0)
			continue;
		if (p->kind->takes_arg ? spec[n] != ':' : !read_vmpl(p, spec + n))
			break;
		return p->kind->open(p, p->kind->takes_arg ? spec + n + 1 : NULL, e);
	}
	return no_such(spec, e);
}

int ctr_platform_open(const char *spec, const struct ctr_platform_io *io, struct ctr_platform **out,
		      struct ctr_err *e)
{
	ctr_auto_platform struct ctr_platform *p = calloc(1, sizeof *p);
	int rc;

	*out = NULL;
	if (!p)
		return ctr_fail_mem(e);
	p->fd = -1;
	p->io = io ? io : &real;
	rc = strcmp(spec, "auto") == 0 ? open_auto(p, e) : open_named(p, spec, e);
	if (rc < 0)
		return -1;
	*out = ctr_give(p);
	return 0;
}

/* REPORT_DATA: of the SNP report at 0x50; of the TD report, 520 bytes into the body, which follows
 * the header and, since version 5, type and size. */
static int check_data(enum ctr_tee tee, const struct ctr_buf *b, const uint8_t *report_data,
		      struct ctr_err *e)
{
	struct ctr_rd r, skip, found;
	uint16_t version;

	ctr_rd_init(&r, b->p, b->n);
	if (tee == CTR_TEE_SNP) {
		if (b->n != CTR_SNP_SIZE || ctr_rd_take(&r, 0x50, &skip) < 0)
			return ctr_fail(e, CTR_FORMAT, "platform.report",
					"an SNP report of %zu bytes (expected %d)", b->n,
					CTR_SNP_SIZE);
	} else if (ctr_rd_le16(&r, &version) < 0 || version < 4 || version > 5 ||
		   ctr_rd_take(&r, 46 + (version == 5 ? 6 : 0) + 520, &skip) < 0) {
		return ctr_fail(e, CTR_FORMAT, "platform.report",
				"no TDX quote of version 4 or 5 (%zu bytes)", b->n);
	}
	if (ctr_rd_take(&r, CTR_REPORT_DATA, &found) < 0)
		return ctr_fail(e, CTR_FORMAT, "platform.report",
				"a report of %zu bytes is too short", b->n);
	if (!ctr_same(found.p, report_data, CTR_REPORT_DATA))
		return ctr_fail(e, CTR_ENV, "platform.report-data",
				"the report is for other report data than was asked for");
	return 0;
}

static int no_quote(const struct ctr_platform *p, struct ctr_err *e)
{
	ctr_fail(e, CTR_ENV, "platform.tdreport",
		 "%s: gives only a TDREPORT, which no other machine can check", p->io->tdx_guest);
	return ctr_err_fix(e, "a quote needs configfs-tsm (Linux 6.7): mount %s", p->io->tsm);
}

int ctr_platform_report(struct ctr_platform *p, const uint8_t report_data[CTR_REPORT_DATA],
			struct ctr_buf *report, struct ctr_buf *table, struct ctr_err *e)
{
	if (!p->kind->report)
		return no_quote(p, e);
	if (p->kind->report(p, report_data, report, table, e) < 0)
		return -1;
	return p->kind->may_lie ? 0 : check_data(p->tee, report, report_data, e);
}

int ctr_platform_tdreport(struct ctr_platform *p, const uint8_t report_data[CTR_REPORT_DATA],
			  uint8_t report[CTR_TDREPORT_SIZE], struct ctr_err *e)
{
	memset(report, 0, CTR_TDREPORT_SIZE);
	if (p->tee == CTR_TEE_TDX && p->kind->tdreport)
		return p->kind->tdreport(p, report_data, report, e);
	return ctr_fail(e, CTR_USAGE, "platform.spec", "%s gives no TDREPORT (tdx-guest does)",
			ctr_platform_name(p));
}
