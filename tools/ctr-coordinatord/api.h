/* The Coordinator's HTTP API (ctr-api(7)): what answers which path. */
#ifndef TOOLS_CTR_COORDINATORD_API_H
#define TOOLS_CTR_COORDINATORD_API_H

#include "coord.h"
#include "http_server.h"

enum { L_API, L_PROBES, L_TRANSIT, LISTENERS }; /* in this order */

extern const struct ctr_http_route api_routes[];
extern const unsigned api_n_routes;

/* For struct ctr_http_server_conf; ctx is the struct coord. */
void api_handle(void *ctx, const struct ctr_http_request *rq, struct ctr_http_answer *a);
void api_refuse(void *ctx, unsigned listener, unsigned status, const char *id, const char *text,
		struct ctr_http_answer *a);
void api_done(void *ctx, int route, unsigned status, double seconds);

/*
 * One for each kind of request: fills a, or fails, and then e decides what is answered. They run
 * in several threads at once.
 */
typedef int api_fn(struct coord *c, const struct ctr_http_request *rq, struct ctr_http_answer *a,
		   struct ctr_err *e);
api_fn api_attest, api_manifest, api_recover, api_mesh_cert, api_mesh_recover, api_mesh_ca;

/* The body as a JSON object with these keys alone (NULL-ended). */
CTR_MUST int api_body(const struct ctr_http_request *rq, const char *const *keys,
		      struct ctr_json **json, struct ctr_err *e);

#endif
