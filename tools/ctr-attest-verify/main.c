#include <string.h>

#include "cmd.h"
#include "file.h"

static const struct {
	const char *name, *title;
	cmd_fn run;
} cmds[] = {
	{ "eventlog", "ctr-attest-verify eventlog", cmd_eventlog },
	{ "idblock", "ctr-attest-verify idblock", cmd_idblock },
};

static const struct ctr_opt no_opts[] = { { 0 } };

static int no_option(void *ctx, int id, const char *value, struct ctr_err *e)
{
	(void)ctx;
	(void)id;
	(void)value;
	return ctr_fail(e, CTR_USAGE, "usage", "there are no options here");
}

/* Without one of the words. */
static int cmd_none(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	int first;

	(void)out;
	t->synopsis = "eventlog|idblock [options] [file]";
	t->summary = "Checks parts of the evidence that a confidential guest shows. The first word says which:\n\n"
		     "  eventlog  replays an event log and compares it with a TDX quote\n"
		     "  idblock   makes or checks what identifies an SEV-SNP guest\n\n"
		     "each with its own --help.";
	t->example = "ctr-attest-verify eventlog --quote quote.bin /sys/firmware/acpi/tables/data/CCEL";
	t->opts = no_opts;
	if (ctr_tool_opts(t, argc, argv, no_option, NULL, &first, e) < 0)
		return -1;
	return t->served ? 0 : ctr_fail(e, CTR_USAGE, "usage", "a first word is needed: eventlog or idblock");
}

int main(int argc, char **argv)
{
	struct ctr_tool t = { .name = "ctr-attest-verify" };
	ctr_auto_buf struct ctr_buf out = { 0 };
	cmd_fn run = cmd_none;
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
