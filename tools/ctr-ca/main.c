#include "cmd.h"

static const struct ctr_cmd cmds[] = {
	{ "derive", "ctr-ca derive", cmd_derive },
	{ "mesh", "ctr-ca mesh", cmd_mesh },
	{ "issue", "ctr-ca issue", cmd_issue },
	{ "inspect", "ctr-ca inspect", cmd_inspect },
	{ 0 },
};

static const struct ctr_opt none[] = { { 0 } };

static int no_option(void *ctx, int id, const char *value, struct ctr_err *e)
{
	(void)ctx;
	(void)id;
	return ctr_fail(e, CTR_USAGE, "usage", "%s: no such option", value);
}

static int cmd_none(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out,
		    struct ctr_err *e)
{
	int first = 0;

	(void)out;
	t->synopsis = "derive|mesh|issue|inspect [options]";
	t->summary =
		"The certificate authority of a deployment. The first word says what to do:\n\n"
		"  derive   makes the root CA of a seed and a salt\n"
		"  mesh     makes a mesh CA in a directory\n"
		"  issue    makes a certificate for a key\n"
		"  inspect  shows certificates as JSON\n\n"
		"each with its own --help.";
	t->example = "ctr-ca derive --new -o seed.json && ctr-ca mesh -o ca < seed.json";
	t->opts = none;
	if (ctr_tool_opts(t, argc, argv, no_option, NULL, &first, e) < 0 || t->served)
		return t->served ? 0 : -1;
	return ctr_fail(e, CTR_USAGE, "usage",
			"%s: what to do? (expected derive, mesh, issue or inspect)",
			argc > first ? argv[first] : "nothing");
}

int main(int argc, char **argv)
{
	return ctr_tool_run("ctr-ca", cmds, cmd_none, argc, argv);
}
