/* A thread that keeps what endorses this machine's evidence fresh. */
#ifndef TOOLS_CTR_COORDINATORD_REFRESH_H
#define TOOLS_CTR_COORDINATORD_REFRESH_H

#include "coord.h"

struct refresher;
/* Fetches at once, then once an hour. CTR_ENV "memory". */
CTR_MUST int refresh_start(struct coord *c, struct refresher **r, struct ctr_err *e);
void refresh_now(struct refresher *r);
void refresh_stop(struct refresher *r); /* waits for its end; NULL is legal */

#endif
