#include "handshake.h"

#include "check.h"
#include "join_client.h"

void joined_free(struct joined *j)
{
	ctr_buf_free(&j->key);
	ctr_buf_free(&j->chain);
	ctr_buf_free(&j->mesh_ca);
	ctr_buf_free(&j->root_ca);
	ctr_secret_free(&j->secret);
	*j = (struct joined){ 0 };
}

static int evidence(void *ctx, const uint8_t data[CTR_REPORT_DATA_SIZE], struct ctr_buf *cbor,
		    struct ctr_err *e)
{
	ctr_auto_evidence struct ctr_evidence ev = { 0 };

	return ctr_platform_issue(ctx, data, &ev, e) < 0 ? -1 : ctr_evidence_print(&ev, cbor, e);
}

static struct ctr_join_client client(const struct handshake *h)
{
	return (struct ctr_join_client){
		.url = h->url, .http = h->http, .evidence = evidence, .ctx = h->platform
	};
}

static int open_secret(const struct ctr_join_keys *k, const struct ctr_join_answer *a,
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
	struct ctr_join_client c = client(h);
	ctr_auto_join_keys struct ctr_join_keys k = { 0 };
	ctr_auto_join_answer struct ctr_join_answer a = { 0 };
	ctr_auto_buf struct ctr_buf body = { 0 };

	if (ctr_join_exchange(&c, "cert", CTR_JOIN_MAX, &k, &body, e) < 0 ||
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
	struct ctr_join_client c = client(h);

	return ctr_join_mesh_ca(&c, mesh_ca, e);
}
