#include "follow.h"

#include <string.h>

#include "event.h"
#include "nap.h"
#include "pace.h"
#include "rd.h"

#define POLL_MS 5000 /* at most, while the store answers but does not tell */

struct follow {
	struct coord *c;
	pthread_t thread;
	struct nap nap;
	struct ctr_buf known; /* the record as it was judged last */
	bool seen, failing;
};

/* A second later record, before the first one's history was had: it must be later than that, too.
 */
static int check_newest(struct coord *c, const struct ctr_signer *key, struct ctr_err *e)
{
	static const uint8_t none[CTR_SHA256_SIZE];
	ctr_auto_history struct ctr_history h = { 0 };

	if (ctr_same(c->newest, none, sizeof none))
		return 0;
	if (ctr_history_load(c->store, key, &h, e) < 0)
		return -1;
	return ctr_history_has(&h, c->newest)
		       ? 0
		       : ctr_fail(e, CTR_NO, "history.rollback",
				  "the store was set back: it had a later manifest before");
}

/* One who never served has no key to judge with: a record is there, that is all. */
static void wait_for_history(struct coord *c)
{
	struct ctr_err why = { 0 };
	auto_state struct state *s = coord_state(c, &why);

	if (s || strcmp(why.id, "coord.no-manifest") != 0)
		return;
	coord_recover(c);
	event(c->log, "superseded", NULL,
	      "another Coordinator set a manifest: its state is waited for");
}

/* The caller holds `change`. */
static int judge(struct coord *c, const struct ctr_buf *now, struct ctr_err *e)
{
	uint8_t t[CTR_SHA256_SIZE];
	struct ctr_signer key;
	bool serves;

	if (!c->root) {
		if (now->n)
			wait_for_history(c);
		return 0;
	}
	if (ctr_buf_same(now, &c->history.latest))
		return 0;
	key = ctr_root_signer(c->root);
	if (ctr_latest_verify(now, &key, t, e) < 0)
		return -1;
	if (ctr_history_has(&c->history, t))
		return ctr_fail(e, CTR_NO, "history.rollback",
				"the store was set back: its last manifest is one of before");
	if (ctr_same(t, c->newest, sizeof t))
		return 0;
	if (check_newest(c, &key, e) < 0)
		return -1;
	serves = !coord_serves(c, NULL);
	memcpy(c->newest, t, sizeof t);
	coord_recover(c);
	if (serves)
		event(c->log, "superseded", NULL,
		      "another Coordinator set a manifest: its state is waited for");
	return 0;
}

static void seen(struct coord *c)
{
	pthread_mutex_lock(&c->lock);
	c->store_at = coord_clock();
	pthread_mutex_unlock(&c->lock);
}

/* Reads the record, and judges it if it is another. *news: it was. */
static int look(struct follow *f, bool *news, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf now = { 0 }, again = { 0 };
	int rc;

	*news = false;
	if (ctr_hstore_latest(f->c->store, &now, e) < 0)
		return -1;
	seen(f->c);
	if (f->seen && ctr_buf_same(&now, &f->known))
		return 0;
	/* an update of our own may be under way: what it leaves counts */
	pthread_mutex_lock(&f->c->change);
	rc = ctr_hstore_latest(f->c->store, &again, e);
	if (rc == 0) {
		*news = true;
		rc = judge(f->c, &again, e);
		/* what cannot be read now may be readable soon */
		f->seen = rc == 0 || e->code != CTR_ENV;
		ctr_buf_free(&f->known);
		f->known = again;
		again = (struct ctr_buf){ 0 };
	}
	pthread_mutex_unlock(&f->c->change);
	return rc;
}

/* The first failure in a row is for the log, and what the store is accused of. */
static void complain(struct follow *f, const struct ctr_err *why)
{
	if (atomic_load(&f->nap.cut) || (f->failing && why->code == CTR_ENV))
		return;
	f->failing = true;
	ctr_log(f->c->log, CTR_WARN, why->id, NULL, 0, 0, "the store: %s", why->msg);
}

/* Milliseconds until the next look. */
static uint64_t step(struct follow *f, unsigned *tries)
{
	struct ctr_err e = { 0 };
	bool news, changed = false;
	time_t began;
	uint64_t ms;
	int rc = look(f, &news, &e);

	if (rc < 0)
		complain(f, &e);
	if (rc < 0 && e.code == CTR_ENV)
		return ctr_pace_retry((*tries)++, ctr_pace_spread());
	if (news)
		*tries = 0;
	e = (struct ctr_err){ 0 };
	began = coord_clock();
	rc = ctr_hstore_wait(f->c->store, f->known.p, f->known.n, &f->nap.cut, &changed, &e);
	if (rc == 0 && !changed && coord_clock() - began > 1) {
		*tries = 0;
		f->failing = false;
		return 0;
	}
	/* at once, unless it cries wolf; what ends at once is no watch */
	if (rc == 0 && changed && *tries == 0) {
		*tries = 1;
		return 0;
	}
	if (rc < 0)
		complain(f, &e);
	ms = ctr_pace_retry((*tries)++, ctr_pace_spread());
	return ms < POLL_MS ? ms : POLL_MS;
}

static void *run(void *ctx)
{
	struct follow *f = ctx;
	unsigned tries = 0;

	while (nap_rest(&f->nap, step(f, &tries)))
		;
	return NULL;
}

int follow_start(struct coord *c, struct follow **out, struct ctr_err *e)
{
	struct follow *f;

	*out = NULL;
	if (!ctr_hstore_shared(c->store))
		return 0;
	f = calloc(1, sizeof *f);
	if (!f)
		return ctr_fail_mem(e);
	f->c = c;
	nap_init(&f->nap);
	seen(c);
	if (pthread_create(&f->thread, NULL, run, f) != 0) {
		nap_free(&f->nap);
		free(f);
		return ctr_fail_mem(e);
	}
	*out = f;
	return 0;
}

void follow_now(struct follow *f)
{
	if (f)
		nap_wake(&f->nap);
}

void follow_stop(struct follow *f)
{
	if (!f)
		return;
	nap_stop(&f->nap);
	pthread_join(f->thread, NULL);
	nap_free(&f->nap);
	ctr_buf_free(&f->known);
	free(f);
}
