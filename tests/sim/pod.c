/*
 * A pod that joins the mesh, honest or not: pod --platform sim:DIR,host_data=… URL. Prints the
 * Coordinator's answer; status 1 when it was no. --lie NAME: kem (another key after all was
 * signed), kem-signed (after the evidence was made), key (evidence for another certificate key),
 * signature. --bind: the nonce that evidence and signature are for, when it is not the one that is
 * shown. --save keeps what was sent, --send sends that again.
 */
#include <string.h>

#include "crypto_sign.h"
#include "enc.h"
#include "file.h"
#include "http_curl.h"
#include "peer.h"
#include "platform.h"
#include "tool.h"

enum { PLATFORM = 1, PATH, NONCE, BIND, LIE, SAVE, SEND, OPEN };

static const struct ctr_opt table[] = {
	{ PLATFORM, "platform", 0, "SPEC", "who signs" },
	{ PATH, "path", 0, "PATH", "instead of /v1/mesh/cert" },
	{ NONCE, "nonce", 0, "HEX", "instead of the Coordinator's" },
	{ BIND, "bind", 0, "HEX", "the nonce that is signed" },
	{ LIE, "lie", 0, "NAME", "kem, kem-signed, key, signature" },
	{ SAVE, "save", 0, "FILE", "nonce line and body" },
	{ SEND, "send", 0, "FILE", "as it was saved" },
	{ OPEN, "open", 0, NULL, "print the sealed secret in hexadecimal instead" },
	{ 0 },
};

struct pod {
	const char *platform, *path, *lie, *save, *send;
	bool has_nonce, has_bind, open;
	uint8_t nonce[CTR_NONCE_SIZE], bind[CTR_NONCE_SIZE];
	struct ctr_http *http;
	struct ctr_buf url;
	struct ctr_join join;
	struct ctr_sign_key *key;
	struct ctr_secret kem;
};

static int hex(const char *s, uint8_t *to, bool *has, struct ctr_err *e)
{
	*has = true;
	return ctr_hex_parse(s, strlen(s), to, CTR_NONCE_SIZE, e);
}

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct pod *p = ctx;

	switch (id) {
	case PLATFORM:
		p->platform = value;
		return 0;
	case PATH:
		p->path = value;
		return 0;
	case NONCE:
		return hex(value, p->nonce, &p->has_nonce, e);
	case BIND:
		return hex(value, p->bind, &p->has_bind, e);
	case LIE:
		p->lie = value;
		return 0;
	case SAVE:
		p->save = value;
		return 0;
	case SEND:
		p->send = value;
		return 0;
	default:
		p->open = true;
		return 0;
	}
}

static int post(struct pod *p, const char *auth, const char *json, struct ctr_http_resp *r,
		struct ctr_err *e)
{
	struct ctr_http_req req = {
		.url = p->url.p, .auth = auth, .json = json, .max = CTR_PEER_MAX
	};

	return ctr_http_do(p->http, &req, r, e);
}

static int ask_nonce(struct pod *p, struct ctr_err *e)
{
	ctr_auto_http_resp struct ctr_http_resp r = { 0 };
	ctr_auto_buf struct ctr_buf v = { 0 };

	if (p->has_nonce)
		return 0;
	if (post(p, NULL, "{}", &r, e) < 0)
		return -1;
	if (r.status != 401 || !ctr_http_header(&r, "WWW-Authenticate", 0, &v))
		return ctr_fail(e, CTR_NO, "pod.challenge", "%s", ctr_buf_str(&r.body));
	return ctr_join_nonce(v.p, p->nonce, e);
}

static bool lies(const struct pod *p, const char *how)
{
	return p->lie && strcmp(p->lie, how) == 0;
}

static int new_key(struct pod *p, struct ctr_err *e)
{
	ctr_sign_key_free(p->key);
	p->key = NULL;
	ctr_buf_reset(&p->join.cert_key);
	return ctr_sign_key_new(&p->key, e) < 0 ? -1
						: ctr_sign_key_spki(p->key, &p->join.cert_key, e);
}

static int new_kem(struct pod *p, struct ctr_err *e)
{
	ctr_secret_free(&p->kem);
	return ctr_hpke_generate(&p->kem, p->join.kem_key, e);
}

static int make(struct pod *p, struct ctr_err *e)
{
	ctr_auto_platform struct ctr_platform *platform = NULL;
	ctr_auto_evidence struct ctr_evidence ev = { 0 };
	const uint8_t *nonce = p->has_bind ? p->bind : p->nonce;
	uint8_t data[CTR_REPORT_DATA_SIZE];

	if (new_key(p, e) < 0 || new_kem(p, e) < 0 ||
	    ctr_join_report_data(&p->join, nonce, data, e) < 0 ||
	    ctr_platform_open(p->platform, NULL, &platform, e) < 0 ||
	    ctr_platform_issue(platform, data, &ev, e) < 0 ||
	    ctr_evidence_print(&ev, &p->join.evidence, e) < 0)
		return -1;
	if ((lies(p, "key") && new_key(p, e) < 0) || (lies(p, "kem-signed") && new_kem(p, e) < 0) ||
	    ctr_join_sign(&p->join, p->key, nonce, e) < 0)
		return -1;
	if (lies(p, "signature"))
		p->join.signature.p[p->join.signature.n - 1] ^= 1;
	return lies(p, "kem") ? new_kem(p, e) : 0;
}

static int request(struct pod *p, struct ctr_buf *body, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf all = { 0 };

	if (p->send) {
		if (ctr_file_read(p->send, CTR_JOIN_MAX + 65, &all, e) < 0 || all.n < 65 ||
		    ctr_hex_parse(all.p, 64, p->nonce, sizeof p->nonce, e) < 0)
			return -1;
		ctr_buf_add(body, all.p + 65, all.n - 65);
		return ctr_buf_ok(body, "body", e);
	}
	if (ask_nonce(p, e) < 0 || make(p, e) < 0 || ctr_join_print(&p->join, body, e) < 0)
		return -1;
	if (!p->save)
		return 0;
	ctr_hex_add(&all, p->nonce, sizeof p->nonce);
	ctr_buf_addc(&all, '\n');
	ctr_buf_add(&all, body->p, body->n);
	return ctr_file_write(p->save, all.p, all.n, 0600, e);
}

/* The workload secret, or from /v1/mesh/recover the peer's state. */
static int sealed(const struct pod *p, const struct ctr_buf *body, struct ctr_buf *box,
		  struct ctr_buf *info, struct ctr_err *e)
{
	ctr_auto_join_answer struct ctr_join_answer a = { 0 };
	ctr_auto_peer_answer struct ctr_peer_answer b = { 0 };
	bool state = strcmp(p->path, "/v1/mesh/recover") == 0;

	if ((state ? ctr_peer_answer_parse("answer", body->p, body->n, &b, e)
		   : ctr_join_answer_parse("answer", body->p, body->n, &a, e)) < 0)
		return -1;
	if (state)
		ctr_peer_info(p->nonce, info);
	else
		ctr_join_info(p->nonce, info);
	ctr_buf_add(box, state ? b.sealed.p : a.sealed.p, state ? b.sealed.n : a.sealed.n);
	return ctr_buf_ok(box, "sealed", e);
}

static int open_secret(struct pod *p, const struct ctr_buf *body, struct ctr_buf *out,
		       struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf info = { 0 }, box = { 0 };
	ctr_auto_secret struct ctr_secret secret = { 0 };

	if (sealed(p, body, &box, &info, e) < 0 ||
	    ctr_hpke_open(&p->kem, info.p, info.n, NULL, 0, box.p, box.n, &secret, e) < 0)
		return -1;
	ctr_hex_add(out, secret.p, secret.n);
	ctr_buf_addc(out, '\n');
	return 0;
}

static int run(struct pod *p, struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_http_resp struct ctr_http_resp r = { 0 };
	ctr_auto_buf struct ctr_buf body = { 0 };
	struct ctr_http_opts once = { .tries = 1 };
	char auth[CTR_JOIN_HEADER_MAX];

	if (ctr_http_new(&once, &p->http, e) < 0 || request(p, &body, e) < 0)
		return -1;
	ctr_join_challenge(p->nonce, auth, sizeof auth);
	if (post(p, auth, body.p, &r, e) < 0)
		return -1;
	if (r.status == 200 && p->open)
		return open_secret(p, &r.body, out, e);
	ctr_buf_add(out, r.body.p, r.body.n);
	return r.status == 200 ? 0 : ctr_fail(e, CTR_NO, "pod.refused", "status %u", r.status);
}

int main(int argc, char **argv)
{
	struct ctr_tool t = { .name = "pod",
			      .synopsis = "--platform SPEC [options] URL",
			      .summary = "Joins a mesh.",
			      .example = "pod --platform sim:DIR http://127.0.0.1:1314",
			      .opts = table };
	struct pod p = { .path = "/v1/mesh/cert" };
	ctr_auto_buf struct ctr_buf out = { 0 };
	struct ctr_err e = { 0 };
	int first, rc;

	ctr_tool_init(&t);
	rc = ctr_tool_opts(&t, argc, argv, on_opt, &p, &first, &e);
	if (rc == 0 && !t.served) {
		ctr_buf_addf(&p.url, "%s%s", argc > first ? argv[first] : "", p.path);
		rc = run(&p, &out, &e);
		fwrite(ctr_buf_str(&out), 1, out.n, stdout);
	}
	ctr_http_free(p.http);
	ctr_sign_key_free(p.key);
	ctr_secret_free(&p.kem);
	ctr_join_free(&p.join);
	ctr_buf_free(&p.url);
	return rc < 0 ? ctr_tool_die(&t, &e) : ctr_tool_close(&t);
}
