/* For the modules that are a struct ctr_hstore: bytes in and out, nothing checked but size. */
#ifndef LIB_HSTORE_INT_H
#define LIB_HSTORE_INT_H

#include "hstore.h"

/* Below, `name` is "KIND/HEX" or "transitions/latest". Errors as in hstore.h. */
struct ctr_hstore {
	void (*free)(struct ctr_hstore *s);
	CTR_MUST int (*read)(struct ctr_hstore *s, const char *name, size_t max, struct ctr_buf *b,
			     bool *found, struct ctr_err *e);
	/* *there: something has this name already, and nothing was done. What a process that dies
	 * within leaves may be cut. */
	CTR_MUST int (*create)(struct ctr_hstore *s, const char *name, const void *p, size_t n,
			       bool *there, struct ctr_err *e);
	/* Over whatever is there. */
	CTR_MUST int (*write)(struct ctr_hstore *s, const char *name, const void *p, size_t n,
			      struct ctr_err *e);
	CTR_MUST int (*swap)(struct ctr_hstore *s, const char *name, const void *old, size_t n_old,
			     const void *p, size_t n, struct ctr_err *e);
	/* NULL: nobody else changes it. */
	CTR_MUST int (*wait)(struct ctr_hstore *s, const char *name, const void *now, size_t n,
			     const atomic_bool *stop, bool *changed, struct ctr_err *e);
};

CTR_MUST int ctr_hstore_dir(const char *path, struct ctr_hstore **out, struct ctr_err *e);

#endif
