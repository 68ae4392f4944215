/* Docker's credential helper protocol: `docker-credential-NAME get`. */
#ifndef LIB_CREDHELPER_H
#define LIB_CREDHELPER_H

#include "buf.h"

/*
 * Runs docker-credential-NAME (found on the PATH; NAME is letters, digits, _ and -) with `server`
 * on its standard input; what it prints goes into `out` (set .wipe). *found false when it says
 * that it has none. Its standard error is dropped, after `seconds` it is killed.
 * CTR_ENV "registry.helper"; no message holds its output.
 */
CTR_MUST int ctr_credhelper_get(const char *name, const char *server, unsigned seconds,
				struct ctr_buf *out, bool *found, struct ctr_err *e);

#endif
