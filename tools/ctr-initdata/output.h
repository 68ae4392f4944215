/* The files for the agent. */
#ifndef TOOLS_CTR_INITDATA_OUTPUT_H
#define TOOLS_CTR_INITDATA_OUTPUT_H

#include "doc.h"

#define OUTPUT_DIR "/run/confidential-containers/initdata" /* where the stock agent keeps it */

/*
 * Makes the directory `dir` with a file for each entry and, of a document, initdata.toml with the
 * document itself; directory 0700, files 0600 (what is missing above it: 0755), for a document may
 * hold credentials. All of it appears at once or not at all. CTR_ENV "output.exists" (there is
 * something in it already), "write", "mkdir".
 */
CTR_MUST int output_write(const struct doc *d, const char *dir, struct ctr_err *e);

#endif
