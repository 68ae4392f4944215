#include <string.h>

#include "file.h"
#include "measure.h"
#include "mrtd.h"

static int known(struct ctr_ref_hex *r, const uint8_t digest[MRTD_SIZE])
{
	memcpy(r->v, digest, MRTD_SIZE);
	r->known = true;
	return 0;
}

static int direct_kernel(const struct measure_args *a, struct ctr_tdx_ref *r, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf file = { 0 };
	uint8_t reg[MRTD_SIZE];

	if (ctr_file_read(a->v[OPT_KERNEL], PE_MAX, &file, e) < 0)
		return -1;
	if (rtmr1_direct(file.p, file.n, strcmp(a->v[OPT_SEPARATOR], "yes") == 0, reg, e) < 0)
		return ctr_wrap(e, "%s", a->v[OPT_KERNEL]);
	return known(&r->rtmr[1], reg);
}

/* The word that the firmware adds when there is an initial RAM disk stands before or behind, by its
 * version. */
static int direct_cmdline(const struct measure_args *a, struct ctr_tdx_ref *r, struct ctr_err *e)
{
	const char *text = a->v[OPT_APPEND] ? a->v[OPT_APPEND] : "", *word = a->v[OPT_WORD];
	ctr_auto_buf struct ctr_buf line = { 0 };
	uint8_t initrd[MRTD_SIZE], reg[MRTD_SIZE];
	bool first = word && strcmp(word, "first") == 0;

	for (const char *s = text; *s; s++) {
		if (*s < ' ' || *s > '~')
			return ctr_fail(e, CTR_USAGE, "usage",
					"--append: only printable ASCII can be measured for TDX");
	}
	ctr_buf_addf(&line, "%s%s%s", first ? "initrd=initrd " : "", text,
		     word && !first ? " initrd=initrd" : "");
	if (ctr_buf_ok(&line, "command line", e) < 0 ||
	    (a->v[OPT_INITRD] && measure_file(a->v[OPT_INITRD], CTR_SHA384, initrd, e) < 0) ||
	    rtmr2_direct(ctr_buf_str(&line), a->v[OPT_INITRD] ? initrd : NULL, reg, e) < 0)
		return -1;
	return known(&r->rtmr[2], reg);
}

static void left_open(struct ctr_log *log, const char *what)
{
	ctr_log(log, CTR_WARN, "measure.open", NULL, 0, 0, "%s", what);
}

static int direct_boot(const struct measure_args *a, struct ctr_tdx_ref *r, struct ctr_log *log,
		       struct ctr_err *e)
{
	static const uint8_t untouched[MRTD_SIZE];

	if (!a->v[OPT_KERNEL])
		return 0;
	if (a->v[OPT_UNCHANGED] && a->v[OPT_SEPARATOR]) {
		if (direct_kernel(a, r, e) < 0)
			return -1;
	} else {
		left_open(
			log,
			"RTMR1 is left open: it depends on VMM and firmware; say what they do with "
			"--kernel-unchanged and --rtmr1-separator");
	}
	if (a->v[OPT_INITRD] ? a->v[OPT_WORD] != NULL : a->v[OPT_APPEND] && *a->v[OPT_APPEND]) {
		if (direct_cmdline(a, r, e) < 0)
			return -1;
	} else {
		left_open(log,
			  a->v[OPT_INITRD]
				  ? "RTMR2 is left open: say with --initrd-word where the firmware "
				    "adds "
				    "initrd=initrd to the command line"
				  : "RTMR2 is left open: no command line and no initial RAM disk");
	}
	return known(&r->rtmr[3], untouched); /* nothing up to the kernel extends it */
}

static int read_choice(const char *s, const char *what, const char *x, const char *y,
		       struct ctr_err *e)
{
	if (!s || strcmp(s, x) == 0 || strcmp(s, y) == 0)
		return 0;
	return ctr_fail(e, CTR_USAGE, "usage", "%s=%s (expected %s or %s)", what, s, x, y);
}

int measure_tdx(const struct measure_args *a, struct ctr_log *log, struct ctr_buf *out,
		struct ctr_err *e)
{
	ctr_auto_manifest struct ctr_manifest m = { 0 };
	ctr_auto_buf struct ctr_buf image = { 0 };
	const char *order = a->v[OPT_ORDER];
	struct firmware fw;
	uint8_t digest[MRTD_SIZE];

	if (read_choice(order, "--page-order", "page", "section", e) < 0 ||
	    read_choice(a->v[OPT_SEPARATOR], "--rtmr1-separator", "yes", "no", e) < 0 ||
	    read_choice(a->v[OPT_WORD], "--initrd-word", "first", "last", e) < 0)
		return -1;
	if (a->v[OPT_WORD] && !a->v[OPT_INITRD])
		return ctr_fail(e, CTR_USAGE, "usage", "--initrd-word needs --initrd");
	if ((a->v[OPT_UNCHANGED] || a->v[OPT_SEPARATOR]) && !a->v[OPT_KERNEL])
		return ctr_fail(e, CTR_USAGE, "usage",
				"--kernel-unchanged and --rtmr1-separator need --kernel");
	if (ctr_file_read(a->v[OPT_TDVF], FIRMWARE_MAX, &image, e) < 0)
		return -1;
	if (firmware_tdx(image.p, image.n, &fw, e) < 0)
		return ctr_wrap(e, "%s", a->v[OPT_TDVF]);
	if (mrtd(&fw, order && strcmp(order, "section") == 0, digest, e) < 0)
		return -1;
	if (a->v[OPT_DIGEST])
		return measure_print(digest, out, e);
	m.tdx = calloc(1, sizeof *m.tdx);
	if (!m.tdx)
		return ctr_fail_mem(e);
	m.n_tdx = 1;
	if (measure_platform(a, &m.tdx->platform, e) < 0 || known(&m.tdx->mrtd, digest) < 0 ||
	    direct_boot(a, m.tdx, log, e) < 0)
		return -1;
	return ctr_manifest_print_refs(&m, out, e);
}
