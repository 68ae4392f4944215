#include "cmd.h"

static const struct ctr_cmd cmds[] = {
	{ "join", "ctr-initializer join", cmd_join },
	{ "cryptsetup", "ctr-initializer cryptsetup", cmd_cryptsetup },
	{ 0 },
};

int main(int argc, char **argv)
{
	return ctr_tool_run("ctr-initializer", cmds, cmd_join, argc, argv);
}
