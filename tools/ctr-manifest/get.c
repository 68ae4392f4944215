/* ctr-manifest get: what a Coordinator says that it enforces. */
#include <string.h>
#include <sys/stat.h>

#include "cmd.h"
#include "file.h"
#include "online.h"

enum { O_MANIFEST = 1, O_OUTPUT };

static const struct ctr_opt opts[] = {
	{ O_MANIFEST, "manifest", 'm', "FILE",
	  "verify the Coordinator, by this manifest; the active one may be another" },
	{ O_OUTPUT, "output", 'o', "FILE|DIR",
	  "write it there; into a directory that exists: the history, policies and CAs, too" },
	ONLINE_OPTS,
	{ 0 },
};

struct work {
	struct online on;
	const char *manifest, *output;
	struct ctr_attested attested;
};

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct work *w = ctx;

	if (id >= ONLINE_FIRST)
		return online_opt(&w->on, id, value, e);
	if (id == O_MANIFEST)
		w->manifest = value;
	else
		w->output = value;
	return 0;
}

static void work_free(struct work *w)
{
	online_free(&w->on);
	ctr_attested_free(&w->attested);
}

static int verified(struct work *w, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf bytes = { 0 };
	ctr_auto_manifest struct ctr_manifest m = { 0 };
	struct ctr_coordinator_want want = { .state = CTR_COORDINATOR_ANY,
					     .manifest = &m,
					     .root_ca = w->on.pin.n ? &w->on.pin : NULL };

	return online_manifest(w->manifest, &bytes, &m, e) < 0
		       ? -1
		       : ctr_coordinator_attest(&w->on.c, &want, &w->attested, e);
}

static int believed(struct work *w, struct ctr_log *log, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf text = { 0 };
	const struct online *o = &w->on;

	ctr_log(log, CTR_WARN, "get.unverified", NULL, 0, 0,
		"nothing is verified: anybody can have answered; --manifest verifies");
	if (ctr_coordinator_ask(&o->c.from.http, o->c.url, w->attested.nonce, &text, e) < 0)
		return -1;
	return ctr_attested_read(o->c.url, &text, &w->attested, e);
}

static int run(struct work *w, struct ctr_log *log, struct ctr_buf *out, struct ctr_err *e)
{
	const struct ctr_blobs *l = &w->attested.answer.manifests;
	const struct ctr_buf *last;
	struct stat st;
	bool dir = w->output && stat(w->output, &st) == 0 && S_ISDIR(st.st_mode);

	/* who finds certificates in a directory takes them for verified ones */
	if (!w->manifest && (dir || w->on.root_ca))
		return ctr_fail(e, CTR_USAGE, "usage",
				"a directory and --coordinator-root-ca need --manifest");
	if (online_ready(&w->on, log, e) < 0 ||
	    (w->manifest ? verified(w, e) : believed(w, log, e)) < 0)
		return -1;
	if (l->n == 0) {
		ctr_fail(e, CTR_NO, "get.none", "%s: there is no active manifest", w->on.c.url);
		return ctr_err_fix(e, "none was set yet, or the Coordinator waits for recovery");
	}
	last = &l->v[l->n - 1];
	if (dir)
		return ctr_answer_save(w->output, &w->attested.answer, e);
	if (w->output)
		return ctr_file_write(w->output, last->p, last->n, 0644, e);
	ctr_buf_add(out, last->p, last->n);
	return ctr_buf_ok(out, "manifest", e);
}

int cmd_get(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	CTR_AUTO(work_free) struct work w = { 0 };
	int first = 0;

	t->synopsis = "--coordinator URL [options]";
	t->summary = "Prints the active manifest of a Coordinator, byte for byte as it was set.";
	t->example = "ctr-manifest get --coordinator http://127.0.0.1:1314 -m manifest.json";
	t->opts = opts;
	online_init(&w.on);
	if (ctr_tool_opts(t, argc, argv, on_opt, &w, &first, e) < 0)
		return -1;
	if (t->served)
		return 0;
	if (argc != first)
		return ctr_fail(e, CTR_USAGE, "usage", "%s: no file is expected", argv[first]);
	return run(&w, &t->log, out, e);
}
