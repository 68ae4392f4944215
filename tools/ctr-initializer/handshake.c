#include "handshake.h"

#include <string.h>

#include "check.h"
#include "coordinator.h"

#define ROUNDS 2 /* a nonce may run out while the firmware makes the report */

void joined_free(struct joined *j)
{
	ctr_buf_free(&j->key);
	ctr_buf_free(&j->chain);
	ctr_buf_free(&j->mesh_ca);
	ctr_buf_free(&j->root_ca);
	ctr_secret_free(&j->secret);
	*j = (struct joined){ 0 };
}

/* The keys of one handshake, and what is sent. */
struct keys {
	struct ctr_sign_key *cert;
	struct ctr_secret kem;
	struct ctr_join join;
	uint8_t nonce[CTR_NONCE_SIZE];
};

static void keys_free(struct keys *k)
{
	ctr_sign_key_free(k->cert);
	ctr_secret_free(&k->kem);
	ctr_join_free(&k->join);
}

static int keys_new(struct keys *k, struct ctr_err *e)
{
	if (ctr_sign_key_new(&k->cert, e) < 0 ||
	    ctr_sign_key_spki(k->cert, &k->join.cert_key, e) < 0)
		return -1;
	return ctr_hpke_generate(&k->kem, k->join.kem_key, e);
}

static int post(const struct handshake *h, const char *auth, const char *json,
		struct ctr_http_resp *resp, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf url = { 0 };
	struct ctr_http_req req = { .accept = "application/json", .max = CTR_JOIN_MAX };

	ctr_buf_addf(&url, "%s/v1/mesh/cert", h->url);
	if (ctr_buf_ok(&url, "URL", e) < 0)
		return -1;
	req.url = url.p;
	req.auth = auth;
	req.json = json;
	return ctr_http_do(h->http, &req, resp, e);
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
static int build(const struct handshake *h, struct keys *k, struct ctr_buf *json, struct ctr_err *e)
{
	ctr_auto_evidence struct ctr_evidence ev = { 0 };
	uint8_t data[CTR_REPORT_DATA_SIZE];

	ctr_buf_reset(&k->join.evidence);
	if (ctr_join_report_data(&k->join, k->nonce, data, e) < 0 ||
	    ctr_platform_issue(h->platform, data, &ev, e) < 0 ||
	    ctr_evidence_print(&ev, &k->join.evidence, e) < 0 ||
	    ctr_join_sign(&k->join, k->cert, k->nonce, e) < 0)
		return -1;
	return ctr_join_print(&k->join, json, e);
}

/* Up to an answer of 200. */
static int exchange(const struct handshake *h, struct keys *k, struct ctr_buf *body,
		    struct ctr_err *e)
{
	ctr_auto_http_resp struct ctr_http_resp resp = { 0 };

	if (post(h, NULL, "{}", &resp, e) < 0)
		return -1;
	for (int round = 0; round < ROUNDS && resp.status == 401; round++) {
		ctr_auto_buf struct ctr_buf json = { 0 };
		char auth[CTR_JOIN_HEADER_MAX];

		if (take_nonce(&resp, k->nonce, e) < 0 || build(h, k, &json, e) < 0)
			return -1;
		ctr_join_challenge(k->nonce, auth, sizeof auth);
		ctr_http_resp_free(&resp);
		resp = (struct ctr_http_resp){ 0 };
		if (post(h, auth, json.p, &resp, e) < 0)
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
	return ctr_coordinator_refused(h->url, &resp, NULL, e);
}

static int open_secret(const struct keys *k, const struct ctr_join_answer *a,
		       struct ctr_secret *out, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf info = { 0 };

	if (a->sealed.n == 0)
		return 0;
	ctr_join_info(k->nonce, &info);
	if (ctr_buf_ok(&info, "secret", e) < 0)
		return -1;
	return ctr_hpke_open(&k->kem, info.p, info.n, NULL, 0, a->sealed.p, a->sealed.n, out, e);
}

static void move(struct ctr_buf *to, struct ctr_buf *from)
{
	*to = *from;
	*from = (struct ctr_buf){ 0 };
}

int handshake_run(const struct handshake *h, struct joined *out, struct ctr_err *e)
{
	CTR_AUTO(keys_free) struct keys k = { 0 };
	ctr_auto_join_answer struct ctr_join_answer a = { 0 };
	ctr_auto_buf struct ctr_buf body = { 0 };

	if (keys_new(&k, e) < 0 || exchange(h, &k, &body, e) < 0 ||
	    ctr_join_answer_parse("answer", ctr_buf_str(&body), body.n, &a, e) < 0 ||
	    check_answer(&a, &k.join.cert_key, time(NULL), out, e) < 0 ||
	    open_secret(&k, &a, &out->secret, e) < 0 || ctr_sign_key_pem(k.cert, &out->key, e) < 0)
		return -1;
	move(&out->chain, &a.cert_chain);
	move(&out->mesh_ca, &a.mesh_ca);
	move(&out->root_ca, &a.root_ca);
	return 0;
}

int handshake_mesh_ca(const struct handshake *h, struct ctr_buf *mesh_ca, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf url = { 0 };
	ctr_auto_http_resp struct ctr_http_resp resp = { 0 };
	struct ctr_http_req req = { .accept = "application/json", .max = CTR_JOIN_MAX };

	ctr_buf_addf(&url, "%s/v1/mesh/ca", h->url);
	if (ctr_buf_ok(&url, "URL", e) < 0)
		return -1;
	req.url = url.p;
	if (ctr_http_do(h->http, &req, &resp, e) < 0)
		return -1;
	if (resp.status != 200)
		return ctr_coordinator_refused(h->url, &resp, NULL, e);
	return ctr_join_ca_parse("answer", ctr_buf_str(&resp.body), resp.body.n, mesh_ca, e);
}
