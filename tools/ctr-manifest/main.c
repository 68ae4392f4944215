#include <string.h>

#include "cmd.h"
#include "file.h"

static const struct {
	const char *name, *title;
	cmd_fn run;
} cmds[] = {
	{ "check", "ctr-manifest check", cmd_check },
	{ "policies", "ctr-manifest policies", cmd_policies },
	{ "diff", "ctr-manifest diff", cmd_diff },
	{ "keygen", "ctr-manifest keygen", cmd_keygen },
	{ "measure", "ctr-manifest measure", cmd_measure },
};

int main(int argc, char **argv)
{
	struct ctr_tool t = { .name = "ctr-manifest" };
	ctr_auto_buf struct ctr_buf out = { .wipe = true }; /* it may be a key */
	cmd_fn run = cmd_generate;
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
