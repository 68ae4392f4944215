/* The subcommands of ctr-manifest. */
#ifndef TOOLS_CTR_MANIFEST_CMD_H
#define TOOLS_CTR_MANIFEST_CMD_H

#include "buf.h"
#include "tool.h"

/* Each is a ctr_cmd_fn (lib/tool.h). */
int cmd_generate(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_check(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_policies(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_diff(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_keygen(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_set(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_recover(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_get(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_measure(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);

#endif
