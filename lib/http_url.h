/* URLs, read by libcurl's own parser: what is checked is what a request will use. */
#ifndef LIB_HTTP_URL_H
#define LIB_HTTP_URL_H

#include <string.h>

#include "buf.h"

/* For "%.*s": a URL without its query, which may hold a signature. */
#define CTR_HTTP_SHOWN(url) (int)strcspn(url, "?#"), url

/* Where a URL leads, as the client itself reads it: lower case, the port always there. */
struct ctr_http_origin {
	char scheme[8], host[256], port[8];
};
/* CTR_FORMAT "http.url": not http(s), user information, a fragment, bytes that do not belong. */
CTR_MUST int ctr_http_origin(const char *url, struct ctr_http_origin *o, struct ctr_err *e);
bool ctr_http_same_origin(const struct ctr_http_origin *a, const struct ctr_http_origin *b);

/* s, percent-encoded save for RFC 3986's unreserved characters, appended. */
void ctr_http_quote(struct ctr_buf *b, const char *s);

#endif
