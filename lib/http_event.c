#include <errno.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "crypto_tls.h"
#include "http_event.h"

#define TICK_MS 100

uint64_t ctr_http_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static struct ctr_http_link *link_of(struct ctr_http_conn *c)
{
	return (struct ctr_http_link *)c; /* its first member */
}

/* Into the list of its state, behind all others: the oldest is always the first. */
static void enlist(struct ctr_http_link *k)
{
	struct ctr_http_loop *l = k->loop;

	k->listed = k->conn.state;
	k->mark = k->conn.mark;
	k->start = l->env.now;
	TAILQ_INSERT_TAIL(&l->lists[k->conn.listener][k->listed], k, deadline);
}

static void delist(struct ctr_http_link *k)
{
	TAILQ_REMOVE(&k->loop->lists[k->conn.listener][k->listed], k, deadline);
}

void ctr_http_link_renew(struct ctr_http_link *k)
{
	delist(k);
	enlist(k);
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct ctr_http_link *k = arg;

	(void)fd;
	if (k->away) { /* it may wait for long: not to be told again and again */
		event_del(&k->event);
		k->armed = 0;
		return;
	}
	k->loop->env.now = ctr_http_now();
	k->conn.ready |= what & EV_READ;
	ctr_http_link_serve(k);
}

static bool arm(struct ctr_http_link *k, short what)
{
	if (k->armed == what)
		return true;
	if (k->armed)
		event_del(&k->event);
	k->armed = 0;
	if (event_assign(&k->event, k->loop->base, k->fd, what | EV_PERSIST, on_ready, k) < 0 ||
	    event_add(&k->event, NULL) < 0)
		return false;
	k->armed = what;
	return true;
}

void ctr_http_link_close(struct ctr_http_link *k)
{
	struct ctr_http_loop *l = k->loop;

	if (k->armed)
		event_del(&k->event);
	ctr_http_conn_fini(&k->conn);
	ctr_tls_free(k->tls);
	close(k->fd);
	delist(k);
	l->server->ports[k->conn.listener].count--;
	l->n--;
	free(k);
	if (l->env.closing && l->n == 0)
		event_base_loopbreak(l->base);
}

void ctr_http_link_serve(struct ctr_http_link *k)
{
	bool sound = true;

	switch (ctr_http_conn_run(&k->conn)) {
	case CTR_WANT_READ:
		sound = arm(k, EV_READ);
		break;
	case CTR_WANT_WRITE:
		sound = arm(k, EV_WRITE);
		break;
	case CTR_WANT_CALL:
		break;
	case CTR_WANT_TURN:
		k->away = true;
		ctr_http_loop_post(k);
		break;
	default:
		sound = false;
	}
	if (!sound)
		ctr_http_link_close(k);
	else if (k->listed != k->conn.state || k->mark != k->conn.mark)
		ctr_http_link_renew(k);
}

void ctr_http_link_new(struct ctr_http_loop *l, unsigned listener, int fd, struct ctr_tls *tls)
{
	struct ctr_http_link *k = calloc(1, sizeof *k);

	if (!k) {
		ctr_tls_free(tls);
		close(fd);
		l->server->ports[listener].count--;
		return;
	}
	k->loop = l;
	k->fd = fd;
	k->tls = tls;
	ctr_http_conn_init(&k->conn, &l->env, listener, tls ? &ctr_http_tls : &ctr_http_plain, k);
	l->n++;
	enlist(k);
	if (!arm(k, EV_READ))
		ctr_http_link_close(k);
}

void ctr_http_loop_wake(struct ctr_http_loop *l)
{
	uint64_t one = 1;
	ssize_t r;

	do
		r = write(l->wake_fd, &one, sizeof one);
	while (r < 0 && errno == EINTR);
}

void ctr_http_loop_post(struct ctr_http_link *k)
{
	struct ctr_http_loop *l = k->loop;
	bool first;

	pthread_mutex_lock(&l->lock);
	first = TAILQ_EMPTY(&l->box);
	TAILQ_INSERT_TAIL(&l->box, k, next);
	pthread_mutex_unlock(&l->lock);
	if (first)
		ctr_http_loop_wake(l);
}

/* What it waited for has happened. */
static void deliver(struct ctr_http_link *k)
{
	k->away = false;
	if (k->conn.state == CTR_CONN_QUEUE)
		ctr_http_conn_answered(&k->conn);
	else if (k->conn.state == CTR_CONN_HEAD_WAIT || k->conn.state == CTR_CONN_BODY_WAIT)
		ctr_http_conn_granted(&k->conn);
	ctr_http_link_serve(k);
}

static void open_box(struct ctr_http_loop *l)
{
	struct ctr_http_links box = TAILQ_HEAD_INITIALIZER(box);
	struct ctr_http_link *k;

	pthread_mutex_lock(&l->lock);
	TAILQ_CONCAT(&box, &l->box, next);
	pthread_mutex_unlock(&l->lock);
	while ((k = TAILQ_FIRST(&box))) {
		TAILQ_REMOVE(&box, k, next);
		l->env.now = ctr_http_now();
		deliver(k);
	}
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct ctr_http_loop *l = arg;
	unsigned crowded = atomic_exchange(&l->crowded, 0);
	uint64_t n;

	(void)what;
	if (read(fd, &n, sizeof n) < 0)
		return; /* somebody was faster: there is nobody, and nothing is lost */
	l->env.now = ctr_http_now();
	for (unsigned i = 0; crowded; i++, crowded >>= 1) {
		if (crowded & 1)
			ctr_http_evict(l, i);
	}
	open_box(l);
	if (l->server->stopping && !l->env.closing)
		ctr_http_drain(l);
}

void ctr_http_loop_tick(struct ctr_http_loop *l)
{
	static const struct timeval soon = { 0, TICK_MS * 1000 };

	if (!event_pending(l->tick, EV_TIMEOUT, NULL))
		event_add(l->tick, &soon);
}

/* While there is a connection: a server that nobody uses sleeps. */
static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct ctr_http_loop *l = arg;

	(void)fd;
	(void)what;
	l->env.now = ctr_http_now();
	ctr_http_deadlines(l);
	ctr_http_accept_resume(l);
	if (l->n)
		ctr_http_loop_tick(l);
}

static bool claim(struct ctr_http_conn *c, enum ctr_http_claim what, size_t n)
{
	struct ctr_http_link *k = link_of(c);
	struct ctr_http_server *s = k->loop->server;

	if (what == CTR_CLAIM_ANSWER)
		ctr_http_pool_hold(&s->pool, n);
	else
		k->away = !ctr_http_budget_take(&s->budgets[what], &k->wait, n);
	return !k->away;
}

static void release(struct ctr_http_conn *c, enum ctr_http_claim what, size_t n)
{
	struct ctr_http_server *s = link_of(c)->loop->server;

	if (what == CTR_CLAIM_ANSWER)
		ctr_http_pool_give(&s->pool, n);
	else
		ctr_http_budget_give(&s->budgets[what], n);
}

static void queue(struct ctr_http_conn *c)
{
	struct ctr_http_link *k = link_of(c);

	k->away = true;
	ctr_http_pool_push(&k->loop->server->pool, k);
}

static struct event_base *new_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config &&
	    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV) == 0)
		base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

static int add_ports(struct ctr_http_loop *l, struct ctr_err *e)
{
	for (unsigned i = 0; i < l->server->conf.n_listeners; i++) {
		l->accept[i] = event_new(l->base, l->server->ports[i].fd, EV_READ | EV_PERSIST,
					 ctr_http_accept, l);
		if (!l->accept[i] || event_add(l->accept[i], NULL) < 0)
			return ctr_fail_mem(e);
	}
	return 0;
}

int ctr_http_loop_init(struct ctr_http_loop *l, struct ctr_http_server *s, struct ctr_err *e)
{
	*l = (struct ctr_http_loop){ .server = s };
	pthread_mutex_init(&l->lock, NULL);
	TAILQ_INIT(&l->box);
	for (unsigned i = 0; i < CTR_HTTP_LISTENERS; i++) {
		for (unsigned j = 0; j < CTR_CONN_STATES; j++)
			TAILQ_INIT(&l->lists[i][j]);
	}
	l->env = (struct ctr_http_env){
		.conf = &s->conf,
		.prefix = s->prefix,
		.count = &s->count,
		.claim = claim,
		.release = release,
		.queue = queue,
	};
	l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (l->wake_fd < 0)
		return ctr_fail_sys(e, "http.listen", "eventfd");
	l->base = new_base();
	if (!l->base)
		return ctr_fail_mem(e);
	l->wake = event_new(l->base, l->wake_fd, EV_READ | EV_PERSIST, on_wake, l);
	l->tick = evtimer_new(l->base, on_tick, l);
	if (!l->wake || !l->tick || event_add(l->wake, NULL) < 0)
		return ctr_fail_mem(e);
	return add_ports(l, e);
}

void *ctr_http_loop_main(void *loop)
{
	struct ctr_http_loop *l = loop;

	event_base_dispatch(l->base);
	return NULL;
}

static void free_event(struct event *e)
{
	if (e)
		event_free(e);
}

void ctr_http_loop_fini(struct ctr_http_loop *l)
{
	for (unsigned i = 0; i < CTR_HTTP_LISTENERS; i++)
		free_event(l->accept[i]);
	free_event(l->wake);
	free_event(l->tick);
	if (l->base)
		event_base_free(l->base);
	if (l->wake_fd > 0)
		close(l->wake_fd);
	pthread_mutex_destroy(&l->lock);
}
