#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "crypto.h"
#include "file.h"

enum { OPT_OUT = 1, OPT_PUB };

static const struct ctr_opt opts[] = {
	{ OPT_OUT, "out", 'o', "FILE", "write the private key here, mode 0600 (default: standard output)" },
	{ OPT_PUB, "pub", 'p', "FILE", "write the public key here" },
	{ 0 },
};

struct args {
	const char *out, *pub;
};

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct args *a = ctx;

	(void)e;
	if (id == OPT_OUT)
		a->out = value;
	else
		a->pub = value;
	return 0;
}

/* A lost private key cannot be had again. */
static int must_be_new(const char *path, struct ctr_err *e)
{
	if (!path || access(path, F_OK) < 0)
		return 0;
	ctr_fail(e, CTR_ENV, "key.exists", "%s exists", path);
	return ctr_err_fix(e, "choose another name, or remove it first");
}

static int run(const struct args *a, const char *kind, struct ctr_log *log, struct ctr_buf *out,
	       struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf private = { .wipe = true }, public = { 0 };
	bool rsa = strcmp(kind, "seedshare-owner") == 0;

	if (!rsa && strcmp(kind, "workload-owner") != 0)
		return ctr_fail(e, CTR_USAGE, "usage",
				"%s: unknown kind of key (expected workload-owner or seedshare-owner)", kind);
	if (a->out && a->pub && strcmp(a->out, a->pub) == 0)
		return ctr_fail(e, CTR_USAGE, "usage", "--out and --pub name the same file");
	if (must_be_new(a->out, e) < 0 || must_be_new(a->pub, e) < 0 ||
	    ctr_key_generate(rsa, &private, &public, e) < 0)
		return -1;
	/* the private key first: a public one without it is worth nothing */
	if (a->out && ctr_file_write(a->out, private.p, private.n, 0600, e) < 0)
		return -1;
	if (a->pub && ctr_file_write(a->pub, public.p, public.n, 0644, e) < 0)
		return -1;
	if (a->out)
		return 0;
	ctr_tool_warn_exposed(log, "the private key", "--out FILE");
	ctr_buf_add(out, private.p, private.n);
	return ctr_buf_ok(out, "key", e);
}

int cmd_keygen(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	struct args a = { 0 };
	const char *kind = argc > 1 && argv[1][0] != '-' ? argv[1] : NULL;
	int first = 0;

	/* the kind may stand before or behind the options */
	argc -= kind != NULL;
	argv += kind != NULL;
	t->synopsis = "workload-owner|seedshare-owner [options]";
	t->summary = "Makes a private key: EC P-384 for a workload owner, RSA 4096 for a seed share owner.";
	t->example = "ctr-manifest keygen workload-owner --out owner.pem --pub owner.pub";
	t->opts = opts;
	if (ctr_tool_opts(t, argc, argv, on_opt, &a, &first, e) < 0)
		return -1;
	if (t->served)
		return 0;
	if (argc - first != (kind ? 0 : 1))
		return ctr_fail(e, CTR_USAGE, "usage", "one kind of key is needed");
	return run(&a, kind ? kind : argv[first], &t->log, out, e);
}
