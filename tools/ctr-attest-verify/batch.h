/* Many verifications at once, on all processors. */
#ifndef TOOLS_CTR_ATTEST_VERIFY_BATCH_H
#define TOOLS_CTR_ATTEST_VERIFY_BATCH_H

#include <stdio.h>

#include "verify.h"

/*
 * Reads file names, one a line, and writes one JSON result a line to standard output, in the same
 * order. One that cannot be judged gives {"file","verdict":"error","id","error"}. 0 when all are
 * accepted; CTR_NO "batch.rejected" when one is rejected; CTR_FORMAT "batch.broken" when one could
 * not be judged.
 */
CTR_MUST int batch_run(const struct job *j, FILE *in, struct ctr_err *e);

#endif
