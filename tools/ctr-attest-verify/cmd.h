/* The subcommands of ctr-attest-verify. */
#ifndef TOOLS_CTR_ATTEST_VERIFY_CMD_H
#define TOOLS_CTR_ATTEST_VERIFY_CMD_H

#include "buf.h"
#include "tool.h"

/*
 * Each reads its options into t (name and help are its own), does its work and leaves the result in `out`, which main writes after
 * success and for the answer CTR_NO. When t->served is set nothing is left to do.
 */
typedef int (*cmd_fn)(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_verify(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_bundle(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_certs(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_fetch(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_eventlog(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_fetch(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_idblock(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);

#endif
