/* Inside lib/http_server.h: loops, connections in them, and workers. */
#ifndef LIB_HTTP_EVENT_H
#define LIB_HTTP_EVENT_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "http_budget.h"
#include "http_conn.h"

#define CTR_HTTP_LISTENERS 32

struct ctr_tls;
struct ctr_http_loop;

/* A connection in its loop. All but the last three is the loop's alone. */
struct ctr_http_link {
	struct ctr_http_conn conn;
	struct ctr_http_loop *loop;
	struct event event;
	struct ctr_tls *tls; /* NULL: plain */
	int fd;
	short armed;	/* what the event listens for, 0: not added */
	bool away;	/* in a queue, with a worker or in the mailbox: hands off */
	uint8_t listed; /* the state whose list it is in */
	uint32_t mark;	/* of the connection, when it was listed */
	uint64_t start; /* of its deadline, microseconds */
	TAILQ_ENTRY(ctr_http_link) deadline; /* oldest first */
	struct ctr_http_waiter wait;	     /* in a budget's queue */
	bool queued;			     /* in the workers' queue */
	TAILQ_ENTRY(ctr_http_link) next;     /* in the workers' queue or the mailbox */
};
TAILQ_HEAD(ctr_http_links, ctr_http_link);

struct ctr_http_port {
	int fd;
	unsigned number; /* of the port */
	unsigned limit;
	atomic_uint count;
	struct ctr_tls_server *tls;
};

struct ctr_http_loop {
	struct ctr_http_server *server;
	struct event_base *base;
	struct ctr_http_env env;
	struct event *wake, *tick;
	struct event *accept[CTR_HTTP_LISTENERS];
	bool paused[CTR_HTTP_LISTENERS]; /* nothing is accepted until the next tick */
	int wake_fd;
	pthread_mutex_t lock;	   /* of the mailbox */
	struct ctr_http_links box; /* granted, answered, or to be run again */
	atomic_uint crowded;	   /* bit set of listeners: another loop wants an idle one to go */
	struct ctr_http_links lists[CTR_HTTP_LISTENERS][CTR_CONN_STATES];
	unsigned n; /* connections */
	uint64_t drain_until;
	pthread_t thread;
};

/* Requests that wait for a worker, and answers that wait for their readers. */
struct ctr_http_pool {
	struct ctr_http_server *server;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct ctr_http_links queue;
	size_t answers, answers_max; /* bytes: above, no handler starts */
	_Atomic bool pressed;	     /* requests wait for answers to be read */
	bool stop;
	unsigned n;
	pthread_t *threads;
};

struct ctr_http_server {
	struct ctr_http_server_conf conf;
	struct ctr_http_port ports[CTR_HTTP_LISTENERS];
	uint64_t deadlines[CTR_CONN_STATES]; /* microseconds */
	struct ctr_http_budget budgets[CTR_CLAIM_ANSWER];
	struct ctr_http_pool pool;
	struct ctr_http_loop *loops;
	unsigned n_loops, started;
	char prefix[9];
	_Atomic uint64_t count; /* of requests */
	atomic_bool stopping;
	unsigned drain_s;
};

/* lib/http_event.c */
CTR_MUST int ctr_http_loop_init(struct ctr_http_loop *l, struct ctr_http_server *s,
				struct ctr_err *e);
void ctr_http_loop_fini(struct ctr_http_loop *l);
void *ctr_http_loop_main(void *loop);
/* From any thread. */
void ctr_http_loop_wake(struct ctr_http_loop *l);
void ctr_http_loop_post(struct ctr_http_link *k);
uint64_t ctr_http_now(void); /* microseconds */

/* Takes the descriptor and tls over, which are counted already. */
void ctr_http_link_new(struct ctr_http_loop *l, unsigned listener, int fd, struct ctr_tls *tls);
/* Its deadline starts afresh. */
void ctr_http_link_renew(struct ctr_http_link *k);
/* Runs a connection, and does what it wants then. It may be gone afterwards. */
void ctr_http_link_serve(struct ctr_http_link *k);
void ctr_http_link_close(struct ctr_http_link *k);
void ctr_http_loop_tick(struct ctr_http_loop *l); /* arms the timer */

/* lib/http_event_accept.c */
void ctr_http_accept(evutil_socket_t fd, short what, void *loop);
/* Ends the connection that can best be spared; false: there is none. */
bool ctr_http_evict(struct ctr_http_loop *l, unsigned listener);
void ctr_http_accept_resume(struct ctr_http_loop *l);

/* lib/http_event_time.c: whatever waited too long. */
void ctr_http_deadlines(struct ctr_http_loop *l);
void ctr_http_drain(struct ctr_http_loop *l);

/* lib/http_event_pool.c */
void ctr_http_pool_init(struct ctr_http_pool *p, struct ctr_http_server *s);
void *ctr_http_pool_main(void *pool);
void ctr_http_pool_push(struct ctr_http_pool *p, struct ctr_http_link *k);
/* Takes it out again; false: a worker has it. */
bool ctr_http_pool_remove(struct ctr_http_pool *p, struct ctr_http_link *k);
void ctr_http_pool_hold(struct ctr_http_pool *p, size_t n); /* bytes of an answer */
void ctr_http_pool_give(struct ctr_http_pool *p, size_t n);
void ctr_http_pool_stop(struct ctr_http_pool *p);

/* lib/http_event_bind.c: "HOST:PORT" as a listening socket, which does not block. */
CTR_MUST int ctr_http_bind(const char *address, int *fd, unsigned *port, struct ctr_err *e);

/* lib/http_event_io.c */
extern const struct ctr_chan_ops ctr_http_plain, ctr_http_tls;

#endif
