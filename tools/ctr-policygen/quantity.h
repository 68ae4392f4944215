/* Kubernetes quantities: "100m", "1.5Gi", "2e3". */
#ifndef TOOLS_CTR_POLICYGEN_QUANTITY_H
#define TOOLS_CTR_POLICYGEN_QUANTITY_H

#include <stdint.h>

#include "err.h"

/* value / divisor, rounded up, as resourceFieldRef gives it. CTR_FORMAT "quantity". */
CTR_MUST int quantity_divide(const char *value, const char *divisor, uint64_t *out,
			     struct ctr_err *e);

/* A whole count, as of an extended resource. */
CTR_MUST int quantity_count(const char *value, uint64_t *out, struct ctr_err *e);

#endif
