#include "cmd.h"

static const struct ctr_cmd cmds[] = {
	{ "bundle", "ctr-attest-verify bundle", cmd_bundle },
	{ "certs", "ctr-attest-verify certs", cmd_certs },
	{ "fetch", "ctr-attest-verify fetch", cmd_fetch },
	{ "eventlog", "ctr-attest-verify eventlog", cmd_eventlog },
	{ "fetch", "ctr-attest-verify fetch", cmd_fetch },
	{ "idblock", "ctr-attest-verify idblock", cmd_idblock },
	{ 0 },
};

int main(int argc, char **argv)
{
	return ctr_tool_run("ctr-attest-verify", cmds, cmd_verify, argc, argv);
}
