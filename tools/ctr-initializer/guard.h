/* The signals that the process lives with. */
#ifndef TOOLS_CTR_INITIALIZER_GUARD_H
#define TOOLS_CTR_INITIALIZER_GUARD_H

#include <stdint.h>

#include "err.h"

/*
 * SIGTERM and SIGINT end the process at once with this status, also as process 1 of a container;
 * SIGHUP only ends a pause. Call once.
 */
void guard_signals(int status);

/* Between the two, an end waits. */
void guard_hold(void);
void guard_release(void);

/* Milliseconds of a clock that only runs forward. */
uint64_t guard_now(void);

/* Sleeps; true: a SIGHUP came before the time was over. */
bool guard_pause(uint64_t ms);

/* From the first on SIGTERM and SIGINT wait; the second returns when one has come. */
void guard_delay_end(void);
void guard_wait_end(void);

/*
 * Runs a program, found in PATH, in a process group of its own, without our signal mask, for at
 * most `seconds` (0: as long as it takes). CTR_ENV "exec": it could not be started; CTR_NO "exec":
 * it ended badly, or was killed for taking longer.
 */
CTR_MUST int guard_exec(const char *const argv[], unsigned seconds, struct ctr_err *e);

#endif
