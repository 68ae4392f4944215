/* The cache of endorsements on disk: small files by name, a lock for each request, negative
 * answers. */
#ifndef LIB_COLLATERAL_CACHE_H
#define LIB_COLLATERAL_CACHE_H

#include <stdatomic.h>
#include <time.h>

#include "buf.h"

#define CTR_COLLATERAL_NONE_S 60 /* how long "there is none" is believed */

/*
 * dir is made with mode 0700; it must belong to the caller and be writable by nobody else: CTR_ENV
 * "cache.owner", "cache.open". Files have mode 0600 and are replaced whole.
 */
CTR_MUST int ctr_ccache_open(const char *dir, struct ctr_err *e);

/*
 * Appends the file's bytes; *found false when there is none that can be used (too large, not a
 * plain file). *since is when it was written.
 */
CTR_MUST int ctr_ccache_get(const char *dir, const char *name, struct ctr_buf *b, time_t *since,
			    bool *found, struct ctr_err *e);
CTR_MUST int ctr_ccache_put(const char *dir, const char *name, const struct ctr_buf *b,
			    struct ctr_err *e);

/* Whether the service said, less than CTR_COLLATERAL_NONE_S ago, that it has none; and that it just
 * did. */
bool ctr_ccache_none(const char *dir, const char *name);
CTR_MUST int ctr_ccache_set_none(const char *dir, const char *name, struct ctr_err *e);

/*
 * Waits until this process alone may ask for `name`, at most wait_s seconds, or until *stop. *fd is
 * closed to give it back; -1 when it could not be had: asking twice does no harm, so that is no
 * failure.
 */
CTR_MUST int ctr_ccache_lock(const char *dir, const char *name, unsigned wait_s,
			     const atomic_bool *stop, int *fd, struct ctr_err *e);

#endif
