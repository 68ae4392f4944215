/* Which requests would fill what evidence lacks. */
#ifndef LIB_COLLATERAL_LIST_H
#define LIB_COLLATERAL_LIST_H

#include "ask.h"
#include "collateral.h"

#define CTR_ASKS 4

struct ctr_asks {
	struct ctr_ask v[CTR_ASKS];
	bool optional[CTR_ASKS]; /* one may do without */
	bool local[CTR_ASKS];	 /* only the directory is looked at */
	size_t n;
};

/*
 * For what ev lacks. The leaf of `known` tells the product where the report does not. Errors are
 * those of ctr_collateral_fill that need no request.
 */
CTR_MUST int ctr_collateral_list(const struct ctr_collateral_opts *o,
				 const struct ctr_collateral_needs *n,
				 const struct ctr_evidence *ev, const struct ctr_evidence *known,
				 struct ctr_asks *asks, struct ctr_err *e);

#endif
