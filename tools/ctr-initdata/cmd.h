/* The subcommands of ctr-initdata. */
#ifndef TOOLS_CTR_INITDATA_CMD_H
#define TOOLS_CTR_INITDATA_CMD_H

#include "buf.h"
#include "tool.h"

/* Each is a ctr_cmd_fn (lib/tool.h). */
int cmd_verify(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_build(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_inspect(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);

#endif
