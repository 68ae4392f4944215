#include "cmd.h"
#include "file.h"
#include "x509_show.h"

#define CHAIN_MAX ((size_t)512 * 1024)

static const struct ctr_opt opts[] = { { 0 } };

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	(void)ctx;
	(void)id;
	return ctr_fail(e, CTR_USAGE, "usage", "%s: no such option", value);
}

static int run(const char *path, struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *all = ctr_json_new_array();
	ctr_auto_buf struct ctr_buf pem = { .wipe = true }; /* a key may be in it by mistake */

	if (ctr_file_read(path, CHAIN_MAX, &pem, e) < 0 ||
	    ctr_x509_show(path[0] == '-' && !path[1] ? "standard input" : path, ctr_buf_str(&pem),
			  pem.n, all, e) < 0)
		return -1;
	if (ctr_json_print(all, 2, out, e) < 0)
		return -1;
	ctr_buf_addc(out, '\n');
	return ctr_buf_ok(out, "answer", e);
}

int cmd_inspect(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	int first = 0;

	t->synopsis = "[file]";
	t->summary = "Shows certificates in PEM as a JSON array, the leaf's claims by name. "
		     "Verifies nothing.";
	t->example = "ctr-ca inspect certChain.pem | jq '.[0].claims'";
	t->opts = opts;
	if (ctr_tool_opts(t, argc, argv, on_opt, NULL, &first, e) < 0)
		return -1;
	if (t->served)
		return 0;
	if (argc - first > 1)
		return ctr_fail(e, CTR_USAGE, "usage", "at most one file");
	return run(argc > first ? argv[first] : "-", out, e);
}
