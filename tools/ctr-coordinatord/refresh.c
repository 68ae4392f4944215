#include "refresh.h"

#include <errno.h>
#include <string.h>

#define EVERY 3600 /* seconds */
#define AFTER_FAILURE 300

struct refresher {
	struct coord *c;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool now, stop;
	atomic_bool cut; /* ends a fetch that is under way */
};

static bool fetch(struct refresher *r)
{
	struct ctr_err e = { 0 };

	if (coord_endorse(r->c, &r->cut, &e) == 0)
		return true;
	if (!atomic_load(&r->cut))
		ctr_log(r->c->log, CTR_WARN, e.id, NULL, 0, 0,
			"what endorses this machine's evidence could not be had: %s", e.msg);
	return false;
}

/* True when it is to go on. */
static bool rest(struct refresher *r, time_t seconds)
{
	struct timespec t;
	bool on;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += seconds;
	pthread_mutex_lock(&r->lock);
	while (!r->now && !r->stop && pthread_cond_timedwait(&r->wake, &r->lock, &t) != ETIMEDOUT)
		;
	r->now = false;
	on = !r->stop;
	pthread_mutex_unlock(&r->lock);
	return on;
}

static void *run(void *ctx)
{
	while (rest(ctx, fetch(ctx) ? EVERY : AFTER_FAILURE))
		;
	return NULL;
}

int refresh_start(struct coord *c, struct refresher **out, struct ctr_err *e)
{
	struct refresher *r = calloc(1, sizeof *r);
	pthread_condattr_t clock;

	*out = NULL;
	if (!r)
		return ctr_fail_mem(e);
	r->c = c;
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&r->wake, &clock);
	pthread_condattr_destroy(&clock);
	if (pthread_create(&r->thread, NULL, run, r) != 0) {
		free(r);
		return ctr_fail_mem(e);
	}
	*out = r;
	return 0;
}

static void wake(struct refresher *r, bool stop)
{
	pthread_mutex_lock(&r->lock);
	r->now = true;
	r->stop = r->stop || stop;
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->lock);
}

void refresh_now(struct refresher *r)
{
	wake(r, false);
}

void refresh_stop(struct refresher *r)
{
	if (!r)
		return;
	atomic_store(&r->cut, true);
	wake(r, true);
	pthread_join(r->thread, NULL);
	pthread_cond_destroy(&r->wake);
	pthread_mutex_destroy(&r->lock);
	free(r);
}
