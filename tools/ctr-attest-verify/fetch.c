#include <time.h>

#include "cmd.h"
#include "file.h"
#include "sources.h"

enum { O_OUT = 1, O_NO_CRL };

static const struct ctr_opt opts[] = {
	{ O_OUT, "output", 'o', "DIR", "the directory for the files (made when missing)" },
	{ O_NO_CRL, "no-crl", 0, NULL, "leave out the revocation lists" },
	{ O_COLLATERAL, "collateral", 0, "DIR", "look there first" },
	{ O_OFFLINE, "offline", 0, NULL, "never use the network" },
	SOURCE_ROWS,
	{ 0 },
};

struct work {
	struct sources from;
	const char *out;
	bool no_crl;
};

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct work *w = ctx;

	(void)e;
	if (sources_opt(&w->from, id, value))
		return 0;
	if (id == O_OUT)
		w->out = value;
	else
		w->no_crl = true;
	return 0;
}

static int fetch(struct work *w, const char *path, struct ctr_err *e)
{
	struct ctr_verify_opts v = { .at = time(NULL), .crl = w->no_crl ? CTR_CRL_NEVER : CTR_CRL_REQUIRED };
	ctr_auto_evidence struct ctr_evidence ev = { 0 };
	ctr_auto_buf struct ctr_buf in = { 0 };
	struct ctr_collateral_needs needs = { 0 };
	size_t n;

	if (ctr_file_read(path, CTR_EVIDENCE_MAX, &in, e) < 0)
		return -1;
	if (ctr_evidence_read((const uint8_t *)in.p, in.n, &ev, e) < 0 || ctr_endorse(&w->from.c, &v, &ev, &needs, e) < 0)
		return ctr_wrap(e, "%s", path);
	return ctr_collateral_save(w->out, &needs, &ev, &n, e);
}

int cmd_fetch(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	struct work w = { 0 };
	int first = 0, rc;

	(void)out;
	t->synopsis = "-o DIR [options] [file ...]";
	t->summary = "Fetches what endorses reports and quotes, for --collateral where there is no network.";
	t->example = "ctr-attest-verify fetch -o collateral evidence.cbor";
	t->opts = opts;
	rc = ctr_tool_opts(t, argc, argv, on_opt, &w, &first, e);
	if (rc < 0 || t->served)
		return rc;
	if (!w.out)
		return ctr_fail(e, CTR_USAGE, "usage", "-o DIR is missing");
	rc = sources_ready(&w.from, &t->log, e);
	if (rc == 0 && first == argc)
		rc = fetch(&w, "-", e);
	for (; rc == 0 && first < argc; first++)
		rc = fetch(&w, argv[first], e);
	sources_free(&w.from);
	return rc;
}
