/* What every tool's main does: options, help, exit status, the checked last flush. */
#ifndef LIB_TOOL_H
#define LIB_TOOL_H

#include <stdint.h>

#include "buf.h"
#include "log.h"

struct ctr_opt {
	int id;		  /* handed to the callback; unique, above 0 */
	const char *name; /* long option, without dashes */
	char sh;	  /* short one, 0 for none */
	const char *arg;  /* name of the value in the help, NULL for a flag */
	const char *help; /* one line */
};

struct ctr_tool {
	const char *name;
	const char *synopsis; /* "[options] [file ...]" */
	const char *summary;  /* one sentence */
	const char *example;  /* one command line */
	const struct ctr_opt *opts; /* ends with a zero entry */
	struct ctr_log log;   /* set from -v, -q, --errors */
	bool served;	      /* --help or --version was answered: nothing is left to do */
};

/* Called for each option of the tool's own, in the order given. */
typedef int (*ctr_opt_fn)(void *ctx, int id, const char *value, struct ctr_err *e);

/*
 * A subcommand: reads its options into t (whose name is set, the help is its own), does its work and leaves the result in `out`, which is
 * written after success and for the answer CTR_NO. When t->served is set nothing is left to do.
 */
typedef int (*ctr_cmd_fn)(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
struct ctr_cmd {
	const char *name, *title; /* "check", "ctr-manifest check" */
	ctr_cmd_fn run;
};

/*
 * The main of a tool with subcommands: the first operand says which of them (the list ends with a zero entry), anything else goes
 * to `usual`. Returns the exit status. `out` is wiped, for it may hold a key.
 */
int ctr_tool_run(const char *name, const struct ctr_cmd *cmds, ctr_cmd_fn usual, int argc, char **argv);

/* Descriptors 0 to 2 open, SIGPIPE ignored, umask 077. Call first in main. */
void ctr_tool_init(struct ctr_tool *t);

/*
 * Reads the options, the shared ones (--help --version -v -q --errors) itself. Abbreviated long
 * options are refused. *first is the index of the first operand.
 */
CTR_MUST int ctr_tool_opts(struct ctr_tool *t, int argc, char **argv, ctr_opt_fn fn, void *ctx,
			   int *first, struct ctr_err *e);

/* Prints the error (for CTR_USAGE also the usage line) and returns the exit status. */
int ctr_tool_die(struct ctr_tool *t, const struct ctr_err *e);

/* Flushes stdout: 0, or CTR_ENV after saying why. */
int ctr_tool_close(struct ctr_tool *t);

/* For a tool that holds secrets: no core dumps, and no other process of the same user looks into
 * this one. CTR_ENV "guard". */
CTR_MUST int ctr_tool_guard(struct ctr_err *e);

/* Warns ("key.exposed") when standard output, where the secret `what` goes, is a terminal or a file
 * that others may read. `instead` is what keeps it from there. */
void ctr_tool_warn_exposed(struct ctr_log *log, const char *what, const char *instead);

/* A whole decimal number from lo to hi: digits only, no sign. `what` names it in the message. */
CTR_MUST int ctr_number(const char *s, const char *what, uint64_t lo, uint64_t hi, uint64_t *v,
			struct ctr_err *e);

#endif
