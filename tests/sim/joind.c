/*
 * A Coordinator as pods see it, for tests/bats/initializer.bats: joind --platform SPEC [options]
 * serves /HOW/v1/mesh/cert, /HOW/v1/mesh/ca and /HOW/v1/attest on loopback; HOW says what goes
 * wrong. Certificates are by tests/sim/lib/pki, not by the Coordinator's code. SIGUSR1: a new mesh
 * CA, as after an update of the manifest. Prints the port, then a line for each request.
 */
/* needs: tests/sim/lib/serve.c tests/sim/lib/pki.c */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>

#include "enc.h"
#include "file.h"
#include "history.h"
#include "join.h"
#include "lib/pki.h"
#include "lib/serve.h"
#include "platform.h"
#include "problem.h"
#include "rd.h"
#include "snp.h"
#include "tool.h"

#define DAY 86400
#define NONCES 256

enum { PLATFORM = 1, MANIFEST, POLICY, LIFE, DIR };

static const struct ctr_opt table[] = {
	{ PLATFORM, "platform", 0, "SPEC", "who signs for the Coordinator" },
	{ MANIFEST, "manifest", 0, "FILE", "oldest first (repeatable)" },
	{ POLICY, "policy", 0, "FILE", "a policy's measured bytes (repeatable)" },
	{ LIFE, "life", 0, "SECONDS", "of certificates (default one day)" },
	{ DIR, "out", 0, "DIR", "where the root CA is written" },
	{ 0 },
};

static struct ctr_tool tool = {
	.name = "joind",
	.synopsis = "--platform SPEC [options]",
	.summary = "Lets pods join a mesh, or not.",
	.example = "joind --platform sim:DIR",
	.opts = table,
};

static struct {
	const char *platform, *dir;
	uint64_t life;
	struct ctr_answer attested;
	struct pki_ca root, mesh, other;
	X509 *intermediate;
	uint8_t nonces[NONCES][CTR_NONCE_SIZE];
	size_t n;
} d = { .life = DAY };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_uint flaky, stale;

static int blob(struct ctr_blobs *l, const char *path, struct ctr_err *e)
{
	l->v = realloc(l->v, (l->n + 1) * sizeof *l->v);
	PKI_MUST(l->v);
	l->v[l->n] = (struct ctr_buf){ 0 };
	return ctr_file_read(path, CTR_JSON_MAX, &l->v[l->n++], e);
}

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	(void)ctx;
	switch (id) {
	case PLATFORM:
		d.platform = value;
		return 0;
	case MANIFEST:
		return blob(&d.attested.manifests, value, e);
	case POLICY:
		return blob(&d.attested.policies, value, e);
	case LIFE:
		return ctr_number(value, "--life", 1, 365 * DAY, &d.life, e);
	default:
		d.dir = value;
		return 0;
	}
}

/* --- certificates --- */

static X509 *make(const char *cn, EVP_PKEY *key, const struct pki_ca *by, bool ca, time_t from,
		  time_t until)
{
	static const char *const base[] = { NULL };
	struct pki_cert c = { .base = base,
			      .cn = cn,
			      .from = from,
			      .until = until,
			      .ca = ca,
			      .key_ids = true,
			      .pathlen = -1,
			      .usage = ca ? "critical,keyCertSign,cRLSign"
					  : "critical,digitalSignature" };
	X509 *x = pki_new(&c, key, by);

	return x;
}

static struct pki_ca make_ca(const char *cn, const char *curve)
{
	struct pki_ca ca = { .key = EVP_EC_gen(curve), .alg = PKI_ECDSA_SHA256 }, self = ca;
	time_t now = time(NULL);

	ca.cert = make(cn, ca.key, &self, true, now - DAY, now + 365 * DAY);
	pki_sign(ca.cert, &self);
	return ca;
}

static void make_mesh(void)
{
	time_t now = time(NULL);

	d.mesh = make_ca("mesh CA", "P-256");
	d.intermediate = make("mesh CA", d.mesh.key, &d.root, true, now - DAY, now + 365 * DAY);
	pki_sign(d.intermediate, &d.root);
	ctr_buf_reset(&d.attested.mesh_ca);
	if (d.attested.manifests.n)
		pki_pem(d.mesh.cert, &d.attested.mesh_ca);
}

static EVP_PKEY *key_of(const struct ctr_join *j)
{
	const uint8_t *at = (const uint8_t *)j->cert_key.p;

	return d2i_PUBKEY(NULL, &at, (long)j->cert_key.n);
}

/* Leaf and intermediate. */
static void chain(const char *how, const struct ctr_join *j, struct ctr_buf *pem)
{
	EVP_PKEY *key = strcmp(how, "otherkey") == 0 ? EVP_EC_gen("P-256") : key_of(j);
	bool other = strcmp(how, "otherca") == 0 || strcmp(how, "impostor") == 0;
	const struct pki_ca *by = other ? &d.other : &d.mesh;
	bool late = strcmp(how, "expired") == 0, early = strcmp(how, "future") == 0;
	time_t now = time(NULL), from = early ? now + 3600 : now,
	       until = late ? now - 1 : from + (time_t)d.life;
	X509 *x;

	PKI_MUST(key);
	x = make("pod", key, by, strcmp(how, "leafca") == 0, late ? now - DAY : from, until);
	pki_sign(x, by);
	pki_pem(x, pem);
	if (strcmp(how, "alone") != 0)
		pki_pem(d.intermediate, pem);
	X509_free(x);
	EVP_PKEY_free(key);
}

/* --- answers --- */

static void say(struct sim_conn *c, enum ctr_problem p, const char *text)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	char status[32];

	ctr_problem_add(&b, p, 0, text);
	snprintf(status, sizeof status, "%u Refused", ctr_problem_status(p));
	sim_reply(c, status, "Content-Type: application/json\r\n", b.p, b.n, b.n);
}

static void challenge(struct sim_conn *c)
{
	char text[CTR_JOIN_HEADER_MAX], head[256];
	uint8_t *nonce;

	pthread_mutex_lock(&lock);
	nonce = d.nonces[d.n++ % NONCES];
	PKI_MUST(getrandom(nonce, CTR_NONCE_SIZE, 0) == CTR_NONCE_SIZE);
	ctr_join_challenge(nonce, text, sizeof text);
	pthread_mutex_unlock(&lock);
	/* as a proxy may have one of its own */
	snprintf(head, sizeof head,
		 "WWW-Authenticate: Basic realm=\"x\"\r\nWWW-Authenticate: %s\r\n", text);
	sim_say(c, "401 Unauthorized", head);
}

static bool spend(const uint8_t nonce[CTR_NONCE_SIZE])
{
	bool ours = false;

	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < NONCES; i++) {
		if (!ctr_zero(nonce, CTR_NONCE_SIZE) &&
		    ctr_same(d.nonces[i], nonce, CTR_NONCE_SIZE)) {
			ours = true;
			memset(d.nonces[i], 0, CTR_NONCE_SIZE);
		}
	}
	pthread_mutex_unlock(&lock);
	return ours;
}

/* The report is for the keys and the nonce; who signed it is not looked at. */
static bool bound(const struct ctr_join *j, const uint8_t nonce[CTR_NONCE_SIZE])
{
	ctr_auto_evidence struct ctr_evidence ev = { 0 };
	uint8_t want[CTR_REPORT_DATA_SIZE];

	return ctr_evidence_parse((const uint8_t *)j->evidence.p, j->evidence.n, &ev, NULL) == 0 &&
	       ctr_join_report_data(j, nonce, want, NULL) == 0 &&
	       ev.item[CTR_REPORT].n > 0x90 && /* report_data of an SNP report */
	       ctr_same(ev.item[CTR_REPORT].p + 0x50, want, sizeof want);
}

/* 64 bytes of this; the tests look for it where it does not belong. */
static void seal(const char *how, const struct ctr_join *j, const uint8_t nonce[CTR_NONCE_SIZE],
		 struct ctr_buf *out)
{
	ctr_auto_buf struct ctr_buf info = { 0 };
	ctr_auto_secret struct ctr_secret sk = { 0 };
	uint8_t secret[CTR_JOIN_SECRET_SIZE], pk[CTR_X25519_SIZE];

	memset(secret, strcmp(how, "secret2") == 0 ? 0xb7 : 0xa7, sizeof secret);
	memcpy(pk, j->kem_key, sizeof pk);
	if (strcmp(how, "sealedtoother") == 0)
		PKI_MUST(ctr_hpke_generate(&sk, pk, NULL) == 0);
	ctr_join_info(nonce, &info);
	PKI_MUST(ctr_hpke_seal(pk, info.p, info.n, NULL, 0, secret, sizeof secret, out, NULL) == 0);
}

static void issue(struct sim_conn *c, const struct ctr_join *j, const uint8_t nonce[CTR_NONCE_SIZE])
{
	ctr_auto_join_answer struct ctr_join_answer a = { 0 };
	ctr_auto_buf struct ctr_buf text = { 0 };
	bool impostor = strcmp(c->how, "impostor") == 0; /* all of it is his own */

	pthread_mutex_lock(&lock);
	chain(c->how, j, &a.cert_chain);
	pki_pem(impostor || strcmp(c->how, "othermesh") == 0 ? d.other.cert : d.mesh.cert,
		&a.mesh_ca);
	pki_pem(impostor || strcmp(c->how, "otherroot") == 0 ? d.other.cert : d.root.cert,
		&a.root_ca);
	if (strcmp(c->how, "twocas") == 0)
		pki_pem(d.root.cert, &a.mesh_ca);
	if (strcmp(c->how, "nosecret") != 0)
		seal(c->how, j, nonce, &a.sealed);
	pthread_mutex_unlock(&lock);
	if (strcmp(c->how, "nopem") == 0)
		a.cert_chain.p[20] = '!';
	PKI_MUST(ctr_join_answer_print(&a, &text, NULL) == 0);
	sim_reply(c, "200 OK", "Content-Type: application/json\r\n", text.p, text.n, text.n);
}

static void join(struct sim_conn *c)
{
	ctr_auto_join struct ctr_join j = { 0 };
	uint8_t nonce[CTR_NONCE_SIZE];

	if (!c->auth[0]) {
		challenge(c);
		return;
	}
	if (ctr_join_nonce(c->auth, nonce, NULL) < 0 || !spend(nonce) ||
	    strcmp(c->how, "nonces") == 0 ||
	    (strcmp(c->how, "stale") == 0 && atomic_fetch_add(&stale, 1) % 2 == 0)) {
		challenge(c);
		return;
	}
	if (ctr_join_parse("request", c->body, strlen(c->body), &j, NULL) < 0)
		say(c, CTR_P_INVALID_ARGUMENT, "no such request");
	else if (ctr_join_verify(&j, nonce, NULL) < 0)
		say(c, CTR_P_INVALID_SIGNATURE, "not the holder of this key");
	else if (!bound(&j, nonce))
		say(c, CTR_P_ATTESTATION_FAILED, "evidence for something else");
	else
		issue(c, &j, nonce);
}

static const struct {
	const char *how;
	enum ctr_problem p;
} refusals[] = {
	{ "attestation", CTR_P_ATTESTATION_FAILED }, { "permission", CTR_P_PERMISSION_DENIED },
	{ "argument", CTR_P_INVALID_ARGUMENT },	     { "recovery", CTR_P_NEEDS_RECOVERY },
	{ "nomanifest", CTR_P_NO_MANIFEST },	     { "internal", CTR_P_INTERNAL },
};

static void on_cert(struct sim_conn *c)
{
	static const char large[1 << 20];

	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		if (strcmp(refusals[i].how, c->how) == 0) {
			say(c, refusals[i].p, "as the test wants it");
			return;
		}
	}
	if (strcmp(c->how, "flaky") == 0 && !c->auth[0] && atomic_fetch_add(&flaky, 1) % 3 < 2)
		sim_say(c, "500 Internal Server Error", "");
	else if (strcmp(c->how, "open") == 0)
		sim_say(c, "200 OK", "");
	else if (strcmp(c->how, "garbage") == 0 && c->auth[0])
		sim_say(c, "200 OK", "");
	else if (strcmp(c->how, "basic") == 0)
		sim_say(c, "401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n");
	else if (strcmp(c->how, "large") == 0 && c->auth[0])
		sim_reply(c, "200 OK", "", large, sizeof large, 1 << 18);
	else if (strcmp(c->how, "slow") == 0)
		sleep(30);
	else
		join(c);
}

static void on_ca(struct sim_conn *c)
{
	ctr_auto_buf struct ctr_buf pem = { 0 }, text = { 0 };

	pthread_mutex_lock(&lock);
	pki_pem(strcmp(c->how, "liar") == 0 ? d.other.cert : d.mesh.cert, &pem);
	pthread_mutex_unlock(&lock);
	PKI_MUST(ctr_join_ca_print(&pem, &text, NULL) == 0);
	sim_reply(c, "200 OK", "Content-Type: application/json\r\n", text.p, text.n, text.n);
}

/* The nonce of {"nonce":"…"}. */
static void read_nonce(const char *body, uint8_t out[CTR_NONCE_SIZE])
{
	ctr_auto_json struct ctr_json *json = NULL;
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct ctr_jval root, v;
	const char *s;

	PKI_MUST(ctr_json_parse("request", body, strlen(body), &json, NULL) == 0);
	root = ctr_jroot(json);
	v = ctr_jget(&root, "nonce");
	PKI_MUST(ctr_jstring(&v, &s, NULL) == 0 && ctr_base64_parse(s, strlen(s), &b, NULL) == 0 &&
		 b.n == CTR_NONCE_SIZE);
	memcpy(out, b.p, b.n);
}

static void on_attest(struct sim_conn *c)
{
	ctr_auto_platform struct ctr_platform *p = NULL;
	ctr_auto_evidence struct ctr_evidence ev = { 0 };
	ctr_auto_buf struct ctr_buf out = { 0 };
	uint8_t data[CTR_REPORT_DATA_SIZE], nonce[CTR_NONCE_SIZE];
	struct ctr_answer *a = &d.attested;

	read_nonce(c->body, nonce);
	pthread_mutex_lock(&lock);
	memset(a->transition, 0, sizeof a->transition);
	ctr_buf_reset(&a->evidence);
	for (size_t i = 0; i < a->manifests.n; i++)
		PKI_MUST(ctr_history_next(a->transition, a->manifests.v[i].p, a->manifests.v[i].n,
					  a->transition, NULL) == 0);
	PKI_MUST(ctr_answer_report_data(a, nonce, data, NULL) == 0 &&
		 ctr_platform_open(d.platform, NULL, &p, NULL) == 0 &&
		 ctr_platform_issue(p, data, &ev, NULL) == 0 &&
		 ctr_evidence_print(&ev, &a->evidence, NULL) == 0 &&
		 ctr_answer_print(a, &out, NULL) == 0);
	pthread_mutex_unlock(&lock);
	sim_reply(c, "200 OK", "Content-Type: application/json\r\n", out.p, out.n, out.n);
}

static void on_request(struct sim_conn *c)
{
	char rest[64] = "";

	if (sscanf(c->path, "/%63[a-z0-9]%63s", c->how, rest) == 2) {
		if (strcmp(rest, "/v1/mesh/cert") == 0 && strcmp(c->method, "POST") == 0)
			on_cert(c);
		else if (strcmp(rest, "/v1/mesh/ca") == 0 && strcmp(c->how, "noca") != 0)
			on_ca(c);
		else if (strcmp(rest, "/v1/attest") == 0 && strcmp(c->method, "POST") == 0)
			on_attest(c);
		else
			sim_say(c, "404 Not Found", "");
		return;
	}
	sim_say(c, "404 Not Found", "");
}

/* Waits for SIGUSR1, which all threads have blocked. */
static void serve(const sigset_t *update)
{
	static struct sim_port port = { .name = "joind", .answer = on_request };
	int sig;

	sim_open(&port, NULL, NULL);
	printf("PORT=%d\n", port.number);
	fflush(stdout);
	sim_start(&port);
	while (sigwait(update, &sig) == 0) {
		pthread_mutex_lock(&lock);
		make_mesh();
		pthread_mutex_unlock(&lock);
		printf("updated\n");
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	ctr_auto_buf struct ctr_buf root = { 0 };
	struct ctr_err e = { 0 };
	sigset_t update;
	int first;

	ctr_tool_init(&tool);
	if (ctr_tool_opts(&tool, argc, argv, on_opt, NULL, &first, &e) < 0)
		return ctr_tool_die(&tool, &e);
	if (tool.served)
		return ctr_tool_close(&tool);
	sigemptyset(&update);
	sigaddset(&update, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &update, NULL);
	d.root = make_ca("root CA", "P-384");
	d.other = make_ca("other CA", "P-256");
	pki_pem(d.root.cert, &root);
	if (d.attested.manifests.n)
		ctr_buf_add(&d.attested.root_ca, root.p, root.n);
	make_mesh();
	if (d.dir)
		pki_write(d.dir, "root.pem", root.p, root.n, 0644);
	serve(&update);
	return 0;
}
