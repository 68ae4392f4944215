#include "cmd.h"

static const struct ctr_cmd cmds[] = {
	{ "check", "ctr-manifest check", cmd_check },
	{ "policies", "ctr-manifest policies", cmd_policies },
	{ "diff", "ctr-manifest diff", cmd_diff },
	{ "keygen", "ctr-manifest keygen", cmd_keygen },
	{ "measure", "ctr-manifest measure", cmd_measure },
	{ "set", "ctr-manifest set", cmd_set },
	{ "recover", "ctr-manifest recover", cmd_recover },
	{ "get", "ctr-manifest get", cmd_get },
	{ 0 },
};

int main(int argc, char **argv)
{
	return ctr_tool_run("ctr-manifest", cmds, cmd_generate, argc, argv);
}
