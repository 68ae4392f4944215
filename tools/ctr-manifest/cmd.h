/* The subcommands of ctr-manifest. */
#ifndef TOOLS_CTR_MANIFEST_CMD_H
#define TOOLS_CTR_MANIFEST_CMD_H

#include "buf.h"
#include "tool.h"

/*
 * Each reads its options into t (name and help are its own), does its work and leaves the result in
 * `out`, which main writes after success and for the answer CTR_NO. When t->served is set nothing is
 * left to do.
 */
typedef int (*cmd_fn)(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out,
		      struct ctr_err *e);
int cmd_generate(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_check(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_policies(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_diff(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_keygen(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_measure(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);

#endif
