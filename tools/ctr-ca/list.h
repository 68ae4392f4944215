/* The values of an option that may be repeated. */
#ifndef TOOLS_CTR_CA_LIST_H
#define TOOLS_CTR_CA_LIST_H

#include "err.h"

struct list {
	const char **v; /* the list is ours, the words are not */
	size_t n;
};
CTR_MUST int list_push(struct list *l, const char *s, struct ctr_err *e);
void list_free(struct list *l);

#endif
