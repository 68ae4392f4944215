#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http_event.h"

#define STACK ((size_t)1 << 20) /* bytes of a thread's stack */
#define LINGER_S 2

static unsigned given(unsigned v, unsigned otherwise)
{
	return v ? v : otherwise;
}

static uint64_t seconds(unsigned v, unsigned otherwise)
{
	return (uint64_t)given(v, otherwise) * 1000000;
}

static void set_defaults(struct ctr_http_server *s)
{
	struct ctr_http_server_conf *c = &s->conf;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	c->loops = given(c->loops, cores > 0 ? (unsigned)cores : 1);
	c->workers = given(c->workers, cores > 0 ? (unsigned)cores : 1);
	c->bodies = c->bodies ? c->bodies : (size_t)8 << 20;
	c->request_s = given(c->request_s, 60);
	s->deadlines[CTR_CONN_HANDSHAKE] = s->deadlines[CTR_CONN_HEAD] = seconds(c->head_s, 10);
	s->deadlines[CTR_CONN_IDLE] = seconds(c->idle_s, 60);
	s->deadlines[CTR_CONN_BODY] = seconds(c->body_s, 20);
	s->deadlines[CTR_CONN_ANSWER] = seconds(c->answer_s, 20);
	s->deadlines[CTR_CONN_LINGER] = seconds(0, LINGER_S);
	s->deadlines[CTR_CONN_HEAD_WAIT] = s->deadlines[CTR_CONN_BODY_WAIT] =
		s->deadlines[CTR_CONN_QUEUE] = seconds(c->request_s, 0);
}

static void on_granted(struct ctr_http_waiter *w)
{
	char *p = (char *)w - offsetof(struct ctr_http_link, wait);

	ctr_http_loop_post((struct ctr_http_link *)(void *)p);
}

static int open_ports(struct ctr_http_server *s, struct ctr_err *e)
{
	for (unsigned i = 0; i < s->conf.n_listeners; i++) {
		const struct ctr_http_listener *l = &s->conf.listeners[i];
		struct ctr_http_port *p = &s->ports[i];

		p->tls = l->tls;
		p->limit = given(l->connections, l->tls ? 256 : 20000);
		if (ctr_http_bind(l->address, &p->fd, &p->number, e) < 0)
			return -1;
	}
	return 0;
}

/* Request ids of two lives of a daemon should not meet in its log. */
static int set_prefix(struct ctr_http_server *s, struct ctr_err *e)
{
	uint32_t raw;

	if (getrandom(&raw, sizeof raw, 0) != sizeof raw)
		return ctr_fail_sys(e, "http.listen", "no random bytes");
	snprintf(s->prefix, sizeof s->prefix, "%08" PRIx32, raw);
	return 0;
}

static int prepare(struct ctr_http_server *s, struct ctr_err *e)
{
	size_t bodies = s->conf.bodies;

	ctr_http_budget_init(&s->budgets[CTR_CLAIM_HEAD], bodies / 8, on_granted);
	ctr_http_budget_init(&s->budgets[CTR_CLAIM_BODY], bodies, on_granted);
	/* smaller than any body that claims it: one at a time */
	ctr_http_budget_init(&s->budgets[CTR_CLAIM_LARGE], 1, on_granted);
	ctr_http_pool_init(&s->pool, s);
	if (set_prefix(s, e) < 0 || open_ports(s, e) < 0)
		return -1;
	s->loops = calloc(s->conf.loops, sizeof *s->loops);
	s->pool.threads = calloc(s->conf.workers, sizeof *s->pool.threads);
	if (!s->loops || !s->pool.threads)
		return ctr_fail_mem(e);
	while (s->n_loops < s->conf.loops) {
		if (ctr_http_loop_init(&s->loops[s->n_loops++], s, e) < 0)
			return -1;
	}
	return 0;
}

int ctr_http_server_new(const struct ctr_http_server_conf *c, struct ctr_http_server **out,
			struct ctr_err *e)
{
	struct ctr_http_server *s;

	*out = NULL;
	if (c->n_listeners == 0 || c->n_listeners > CTR_HTTP_LISTENERS)
		return ctr_fail(e, CTR_USAGE, "http.address", "%u addresses to listen on (1 to %d)",
				c->n_listeners, CTR_HTTP_LISTENERS);
	s = calloc(1, sizeof *s);
	if (!s)
		return ctr_fail_mem(e);
	s->conf = *c;
	for (unsigned i = 0; i < CTR_HTTP_LISTENERS; i++)
		s->ports[i].fd = -1;
	set_defaults(s);
	if (prepare(s, e) < 0) {
		ctr_http_server_free(s);
		return -1;
	}
	*out = s;
	return 0;
}

unsigned ctr_http_server_port(const struct ctr_http_server *s, unsigned listener)
{
	return s->ports[listener].number;
}

/* With all signals blocked: they are the main thread's. */
static int start_thread(pthread_t *t, void *(*run)(void *), void *arg)
{
	pthread_attr_t attr;
	sigset_t all, before;
	int r = pthread_attr_init(&attr);

	if (r != 0)
		return r;
	sigfillset(&all);
	pthread_attr_setstacksize(&attr, STACK);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(t, &attr, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return r;
}

int ctr_http_server_start(struct ctr_http_server *s, struct ctr_err *e)
{
	int r = 0;

	while (r == 0 && s->pool.n < s->conf.workers) {
		r = start_thread(&s->pool.threads[s->pool.n], ctr_http_pool_main, &s->pool);
		s->pool.n += r == 0;
	}
	while (r == 0 && s->started < s->n_loops) {
		struct ctr_http_loop *l = &s->loops[s->started];

		r = start_thread(&l->thread, ctr_http_loop_main, l);
		s->started += r == 0;
	}
	if (r == 0)
		return 0;
	ctr_http_server_stop(s, 0);
	errno = r;
	return ctr_fail_sys(e, "http.start", "no thread");
}

void ctr_http_server_stop(struct ctr_http_server *s, unsigned drain_s)
{
	s->drain_s = drain_s;
	s->stopping = true;
	for (unsigned i = 0; i < s->started; i++)
		ctr_http_loop_wake(&s->loops[i]);
	for (unsigned i = 0; i < s->conf.n_listeners; i++)
		shutdown(s->ports[i].fd, SHUT_RD); /* who comes now is not left waiting */
	for (unsigned i = 0; i < s->started; i++)
		pthread_join(s->loops[i].thread, NULL);
	ctr_http_pool_stop(&s->pool);
	for (unsigned i = 0; i < s->pool.n; i++)
		pthread_join(s->pool.threads[i], NULL);
	s->started = s->pool.n = 0;
}

void ctr_http_server_free(struct ctr_http_server *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < s->n_loops; i++)
		ctr_http_loop_fini(&s->loops[i]);
	for (unsigned i = 0; i < s->conf.n_listeners; i++) {
		if (s->ports[i].fd >= 0)
			close(s->ports[i].fd);
	}
	free(s->loops);
	free(s->pool.threads);
	free(s);
}
