#include <string.h>

#include "cmd.h"
#include "enc.h"
#include "file.h"
#include "gather.h"

static const struct ctr_opt opts[] = {
	{ 1, "output", 'o', "DIR", "the directory for the files (made when missing)" },
	{ 0 },
};

struct work {
	const char *dir;
	struct ctr_buf *out;
};

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct work *w = ctx;

	(void)id;
	(void)e;
	w->dir = value;
	return 0;
}

/* The name is the measured hash, the content what the agent enforces: the Rego. */
static int on_pod(void *ctx, const struct pod *p, struct ctr_err *e)
{
	struct work *w = ctx;
	ctr_auto_buf struct ctr_buf hash = { 0 }, path = { 0 };

	ctr_hex_add(&hash, p->policy.digest, sizeof p->policy.digest);
	ctr_buf_addf(&path, "%s/%s.rego", w->dir, ctr_buf_str(&hash));
	ctr_buf_addf(w->out, "%s  %s\n", ctr_buf_str(&hash), p->title);
	if (ctr_buf_ok(&hash, "hash", e) < 0 || ctr_buf_ok(&path, "file name", e) < 0 ||
	    ctr_buf_ok(w->out, "output", e) < 0)
		return -1;
	return ctr_file_write(path.p, p->policy.rego.p, p->policy.rego.n, 0644, e);
}

int cmd_policies(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	struct work w = { .out = out };
	int first = 0;

	t->synopsis = "-o DIR [file ...]";
	t->summary = "Writes the policies of annotated Kubernetes YAML to DIR/<hash>.rego and lists them.";
	t->example = "ctr-manifest policies -o policies < annotated.yaml";
	t->opts = opts;
	if (ctr_tool_opts(t, argc, argv, on_opt, &w, &first, e) < 0)
		return -1;
	if (t->served)
		return 0;
	if (!w.dir)
		return ctr_fail(e, CTR_USAGE, "usage", "-o DIR is missing");
	if (ctr_mkdirs(w.dir, 0755, e) < 0)
		return -1;
	return gather(argv + first, argc - first, &t->log, on_pod, &w, e);
}
