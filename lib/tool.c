#include "tool.h"

#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

#ifndef CTR_VERSION
#define CTR_VERSION "0"
#endif

enum { OPT_HELP = -10, OPT_VERSION, OPT_VERBOSE, OPT_QUIET, OPT_ERRORS };

static const struct ctr_opt shared[] = {
	{ OPT_VERBOSE, "verbose", 'v', NULL, "say more; twice: say all" },
	{ OPT_QUIET, "quiet", 'q', NULL, "no warnings" },
	{ OPT_ERRORS, "errors", 0, "text|json", "form of messages on stderr (default text)" },
	{ OPT_HELP, "help", 'h', NULL, "this text" },
	{ OPT_VERSION, "version", 0, NULL, "the version" },
	{ 0 },
};

void ctr_tool_init(struct ctr_tool *t)
{
	for (int fd = 0; fd < 3; fd++) {
		/* the wrong way round on purpose: use of a closed descriptor fails, and is reported */
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd)
			_exit(CTR_ENV);
	}
	signal(SIGPIPE, SIG_IGN);
	umask(077);
	t->log.tool = t->name;
}

static void usage(const struct ctr_tool *t, FILE *f)
{
	fprintf(f, "usage: %s %s\n", t->name, t->synopsis);
}

static void help_rows(const struct ctr_opt *o)
{
	for (; o->name; o++) {
		char left[64];

		snprintf(left, sizeof left, "%c%c%c --%s%s%s", o->sh ? '-' : ' ', o->sh ? o->sh : ' ',
			 o->sh ? ',' : ' ', o->name, o->arg ? "=" : "", o->arg ? o->arg : "");
		printf("  %-34s %s\n", left, o->help);
	}
}

static void help(const struct ctr_tool *t)
{
	usage(t, stdout);
	printf("%s\n\n", t->summary);
	help_rows(t->opts);
	help_rows(shared);
	printf("\nexample: %s\n", t->example);
}

static int on_shared(struct ctr_tool *t, int id, const char *value, struct ctr_err *e)
{
	switch (id) {
	case OPT_HELP:
		help(t);
		t->served = true;
		return 0;
	case OPT_VERSION:
		printf("%s %s\n", t->name, CTR_VERSION);
		t->served = true;
		return 0;
	case OPT_VERBOSE:
		t->log.level++;
		return 0;
	case OPT_QUIET:
		t->log.level = CTR_QUIET;
		return 0;
	default:
		if (strcmp(value, "json") != 0 && strcmp(value, "text") != 0)
			return ctr_fail(e, CTR_USAGE, "usage", "--errors=%s (expected text or json)",
					value);
		t->log.json = strcmp(value, "json") == 0;
		return 0;
	}
}

/* Room for the tool's options, the shared ones and the end mark. */
#define MAX_OPTS 96

struct table {
	struct option longs[MAX_OPTS];
	char shorts[2 * MAX_OPTS + 3];
	const struct ctr_opt *row[MAX_OPTS];
	size_t n;
};

static void add_rows(struct table *t, const struct ctr_opt *o)
{
	size_t s = strlen(t->shorts);

	for (; o->name; o++) {
		if (t->n + 1 >= MAX_OPTS)
			abort();
		t->row[t->n] = o;
		t->longs[t->n++] = (struct option){ o->name, o->arg ? required_argument : no_argument,
						    NULL, 256 };
		if (o->sh) {
			t->shorts[s++] = o->sh;
			if (o->arg)
				t->shorts[s++] = ':';
		}
	}
}

/* getopt_long takes any unambiguous beginning of a name: only the whole name is ours. */
static bool abbreviated(const char *arg, const char *name)
{
	size_t n = strcspn(arg, "=");

	return strncmp(arg, "--", 2) != 0 || n != strlen(name) + 2 ||
	       strncmp(arg + 2, name, n - 2) != 0;
}

static const struct ctr_opt *find_short(const struct table *t, int c)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->row[i]->sh == c)
			return t->row[i];
	}
	return NULL;
}

static const char *long_word(char **argv, const struct ctr_opt *o, const char *value)
{
	/* with a value in a word of its own, optind is two past the option */
	int back = o->arg && value == argv[optind - 1] ? 2 : 1;

	return argv[optind - back];
}

static int bad_option(int c, char **argv, int before, struct ctr_err *e)
{
	const char *word = optopt && optopt < 256 ? NULL : argv[optind > before ? optind - 1 : before];
	const char *why = c == ':' ? "needs a value" : "unknown option, or a value it does not take";

	if (word)
		return ctr_fail(e, CTR_USAGE, "usage", "%s: %s", word, why);
	return ctr_fail(e, CTR_USAGE, "usage", "-%c: %s", optopt, why);
}

int ctr_tool_opts(struct ctr_tool *t, int argc, char **argv, ctr_opt_fn fn, void *ctx, int *first,
		  struct ctr_err *e)
{
	struct table tab = { .shorts = "+:" };
	int c, at = 0, before;

	add_rows(&tab, t->opts);
	add_rows(&tab, shared);
	optind = 1;
	opterr = 0;
	while (before = optind, (c = getopt_long(argc, argv, tab.shorts, tab.longs, &at)) != -1) {
		const struct ctr_opt *o = c == 256 ? tab.row[at] : find_short(&tab, c);
		int rc;

		if (c == '?' || c == ':' || !o)
			return bad_option(c, argv, before, e);
		if (c == 256 && abbreviated(long_word(argv, o, optarg), o->name))
			return ctr_fail(e, CTR_USAGE, "usage", "%s: write out --%s",
					long_word(argv, o, optarg), o->name);
		rc = o->id < 0 ? on_shared(t, o->id, optarg, e) : fn(ctx, o->id, optarg, e);
		if (rc < 0 || t->served)
			return rc;
	}
	*first = optind;
	return 0;
}

int ctr_tool_die(struct ctr_tool *t, const struct ctr_err *e)
{
	if (e->code == CTR_OK)
		abort(); /* a failure without a reason is our bug, never an answer */
	fflush(stdout);
	ctr_log_err(&t->log, e);
	if (e->code == CTR_USAGE && !t->log.json) {
		usage(t, stderr);
		fprintf(stderr, "try '%s --help'\n", t->name);
	}
	return (int)e->code;
}

int ctr_tool_close(struct ctr_tool *t)
{
	struct ctr_err e = { 0 };

	if (fflush(stdout) == 0 && !ferror(stdout) && close(STDOUT_FILENO) == 0)
		return CTR_OK;
	ctr_fail_sys(&e, "write", "standard output");
	ctr_log_err(&t->log, &e);
	return CTR_ENV;
}

int ctr_tool_guard(struct ctr_err *e)
{
	const struct rlimit none = { 0 };

	if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return ctr_fail_sys(e, "guard", "core dumps could not be turned off");
	return 0;
}

void ctr_tool_warn_exposed(struct ctr_log *log, const char *what, const char *instead)
{
	struct stat st;

	if (isatty(STDOUT_FILENO))
		ctr_log(log, CTR_WARN, "key.exposed", NULL, 0, 0,
			"%s goes to the terminal; %s keeps it from eyes and logs", what, instead);
	else if (fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077))
		ctr_log(log, CTR_WARN, "key.exposed", NULL, 0, 0,
			"%s goes to a file that others may read; use %s", what, instead);
}

int ctr_number(const char *s, const char *what, uint64_t lo, uint64_t hi, uint64_t *v,
	       struct ctr_err *e)
{
	uint64_t n = 0;
	bool ok = *s != '\0';

	*v = 0;
	for (; ok && *s; s++) {
		uint64_t d = (uint64_t)(*s - '0');

		ok = *s >= '0' && *s <= '9' && n <= (UINT64_MAX - d) / 10;
		n = n * 10 + d;
	}
	if (!ok || n < lo || n > hi)
		return ctr_fail(e, CTR_USAGE, "number",
				"%s: not a number from %llu to %llu", what, (unsigned long long)lo,
				(unsigned long long)hi);
	*v = n;
	return 0;
}

int ctr_tool_run(const char *name, const struct ctr_cmd *cmds, ctr_cmd_fn usual, int argc, char **argv)
{
	ctr_auto_buf struct ctr_buf out = { .wipe = true };
	struct ctr_tool t = { .name = name };
	ctr_cmd_fn run = usual;
	struct ctr_err e = { 0 };
	int rc;

	for (; argc > 1 && cmds->name; cmds++) {
		if (strcmp(argv[1], cmds->name) != 0)
			continue;
		t.name = cmds->title;
		run = cmds->run;
		argc--;
		argv++;
		break;
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
