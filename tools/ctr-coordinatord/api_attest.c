#include "api.h"
#include "json_b64.h"
#include "enc.h"

static void add_value(struct ctr_buf *b, const char *key, const void *p, size_t n)
{
	ctr_buf_addf(b, ",\"%s\":\"", key);
	ctr_base64_add(b, p, n);
	ctr_buf_addc(b, '"');
}

/* The same as ctr_answer_print, from texts that were made once. */
static void print(const struct ctr_answer *a, const struct state *s, struct ctr_buf *b)
{
	ctr_buf_adds(b, "{\"version\":\"v1\"");
	add_value(b, "evidence", a->evidence.p, a->evidence.n);
	if (s) {
		ctr_buf_addf(b, ",\"manifests\":[%s]", ctr_buf_str(&s->manifests));
		ctr_buf_adds(b, ",\"policies\":[");
		ctr_buf_add(b, s->policies.p, s->policies.n);
		ctr_buf_addc(b, ']');
		add_value(b, "root_ca", a->root_ca.p, a->root_ca.n);
		add_value(b, "mesh_ca", a->mesh_ca.p, a->mesh_ca.n);
	}
	add_value(b, "hpke_pub_key", a->hpke_key, sizeof a->hpke_key);
	if (s)
		add_value(b, "transition_hash", a->transition, sizeof a->transition);
	ctr_buf_adds(b, "}\n");
}

static int attest(struct coord *c, const uint8_t *nonce, struct ctr_buf *out, struct ctr_err *e)
{
	auto_state struct state *s = coord_state(c, NULL);
	ctr_auto_buf struct ctr_buf cbor = { 0 };
	struct ctr_answer answer = { 0 }; /* borrows: nothing of it is freed */
	uint8_t data[CTR_REPORT_DATA_SIZE];

	memcpy(answer.hpke_key, c->hpke_pub, sizeof answer.hpke_key);
	if (s) {
		answer.manifests.n = s->generation;
		answer.root_ca = *ctr_root_pem(s->root);
		answer.mesh_ca = *ctr_mesh_pem(s->mesh);
		memcpy(answer.transition, s->transition, sizeof answer.transition);
	}
	if (ctr_answer_report_data(&answer, nonce, data, e) < 0 ||
	    coord_evidence(c, data, &cbor, e) < 0)
		return -1;
	answer.evidence = cbor;
	print(&answer, s, out);
	return 0;
}

/* lesson: attest answers in every state. Anybody may ask, and firmware is slow: who asks for more
 * reports than it makes must not keep the pods waiting. */
int api_attest(struct coord *c, const struct ctr_http_request *rq, struct ctr_http_answer *a,
	       struct ctr_err *e)
{
	static const char *const keys[] = { "nonce", NULL };
	ctr_auto_json struct ctr_json *json = NULL;
	uint8_t nonce[CTR_NONCE_SIZE];
	struct ctr_jval root, n;
	int rc = -1;

	if (api_body(rq, keys, &json, e) < 0)
		return -1;
	root = ctr_jroot(json);
	n = ctr_jget(&root, "nonce");
	if (ctr_jbase64_exact(&n, nonce, sizeof nonce, "json.size", e) < 0)
		return -1;
	if (atomic_fetch_add(&c->attests, 1) >= c->attests_max)
		ctr_fail(e, CTR_ENV, "coord.busy", "others are waiting for reports");
	else
		rc = attest(c, nonce, &a->body, e);
	atomic_fetch_sub(&c->attests, 1);
	return rc;
}
