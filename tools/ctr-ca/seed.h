/* What the root CA comes from, as JSON: {"seed": hex, "salt": hex}. */
#ifndef TOOLS_CTR_CA_SEED_H
#define TOOLS_CTR_CA_SEED_H

#include "ca.h"

/* From a text. The caller frees *r. CTR_FORMAT "json.…", "hex". */
CTR_MUST int seed_parse(const char *name, const char *p, size_t n, struct ctr_root **r,
			struct ctr_err *e);
/* From standard input. */
CTR_MUST int seed_read(struct ctr_root **r, struct ctr_err *e);

/* A fresh one, appended; out is made one that is wiped. CTR_ENV "random". */
CTR_MUST int seed_new(struct ctr_buf *out, struct ctr_err *e);

#endif
