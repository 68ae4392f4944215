#include <string.h>

#include "cmd.h"
#include "textdiff.h"
#include "tool_registry.h"

static const struct ctr_opt opts[] = {
	{ OPT_CONFIG, "config", 'c', "FILE", "what to install (JSON)" },
	ROW_ROOT,
	ROW_KIND,
	ROW_DRY_RUN,
	ROW_SYSTEMCTL,
	ROW_NO_RESTART,
	ROW_NO_WAIT,
	ROW_TIMEOUT,
	{ OPT_CA_FILE, "ca-file", 0, "FILE", "PEM roots for https that replace the system's" },
	{ OPT_PROGRESS, "progress", 0, "auto|text|json|none",
	  "of downloads (default auto: on a terminal)" },
	{ 0 },
};

static int show(const struct args *a, const struct config *c, const struct store_version *v,
		const struct change *ch, struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf path = { 0 }, now = { 0 }, kata = { 0 };
	bool exists;

	ctr_buf_addf(&path, "%s/" CONFIG_KATA, v->dir);
	store_kata(c, v, &kata);
	if (ctr_buf_ok(&path, "path", e) < 0 ||
	    node_read(a->root, path.p, TDOC_MAX, &now, &exists, e) < 0)
		return -1;
	textdiff(path.p, &now, exists, &kata, true, out);
	textdiff(ch->node->config, &ch->before, ch->existed, &ch->after, true, out);
	return ctr_buf_ok(out, "diff", e);
}

static int make(const struct args *a, const struct config *c, const struct store_version *v,
		const struct change *ch, struct ctr_log *log, struct ctr_err *e)
{
	struct units u = args_units(a, ch->node, log);
	ctr_auto_tool_registry struct ctr_tool_registry web = { 0 };
	bool made;

	/* containerd is told of nothing that is not whole on the disk */
	if (ctr_tool_registry_env(&web, a->ca_file, log, e) < 0)
		return -1;
	if (store_install(a->root, c, v, &web.o, &made, e) < 0) {
		struct ctr_err why = { 0 };

		/* the node is as it was; should even that fail, the next run sweeps */
		made = store_tidy(a->root, &why) == 0;
		return -1;
	}
	if (made)
		ctr_log(log, CTR_INFO, "install.made", NULL, 0, 0, "%s is installed", v->dir);
	if (change_any(ch) && apply_remember(ch->node, c->handler, e) < 0)
		return -1;
	return apply(ch, &u, e);
}

static int run(const struct args *a, const struct config *c, struct ctr_log *log,
	       struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf shim = { 0 }, conf = { 0 };
	auto_change struct change ch = { 0 };
	auto_node struct node n = { 0 };
	ctr_auto_fd int lock = -1;
	struct store_version v;
	struct cd_runtime r;

	/* all that can be wrong with what we were given is found before anything is written */
	if (store_name(c, &v, e) < 0 || args_node(a, c->handler, &n, e) < 0)
		return -1;
	store_runtime(c, &v, &shim, &conf, &r);
	if (change_make(&n, c->handler, &r, &ch, e) < 0)
		return -1;
	if (a->dry_run)
		return show(a, c, &v, &ch, out, e);
	if (apply_lock(&n, &lock, e) < 0)
		return -1;
	/* what was read before the lock may be old */
	change_free(&ch);
	if (change_make(&n, c->handler, &r, &ch, e) < 0)
		return -1;
	return make(a, c, &v, &ch, log, e);
}

int cmd_install(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	auto_config struct config c = { 0 };
	struct ctr_progress progress;
	struct args a = { 0 };
	int first = 0, rc;

	t->synopsis = "--config FILE [options]";
	t->summary = "Installs the runtime that FILE describes beside what is there, and tells "
		     "containerd of it.";
	t->example = "ctr-node-install install --root /host --config /config/runtime.json";
	t->opts = opts;
	if (args_read(t, argc, argv, &a, 0, &first, e) < 0)
		return -1;
	if (t->served)
		return 0;
	if (!a.config)
		return ctr_fail(e, CTR_USAGE, "usage", "--config is missing");
	if (config_load(a.config, &c, e) < 0)
		return -1;
	ctr_progress_init(&progress, t->name,
			  t->log.level < CTR_WARN ? CTR_PROGRESS_NONE : a.progress);
	t->log.progress = &progress;
	rc = run(&a, &c, &t->log, out, e);
	t->log.progress = NULL;
	return rc;
}
