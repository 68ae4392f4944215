/* For the modules that make a struct ctr_ask. */
#ifndef LIB_ASK_INT_H
#define LIB_ASK_INT_H

#include "ask.h"

/* Copies a URL, or the next item with its file name. */
CTR_MUST int ctr_ask_set(struct ctr_ask *a, const struct ctr_buf *url, struct ctr_err *e);
CTR_MUST int ctr_ask_add(struct ctr_ask *a, enum ctr_item item, const struct ctr_buf *name,
			 struct ctr_err *e);

#endif
