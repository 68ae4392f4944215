/* The system calls that are left: a filter in seccomp's BPF. */
#ifndef TOOLS_CTR_COORDINATORD_SANDBOX_CALLS_H
#define TOOLS_CTR_COORDINATORD_SANDBOX_CALLS_H

#include "err.h"

/* From here on, for this thread and those it starts, all others fail with EPERM. Needs
 * no_new_privs. CTR_ENV "sandbox". */
CTR_MUST int sandbox_calls(struct ctr_err *e);

#endif
