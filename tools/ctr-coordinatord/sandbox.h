/* What the Coordinator gives up before it reads the first byte from the network. */
#ifndef TOOLS_CTR_COORDINATORD_SANDBOX_H
#define TOOLS_CTR_COORDINATORD_SANDBOX_H

#include "buf.h"
#include "log.h"

/* Nothing of this process is dumped, and secrets stay out of swap where the limits allow. First of
 * all. */
CTR_MUST int sandbox_memory(struct ctr_log *l, struct ctr_err *e);
void sandbox_lock(const struct ctr_secret *s);

/* The user. Before files are opened that belong to it. CTR_ENV "sandbox.user". */
CTR_MUST int sandbox_user(const char *name, struct ctr_err *e);

/*
 * No new privileges, no writing outside of the directories in `writable` (NULL-ended; Landlock,
 * where the kernel has it), and no system call that is not needed (seccomp). For this thread and
 * those it will start. CTR_ENV "sandbox".
 */
CTR_MUST int sandbox_enter(const char *const *writable, struct ctr_log *l, struct ctr_err *e);

#endif
