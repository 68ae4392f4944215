#include "http_budget.h"

void ctr_http_budget_init(struct ctr_http_budget *b, size_t max,
			  void (*granted)(struct ctr_http_waiter *w))
{
	*b = (struct ctr_http_budget){ .max = max, .granted = granted };
	pthread_mutex_init(&b->lock, NULL);
	TAILQ_INIT(&b->queue);
}

static bool fits(const struct ctr_http_budget *b, size_t n)
{
	return b->used == 0 || (b->used <= b->max && n <= b->max - b->used);
}

bool ctr_http_budget_take(struct ctr_http_budget *b, struct ctr_http_waiter *w, size_t n)
{
	bool now;

	pthread_mutex_lock(&b->lock);
	now = TAILQ_EMPTY(&b->queue) && fits(b, n);
	w->n = n;
	w->waiting = !now;
	if (now) {
		b->used += n;
	} else {
		TAILQ_INSERT_TAIL(&b->queue, w, next);
		b->pressed = true;
	}
	pthread_mutex_unlock(&b->lock);
	return now;
}

/* Moves those that can go on to `ready`. Under the lock. */
static void advance(struct ctr_http_budget *b, struct ctr_http_waiters *ready)
{
	struct ctr_http_waiter *w;

	while ((w = TAILQ_FIRST(&b->queue)) && fits(b, w->n)) {
		TAILQ_REMOVE(&b->queue, w, next);
		w->waiting = false;
		b->used += w->n;
		TAILQ_INSERT_TAIL(ready, w, next);
	}
	b->pressed = w != NULL;
}

static void tell(struct ctr_http_budget *b, struct ctr_http_waiters *ready)
{
	struct ctr_http_waiter *w;

	while ((w = TAILQ_FIRST(ready))) {
		TAILQ_REMOVE(ready, w, next); /* from `granted` on it is not ours */
		b->granted(w);
	}
}

bool ctr_http_budget_leave(struct ctr_http_budget *b, struct ctr_http_waiter *w)
{
	struct ctr_http_waiters ready = TAILQ_HEAD_INITIALIZER(ready);
	bool left;

	pthread_mutex_lock(&b->lock);
	left = w->waiting;
	if (left) {
		TAILQ_REMOVE(&b->queue, w, next);
		w->waiting = false;
		advance(b, &ready); /* it may have stood in the way of smaller ones */
	}
	pthread_mutex_unlock(&b->lock);
	tell(b, &ready);
	return left;
}

void ctr_http_budget_give(struct ctr_http_budget *b, size_t n)
{
	struct ctr_http_waiters ready = TAILQ_HEAD_INITIALIZER(ready);

	pthread_mutex_lock(&b->lock);
	b->used -= n;
	advance(b, &ready);
	pthread_mutex_unlock(&b->lock);
	tell(b, &ready);
}
