#include "coord.h"

#include <string.h>
#include <time.h>

#include "sandbox.h"
#include "crypto_tls.h"
#include "hstore_kube.h"
#include "peers.h"
#include "transit.h"

time_t coord_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec;
}

#define KUBE "kubernetes:"
#define KUBE_SIZE (sizeof KUBE - 1)

static int new_store(struct coord *c, const char *spec, struct ctr_err *e)
{
	const char *name = spec + KUBE_SIZE;

	if (strncmp(spec, KUBE, KUBE_SIZE) != 0)
		return ctr_hstore_open(spec, &c->store, e);
	c->kube.stop = &c->ending;
	c->kube.log = c->log;
	return ctr_hstore_kube(&c->kube, *name ? name : CTR_HSTORE_KUBE_NAME, &c->store, e);
}

/* A history that is there already, only its seed can read: signed, and the key is not here. */
static int open_store(struct coord *c, const char *spec, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf latest = { 0 };

	if (new_store(c, spec, e) < 0 || ctr_hstore_latest(c->store, &latest, e) < 0)
		return -1;
	c->recovering = latest.n > 0;
	return 0;
}

/* On a machine that gives no report nobody would ever believe this process: say so at once. */
static int open_platform(struct coord *c, const char *spec, struct ctr_err *e)
{
	static const uint8_t data[CTR_REPORT_DATA];
	ctr_auto_buf struct ctr_buf cbor = { 0 };

	if (ctr_platform_open(spec, NULL, &c->platform, e) < 0 ||
	    coord_evidence(c, data, &cbor, e) < 0)
		return ctr_wrap(e, "--platform=%s", spec);
	return 0;
}

int coord_open(struct coord *c, const char *platform, const char *store, struct ctr_err *e)
{
	pthread_mutex_init(&c->platform_lock, NULL);
	pthread_mutex_init(&c->fetch, NULL);
	lists_init(&c->lists);
	pthread_mutex_init(&c->own_lock, NULL);
	pthread_mutex_init(&c->change, NULL);
	pthread_mutex_init(&c->lock, NULL);
	if (nonces_new(&c->nonces, e) < 0 || ctr_snp_cache_new(&c->snp, e) < 0 ||
	    ctr_tdx_cache_new(&c->tdx, e) < 0 || ctr_hpke_generate(&c->hpke, c->hpke_pub, e) < 0)
		return -1;
	return open_platform(c, platform, e) < 0 ? -1 : open_store(c, store, e);
}

void coord_close(struct coord *c)
{
	state_drop(c->state);
	ctr_root_free(c->root);
	ctr_secret_free(&c->seed);
	ctr_secret_free(&c->salt);
	ctr_secret_free(&c->hpke);
	ctr_history_free(&c->history);
	ctr_hstore_free(c->store);
	ctr_platform_free(c->platform);
	ctr_evidence_free(&c->own);
	nonces_free(c->nonces);
	lists_free(&c->lists);
	ctr_snp_cache_free(c->snp);
	ctr_tdx_cache_free(c->tdx);
}

struct state *coord_state(struct coord *c, struct ctr_err *e)
{
	struct state *s;
	bool recovering;

	pthread_mutex_lock(&c->lock);
	s = c->state ? state_hold(c->state) : NULL;
	recovering = c->recovering;
	pthread_mutex_unlock(&c->lock);
	if (!s && recovering)
		ctr_fail(e, CTR_NO, "coord.recovering",
			 "no state: a peer or a seed share owner has to recover it first");
	else if (!s)
		ctr_fail(e, CTR_NO, "coord.no-manifest", "no manifest was set yet");
	return s;
}

void coord_publish(struct coord *c, struct state *s)
{
	struct ctr_err e = { 0 };
	struct state *old;

	pthread_mutex_lock(&c->lock);
	old = c->state;
	c->state = s;
	c->recovering = false;
	pthread_mutex_unlock(&c->lock);
	state_drop(old);
	sandbox_lock(&c->seed);
	sandbox_lock(&c->salt);
	/* the rest of the mesh need not wait for it; but the CA of before lets nobody in any more
	 */
	if (c->tls && transit_certify(c, s, &e) < 0) {
		ctr_tls_server_unset(c->tls);
		ctr_log_err(c->log, &e);
	}
}

void coord_recover(struct coord *c)
{
	struct state *old;

	pthread_mutex_lock(&c->lock);
	old = c->state;
	c->state = NULL;
	c->recovering = true;
	pthread_mutex_unlock(&c->lock);
	state_drop(old);
	if (c->tls)
		ctr_tls_server_unset(c->tls);
	peers_now(c->peers);
}

bool coord_serves(struct coord *c, const struct state *s)
{
	bool is;

	pthread_mutex_lock(&c->lock);
	is = c->state == s;
	pthread_mutex_unlock(&c->lock);
	return is;
}

static int issue(struct coord *c, const uint8_t *report_data, struct ctr_evidence *ev,
		 struct ctr_err *e)
{
	int rc;

	pthread_mutex_lock(&c->platform_lock);
	rc = ctr_platform_issue(c->platform, report_data, ev, e);
	pthread_mutex_unlock(&c->platform_lock);
	return rc;
}

int coord_endorse(struct coord *c, const atomic_bool *stop, struct ctr_err *e)
{
	static const uint8_t data[CTR_REPORT_DATA];
	ctr_auto_evidence struct ctr_evidence ev = { 0 };
	struct ctr_collateral_opts from = c->from;
	struct ctr_verify_opts now = c->verify;
	struct ctr_evidence old;

	from.http.stop = stop;
	now.at = time(NULL);
	if (issue(c, data, &ev, e) < 0 || ctr_endorse(&from, &now, &ev, e) < 0)
		return -1;
	ctr_buf_free(&ev.item[CTR_REPORT]);
	pthread_mutex_lock(&c->own_lock);
	old = c->own;
	c->own = ev;
	c->own_at = coord_clock();
	pthread_mutex_unlock(&c->own_lock);
	ev = old;
	return 0;
}

/* Whoever verifies has what is missing from elsewhere. */
int coord_evidence(struct coord *c, const uint8_t report_data[CTR_REPORT_DATA],
		   struct ctr_buf *cbor, struct ctr_err *e)
{
	ctr_auto_evidence struct ctr_evidence ev = { 0 };

	if (issue(c, report_data, &ev, e) < 0)
		return -1;
	pthread_mutex_lock(&c->own_lock);
	for (int i = 0; i < CTR_ITEMS; i++) {
		if (ev.item[i].n == 0)
			ctr_buf_add(&ev.item[i], c->own.item[i].p, c->own.item[i].n);
	}
	pthread_mutex_unlock(&c->own_lock);
	return ctr_evidence_print(&ev, cbor, e);
}
