/* Trust that was checked before, by the bytes it was made of: for lib/tdx_verify.c. */
#ifndef LIB_TDX_CACHE_H
#define LIB_TDX_CACHE_H

#include "tdx_trust.h"
#include "tdx_verify.h"

/*
 * The same trust as ctr_tdx_trust_check makes, from the cache or new (cache NULL: always new).
 * Shared: only to be read, and given back with ctr_tdx_trust_put. The errors of
 * ctr_tdx_trust_check.
 */
CTR_MUST int ctr_tdx_trust_get(struct ctr_tdx_cache *c, const struct ctr_evidence *ev,
			       const struct ctr_tdx_quote *q, const struct ctr_verify_opts *o,
			       struct ctr_tdx_trust **t, struct ctr_err *e);
void ctr_tdx_trust_put(struct ctr_tdx_cache *c, struct ctr_tdx_trust *t); /* takes NULL */

#endif
