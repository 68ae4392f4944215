/* How a thread in the background waits, and is woken. */
#ifndef TOOLS_CTR_COORDINATORD_NAP_H
#define TOOLS_CTR_COORDINATORD_NAP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct nap {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool now, stop;
	atomic_bool cut; /* for requests that are under way: struct ctr_http_opts */
};

void nap_init(struct nap *n);
void nap_free(struct nap *n);

/* Sleeps, less when woken. True when the thread is to go on. */
bool nap_rest(struct nap *n, uint64_t ms);

void nap_wake(struct nap *n);
void nap_stop(struct nap *n); /* the end: join the thread then */

#endif
