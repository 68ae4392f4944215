#include "peers.h"

#include <string.h>

#include "appraise.h"
#include "event.h"
#include "http_url.h"
#include "join_client.h"
#include "nap.h"
#include "pace.h"
#include "peer.h"
#include "rd.h"
#include "restore.h"

#define ANSWER_S 15 /* of a peer whose platform makes a report meanwhile */
#define IDLE_MS 3600000 /* until it is woken */
#define HINTS_S 10  /* for whether any of them serves, together */

struct peers {
	struct coord *c;
	char *urls[PEERS_MAX];
	size_t n;
	struct ctr_http *http, *quick;
	pthread_mutex_t asking;
	pthread_t thread;
	bool started;
	struct nap nap;
};

static int evidence(void *ctx, const uint8_t data[CTR_REPORT_DATA_SIZE], struct ctr_buf *cbor,
		    struct ctr_err *e)
{
	return coord_evidence(ctx, data, cbor, e);
}

static struct ctr_join_client client(const struct peers *p, size_t i, struct ctr_http *http)
{
	return (struct ctr_join_client){
		.url = p->urls[i], .http = http, .evidence = evidence, .ctx = p->c
	};
}

static int unseal(const struct ctr_join_keys *k, const struct ctr_peer_answer *a,
		  struct ctr_peer_state *s, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf info = { 0 };
	ctr_auto_secret struct ctr_secret text = { 0 };

	ctr_peer_info(k->nonce, &info);
	if (ctr_buf_ok(&info, "info", e) < 0 ||
	    ctr_hpke_open(&k->kem, info.p, info.n, NULL, 0, a->sealed.p, a->sealed.n, &text, e) < 0)
		return -1;
	return ctr_peer_state_parse(&text, s, e);
}

/* lesson: peer recovery did not compare what generation both have */
static int compare(const struct ctr_peer_state *s, const struct ctr_history *h, struct ctr_err *e)
{
	uint8_t last[CTR_SHA256_SIZE];

	ctr_history_last(h, last);
	if (s->generation == h->n && ctr_same(s->transition, last, sizeof last))
		return 0;
	if (s->generation > h->n)
		return ctr_fail(e, CTR_ENV, "peer.newer",
				"the peer has %llu manifests: the store, with %zu, is behind",
				(unsigned long long)s->generation, h->n);
	if (s->generation < h->n)
		return ctr_fail(e, CTR_NO, "peer.older",
				"the peer has %llu manifests, less than the store with %zu: it was "
				"set back, or missed an update",
				(unsigned long long)s->generation, h->n);
	return ctr_fail(e, CTR_NO, "peer.transition",
			"the peer's history is as long as the store's, but another");
}

/* All but the peer's evidence: into r. */
static int rebuild(struct coord *c, struct ctr_peer_state *s, struct restore *r, struct ctr_err *e)
{
	ctr_auto_mesh struct ctr_mesh *mesh = NULL;

	int rc;

	r->seed = s->seed;
	r->salt = s->salt;
	s->seed = s->salt = (struct ctr_secret){ 0 };
	pthread_mutex_lock(&c->change);
	rc = restore_load(c, r, e);
	pthread_mutex_unlock(&c->change);
	if (rc < 0 || compare(s, &r->history, e) < 0 ||
	    ctr_mesh_load(&s->mesh_key, &s->intermediate, &s->mesh_ca, ctr_root_pem(r->root), &mesh,
			  e) < 0)
		return -1;
	return restore_make(c, r, &mesh, e);
}

static int take_over(struct peers *p, size_t i, struct ctr_err *e)
{
	struct ctr_join_client from = client(p, i, p->http);
	ctr_auto_join_keys struct ctr_join_keys k = { 0 };
	ctr_auto_buf struct ctr_buf body = { 0 };
	ctr_auto_peer_answer struct ctr_peer_answer a = { 0 };
	ctr_auto_peer_state struct ctr_peer_state s = { 0 };
	auto_restore struct restore r = { 0 };
	auto_peer struct peer who = { 0 }; /* borrows from r: declared after it */
	uint8_t data[CTR_REPORT_DATA_SIZE];

	if (ctr_join_exchange(&from, "recover", CTR_PEER_MAX, &k, &body, e) < 0 ||
	    ctr_peer_answer_parse("answer", ctr_buf_str(&body), body.n, &a, e) < 0 ||
	    ctr_peer_report_data(&a, k.nonce, data, e) < 0 || unseal(&k, &a, &s, e) < 0 ||
	    rebuild(p->c, &s, &r, e) < 0 ||
	    appraise(p->c, r.state, NULL, &a.evidence, data, CTR_ROLE_COORDINATOR, &who, e) < 0)
		return -1;
	return restore_publish(p->c, &r, e);
}

static void ask_all(struct peers *p)
{
	for (size_t i = 0; i < p->n && restore_due(p->c, NULL) == 0; i++) {
		struct ctr_err why = { 0 };

		if (take_over(p, i, &why) == 0)
			event(p->c->log, "recovered", NULL, "the peer %s gave its state",
			      p->urls[i]);
		else if (!atomic_load(&p->nap.cut))
			ctr_log(p->c->log, CTR_WARN, why.id, p->urls[i], 0, 0, "%s%s%s", why.where,
				*why.where ? ": " : "", why.msg);
	}
}

static void *run(void *ctx)
{
	struct peers *p = ctx;
	unsigned n = 0;

	for (;;) {
		bool due = restore_due(p->c, NULL) == 0;

		if (due)
			ask_all(p);
		due = due && restore_due(p->c, NULL) == 0;
		/* a store of one's own does not change by itself: once is enough */
		if (!due && !ctr_hstore_shared(p->c->store))
			return NULL;
		n = due ? n + 1 : 0;
		if (!nap_rest(&p->nap, due ? ctr_pace_retry(n - 1, ctr_pace_spread()) : IDLE_MS))
			return NULL;
	}
}

static int add(struct peers *p, const char *url, struct ctr_err *e)
{
	struct ctr_http_origin o;
	struct ctr_err why = { 0 };
	size_t n = strlen(url);
	char *own;

	if (ctr_http_origin(url, &o, &why) < 0)
		return ctr_fail(e, why.code == CTR_FORMAT ? CTR_USAGE : why.code, why.id,
				"--peer=%s: %s", url, why.msg);
	while (n && url[n - 1] == '/')
		n--;
	own = strndup(url, n);
	if (!own)
		return ctr_fail_mem(e);
	p->urls[p->n++] = own;
	return 0;
}

static int clients(struct peers *p, struct ctr_err *e)
{
	struct ctr_http_opts o = p->c->from.http;

	/* one try each: whoever asks comes again */
	o.tries = 1;
	o.stop = &p->nap.cut;
	if (o.total_s == 0 || o.total_s > ANSWER_S)
		o.total_s = ANSWER_S;
	if (ctr_http_new(&o, &p->http, e) < 0)
		return -1;
	o.total_s = o.connect_s = p->n < HINTS_S ? HINTS_S / (unsigned)p->n : 1;
	return ctr_http_new(&o, &p->quick, e);
}

int peers_new(struct coord *c, const char *const *urls, size_t n, struct peers **out,
	      struct ctr_err *e)
{
	struct peers *p = calloc(1, sizeof *p);
	int rc = 0;

	*out = NULL;
	if (!p)
		return ctr_fail_mem(e);
	p->c = c;
	nap_init(&p->nap);
	pthread_mutex_init(&p->asking, NULL);
	for (size_t i = 0; i < n && i < PEERS_MAX && rc == 0; i++)
		rc = add(p, urls[i], e);
	if (rc < 0 || clients(p, e) < 0) {
		peers_free(p);
		return -1;
	}
	*out = p;
	return 0;
}

void peers_free(struct peers *p)
{
	if (!p)
		return;
	peers_stop(p);
	ctr_http_free(p->http);
	ctr_http_free(p->quick);
	for (size_t i = 0; i < p->n; i++)
		free(p->urls[i]);
	pthread_mutex_destroy(&p->asking);
	nap_free(&p->nap);
	free(p);
}

int peers_start(struct peers *p, struct ctr_err *e)
{
	if (!p || (restore_due(p->c, NULL) < 0 && !ctr_hstore_shared(p->c->store)))
		return 0;
	if (pthread_create(&p->thread, NULL, run, p) != 0)
		return ctr_fail_mem(e);
	p->started = true;
	return 0;
}

void peers_now(struct peers *p)
{
	if (p)
		nap_wake(&p->nap);
}

void peers_stop(struct peers *p)
{
	if (!p || !p->started)
		return;
	nap_stop(&p->nap);
	pthread_join(p->thread, NULL);
	p->started = false;
}

/* /v1/mesh/ca costs a peer nothing and is there exactly when it serves. */
static bool serves(const struct peers *p, size_t i)
{
	struct ctr_join_client c = client(p, i, p->quick);
	ctr_auto_buf struct ctr_buf pem = { 0 };

	return ctr_join_mesh_ca(&c, &pem, NULL) == 0;
}

int peers_none_serves(struct peers *p, struct ctr_err *e)
{
	int rc = 0;

	if (pthread_mutex_trylock(&p->asking))
		return ctr_fail(e, CTR_ENV, "coord.busy",
				"the peers are asked for another request");
	for (size_t i = 0; i < p->n && rc == 0; i++) {
		if (serves(p, i))
			rc = ctr_fail(e, CTR_NO, "coord.peer",
				      "the peer %s serves: this one is to take over its state, "
				      "which keeps the mesh CA",
				      p->urls[i]);
	}
	pthread_mutex_unlock(&p->asking);
	return rc;
}
