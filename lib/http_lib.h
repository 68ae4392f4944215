/* libcurl's functions, loaded when they are first needed; for lib/http_*.c alone. */
#ifndef LIB_HTTP_LIB_H
#define LIB_HTTP_LIB_H

#include <curl/curl.h>

#include "err.h"

#define CTR_HTTP_LIB(X)                                                                          \
	X(global_init) X(easy_init) X(easy_cleanup) X(easy_reset) X(easy_setopt) X(easy_perform) \
	X(easy_getinfo) X(easy_strerror) X(url) X(url_set) X(url_get) X(url_cleanup) X(free)

/* The real prototypes, so that a call is checked as if it were linked. */
struct ctr_http_lib {
#define X(f) __typeof__(curl_##f) *f;
	CTR_HTTP_LIB(X)
#undef X
};

/*
 * The table, the same for the whole process; it is loaded once and not let go, for libcurl cannot be
 * unloaded safely. NULL is CTR_ENV "http.library". Safe from several threads.
 */
const struct ctr_http_lib *ctr_http_lib(struct ctr_err *e);

#endif
