#include <string.h>
#include <time.h>

#include "cmd.h"
#include "disk.h"
#include "doc.h"
#include "enc.h"
#include "file.h"
#include "initdata.h"
#include "output.h"
#include "rd.h"
#include "report.h"

enum { OPT_DEVICE = 1, OPT_INITDATA, OPT_POLICY, OPT_PLATFORM, OPT_OUTPUT, OPT_WAIT };

static const struct ctr_opt opts[] = {
	{ OPT_DEVICE, "device", 'd', "PATH",
	  "the initdata disk (default: the vd* or sd* in /dev that is one)" },
	{ OPT_INITDATA, "initdata", 'i', "FILE", "no disk: this initdata document (TOML)" },
	{ OPT_POLICY, "policy", 'p', "FILE",
	  "no disk: this policy (Rego), which alone is measured" },
	{ OPT_PLATFORM, "platform", 0, "SPEC", "where the report comes from (default auto)" },
	{ OPT_OUTPUT, "output", 'o', "DIR", "the directory to make (default " OUTPUT_DIR ")" },
	{ OPT_WAIT, "wait", 0, "SECONDS", "until a disk is in /dev (default 10)" },
	{ 0 },
};

struct args {
	const char *device, *initdata, *policy, *platform, *output;
	uint64_t wait;
};

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct args *a = ctx;

	switch (id) {
	case OPT_DEVICE:
		a->device = value;
		return 0;
	case OPT_INITDATA:
		a->initdata = value;
		return 0;
	case OPT_POLICY:
		a->policy = value;
		return 0;
	case OPT_PLATFORM:
		a->platform = value;
		return 0;
	case OPT_OUTPUT:
		a->output = value;
		return 0;
	default:
		return ctr_number(value, "--wait", 0, 3600, &a->wait, e);
	}
}

/* Buses are probed while the system starts: the disk may be late. What is there and wrong stays
 * wrong. */
static int find_patiently(const struct args *a, struct ctr_buf *path, struct ctr_buf *disk,
			  struct ctr_err *e)
{
	const struct disk_search s = { .path = a->device, .dir = "/dev" };
	const struct timespec tenth = { .tv_nsec = 100000000 };

	for (uint64_t left = a->wait * 10;; left--) {
		struct ctr_err mine = { 0 };

		if (disk_find(&s, path, disk, &mine) == 0)
			return 0;
		if (left == 0 || strcmp(mine.id, "disk.none") != 0)
			return ctr_err_pass(e, &mine);
		nanosleep(&tenth, NULL);
	}
}

/* The one time that anything is read: from here on there are only these bytes. */
static int take(const struct args *a, struct doc *d, struct ctr_buf *from, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf disk = { 0 };
	const char *file = a->policy ? a->policy : a->initdata;

	if (file) {
		ctr_buf_adds(from, file);
		if (ctr_file_read(file, CTR_INITDATA_MAX, &d->measured, e) < 0)
			return -1;
		return a->policy ? doc_read_policy(d, e) : doc_read(d, e);
	}
	if (find_patiently(a, from, &disk, e) < 0 ||
	    disk_parse(disk.p, disk.n, &d->measured, e) < 0)
		return -1;
	return doc_read(d, e);
}

static int compare(const struct doc *d, const char *from, const struct report *r, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf want = { 0 }, have = { 0 };

	if (r->n >= DOC_SNP && ctr_same(r->value, d->expected, r->n))
		return 0;
	ctr_hex_add(&want, r->value, r->n);
	ctr_hex_add(&have, d->expected, r->n);
	ctr_fail(e, CTR_NO, "initdata.mismatch",
		 "%s: is not what this guest was started with: %s is %s, its %s gives %s", from,
		 r->field, ctr_buf_str(&want), ctr_initdata_algs[d->alg], ctr_buf_str(&have));
	return ctr_err_fix(e, "nothing was written; the guest must not go on");
}

static int run(const struct args *a, struct ctr_log *log, struct ctr_err *e)
{
	doc_auto struct doc d = { 0 };
	ctr_auto_buf struct ctr_buf from = { 0 };
	struct report r;

	if (take(a, &d, &from, e) < 0 || ctr_buf_ok(&from, "file name", e) < 0 ||
	    report_get(a->platform, NULL, &r, e) < 0 || compare(&d, from.p, &r, e) < 0 ||
	    output_write(&d, a->output, e) < 0)
		return -1;
	ctr_log(log, CTR_INFO, "initdata.verified", NULL, 0, 0,
		"%s: is what %s says; written to %s", from.p, r.field, a->output);
	return 0;
}

int cmd_verify(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	struct args a = { .platform = "auto", .output = OUTPUT_DIR, .wait = 10 };
	int first = 0;

	(void)out;
	t->synopsis = "[verify] [options] | build ... | inspect ...";
	t->summary = "Checks in the guest that its initdata is the measured one, then writes it "
		     "for the agent.\n\n"
		     "  verify   this (default)\n"
		     "  build    makes a document of files\n"
		     "  inspect  shows what a document, an annotation or a disk holds";
	t->example = "ctr-initdata verify --device /dev/vdb";
	t->opts = opts;
	if (ctr_tool_opts(t, argc, argv, on_opt, &a, &first, e) < 0)
		return -1;
	if (t->served)
		return 0;
	if (argc != first)
		return ctr_fail(e, CTR_USAGE, "usage", "%s: no operand is taken", argv[first]);
	if (!!a.device + !!a.initdata + !!a.policy > 1)
		return ctr_fail(e, CTR_USAGE, "usage",
				"one of --device, --initdata and --policy, not more");
	return run(&a, &t->log, e);
}
