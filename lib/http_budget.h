/* A bounded number of bytes that many share: who finds too little left waits in order. */
#ifndef LIB_HTTP_BUDGET_H
#define LIB_HTTP_BUDGET_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

struct ctr_http_waiter {
	TAILQ_ENTRY(ctr_http_waiter) next;
	size_t n;
	bool waiting;
};
TAILQ_HEAD(ctr_http_waiters, ctr_http_waiter);

struct ctr_http_budget {
	pthread_mutex_t lock;
	size_t max, used;
	struct ctr_http_waiters queue;
	_Atomic bool pressed; /* somebody waits */
	/* Called without the lock, in whatever thread gave bytes back. */
	void (*granted)(struct ctr_http_waiter *w);
};

void ctr_http_budget_init(struct ctr_http_budget *b, size_t max,
			  void (*granted)(struct ctr_http_waiter *w));

/* True: w has its n bytes. False: it waits, and `granted` comes unless it leaves before. More than
 * all of it is granted when nobody else has any. */
bool ctr_http_budget_take(struct ctr_http_budget *b, struct ctr_http_waiter *w, size_t n);

/* False: it does not wait any more, `granted` has come or is on its way. */
bool ctr_http_budget_leave(struct ctr_http_budget *b, struct ctr_http_waiter *w);

void ctr_http_budget_give(struct ctr_http_budget *b, size_t n);

#endif
