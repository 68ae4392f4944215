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

static const struct {
	const char *name;
	int (*open)(struct ctr_platform *, struct ctr_err *);
} kinds[] = {
	[PLATFORM_TSM] = { "configfs-tsm", ctr_tsm_open },
	[PLATFORM_SEV] = { "sev-guest", ctr_sev_open },
	[PLATFORM_TDX] = { "tdx-guest", ctr_tdx_open },
	[PLATFORM_SIM] = { "sim", NULL },
};

void ctr_platform_free(struct ctr_platform *p)
{
	if (!p)
		return;
	ctr_cleanup_fd(&p->fd);
	ctr_sim_free(p->sim);
	free(p);
}

void ctr_platform_cleanup(struct ctr_platform **p)
{
	ctr_platform_free(*p);
}

const char *ctr_platform_name(const struct ctr_platform *p)
{
	return kinds[p->kind].name;
}

/* "sim:" was seen; DIR ends at the first comma. */
static int open_sim(struct ctr_platform *p, const char *spec, struct ctr_err *e)
{
	ctr_auto char *dir = strdup(spec);
	char *comma = dir ? strchr(dir, ',') : NULL;

	if (!dir)
		return ctr_fail_mem(e);
	if (comma)
		*comma = '\0';
	p->kind = PLATFORM_SIM;
	if (ctr_sim_open(dir, comma ? comma + 1 : "", &p->sim, e) < 0)
		return -1;
	p->tee = ctr_sim_tee(p->sim);
	return 0;
}

/* Only what the hardware is behind: software must be named. */
static int open_auto(struct ctr_platform *p, struct ctr_err *e)
{
	struct ctr_err tsm = { 0 }, sev = { 0 }, tdx = { 0 };

	p->kind = PLATFORM_TSM;
	if (ctr_tsm_open(p, &tsm) == 0)
		return 0;
	p->kind = PLATFORM_SEV;
	if (ctr_sev_open(p, &sev) == 0)
		return 0;
	if (ctr_tdx_open(p, &tdx) == 0)
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

/* "name" or "name,vmpl=N". */
static int open_named(struct ctr_platform *p, const char *spec, struct ctr_err *e)
{
	const char *comma = strchr(spec, ',');
	size_t n = comma ? (size_t)(comma - spec) : strlen(spec);

	for (size_t i = 0; i < PLATFORM_SIM; i++) {
		if (strlen(kinds[i].name) != n || strncmp(kinds[i].name, spec, n) != 0)
			continue;
		p->kind = (enum platform_kind)i;
		if (comma) {
			if (i == PLATFORM_TDX || strncmp(comma, ",vmpl=", 6) != 0 ||
			    comma[6] < '0' || comma[6] > '3' || comma[7] != '\0')
				break;
			p->has_vmpl = true;
			p->vmpl = (unsigned)(comma[6] - '0');
		}
		return kinds[i].open(p, e);
	}
	return ctr_fail(e, CTR_USAGE, "platform.spec",
			"%s: no platform (auto, configfs-tsm[,vmpl=0…3], sev-guest[,vmpl=0…3], "
			"tdx-guest, sim:DIR)",
			spec);
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
	if (strncmp(spec, "sim:", 4) == 0)
		rc = open_sim(p, spec + 4, e);
	else
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

static int sim_issue(const struct ctr_platform *p, const uint8_t *report_data,
		     struct ctr_buf *report, struct ctr_buf *table, struct ctr_err *e)
{
	if (ctr_sim_mint(p->sim, report_data, report, e) < 0)
		return -1;
	return p->tee == CTR_TEE_SNP ? ctr_sim_table(p->sim, table, e) : 0;
}

static int produce(struct ctr_platform *p, const uint8_t *report_data, struct ctr_buf *report,
		   struct ctr_buf *table, struct ctr_err *e)
{
	int rc;

	switch (p->kind) {
	case PLATFORM_SIM:
		return sim_issue(p, report_data, report, table, e);
	case PLATFORM_TSM:
		rc = ctr_tsm_issue(p, report_data, report, table, e);
		break;
	case PLATFORM_SEV:
		rc = ctr_sev_issue(p, report_data, report, table, e);
		break;
	default:
		return no_quote(p, e);
	}
	return rc < 0 ? -1 : check_data(p->tee, report, report_data, e);
}

int ctr_platform_issue(struct ctr_platform *p, const uint8_t report_data[CTR_REPORT_DATA],
		       struct ctr_evidence *ev, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf table = { 0 };

	if (produce(p, report_data, &ev->item[CTR_REPORT], &table, e) < 0)
		return -1;
	ev->tee = p->tee;
	if (p->tee != CTR_TEE_SNP || table.n == 0)
		return 0;
	return ctr_evidence_add_table(ev, (const uint8_t *)table.p, table.n, e);
}
