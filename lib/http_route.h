/* Which route serves a request, and the head of the answer: parts of lib/http_conn.c. */
#ifndef LIB_HTTP_ROUTE_H
#define LIB_HTTP_ROUTE_H

#include "http_server.h"

/* The route for method and path on that listener, *rest behind its prefix. NULL: *known says
 * whether the path is served with other methods. */
const struct ctr_http_route *ctr_http_route_find(const struct ctr_http_server_conf *conf,
						 unsigned listener, const char *method,
						 const char *path, const char **rest, bool *known);

/* The methods for a path, for Allow: "GET, HEAD". */
void ctr_http_route_allow(const struct ctr_http_server_conf *conf, unsigned listener,
			  const char *path, struct ctr_buf *b);

/* application/json, whatever its parameters are. */
bool ctr_http_type_json(const char *type);

/* Status line and header lines of an answer, with the empty line. `allow` NULL or "": none. */
void ctr_http_head_print(struct ctr_buf *b, const struct ctr_http_answer *a, const char *allow,
			 bool keep);

#endif
