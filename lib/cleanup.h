/* Scope cleanup: `ctr_auto_TYPE` locals are released when they go out of scope. */
#ifndef LIB_CLEANUP_H
#define LIB_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CTR_AUTO(fn) __attribute__((cleanup(fn)))

/* Hands a pointer on: yields it and leaves NULL behind, so that the cleanup does nothing. */
#define ctr_give(p)                              \
	__extension__({                          \
		__typeof__(p) ctr_give_ = (p);   \
		(p) = NULL;                      \
		ctr_give_;                       \
	})

static inline void ctr_cleanup_free(char **p)
{
	free(*p);
}

static inline void ctr_cleanup_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void ctr_cleanup_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define ctr_auto CTR_AUTO(ctr_cleanup_free)	     /* char *, initialised */
#define ctr_auto_file CTR_AUTO(ctr_cleanup_file)     /* FILE *, NULL or open */
#define ctr_auto_fd CTR_AUTO(ctr_cleanup_fd)	     /* int, -1 or open */

#endif
