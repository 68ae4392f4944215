#include "nap.h"

#include <errno.h>
#include <time.h>

void nap_init(struct nap *n)
{
	pthread_condattr_t clock;

	pthread_mutex_init(&n->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&n->wake, &clock);
	pthread_condattr_destroy(&clock);
	n->now = n->stop = false;
	atomic_init(&n->cut, false);
}

void nap_free(struct nap *n)
{
	pthread_cond_destroy(&n->wake);
	pthread_mutex_destroy(&n->lock);
}

bool nap_rest(struct nap *n, uint64_t ms)
{
	struct timespec t;
	bool on;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += (time_t)(ms / 1000);
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	pthread_mutex_lock(&n->lock);
	while (!n->now && !n->stop && pthread_cond_timedwait(&n->wake, &n->lock, &t) != ETIMEDOUT)
		;
	n->now = false;
	on = !n->stop;
	pthread_mutex_unlock(&n->lock);
	return on;
}

static void wake(struct nap *n, bool stop)
{
	pthread_mutex_lock(&n->lock);
	n->now = true;
	n->stop = n->stop || stop;
	pthread_cond_signal(&n->wake);
	pthread_mutex_unlock(&n->lock);
}

void nap_wake(struct nap *n)
{
	wake(n, false);
}

void nap_stop(struct nap *n)
{
	atomic_store(&n->cut, true);
	wake(n, true);
}
