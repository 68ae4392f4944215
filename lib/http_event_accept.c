#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crypto_tls.h"
#include "http_event.h"

#define BATCH 16      /* connections taken at a time: those there are wait too */
#define LOOK 16	      /* candidates that are looked at */
#define YOUNG 1000000 /* microseconds in which a head may come before it is spared for another */

/* Its request is there, only the loop has not come to it. */
static bool unread(const struct ctr_http_link *k)
{
	char c;

	return recv(k->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* The first of a list that is no other thread's and old enough. */
static struct ctr_http_link *oldest(struct ctr_http_loop *l, unsigned listener,
				    enum ctr_http_state s, uint64_t age)
{
	struct ctr_http_link *k = TAILQ_FIRST(&l->lists[listener][s]);

	for (unsigned i = 0; k && i < LOOK && l->env.now - k->start >= age; i++) {
		if (!k->away && (s != CTR_CONN_IDLE || !unread(k)))
			return k;
		k = TAILQ_NEXT(k, deadline);
	}
	return NULL;
}

bool ctr_http_evict(struct ctr_http_loop *l, unsigned listener)
{
	static const struct {
		enum ctr_http_state state;
		uint64_t age;
	} order[] = { { CTR_CONN_LINGER, 0 },
		      { CTR_CONN_IDLE, 0 },
		      { CTR_CONN_HANDSHAKE, YOUNG },
		      { CTR_CONN_HEAD, YOUNG } };

	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		struct ctr_http_link *k = oldest(l, listener, order[i].state, order[i].age);

		if (k) {
			ctr_http_link_close(k);
			return true;
		}
	}
	return false;
}

static void pause_accept(struct ctr_http_loop *l, unsigned listener)
{
	event_del(l->accept[listener]);
	l->paused[listener] = true;
	ctr_http_loop_tick(l);
}

/* One too many, and none here that can go: the others have the next tick to find one. */
static void ask_others(struct ctr_http_loop *l, unsigned listener)
{
	struct ctr_http_server *s = l->server;

	for (unsigned i = 0; i < s->n_loops; i++) {
		if (&s->loops[i] == l)
			continue;
		s->loops[i].crowded |= 1u << listener;
		ctr_http_loop_wake(&s->loops[i]);
	}
}

void ctr_http_accept_resume(struct ctr_http_loop *l)
{
	for (unsigned i = 0; i < l->server->conf.n_listeners; i++) {
		struct ctr_http_port *p = &l->server->ports[i];

		if (!l->paused[i] || l->env.closing)
			continue;
		if (p->count >= p->limit && !ctr_http_evict(l, i))
			ask_others(l, i);
		if (p->count < p->limit && event_add(l->accept[i], NULL) == 0)
			l->paused[i] = false;
		else
			ctr_http_loop_tick(l);
	}
}

/* No descriptors or no memory: an idle connection of any listener makes room. */
static bool make_room(struct ctr_http_loop *l)
{
	for (unsigned i = 0; i < l->server->conf.n_listeners; i++) {
		if (ctr_http_evict(l, i))
			return true;
	}
	return false;
}

/* True: go on. */
static bool on_error(struct ctr_http_loop *l, unsigned listener)
{
	struct pollfd p = { .fd = l->server->ports[listener].fd, .events = POLLIN };

	switch (errno) {
	case EAGAIN:
	case EINVAL: /* closed: ctr_http_server_stop */
		return false;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		/* accept4 wants a descriptor before it looks whether there is a connection */
		if (poll(&p, 1, 0) != 1)
			return false;
		if (make_room(l))
			return true;
		pause_accept(l, listener);
		return false;
	default: /* of a connection that is gone already: accept(2) */
		return true;
	}
}

/* True: more may be taken. */
static bool welcome(struct ctr_http_loop *l, unsigned listener, int fd)
{
	struct ctr_http_port *p = &l->server->ports[listener];
	struct ctr_tls *tls = NULL;
	bool room = true;
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (++p->count > p->limit && !ctr_http_evict(l, listener)) {
		ask_others(l, listener);
		pause_accept(l, listener);
		room = false;
	}
	if (p->tls && ctr_tls_new(p->tls, fd, &tls, NULL) < 0) {
		close(fd);
		p->count--;
		return room;
	}
	ctr_http_link_new(l, listener, fd, tls);
	return room;
}

void ctr_http_accept(evutil_socket_t fd, short what, void *loop)
{
	struct ctr_http_loop *l = loop;
	unsigned listener = 0;
	bool more = true;

	(void)what;
	while (l->server->ports[listener].fd != fd)
		listener++;
	l->env.now = ctr_http_now();
	for (unsigned i = 0; more && i < BATCH; i++) {
		int c = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		more = c < 0 ? on_error(l, listener) : welcome(l, listener, c);
	}
	if (l->n)
		ctr_http_loop_tick(l);
}
