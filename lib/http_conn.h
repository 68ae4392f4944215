/*
 * One connection of lib/http_server.h: what is done with its bytes. No sockets, no threads, no
 * clock: its owner brings those (lib/http_event.c, tests/fuzz/fuzz_httpconn.c).
 */
#ifndef LIB_HTTP_CONN_H
#define LIB_HTTP_CONN_H

#include "chan.h"
#include "http_parse.h"
#include "http_server.h"

#define CTR_HTTP_STEP 262144   /* bytes of a body or an answer in one deadline */
#define CTR_HTTP_HEAD_FREE 960 /* bytes of a head that claim nothing */

struct ctr_http_conn;

enum ctr_http_state { /* each with a deadline of its own */
		      CTR_CONN_HANDSHAKE,
		      CTR_CONN_IDLE,
		      CTR_CONN_HEAD,
		      CTR_CONN_HEAD_WAIT, /* for the memory of a long head */
		      CTR_CONN_BODY_WAIT, /* for that of a body */
		      CTR_CONN_BODY,
		      CTR_CONN_QUEUE, /* for a worker, or with one */
		      CTR_CONN_ANSWER,
		      CTR_CONN_LINGER, /* answered; what still comes is thrown away, so that the
					  answer arrives */
		      CTR_CONN_CLOSED, /* over: the next run says so */
		      CTR_CONN_STATES,
};

/* What a connection waits for. */
enum ctr_http_want {
	CTR_WANT_READ,
	CTR_WANT_WRITE,
	CTR_WANT_CALL,	/* ctr_http_conn_granted or ctr_http_conn_answered */
	CTR_WANT_TURN,	/* it has had its share: run again after the others */
	CTR_WANT_CLOSE, /* ctr_http_conn_fini, and the channel closed */
	CTR_WANT_GO,	/* not for owners */
};

enum ctr_http_claim {
	CTR_CLAIM_HEAD,
	CTR_CLAIM_BODY,
	CTR_CLAIM_LARGE,  /* a large body: one at a time */
	CTR_CLAIM_ANSWER, /* always granted */
	CTR_CLAIMS,
};

/* What the connections of one loop share. */
struct ctr_http_env {
	const struct ctr_http_server_conf *conf;
	uint64_t now;	    /* microseconds; kept by the owner */
	bool closing;	    /* no request after this one */
	const char *prefix; /* of request ids */
	_Atomic uint64_t *count;
	/* false: ctr_http_conn_granted comes later */
	bool (*claim)(struct ctr_http_conn *c, enum ctr_http_claim what, size_t n);
	void (*release)(struct ctr_http_conn *c, enum ctr_http_claim what, size_t n);
	/* ctr_http_conn_handle in a worker, then ctr_http_conn_answered */
	void (*queue)(struct ctr_http_conn *c);
};

struct ctr_http_conn {
	struct ctr_http_env *env;
	const struct ctr_chan_ops *ops;
	void *chan;
	struct ctr_buf in; /* read, and not used yet; no memory while idle */
	struct ctr_http_work *work;
	uint32_t claimed[CTR_CLAIMS];
	uint32_t looked; /* how far a head's end was looked for */
	uint32_t mark;	 /* another one whenever the deadline starts afresh */
	uint8_t state;	 /* enum ctr_http_state */
	uint8_t listener;
	bool ready; /* reading may give something: set by the owner */
};

void ctr_http_conn_init(struct ctr_http_conn *c, struct ctr_http_env *env, unsigned listener,
			const struct ctr_chan_ops *ops, void *chan);

/* Frees what it holds and releases its claims; not while it is queued. */
void ctr_http_conn_fini(struct ctr_http_conn *c);

/* Goes as far as it can. The state and the mark say which deadline holds from then on. */
enum ctr_http_want ctr_http_conn_run(struct ctr_http_conn *c);

/* The claim it waits for is granted: ctr_http_conn_run comes next. */
void ctr_http_conn_granted(struct ctr_http_conn *c);

/* Calls the handler unless it is too late for that, by the clock of env->now: in a worker's thread,
 * touches nothing but this connection. */
void ctr_http_conn_handle(struct ctr_http_conn *c, uint64_t now);

/* The handler is done: ctr_http_conn_run comes next. */
void ctr_http_conn_answered(struct ctr_http_conn *c);

/* Its deadline passed, and its owner has taken it out of every queue: refuses or ends it;
 * ctr_http_conn_run comes next. */
void ctr_http_conn_expire(struct ctr_http_conn *c);

/* Since when it holds its latest claim. */
uint64_t ctr_http_conn_since(const struct ctr_http_conn *c);

#endif
