/* The figures of GET /metrics. */
#ifndef TOOLS_CTR_COORDINATORD_FIGURES_H
#define TOOLS_CTR_COORDINATORD_FIGURES_H

#include "coord.h"

enum figure {
	F_REQUESTS,
	F_SECONDS,
	F_REFUSED,
	F_ISSUED,
	F_GENERATION,
	F_READY,
	F_COLLATERAL_AGE,
	F_STORE_AGE,
	FIGURES,
};

CTR_MUST int figures_new(struct ctr_metrics **m, struct ctr_err *e);

/* Adds one; labels are NULL where the figure has none. */
void figure_add(struct coord *c, enum figure f, const char *a, const char *b);
void figure_set(struct coord *c, enum figure f, double v);
/* The text for Prometheus. */
CTR_MUST int figures_print(struct coord *c, struct ctr_buf *b, struct ctr_err *e);

#endif
