#include <string.h>

#include "cmd.h"
#include "host.h"
#include "json.h"

enum { OPT_PLATFORM = 100, OPT_MANIFEST };

static const struct ctr_opt opts[] = {
	{ OPT_PLATFORM, "platform", 'p', "NAME", "snp, tdx or a runtime's (default: by the CPU)" },
	{ OPT_MANIFEST, "manifest", 'm', "FILE", "whose reference values the firmware must meet" },
	ROW_ROOT,
	{ 0 },
};

struct ask {
	struct args a;
	const char *platform, *manifest;
};

static int take(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct ask *q = ctx;

	if (id == OPT_MANIFEST)
		q->manifest = value;
	else if (id != OPT_PLATFORM)
		return args_take(&q->a, id, value, e);
	else if (strcmp(value, "snp") == 0 || strcmp(value, "tdx") == 0)
		q->platform = value;
	else if (kata_platform(value))
		q->platform = kata_tee(kata_platform(value));
	else
		return ctr_fail(e, CTR_USAGE, "usage", "--platform=%s (expected snp, tdx, %s)",
				value, kata_platforms());
	return 0;
}

static int load_cpu(struct host *h, struct ctr_buf *text, struct ctr_err *e)
{
	bool exists;

	if (host_read(h, "/proc/cpuinfo", HOSTCPU_MAX, text, &exists, e) < 0)
		return -1;
	if (exists)
		return host_cpu_parse(ctr_buf_str(text), text->n, &h->cpu, e);
	ctr_fail(e, CTR_ENV, "open", "%s/proc/cpuinfo is not there", h->root);
	return ctr_err_fix(e, "mount the node's root with its /proc, /sys and /dev");
}

static int print(const struct host *h, const char *platform, struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *top = ctr_json_new_object();

	ctr_json_set_string(top, "platform", platform);
	ctr_json_set_bool(top, "usable", ctr_checks_ok(&h->checks));
	ctr_checks_json(&h->checks, ctr_json_set_array(top, "checks"));
	if (ctr_json_print(top, 2, out, e) < 0)
		return -1;
	ctr_buf_addc(out, '\n');
	return ctr_buf_ok(out, "checks", e);
}

static int run(const struct ask *q, struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_manifest struct ctr_manifest refs = { 0 };
	ctr_auto_buf struct ctr_buf cpu = { 0 };
	struct host h = { .root = q->a.root };
	const char *platform = q->platform;
	int rc;

	if (q->manifest && ctr_manifest_load(q->manifest, &refs, e) < 0)
		return -1;
	if (load_cpu(&h, &cpu, e) < 0)
		return -1;
	h.refs = q->manifest ? &refs : NULL;
	if (!platform)
		platform = strcmp(h.cpu.vendor, "GenuineIntel") == 0 ? "tdx" : "snp";
	rc = strcmp(platform, "snp") == 0 ? host_check_snp(&h, e) : host_check_tdx(&h, e);
	if (rc == 0)
		rc = print(&h, platform, out, e);
	if (rc == 0 && !ctr_checks_ok(&h.checks))
		rc = ctr_checks_reject(&h.checks, e);
	ctr_checks_free(&h.checks);
	return rc;
}

int cmd_check_node(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out,
		   struct ctr_err *e)
{
	struct ask q = { 0 };
	int first = 0;

	t->synopsis = "[options]";
	t->summary = "Says whether this node can run confidential guests, and what to do where it "
		     "cannot.";
	t->example = "ctr-node-install check-node --root /host --manifest manifest.json";
	t->opts = opts;
	if (ctr_tool_opts(t, argc, argv, take, &q, &first, e) < 0)
		return -1;
	if (t->served)
		return 0;
	if (first < argc)
		return ctr_fail(e, CTR_USAGE, "usage", "%s: too many operands", argv[first]);
	return run(&q, out, e);
}
