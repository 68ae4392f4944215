#include "cmd.h"

static const struct ctr_cmd cmds[] = {
	{ "verify", "ctr-initdata verify", cmd_verify },
	{ "build", "ctr-initdata build", cmd_build },
	{ "inspect", "ctr-initdata inspect", cmd_inspect },
	{ 0 },
};

int main(int argc, char **argv)
{
	return ctr_tool_run("ctr-initdata", cmds, cmd_verify, argc, argv);
}
