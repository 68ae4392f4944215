#include "list.h"

#include <stdlib.h>

int list_push(struct list *l, const char *s, struct ctr_err *e)
{
	const char **v = realloc(l->v, (l->n + 1) * sizeof *v);

	if (!v)
		return ctr_fail_mem(e);
	l->v = v;
	v[l->n++] = s;
	return 0;
}

void list_free(struct list *l)
{
	free(l->v);
	*l = (struct list){ 0 };
}
