/* The subcommands of ctr-attest-verify. */
#ifndef TOOLS_CTR_ATTEST_VERIFY_CMD_H
#define TOOLS_CTR_ATTEST_VERIFY_CMD_H

#include "buf.h"
#include "tool.h"

/* Each is a ctr_cmd_fn (lib/tool.h). */
int cmd_verify(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_bundle(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_certs(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_fetch(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_eventlog(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_fetch(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_idblock(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);

#endif
