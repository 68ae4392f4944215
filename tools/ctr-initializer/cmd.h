/* The subcommands of ctr-initializer. */
#ifndef TOOLS_CTR_INITIALIZER_CMD_H
#define TOOLS_CTR_INITIALIZER_CMD_H

#include "tool.h"

#define OUTPUT_DEFAULT "/contrast"

int cmd_join(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e);
int cmd_cryptsetup(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out,
		   struct ctr_err *e);

#endif
