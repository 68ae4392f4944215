#include "cmd.h"

static const struct ctr_cmd cmds[] = {
	{ "install", "ctr-node-install install", cmd_install },
	{ "status", "ctr-node-install status", cmd_status },
	{ "uninstall", "ctr-node-install uninstall", cmd_uninstall },
	{ "check-node", "ctr-node-install check-node", cmd_check_node },
	{ "gc", "ctr-node-install gc", cmd_gc },
	{ 0 },
};

static const struct ctr_opt none[] = { { 0 } };

static int no_option(void *ctx, int id, const char *value, struct ctr_err *e)
{
	(void)ctx;
	(void)id;
	(void)value;
	(void)e;
	return 0;
}

static int usual(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	int first = 0;

	(void)out;
	t->synopsis = "install|status|uninstall|gc|check-node [options]";
	t->summary = "Puts a confidential runtime on a node of a cluster, looks after it, and "
		     "takes it away.\n\n"
		     "  install     fetch, check, install, tell containerd\n"
		     "  status      what is installed, active, and not as it should be\n"
		     "  uninstall   put everything back\n"
		     "  gc          delete versions that nothing uses\n"
		     "  check-node  can this node run confidential guests?";
	t->example = "ctr-node-install install --config runtime.json --dry-run";
	t->opts = none;
	if (ctr_tool_opts(t, argc, argv, no_option, NULL, &first, e) < 0 || t->served)
		return t->served ? 0 : -1;
	if (first < argc)
		return ctr_fail(e, CTR_USAGE, "usage", "%s: unknown command", argv[first]);
	return ctr_fail(e, CTR_USAGE, "usage",
			"no command (expected install, status, uninstall, gc or check-node)");
}

int main(int argc, char **argv)
{
	return ctr_tool_run("ctr-node-install", cmds, usual, argc, argv);
}
