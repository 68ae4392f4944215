/*
 * A Coordinator's answer, made up: answer --platform sim:DIR --nonce HEX [options]. What the
 * evidence is bound to is what the options say; --lie NAME changes the answer after the evidence
 * was made. With --serve it answers POST /HOW/v1/attest on loopback: ok; replay (always with
 * --nonce); recovery (an error in JSON); none (404); garbage.
 */
/* needs: tests/sim/lib/serve.c */
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "answer.h"
#include "enc.h"
#include "file.h"
#include "history.h"
#include "lib/serve.h"
#include "platform.h"
#include "tool.h"

enum { PLATFORM = 1, NONCE, MANIFEST, POLICY, ROOT, MESH, KEY, LIE, SERVE };

static const struct ctr_opt table[] = {
	{ PLATFORM, "platform", 0, "SPEC", "who signs" },
	{ NONCE, "nonce", 0, "HEX", "of the one who asks" },
	{ MANIFEST, "manifest", 0, "FILE", "oldest first (repeatable)" },
	{ POLICY, "policy", 0, "FILE", "a policy's measured bytes (repeatable)" },
	{ ROOT, "root-ca", 0, "FILE", "PEM" },
	{ MESH, "mesh-ca", 0, "FILE", "PEM" },
	{ KEY, "hpke-key", 0, "HEX", "32 bytes" },
	{ LIE, "lie", 0, "root|mesh|key", "changed behind the evidence's back" },
	{ SERVE, "serve", 0, NULL, "until killed; prints the port" },
	{ 0 },
};

static struct ctr_tool tool = {
	.name = "answer",
	.synopsis = "--platform SPEC --nonce HEX [options]",
	.summary = "Makes a Coordinator's answer to an attestation request.",
	.example = "answer --platform sim:DIR --nonce HEX --manifest manifest.json",
	.opts = table,
};

struct work {
	struct ctr_answer a;
	const char *platform, *lie;
	bool serve;
	uint8_t nonce[CTR_NONCE_SIZE];
};

static int blob(struct ctr_blobs *l, const char *path, struct ctr_err *e)
{
	struct ctr_buf *v = realloc(l->v, (l->n + 1) * sizeof *v);

	if (!v)
		return ctr_fail_mem(e);
	l->v = v;
	v[l->n] = (struct ctr_buf){ 0 };
	return ctr_file_read(path, CTR_JSON_MAX, &v[l->n++], e);
}

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct work *w = ctx;

	switch (id) {
	case PLATFORM:
		w->platform = value;
		return 0;
	case NONCE:
		return ctr_hex_parse(value, strlen(value), w->nonce, sizeof w->nonce, e);
	case MANIFEST:
		return blob(&w->a.manifests, value, e);
	case POLICY:
		return blob(&w->a.policies, value, e);
	case ROOT:
		return ctr_file_read(value, 1 << 16, &w->a.root_ca, e);
	case MESH:
		return ctr_file_read(value, 1 << 16, &w->a.mesh_ca, e);
	case KEY:
		return ctr_hex_parse(value, strlen(value), w->a.hpke_key, sizeof w->a.hpke_key, e);
	case SERVE:
		w->serve = true;
		return 0;
	default:
		w->lie = value;
		return 0;
	}
}

static void lie(struct work *w)
{
	if (!w->lie)
		return;
	if (strcmp(w->lie, "key") == 0)
		w->a.hpke_key[0] ^= 1;
	else
		ctr_buf_addc(strcmp(w->lie, "root") == 0 ? &w->a.root_ca : &w->a.mesh_ca, '\n');
}

static int make(struct work *w, struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_platform struct ctr_platform *p = NULL;
	ctr_auto_evidence struct ctr_evidence ev = { 0 };
	uint8_t data[CTR_REPORT_DATA_SIZE];

	memset(w->a.transition, 0, sizeof w->a.transition);
	ctr_buf_reset(&w->a.evidence);
	for (size_t i = 0; i < w->a.manifests.n; i++) {
		if (ctr_history_next(w->a.transition, w->a.manifests.v[i].p, w->a.manifests.v[i].n,
				     w->a.transition, e) < 0)
			return -1;
	}
	if (ctr_answer_report_data(&w->a, w->nonce, data, e) < 0 ||
	    ctr_platform_open(w->platform, NULL, &p, e) < 0 ||
	    ctr_platform_issue(p, data, &ev, e) < 0 ||
	    ctr_evidence_print(&ev, &w->a.evidence, e) < 0)
		return -1;
	lie(w);
	return ctr_answer_print(&w->a, out, e);
}

static struct work served;
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

/* The nonce of {"nonce":"…"}; another request is a mistake of the client. */
static bool read_nonce(const char *body, uint8_t *out)
{
	ctr_auto_json struct ctr_json *json = NULL;
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct ctr_jval root, v;
	const char *s;

	if (ctr_json_parse("request", body, strlen(body), &json, NULL) < 0)
		return false;
	root = ctr_jroot(json);
	v = ctr_jget(&root, "nonce");
	if (ctr_jcount(&root) != 1 || ctr_jstring(&v, &s, NULL) < 0 ||
	    ctr_base64_parse(s, strlen(s), &b, NULL) < 0 || b.n != CTR_NONCE_SIZE)
		return false;
	memcpy(out, b.p, b.n);
	return true;
}

static void serve_answer(struct sim_conn *c, bool replay)
{
	ctr_auto_buf struct ctr_buf out = { 0 };
	uint8_t nonce[CTR_NONCE_SIZE];
	bool ok = read_nonce(c->body, nonce);

	pthread_mutex_lock(&one_at_a_time);
	if (ok && !replay)
		memcpy(served.nonce, nonce, sizeof nonce);
	ok = ok && make(&served, &out, NULL) == 0;
	pthread_mutex_unlock(&one_at_a_time);
	if (ok)
		sim_reply(c, "200 OK", "Content-Type: application/json\r\n", out.p, out.n, out.n);
	else
		sim_say(c, "400 Bad Request", "");
}

static void on_request(struct sim_conn *c)
{
	static const char waiting[] = "{\"version\":\"v1\",\"status_code\":412,\"code\":\"needs_"
				      "recovery\",\"error\":\"no seed yet\"}";

	if (strcmp(c->method, "POST") != 0)
		sim_say(c, "405 Method Not Allowed", "");
	else if (strcmp(c->path, "/ok/v1/attest") == 0)
		serve_answer(c, false);
	else if (strcmp(c->path, "/replay/v1/attest") == 0)
		serve_answer(c, true);
	else if (strcmp(c->path, "/recovery/v1/attest") == 0)
		sim_reply(c, "412 Precondition Failed", "", waiting, sizeof waiting - 1,
			  sizeof waiting - 1);
	else if (strcmp(c->path, "/garbage/v1/attest") == 0)
		sim_reply(c, "200 OK", "", "{}garbage", 9, 9);
	else
		sim_say(c, "404 Not Found", "");
}

static void serve(void)
{
	static struct sim_port port = { .name = "coordinator", .answer = on_request };

	signal(SIGPIPE, SIG_IGN);
	sim_open(&port, NULL, NULL);
	printf("PORT=%d\n", port.number);
	fflush(stdout);
	sim_start(&port);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	ctr_auto_buf struct ctr_buf out = { 0 };
	struct ctr_err e = { 0 };
	struct work *w = &served;
	int first;

	ctr_tool_init(&tool);
	if (ctr_tool_opts(&tool, argc, argv, on_opt, w, &first, &e) < 0)
		return ctr_tool_die(&tool, &e);
	if (tool.served)
		return ctr_tool_close(&tool);
	if (!w->platform)
		return CTR_USAGE;
	if (w->serve)
		serve();
	if (make(w, &out, &e) < 0 ||
	    ctr_fd_write(STDOUT_FILENO, "standard output", out.p, out.n, &e) < 0)
		return ctr_tool_die(&tool, &e);
	ctr_answer_free(&w->a);
	return ctr_tool_close(&tool);
}
