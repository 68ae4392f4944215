#include <string.h>

#include "cmd.h"
#include "textdiff.h"

static const struct ctr_opt opts[] = {
	ROW_ROOT,
	ROW_KIND,
	ROW_DRY_RUN,
	ROW_SYSTEMCTL,
	ROW_NO_RESTART,
	ROW_NO_WAIT,
	ROW_TIMEOUT,
	ROW_PROC,
	{ OPT_ALL, "all", 'a', NULL, "all handlers that are installed" },
	{ 0 },
};

static const struct ctr_opt gc_opts[] = { ROW_ROOT, ROW_KIND, ROW_DRY_RUN, ROW_PROC, { 0 } };

/* Deletes the handler's versions but the one to keep, those in use excepted, which are named. */
static int remove_versions(const struct args *a, const char *handler, const char *keep,
			   struct ctr_log *log, struct ctr_buf *out, struct ctr_err *e)
{
	struct store_list all;

	if (store_list(a->root, &all, e) < 0)
		return -1;
	for (size_t i = 0; i < all.n; i++) {
		const struct store_version *v = &all.v[i];
		bool used;

		if (strcmp(v->handler, handler) != 0 || strcmp(v->id, keep) == 0)
			continue;
		if (in_use(a->proc, v, &used, e) < 0)
			return -1;
		if (used) {
			ctr_log(log, CTR_WARN, "gc.used", NULL, 0, 0,
				"%s stays: a sandbox runs from it; gc deletes it later", v->dir);
			continue;
		}
		if (out)
			ctr_buf_addf(out, "%s\n", v->dir);
		if (!a->dry_run && store_remove(a->root, v, e) < 0)
			return -1;
	}
	return 0;
}

static int take_out(const struct args *a, const char *handler, struct ctr_log *log,
		    struct ctr_buf *out, struct ctr_err *e)
{
	auto_change struct change ch = { 0 };
	auto_node struct node n = { 0 };
	struct units u = args_units(a, &n, log);
	ctr_auto_fd int lock = -1;

	if (args_node(a, handler, &n, e) < 0 || change_make(&n, handler, NULL, &ch, e) < 0)
		return -1;
	if (a->dry_run) {
		textdiff(n.config, &ch.before, ch.existed, &ch.after, ch.existed && !ch.gone, out);
		return ctr_buf_ok(out, "diff", e);
	}
	if (apply_lock(&n, &lock, e) < 0)
		return -1;
	change_free(&ch);
	if (change_make(&n, handler, NULL, &ch, e) < 0 || apply(&ch, &u, e) < 0 ||
	    apply_forget(&n, handler, e) < 0)
		return -1;
	return remove_versions(a, handler, "", log, NULL, e);
}

/* Handlers in order, each once. */
static bool another(const struct store_list *l, size_t i)
{
	return i == 0 || strcmp(l->v[i].handler, l->v[i - 1].handler) != 0;
}

static int take_out_all(const struct args *a, struct ctr_log *log, struct ctr_buf *out,
			struct ctr_err *e)
{
	struct store_list all;

	if (store_list(a->root, &all, e) < 0)
		return -1;
	for (size_t i = 0; i < all.n; i++) {
		if (another(&all, i) && take_out(a, all.v[i].handler, log, out, e) < 0)
			return -1;
	}
	return 0;
}

int cmd_uninstall(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	struct args a = { 0 };
	int first = 0, rc;

	t->synopsis = "[options] HANDLER|--all";
	t->summary = "Takes the runtime handler out of containerd's configuration, then its files "
		     "off the node.";
	t->example = "ctr-node-install uninstall --root /host kata-qemu-snp";
	t->opts = opts;
	if (args_read(t, argc, argv, &a, 1, &first, e) < 0)
		return -1;
	if (t->served)
		return 0;
	if (a.all == (first < argc))
		return ctr_fail(e, CTR_USAGE, "usage", "expected the name of a handler, or --all");
	if (!a.all && !config_handler_ok(argv[first]))
		return ctr_fail(e, CTR_USAGE, "usage", "%s: no name of a handler", argv[first]);
	rc = a.all ? take_out_all(&a, &t->log, out, e) : take_out(&a, argv[first], &t->log, out, e);
	return rc < 0 || a.dry_run ? rc : store_tidy(a.root, e);
}

static int collect(const struct args *a, const char *handler, struct ctr_log *log,
		   struct ctr_buf *out, struct ctr_err *e)
{
	auto_node struct node n = { 0 };
	ctr_auto_fd int lock = -1;
	char active[STORE_ID + 1];

	if (args_node(a, handler, &n, e) < 0 || (!a->dry_run && apply_lock(&n, &lock, e) < 0) ||
	    active_version(&n, handler, active, e) < 0)
		return -1;
	return remove_versions(a, handler, active, log, out, e);
}

int cmd_gc(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	struct store_list all;
	struct args a = { 0 };
	bool pending;
	int first = 0;

	t->synopsis = "[options]";
	t->summary = "Deletes versions that containerd does not name and no running sandbox uses, "
		     "and prints them.";
	t->example = "ctr-node-install gc --root /host --dry-run";
	t->opts = gc_opts;
	if (args_read(t, argc, argv, &a, 0, &first, e) < 0)
		return -1;
	if (t->served)
		return 0;
	if (apply_pending(a.root, &pending, e) < 0)
		return -1;
	/* the version to go back to may still be needed */
	if (pending) {
		ctr_fail(e, CTR_ENV, "pending", "an earlier run did not finish");
		return ctr_err_fix(e, "run it again first");
	}
	if (store_list(a.root, &all, e) < 0)
		return -1;
	for (size_t i = 0; i < all.n; i++) {
		if (another(&all, i) && collect(&a, all.v[i].handler, &t->log, out, e) < 0)
			return -1;
	}
	return ctr_buf_ok(out, "result", e);
}
