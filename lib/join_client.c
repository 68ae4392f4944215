#include "join_client.h"

#include "coordinator.h"

#define ROUNDS 2 /* a nonce may run out while the firmware makes the report */

void ctr_join_keys_free(struct ctr_join_keys *k)
{
	ctr_sign_key_free(k->cert);
	ctr_secret_free(&k->kem);
	ctr_join_free(&k->join);
	*k = (struct ctr_join_keys){ 0 };
}

static int keys_new(struct ctr_join_keys *k, struct ctr_err *e)
{
	if (ctr_sign_key_new(&k->cert, e) < 0 ||
	    ctr_sign_key_spki(k->cert, &k->join.cert_key, e) < 0)
		return -1;
	return ctr_hpke_generate(&k->kem, k->join.kem_key, e);
}

/* json NULL: GET. */
static int request(const struct ctr_join_client *c, const char *name, size_t max, const char *auth,
		   const char *json, struct ctr_http_resp *resp, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf url = { 0 };
	struct ctr_http_req req = { .accept = "application/json", .max = max };

	ctr_buf_addf(&url, "%s/v1/mesh/%s", c->url, name);
	if (ctr_buf_ok(&url, "URL", e) < 0)
		return -1;
	req.url = url.p;
	req.auth = auth;
	req.json = json;
	return ctr_http_do(c->http, &req, resp, e);
}

/* The nonce of a 401; a proxy in between may have added challenges of its own. */
static int take_nonce(const struct ctr_http_resp *resp, uint8_t nonce[CTR_NONCE_SIZE],
		      struct ctr_err *e)
{
	for (size_t i = 0;; i++) {
		ctr_auto_buf struct ctr_buf value = { 0 };

		if (!ctr_http_header(resp, "WWW-Authenticate", i, &value))
			return ctr_fail(e, CTR_ENV, "join.challenge",
					"status %u without a nonce (expected 401, "
					"WWW-Authenticate: " CTR_JOIN_SCHEME
					"): is this a Coordinator?",
					resp->status);
		if (ctr_join_nonce(ctr_buf_str(&value), nonce, NULL) == 0)
			return 0;
	}
}

/* The request for this nonce as JSON. */
static int build(const struct ctr_join_client *c, struct ctr_join_keys *k, struct ctr_buf *json,
		 struct ctr_err *e)
{
	uint8_t data[CTR_REPORT_DATA_SIZE];

	ctr_buf_reset(&k->join.evidence);
	if (ctr_join_report_data(&k->join, k->nonce, data, e) < 0 ||
	    c->evidence(c->ctx, data, &k->join.evidence, e) < 0 ||
	    ctr_join_sign(&k->join, k->cert, k->nonce, e) < 0)
		return -1;
	return ctr_join_print(&k->join, json, e);
}

int ctr_join_exchange(const struct ctr_join_client *c, const char *name, size_t max,
		      struct ctr_join_keys *k, struct ctr_buf *body, struct ctr_err *e)
{
	ctr_auto_http_resp struct ctr_http_resp resp = { 0 };

	if (keys_new(k, e) < 0 || request(c, name, max, NULL, "{}", &resp, e) < 0)
		return -1;
	for (int round = 0; round < ROUNDS && resp.status == 401; round++) {
		ctr_auto_buf struct ctr_buf json = { 0 };
		char auth[CTR_JOIN_HEADER_MAX];

		if (take_nonce(&resp, k->nonce, e) < 0 || build(c, k, &json, e) < 0)
			return -1;
		ctr_join_challenge(k->nonce, auth, sizeof auth);
		ctr_http_resp_free(&resp);
		resp = (struct ctr_http_resp){ 0 };
		if (request(c, name, max, auth, json.p, &resp, e) < 0)
			return -1;
		if (resp.status == 200) {
			*body = resp.body;
			resp.body = (struct ctr_buf){ 0 };
			return 0;
		}
	}
	if (resp.status == 401)
		return ctr_fail(e, CTR_ENV, "join.challenge",
				"the Coordinator does not take the nonces that it gives");
	if (resp.status == 200)
		return take_nonce(&resp, k->nonce, e); /* fails: nobody answers so early */
	return ctr_coordinator_refused(c->url, &resp, NULL, e);
}

int ctr_join_mesh_ca(const struct ctr_join_client *c, struct ctr_buf *mesh_ca, struct ctr_err *e)
{
	ctr_auto_http_resp struct ctr_http_resp resp = { 0 };

	if (request(c, "ca", CTR_JOIN_MAX, NULL, NULL, &resp, e) < 0)
		return -1;
	if (resp.status != 200)
		return ctr_coordinator_refused(c->url, &resp, NULL, e);
	return ctr_join_ca_parse("answer", ctr_buf_str(&resp.body), resp.body.n, mesh_ca, e);
}
