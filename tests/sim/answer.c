/*
 * A Coordinator's answer, made up: answer --platform sim:DIR --nonce HEX [options]. What the
 * evidence is bound to is what the options say; --lie NAME changes the answer after the evidence
 * was made. With --serve it answers POST /HOW/v1/attest on loopback: ok; replay (always with
 * --nonce); recovery (an error in JSON); none (404); garbage; waits (no state until
 * /waits/v1/recover).
 *
 * POST /HOW/v1/manifest adds a manifest to the history when its previous transition is the last
 * and, unless it is the first, an owner signed it: ok; late (--rival comes first, once); forget
 * (answered, not done); cut (done, not answered); strange (another root CA in the answer); moved
 * (from then on another root CA serves); shareless (no seed shares).
 */
/* needs: tests/sim/lib/serve.c */
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "answer.h"
#include "ca.h"
#include "enc.h"
#include "file.h"
#include "history.h"
#include "json_b64.h"
#include "lib/serve.h"
#include "manifest.h"
#include "owner.h"
#include "platform.h"
#include "tool.h"

enum {
	PLATFORM = 1,
	NONCE,
	MANIFEST,
	POLICY,
	ROOT,
	MESH,
	KEY,
	LIE,
	SERVE,
	RIVAL,
	SHARES,
	PRINT_ROOT,
	OTHER,
	TLS
};

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
	{ TLS, "tls", 0, "DIR", "by TLS, with cert.pem and key.pem of that directory" },
	{ RIVAL, "rival", 0, "FILE", "the manifest that comes first" },
	{ SHARES, "seed-shares", 0, "FILE", "what the answer to a first manifest holds" },
	{ OTHER, "other-ca", 0, "FILE", "PEM" },
	{ PRINT_ROOT, "print-root", 0, NULL, "the root CA of a seed of zeros, and nothing else" },
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
	const char *tls;
	bool serve, recovered, print_root;
	struct ctr_buf rival, shares, other;
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
	case TLS:
		w->tls = value;
		return 0;
	case PRINT_ROOT:
		w->print_root = true;
		return 0;
	case RIVAL:
		return ctr_file_read(value, CTR_JSON_MAX, &w->rival, e);
	case SHARES:
		return ctr_file_read(value, CTR_JSON_MAX, &w->shares, e);
	case OTHER:
		return ctr_file_read(value, 1 << 16, &w->other, e);
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

static bool is(const struct sim_conn *c, const char *how, const char *what)
{
	char path[128];

	snprintf(path, sizeof path, "/%s/v1/%s", how, what);
	return strcmp(c->path, path) == 0;
}

static void serve_answer(struct sim_conn *c)
{
	ctr_auto_buf struct ctr_buf out = { 0 };
	uint8_t nonce[CTR_NONCE_SIZE] = { 0 };
	bool ok = read_nonce(c->body, nonce);

	pthread_mutex_lock(&one_at_a_time);
	if (ok && !is(c, "replay", "attest"))
		memcpy(served.nonce, nonce, sizeof nonce);
	if (served.a.manifests.n == 0 || (is(c, "waits", "attest") && !served.recovered)) {
		struct work w = { .platform = served.platform };

		memcpy(w.nonce, is(c, "replay", "attest") ? served.nonce : nonce, sizeof nonce);
		memcpy(w.a.hpke_key, served.a.hpke_key, sizeof w.a.hpke_key);
		ok = ok && make(&w, &out, NULL) == 0;
		ctr_answer_free(&w.a);
	} else {
		ok = ok && make(&served, &out, NULL) == 0;
	}
	pthread_mutex_unlock(&one_at_a_time);
	if (ok)
		sim_reply(c, "200 OK", "Content-Type: application/json\r\n", out.p, out.n, out.n);
	else
		sim_say(c, "400 Bad Request", "");
}

static void refuse(struct sim_conn *c, const char *status, const char *code)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	ctr_buf_addf(&b,
		     "{\"version\":\"v1\",\"status_code\":%.3s,\"code\":\"%s\",\"error\":\"no\"}",
		     status, code);
	sim_reply(c, status, "Content-Type: application/json\r\n", b.p, b.n, b.n);
}

static struct ctr_buf bytes_of(const struct ctr_jval *v)
{
	struct ctr_buf b = { 0 };

	if (ctr_jbase64(v, &b, NULL) < 0)
		ctr_buf_free(&b);
	return b;
}

static void push(struct ctr_blobs *l, struct ctr_buf b)
{
	l->v = realloc(l->v, (l->n + 1) * sizeof *l->v);
	if (!l->v)
		abort();
	l->v[l->n++] = b;
}

/* By one of the owners in the last manifest, over the transition that this one makes. */
static bool is_signed(const struct ctr_jval *signatures, const uint8_t *t)
{
	const struct ctr_buf *last = &served.a.manifests.v[served.a.manifests.n - 1];
	struct ctr_jval first = ctr_jfirst(signatures), k = ctr_jget(&first, "key"),
			s = ctr_jget(&first, "signature");
	ctr_auto_buf struct ctr_buf key = bytes_of(&k), sig = bytes_of(&s);
	ctr_auto_manifest struct ctr_manifest m = { 0 };
	uint8_t digest[CTR_SHA256_SIZE];
	bool good = false;

	if (ctr_manifest_parse("last", last->p, last->n, &m, NULL) < 0 ||
	    ctr_hash(CTR_SHA256, key.p, key.n, digest, NULL) < 0)
		return false;
	for (size_t i = 0; i < m.n_owners && !good; i++) {
		if (memcmp(m.owners[i], digest, sizeof digest) == 0 &&
		    ctr_owner_verify(key.p, key.n, t, sig.p, sig.n, &good, NULL) < 0)
			return false;
	}
	return good;
}

static void add(struct ctr_json *obj, const char *key, const struct ctr_buf *b)
{
	ctr_json_set_base64(obj, key, b->p, b->n);
}

static void say_set(struct sim_conn *c, const uint8_t *t)
{
	ctr_auto_json struct ctr_json *obj = ctr_json_new_object();
	ctr_auto_buf struct ctr_buf out = { 0 };

	ctr_json_set_string(obj, "version", "v1");
	add(obj, "root_ca", is(c, "strange", "manifest") ? &served.other : &served.a.root_ca);
	add(obj, "mesh_ca", &served.a.mesh_ca);
	ctr_json_set_base64(obj, "transition_hash", t, CTR_SHA256_SIZE);
	if (served.a.manifests.n == 1 && served.shares.n && !is(c, "shareless", "manifest"))
		add(obj, "seed_shares_doc", &served.shares);
	if (ctr_json_print(obj, 0, &out, NULL) == 0 && !is(c, "cut", "manifest"))
		sim_reply(c, "200 OK", "Content-Type: application/json\r\n", out.p, out.n, out.n);
}

static void take(struct sim_conn *c, const struct ctr_jval *root)
{
	struct ctr_jval m = ctr_jget(root, "manifest"), policies = ctr_jget(root, "policies"),
			before = ctr_jget(root, "previous_transition_hash"),
			signatures = ctr_jget(root, "signatures");
	uint8_t last[CTR_SHA256_SIZE] = { 0 }, previous[CTR_SHA256_SIZE], t[CTR_SHA256_SIZE];
	ctr_auto_buf struct ctr_buf manifest = bytes_of(&m);

	if (is(c, "late", "manifest") && served.rival.n) {
		push(&served.a.manifests, served.rival);
		served.rival = (struct ctr_buf){ 0 };
	}
	for (size_t i = 0; i < served.a.manifests.n; i++)
		(void)!ctr_history_next(last, served.a.manifests.v[i].p, served.a.manifests.v[i].n,
					last, NULL);
	if (ctr_jbase64_exact(&before, previous, sizeof previous, "x", NULL) < 0 ||
	    ctr_history_next(last, manifest.p, manifest.n, t, NULL) < 0)
		refuse(c, "400 Bad Request", "invalid_argument");
	else if (memcmp(last, previous, sizeof last) != 0)
		refuse(c, "409 Conflict", "manifest_conflict");
	else if (served.a.manifests.n && !is_signed(&signatures, t))
		refuse(c, "403 Forbidden", "permission_denied");
	else {
		if (!is(c, "forget", "manifest")) {
			push(&served.a.manifests, manifest);
			manifest = (struct ctr_buf){ 0 };
			for (struct ctr_jval p = ctr_jfirst(&policies); p.v; p = ctr_jnext(&p))
				push(&served.a.policies, bytes_of(&p));
		}
		say_set(c, t);
		if (is(c, "moved", "manifest"))
			served.a.root_ca = served.other;
	}
}

static void serve_manifest(struct sim_conn *c)
{
	ctr_auto_json struct ctr_json *json = NULL;
	struct ctr_jval root;

	if (ctr_json_parse("request", c->body, strlen(c->body), &json, NULL) < 0) {
		refuse(c, "400 Bad Request", "invalid_argument");
		return;
	}
	root = ctr_jroot(json);
	pthread_mutex_lock(&one_at_a_time);
	take(c, &root);
	pthread_mutex_unlock(&one_at_a_time);
}

static void on_request(struct sim_conn *c)
{
	static const char waiting[] = "{\"version\":\"v1\",\"status_code\":412,\"code\":\"needs_"
				      "recovery\",\"error\":\"no seed yet\"}";
	const char *what = strstr(c->path, "/v1/");

	if (strcmp(c->method, "POST") != 0)
		sim_say(c, "405 Method Not Allowed", "");
	else if (strncmp(c->path, "/none/", 6) == 0)
		sim_say(c, "404 Not Found", "");
	else if (is(c, "recovery", "attest"))
		sim_reply(c, "412 Precondition Failed", "", waiting, sizeof waiting - 1,
			  sizeof waiting - 1);
	else if (is(c, "garbage", "attest"))
		sim_reply(c, "200 OK", "", "{}garbage", 9, 9);
	else if (is(c, "waits", "recover")) {
		served.recovered = true;
		sim_reply(c, "200 OK", "", "{\"version\":\"v1\"}", 16, 16);
	} else if (what && strcmp(what, "/v1/attest") == 0)
		serve_answer(c);
	else if (what && strcmp(what, "/v1/manifest") == 0)
		serve_manifest(c);
	else
		sim_say(c, "404 Not Found", "");
}

static void serve(void)
{
	static struct sim_port port = { .name = "coordinator", .answer = on_request };

	ctr_auto_buf struct ctr_buf cert = { 0 }, key = { 0 };

	signal(SIGPIPE, SIG_IGN);
	ctr_buf_addf(&cert, "%s/cert.pem", served.tls ? served.tls : "");
	ctr_buf_addf(&key, "%s/key.pem", served.tls ? served.tls : "");
	sim_open(&port, served.tls ? cert.p : NULL, served.tls ? key.p : NULL);
	printf("PORT=%d\n", port.number);
	fflush(stdout);
	sim_start(&port);
	for (;;)
		pause();
}

static int print_root(struct ctr_err *e)
{
	ctr_auto_secret struct ctr_secret seed = { 0 }, salt = { 0 };
	ctr_auto_root struct ctr_root *root = NULL;
	const struct ctr_buf *pem;

	if (ctr_secret_new(&seed, CTR_SEED_SIZE, e) < 0 ||
	    ctr_secret_new(&salt, CTR_SALT_SIZE, e) < 0 ||
	    ctr_root_derive(&seed, &salt, &root, e) < 0)
		return -1;
	pem = ctr_root_pem(root);
	return ctr_fd_write(STDOUT_FILENO, "standard output", pem->p, pem->n, e);
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
	if (w->print_root)
		return print_root(&e) < 0 ? ctr_tool_die(&tool, &e) : ctr_tool_close(&tool);
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
