/* The subcommands of ctr-node-install, and the options that several of them have. */
#ifndef TOOLS_CTR_NODE_INSTALL_CMD_H
#define TOOLS_CTR_NODE_INSTALL_CMD_H

#include "tool.h"

#include "apply.h"
#include "store.h"

/* Each is a ctr_cmd_fn (lib/tool.h). */
int cmd_install(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_status(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_uninstall(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out,
		  struct ctr_err *e);
int cmd_check_node(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out,
		   struct ctr_err *e);
int cmd_gc(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);

enum {
	OPT_ROOT = 1,
	OPT_KIND,
	OPT_SYSTEMCTL,
	OPT_NO_RESTART,
	OPT_NO_WAIT,
	OPT_TIMEOUT,
	OPT_DRY_RUN,
	OPT_CONFIG,
	OPT_CA_FILE,
	OPT_PROC,
	OPT_ALL,
	OPT_PROGRESS,
};

#define ROW_ROOT                                                                                   \
	{                                                                                          \
		OPT_ROOT, "root", 'r', "DIR", "where the node's / is (default /)"                  \
	}
#define ROW_KIND                                                                                   \
	{                                                                                          \
		OPT_KIND, "kind", 'k', "NAME",                                                     \
			"containerd, k3s, rke2, microk8s or k0s (default: looked up)"              \
	}
#define ROW_SYSTEMCTL                                                                              \
	{                                                                                          \
		OPT_SYSTEMCTL, "systemctl", 0, "PROGRAM", "called in the place of systemctl"       \
	}
#define ROW_NO_RESTART                                                                             \
	{                                                                                          \
		OPT_NO_RESTART, "no-restart", 0, NULL, "leave the restart of containerd to others" \
	}
#define ROW_NO_WAIT                                                                                \
	{                                                                                          \
		OPT_NO_WAIT, "no-wait", 0, NULL,                                                   \
			"do not wait until containerd lists the change"                            \
	}
#define ROW_TIMEOUT                                                                                \
	{                                                                                          \
		OPT_TIMEOUT, "timeout", 't', "SECONDS",                                            \
			"for the restart, and for what is then waited for (default 180)"           \
	}
#define ROW_DRY_RUN                                                                                \
	{                                                                                          \
		OPT_DRY_RUN, "dry-run", 'n', NULL,                                                 \
			"print what would change as a diff, change nothing"                        \
	}
#define ROW_PROC                                                                                   \
	{                                                                                          \
		OPT_PROC, "proc", 0, "DIR",                                                        \
			"the node's /proc, for sandboxes that run (default /proc)"                 \
	}

struct args {
	char root[3072]; /* real, "" for the machine itself */
	const struct node_kind *kind;
	const char *systemctl, *config, *ca_file, *proc;
	enum ctr_progress_mode progress;
	uint64_t seconds;
	bool no_restart, no_wait, dry_run, all;
};

/* A ctr_opt_fn over struct args. */
int args_take(void *ctx, int id, const char *value, struct ctr_err *e);

/* Options, then at most `max` operands from *first on; also sets the umask, which has no say in
 * modes. */
CTR_MUST int args_read(struct ctr_tool *t, int argc, char **argv, struct args *a, int max,
		       int *first, struct ctr_err *e);

/* How systemd is to be called for the node. */
struct units args_units(const struct args *a, const struct node *n, struct ctr_log *log);

/* The file where the handler is, or goes. */
CTR_MUST int args_node(const struct args *a, const char *handler, struct node *n,
		       struct ctr_err *e);

/* The version of the handler that containerd's configuration names, "" when it names none. */
CTR_MUST int active_version(const struct node *n, const char *handler, char id[STORE_ID + 1],
			    struct ctr_err *e);

/* *used: a process of the node runs from this version, or has a file of it on its command line.
 * CTR_ENV "proc". */
CTR_MUST int in_use(const char *proc, const struct store_version *v, bool *used, struct ctr_err *e);

#endif
