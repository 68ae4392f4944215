#include "http_event.h"

void ctr_http_pool_init(struct ctr_http_pool *p, struct ctr_http_server *s)
{
	*p = (struct ctr_http_pool){ .server = s, .answers_max = s->conf.bodies };
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->more, NULL);
	TAILQ_INIT(&p->queue);
}

/* Under the lock. */
static bool full(const struct ctr_http_pool *p)
{
	return p->answers >= p->answers_max;
}

static void look(struct ctr_http_pool *p)
{
	p->pressed = full(p) && !TAILQ_EMPTY(&p->queue);
}

void ctr_http_pool_push(struct ctr_http_pool *p, struct ctr_http_link *k)
{
	pthread_mutex_lock(&p->lock);
	TAILQ_INSERT_TAIL(&p->queue, k, next);
	k->queued = true;
	look(p);
	pthread_cond_signal(&p->more);
	pthread_mutex_unlock(&p->lock);
}

static struct ctr_http_link *pop(struct ctr_http_pool *p)
{
	struct ctr_http_link *k;

	pthread_mutex_lock(&p->lock);
	while (!p->stop && (TAILQ_EMPTY(&p->queue) || full(p)))
		pthread_cond_wait(&p->more, &p->lock);
	k = p->stop ? NULL : TAILQ_FIRST(&p->queue);
	if (k) {
		TAILQ_REMOVE(&p->queue, k, next);
		k->queued = false;
		look(p);
	}
	pthread_mutex_unlock(&p->lock);
	return k;
}

bool ctr_http_pool_remove(struct ctr_http_pool *p, struct ctr_http_link *k)
{
	bool there;

	pthread_mutex_lock(&p->lock);
	there = k->queued;
	if (there)
		TAILQ_REMOVE(&p->queue, k, next);
	k->queued = false;
	look(p);
	pthread_mutex_unlock(&p->lock);
	return there;
}

void ctr_http_pool_hold(struct ctr_http_pool *p, size_t n)
{
	pthread_mutex_lock(&p->lock);
	p->answers += n;
	look(p);
	pthread_mutex_unlock(&p->lock);
}

void ctr_http_pool_give(struct ctr_http_pool *p, size_t n)
{
	bool was;

	pthread_mutex_lock(&p->lock);
	was = full(p);
	p->answers -= n;
	look(p);
	if (was && !full(p))
		pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->lock);
}

void ctr_http_pool_stop(struct ctr_http_pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->lock);
}

void *ctr_http_pool_main(void *pool)
{
	struct ctr_http_pool *p = pool;
	struct ctr_http_link *k;

	while ((k = pop(p))) {
		ctr_http_conn_handle(&k->conn, ctr_http_now());
		ctr_http_loop_post(k);
	}
	return NULL;
}
