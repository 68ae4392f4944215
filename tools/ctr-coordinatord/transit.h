/* A transit secrets engine as OpenBao and Vault speak to it: each workload has one key. */
#ifndef TOOLS_CTR_COORDINATORD_TRANSIT_H
#define TOOLS_CTR_COORDINATORD_TRANSIT_H

#include "api.h"

api_fn transit_encrypt, transit_decrypt;

/* {"errors":["…"]} */
void transit_error(struct ctr_buf *b, const char *text);

/* A server certificate by s's mesh CA, and that CA as the only one whose clients are let in. */
CTR_MUST int transit_certify(struct coord *c, const struct state *s, struct ctr_err *e);

#endif
