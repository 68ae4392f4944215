/* needs: tools/ctr-coordinatord/api.c tools/ctr-coordinatord/api_attest.c tools/ctr-coordinatord/api_manifest.c tools/ctr-coordinatord/api_mesh.c tools/ctr-coordinatord/api_recover.c tools/ctr-coordinatord/restore.c tools/ctr-coordinatord/nonces.c tools/ctr-coordinatord/state.c tools/ctr-coordinatord/transit.c */
/*
 * A Coordinator's requests: the first byte is the route, and whether there is a state (0x40) or
 * recovery is waited for; up to the line feed stands what follows the route's prefix, or the
 * Authorization; the rest is the body. Each is answered as clients read it, and what the transit
 * engine encrypts it decrypts. What lies behind the requests is not here: no platform, no store, no
 * evidence that is genuine.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

#include "enc.h"
#include "json.h"
#include "tools/ctr-coordinatord/api.h"
#include "tools/ctr-coordinatord/appraise.h"
#include "tools/ctr-coordinatord/event.h"
#include "tools/ctr-coordinatord/figures.h"
#include "tools/ctr-coordinatord/peers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECRET_ID "apps/v1/Deployment/ns/web"

static struct coord coord;
static struct state *state;
static bool serving;
static uint8_t *cert; /* of the one pod, DER */
static size_t n_cert;

static void demand(bool ok)
{
	if (!ok)
		abort();
}

/* What the rest of the Coordinator would do. */
struct state *coord_state(struct coord *c, struct ctr_err *e)
{
	(void)c;
	if (!serving)
		ctr_fail(e, CTR_NO, "coord.recovering", "recovery is waited for");
	return serving ? state_hold(state) : NULL;
}

void coord_publish(struct coord *c, struct state *s)
{
	(void)c, (void)s;
	abort(); /* nobody here can sign a manifest */
}

int coord_evidence(struct coord *c, const uint8_t report_data[CTR_REPORT_DATA],
		   struct ctr_buf *cbor, struct ctr_err *e)
{
	(void)c, (void)e;
	ctr_buf_add(cbor, report_data, CTR_REPORT_DATA);
	return 0;
}

bool coord_serves(struct coord *c, const struct state *s)
{
	(void)c;
	return s == (serving ? state : NULL);
}

void coord_recover(struct coord *c)
{
	(void)c;
	demand(false); /* nobody else has this store */
}

time_t coord_clock(void)
{
	return 1000000;
}

int appraise(struct coord *c, struct state *s, const char *request, const struct ctr_buf *evidence,
	     const uint8_t report_data[CTR_REPORT_DATA], enum ctr_role role, struct peer *p,
	     struct ctr_err *e)
{
	(void)c, (void)s, (void)request, (void)evidence, (void)report_data, (void)role, (void)p;
	return ctr_fail(e, CTR_NO, "coord.evidence", "refused");
}

void peer_free(struct peer *p)
{
	(void)p;
}

int peers_none_serves(struct peers *p, struct ctr_err *e)
{
	(void)p, (void)e;
	return 0;
}

void event_refusal(struct ctr_log *l, const char *request, const char *route,
		   const struct ctr_err *why)
{
	(void)l, (void)request;
	demand(route && why->id && why->msg[0]);
}

void event(struct ctr_log *l, const char *id, const char *request, const char *fmt, ...)
{
	(void)l, (void)id, (void)request, (void)fmt;
}

void figure_add(struct coord *c, enum figure f, const char *a, const char *b)
{
	(void)c, (void)f, (void)a, (void)b;
}

int figures_print(struct coord *c, struct ctr_buf *b, struct ctr_err *e)
{
	(void)c, (void)e;
	ctr_buf_adds(b, "none 1\n");
	return 0;
}

static void make_cert(const uint8_t *policy)
{
	static const char *const names[] = { "web" };
	struct ctr_claim claim = { "policy_hash", { policy, CTR_SHA256_SIZE } };
	struct ctr_issue i = { .sans = names,
			       .n_sans = 1,
			       .claims = &claim,
			       .n_claims = 1,
			       .now = time(NULL),
			       .seconds = 3600 };
	ctr_auto_buf struct ctr_buf chain = { 0 };
	EVP_PKEY *key = EVP_EC_gen("P-256");
	uint8_t *spki = NULL;
	int n = i2d_PUBKEY(key, &spki);
	BIO *bio;
	X509 *x;

	i.spki = (struct ctr_bytes){ spki, (size_t)n };
	demand(n > 0 && ctr_mesh_issue(state->mesh, &i, &chain, NULL) == 0);
	bio = BIO_new_mem_buf(chain.p, (int)chain.n);
	x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	n = i2d_X509(x, &cert);
	demand(n > 0);
	n_cert = (size_t)n;
	X509_free(x);
	BIO_free(bio);
	OPENSSL_free(spki);
	EVP_PKEY_free(key);
}

static void make_state(void)
{
	static const char policy[] = "a policy";
	ctr_auto_buf struct ctr_buf manifest = { 0 };
	struct ctr_mesh_opts now = { .now = time(NULL) };
	struct ctr_bytes policies = { policy, sizeof policy - 1 };
	struct ctr_transition v = { 0 };
	struct state_from from = { .v = &v, .n = 1, .policies = &policies, .n_policies = 1 };
	uint8_t hash[CTR_SHA256_SIZE];

	demand(ctr_secret_new(&coord.seed, CTR_SEED_SIZE, NULL) == 0 &&
	       ctr_secret_new(&coord.salt, CTR_SALT_SIZE, NULL) == 0 &&
	       ctr_root_derive(&coord.seed, &coord.salt, &coord.root, NULL) == 0 &&
	       ctr_mesh_new(coord.root, &now, &from.mesh, NULL) == 0 &&
	       ctr_hash(CTR_SHA256, policy, sizeof policy - 1, hash, NULL) == 0);
	ctr_buf_adds(&manifest, "{\"Policies\":{\"");
	ctr_hex_add(&manifest, hash, sizeof hash);
	ctr_buf_adds(&manifest, "\":{\"SANs\":[\"web\"],\"WorkloadSecretID\":\"" SECRET_ID
				"\"}},\"ReferenceValues\":{},\"WorkloadOwnerKeyDigests\":[\"");
	ctr_hex_add(&manifest, hash, sizeof hash);
	ctr_buf_adds(&manifest, "\"]}");
	v.bytes = manifest.p;
	v.n = manifest.n;
	from.root = coord.root;
	demand(state_new(&from, &state, NULL) == 0);
	make_cert(hash);
}

static void make(void)
{
	pthread_mutex_init(&coord.platform_lock, NULL);
	pthread_mutex_init(&coord.fetch, NULL);
	pthread_mutex_init(&coord.own_lock, NULL);
	pthread_mutex_init(&coord.change, NULL);
	pthread_mutex_init(&coord.lock, NULL);
	coord.attests_max = 8;
	demand(nonces_new(&coord.nonces, NULL) == 0 &&
	       ctr_hpke_generate(&coord.hpke, coord.hpke_pub, NULL) == 0);
	make_state();
}

/* The member "data"'s member of that name. */
static struct ctr_jval data_of(struct ctr_json *json, const char *name)
{
	struct ctr_jval root = ctr_jroot(json), data = ctr_jget(&root, "data");

	return ctr_jget(&data, name);
}

/* An error has the form of its listener, and no answer of 500: nothing in here is broken. */
static void read_back(const struct ctr_http_request *rq, const struct ctr_http_answer *a)
{
	ctr_auto_json struct ctr_json *json = NULL;
	struct ctr_jval root, v;

	demand(a->status == 200 || (a->status >= 400 && a->status < 500));
	if (strcmp(a->type, "application/json") != 0) {
		demand(a->status == 200);
		return;
	}
	demand(ctr_json_parse("answer", a->body.p, a->body.n, &json, NULL) == 0);
	root = ctr_jroot(json);
	v = ctr_jget(&root, rq->listener == L_TRANSIT ? "errors" : "code");
	demand(ctr_jhas(&v) == (a->status != 200));
	demand((a->status == 401) == (a->challenge[0] != '\0'));
}

/* What was encrypted, with the same associated data, decrypts to what it was. */
static void back(struct ctr_http_request rq, const struct ctr_http_answer *a)
{
	ctr_auto_json struct ctr_json *was = NULL, *sealed = NULL, *now = NULL;
	ctr_auto_buf struct ctr_buf body = { 0 };
	struct ctr_http_answer b = { .body = { .wipe = true } };
	struct ctr_jval root, plain, more, cipher, opened;
	const char *x, *y;

	demand(ctr_json_parse("request", rq.body, rq.n, &was, NULL) == 0 &&
	       ctr_json_parse("answer", a->body.p, a->body.n, &sealed, NULL) == 0);
	root = ctr_jroot(was);
	plain = ctr_jget(&root, "plaintext");
	more = ctr_jget(&root, "associated_data");
	cipher = data_of(sealed, "ciphertext");
	demand(ctr_jstring(&plain, &x, NULL) == 0 && ctr_jstring(&cipher, &y, NULL) == 0);
	ctr_buf_addf(&body, "{\"ciphertext\":\"%s\"", y);
	if (ctr_jhas(&more) && ctr_jstring(&more, &y, NULL) == 0)
		ctr_buf_addf(&body, ",\"associated_data\":\"%s\"", y);
	ctr_buf_addc(&body, '}');
	while (strncmp(api_routes[rq.route].path, "/v1/transit/decrypt/", 20) != 0)
		rq.route++;
	rq.body = body.p;
	rq.n = body.n;
	api_handle(&coord, &rq, &b);
	demand(b.status == 200 && ctr_json_parse("answer", b.body.p, b.body.n, &now, NULL) == 0);
	opened = data_of(now, "plaintext");
	demand(ctr_jstring(&opened, &y, NULL) == 0 && strcmp(x, y) == 0);
	ctr_buf_free(&b.body);
}

static void handle(const struct ctr_http_route *r, const char *line, const char *body, size_t n)
{
	bool prefix = r->path[strlen(r->path) - 1] == '*';
	struct ctr_http_request rq = { .route = r->id,
				       .method = r->method,
				       .path = r->path,
				       .authorization = !prefix && *line ? line : NULL,
				       .rest = prefix ? line : "",
				       .body = body,
				       .n = n,
				       .id = "fuzz-1" };
	struct ctr_http_answer a = { .body = { .wipe = true } };

	while (!(r->listeners >> rq.listener & 1))
		rq.listener++;
	if (rq.listener == L_TRANSIT) {
		rq.peer_cert = cert;
		rq.n_peer_cert = n_cert;
	}
	api_handle(&coord, &rq, &a);
	read_back(&rq, &a);
	if (a.status == 200 && strncmp(r->path, "/v1/transit/encrypt/", 20) == 0)
		back(rq, &a);
	ctr_buf_free(&a.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ctr_auto_buf struct ctr_buf line = { 0 }, body = { 0 };
	const struct ctr_http_route *r;
	const uint8_t *end;

	if (!coord.root)
		make();
	if (size < 2 || !(end = memchr(data + 1, '\n', size - 1)))
		return -1;
	r = &api_routes[(data[0] & 0x3f) % api_n_routes];
	serving = data[0] & 0x40;
	ctr_buf_add(&line, data + 1, (size_t)(end - data) - 1);
	ctr_buf_add(&body, end + 1, size - (size_t)(end - data) - 1);
	if ((r->body_max && body.n > r->body_max) || memchr(data, 0, (size_t)(end - data)))
		return -1;
	/* a server never gives an empty rest, nor a body where there is none */
	if (r->path[strlen(r->path) - 1] == '*' && line.n == 0)
		return -1;
	handle(r, ctr_buf_str(&line), ctr_buf_str(&body), r->body_max ? body.n : 0);
	return 0;
}
