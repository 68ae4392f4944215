#include "api.h"

#include <string.h>

#include "event.h"
#include "figures.h"
#include "problem.h"
#include "transit.h"

#define JSON "application/json"
#define SMALL ((size_t)64 << 10)
#define LARGE ((size_t)16 << 20)

enum {
	R_CAPABILITIES,
	R_ATTEST,
	R_MANIFEST,
	R_RECOVER,
	R_MESH_CERT,
	R_MESH_RECOVER,
	R_MESH_CA,
	R_METRICS,
	R_STARTUP,
	R_LIVENESS,
	R_READINESS,
	R_ENCRYPT,
	R_ENCRYPT_PUT,
	R_DECRYPT,
	R_DECRYPT_PUT,
	ROUTES,
};

#define API (1U << L_API)
#define PROBES (1U << L_PROBES)
#define TRANSIT (1U << L_TRANSIT)

/* Clients of Vault send PUT where its documents say POST. */
const struct ctr_http_route api_routes[] = {
	{ "GET", "/capabilities", R_CAPABILITIES, 0, false, true, API },
	{ "POST", "/v1/attest", R_ATTEST, SMALL, true, false, API },
	{ "POST", "/v1/manifest", R_MANIFEST, LARGE, true, false, API },
	{ "POST", "/v1/recover", R_RECOVER, SMALL, true, false, API },
	{ "POST", "/v1/mesh/cert", R_MESH_CERT, SMALL, true, false, API },
	{ "POST", "/v1/mesh/recover", R_MESH_RECOVER, SMALL, true, false, API },
	{ "GET", "/v1/mesh/ca", R_MESH_CA, 0, false, true, API },
	{ "GET", "/metrics", R_METRICS, 0, false, true, PROBES },
	{ "GET", "/probe/startup", R_STARTUP, 0, false, true, PROBES },
	{ "GET", "/probe/liveness", R_LIVENESS, 0, false, true, PROBES },
	{ "GET", "/probe/readiness", R_READINESS, 0, false, true, PROBES },
	{ "POST", "/v1/transit/encrypt/*", R_ENCRYPT, SMALL, false, false, TRANSIT },
	{ "PUT", "/v1/transit/encrypt/*", R_ENCRYPT_PUT, SMALL, false, false, TRANSIT },
	{ "POST", "/v1/transit/decrypt/*", R_DECRYPT, SMALL, false, false, TRANSIT },
	{ "PUT", "/v1/transit/decrypt/*", R_DECRYPT_PUT, SMALL, false, false, TRANSIT },
};
const unsigned api_n_routes = sizeof api_routes / sizeof *api_routes;

static int capabilities(struct coord *c, const struct ctr_http_request *rq,
			struct ctr_http_answer *a, struct ctr_err *e)
{
	(void)c, (void)rq, (void)e;
	ctr_buf_adds(&a->body, "{\"api_versions\":[\"v1\"]}\n");
	return 0;
}

static int metrics(struct coord *c, const struct ctr_http_request *rq, struct ctr_http_answer *a,
		   struct ctr_err *e)
{
	(void)rq;
	a->type = CTR_METRICS_TYPE;
	return figures_print(c, &a->body, e);
}

/* lesson: liveness tied to the Kubernetes API: this process answers, and that is all it says. */
static int alive(struct coord *c, const struct ctr_http_request *rq, struct ctr_http_answer *a,
		 struct ctr_err *e)
{
	(void)c, (void)rq, (void)e;
	a->type = "text/plain";
	ctr_buf_adds(&a->body, "ok\n");
	return 0;
}

static int ready(struct coord *c, const struct ctr_http_request *rq, struct ctr_http_answer *a,
		 struct ctr_err *e)
{
	auto_state struct state *s = coord_state(c, e);

	return s ? alive(c, rq, a, e) : -1;
}

static api_fn *const handlers[ROUTES] = {
	[R_CAPABILITIES] = capabilities,
	[R_ATTEST] = api_attest,
	[R_MANIFEST] = api_manifest,
	[R_RECOVER] = api_recover,
	[R_MESH_CERT] = api_mesh_cert,
	[R_MESH_RECOVER] = api_mesh_recover,
	[R_MESH_CA] = api_mesh_ca,
	[R_METRICS] = metrics,
	[R_STARTUP] = alive,
	[R_LIVENESS] = alive,
	[R_READINESS] = ready,
	[R_ENCRYPT] = transit_encrypt,
	[R_ENCRYPT_PUT] = transit_encrypt,
	[R_DECRYPT] = transit_decrypt,
	[R_DECRYPT_PUT] = transit_decrypt,
};

/* What an error is to the client; a row without id is for the rest of its class. */
static const struct {
	enum ctr_code code;
	const char *id;
	enum ctr_problem problem;
	unsigned status; /* 0: the problem's own */
} meaning[] = {
	{ CTR_NO, "coord.no-manifest", CTR_P_NO_MANIFEST, 0 },
	{ CTR_NO, "coord.recovering", CTR_P_NEEDS_RECOVERY, 0 },
	{ CTR_NO, "coord.recovered", CTR_P_ALREADY_RECOVERED, 0 },
	{ CTR_NO, "coord.peer", CTR_P_ALREADY_RECOVERED, 0 },
	{ CTR_NO, "coord.signature", CTR_P_INVALID_SIGNATURE, 0 },
	{ CTR_NO, "join.signature", CTR_P_INVALID_SIGNATURE, 0 },
	{ CTR_NO, "history.conflict", CTR_P_MANIFEST_CONFLICT, 0 },
	{ CTR_NO, "history.policy", CTR_P_INVALID_ARGUMENT, 0 },
	{ CTR_NO, "history.policy-missing", CTR_P_INVALID_ARGUMENT, 0 },
	{ CTR_NO, "history.rollback", CTR_P_INTERNAL, 0 },
	{ CTR_NO, "history.signature", CTR_P_INTERNAL, 0 },
	{ CTR_NO, "coord.evidence", CTR_P_ATTESTATION_FAILED, 0 },
	{ CTR_NO, "nonce.unknown", CTR_P_PERMISSION_DENIED, 401 },
	{ CTR_NO, "nonce.old", CTR_P_PERMISSION_DENIED, 401 },
	{ CTR_NO, "nonce.used", CTR_P_PERMISSION_DENIED, 401 },
	{ CTR_NO, "nonce.none", CTR_P_PERMISSION_DENIED, 401 },
	{ CTR_NO, NULL, CTR_P_PERMISSION_DENIED, 0 },
	{ CTR_USAGE, NULL, CTR_P_INVALID_ARGUMENT, 0 },
	{ CTR_FORMAT, "store.hash", CTR_P_INTERNAL, 0 },
	{ CTR_FORMAT, "store.policies", CTR_P_INTERNAL, 0 },
	{ CTR_FORMAT, "store.kind", CTR_P_INTERNAL, 0 },
	{ CTR_FORMAT, "history.latest", CTR_P_INTERNAL, 0 },
	{ CTR_FORMAT, "history.blob", CTR_P_INTERNAL, 0 },
	{ CTR_FORMAT, NULL, CTR_P_INVALID_ARGUMENT, 0 },
	{ CTR_ENV, "coord.collateral", CTR_P_INTERNAL, 503 },
	{ CTR_ENV, "coord.busy", CTR_P_INTERNAL, 503 },
	{ CTR_ENV, "nonce.many", CTR_P_INTERNAL, 503 },
	{ CTR_ENV, NULL, CTR_P_INTERNAL, 0 },
};

static void explain(const struct ctr_http_request *rq, const struct ctr_err *why,
		    struct ctr_http_answer *a)
{
	char text[sizeof why->msg + sizeof why->where + 64];
	size_t i = 0;

	/* the last row is also for a failure without a reason, which would be a bug */
	while (i + 1 < sizeof meaning / sizeof *meaning &&
	       (meaning[i].code != why->code ||
		(meaning[i].id && (!why->id || strcmp(meaning[i].id, why->id) != 0))))
		i++;
	a->status = meaning[i].status ? meaning[i].status : ctr_problem_status(meaning[i].problem);
	/* what broke in here is for the log */
	if (a->status == 500)
		snprintf(text, sizeof text, "see the Coordinator's log, request %s", rq->id);
	else
		snprintf(text, sizeof text, "%s%s%s (request %s)", why->where,
			 *why->where ? ": " : "", why->msg, rq->id);
	a->body.n = 0;
	if (rq->listener == L_TRANSIT)
		transit_error(&a->body, text);
	else
		ctr_problem_add(&a->body, meaning[i].problem, a->status, text);
}

static const char *route_name(int route)
{
	return route < 0 ? "none" : api_routes[route].path;
}

void api_handle(void *ctx, const struct ctr_http_request *rq, struct ctr_http_answer *a)
{
	struct coord *c = ctx;
	struct ctr_err e = { 0 };

	a->status = 200;
	a->type = JSON;
	if (handlers[rq->route](c, rq, a, &e) == 0 && ctr_buf_ok(&a->body, "answer", &e) == 0)
		return;
	a->type = JSON;
	explain(rq, &e, a);
	if (rq->listener != L_PROBES && !(e.id && strcmp(e.id, "nonce.none") == 0))
		event_refusal(c->log, rq->id, route_name((int)rq->route), &e);
}

void api_refuse(void *ctx, unsigned listener, unsigned status, const char *id, const char *text,
		struct ctr_http_answer *a)
{
	(void)ctx, (void)id;
	a->type = JSON;
	if (listener == L_TRANSIT)
		transit_error(&a->body, text);
	else
		ctr_problem_add(&a->body, status >= 500 ? CTR_P_INTERNAL : CTR_P_INVALID_ARGUMENT,
				status, text);
}

void api_done(void *ctx, int route, unsigned status, double seconds)
{
	struct coord *c = ctx;
	char code[16];

	snprintf(code, sizeof code, "%u", status);
	figure_add(c, F_REQUESTS, route_name(route), code);
	ctr_metrics_note(c->metrics, F_SECONDS, route_name(route), NULL, seconds);
}

int api_body(const struct ctr_http_request *rq, const char *const *keys, struct ctr_json **json,
	     struct ctr_err *e)
{
	struct ctr_jval root;

	if (ctr_json_parse("request", rq->body, rq->n, json, e) < 0)
		return -1;
	root = ctr_jroot(*json);
	return ctr_jobject(&root, e) < 0 || ctr_jonly(&root, keys, e) < 0 ? -1 : 0;
}
