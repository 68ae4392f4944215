#include <string.h>

#include "cmd.h"
#include "file.h"

static const struct {
	const char *name, *title;
	cmd_fn run;
} cmds[] = {
	{ "bundle", "ctr-attest-verify bundle", cmd_bundle },
	{ "certs", "ctr-attest-verify certs", cmd_certs },
	{ "fetch", "ctr-attest-verify fetch", cmd_fetch },
	{ "eventlog", "ctr-attest-verify eventlog", cmd_eventlog },
	{ "fetch", "ctr-attest-verify fetch", cmd_fetch },
	{ "idblock", "ctr-attest-verify idblock", cmd_idblock },
};

int main(int argc, char **argv)
{
	struct ctr_tool t = { .name = "ctr-attest-verify" };
	ctr_auto_buf struct ctr_buf out = { 0 };
	cmd_fn run = cmd_verify;
	struct ctr_err e = { 0 };
	int rc;

	for (size_t i = 0; argc > 1 && i < sizeof cmds / sizeof *cmds; i++) {
		if (strcmp(argv[1], cmds[i].name) == 0) {
			t.name = cmds[i].title;
			run = cmds[i].run;
			argc--;
			argv++;
			break;
		}
	}
	ctr_tool_init(&t);
	rc = run(&t, argc, argv, &out, &e);
	if ((rc == 0 || e.code == CTR_NO) && out.n > 0) {
		struct ctr_err w = { 0 };

		if (ctr_fd_write(STDOUT_FILENO, "standard output", out.p, out.n, &w) < 0)
			return ctr_tool_die(&t, &w);
	}
	return rc < 0 ? ctr_tool_die(&t, &e) : ctr_tool_close(&t);
}
