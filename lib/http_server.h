/*
 * The Coordinator's HTTP/1.1 server: event loops that read and write, a pool of workers that
 * answers. Framing is lib/http_parse.h's.
 *
 * What a client can hold is bounded: connections, bytes of heads, bodies and answers, and the time
 * in each state. Memory for a request is claimed before it is read; what does not fit waits unread
 * in its order. When others wait, those that are slow lose what they hold sooner (CTR_HTTP_GRACE).
 *
 * Every refusal is the caller's to word (ctr_http_refusal), with these ids:
 *
 *	404 http.route    405 http.method   413 http.body     415 http.type    431 http.head
 *	408 http.slow     503 http.busy     503 memory        400 http.cut     500 http.answer
 *
 * and those of lib/http_parse.h. After all but 404 and 405 without a body the connection ends.
 */
#ifndef LIB_HTTP_SERVER_H
#define LIB_HTTP_SERVER_H

#include "buf.h"
#include "log.h"

#define CTR_HTTP_HEAD_MAX 16384 /* bytes of a request's head */
#define CTR_HTTP_GRACE                                                                             \
	2 /* seconds that a request keeps what others wait for; 10 for large bodies */

struct ctr_http_route {
	const char *method; /* "POST"; a "GET" serves HEAD too */
	/* Exact, or a prefix that ends in "/" followed by an asterisk: all below it, never ""
	 * itself. */
	const char *path;
	unsigned id;
	size_t body_max;    /* bytes; 0: no body allowed */
	bool json;	    /* a body's Content-Type must be application/json, parameters allowed */
	bool quick;	    /* answered in the loop: must not block */
	unsigned listeners; /* bit set of the listeners that serve it */
};

struct ctr_http_request {
	unsigned route; /* its id */
	unsigned listener;
	const char *method, *path, *query, *authorization; /* query and authorization may be NULL */
	const char *rest; /* of the path, behind the prefix; "" for an exact path */
	const char *body; /* terminated by a NUL that n does not count */
	size_t n;
	const uint8_t *peer_cert; /* TLS: the client's verified leaf, DER; NULL without */
	size_t n_peer_cert;
	const char *id; /* for logs, unique in this process */
};

struct ctr_http_answer { /* starts zeroed but for body.wipe, which is set; freed by the server */
	unsigned status;
	const char *type; /* static; NULL: application/json */
	struct ctr_buf body;
	char challenge[160]; /* WWW-Authenticate, "" for none */
};

/* Called by several threads at once. It must come to an end by itself: nothing interrupts it. */
typedef void (*ctr_http_handler)(void *ctx, const struct ctr_http_request *rq,
				 struct ctr_http_answer *a);
/*
 * Whatever no handler answered: fills a->body and a->type for that status and id. Called in a
 * loop: must not block.
 */
typedef void (*ctr_http_refusal)(void *ctx, unsigned listener, unsigned status, const char *id,
				 const char *text, struct ctr_http_answer *a);
/*
 * After each answer that was sent in full, with the time since the request's first byte: for
 * metrics. route -1: none matched. Called in a loop. NULL: nobody wants to know.
 */
typedef void (*ctr_http_done)(void *ctx, int route, unsigned status, double seconds);

struct ctr_tls_server; /* lib/crypto_tls.h; outlives the server */

struct ctr_http_listener {
	const char *address; /* "HOST:PORT", "[::]:1314", ":1314" (all, IPv6 and IPv4); port 0: a
				free one */
	struct ctr_tls_server *tls; /* mutual TLS; NULL: plain */
	/*
	 * Connections, at most; above, the one idle for longest goes. 0: 20,000, with TLS 256 (each
	 * costs some 35 KiB). The listeners do not share it: a full one leaves the probes alone.
	 */
	unsigned connections;
};

struct ctr_http_server_conf { /* copied, but not what it points at; zero: a sound default */
	const struct ctr_http_listener *listeners;
	unsigned n_listeners; /* 1 to 32 */
	const struct ctr_http_route *routes;
	unsigned n_routes;
	unsigned loops, workers; /* 0: one a core */
	size_t bodies; /* bytes in memory at once, 0: 8 MiB. A body above an eighth of it waits for
			* the one place for large bodies instead. Answers have as much again. */
	/* Seconds. */
	unsigned idle_s;    /* between requests; 0: 60 */
	unsigned head_s;    /* for a handshake, for a head; 0: 10 */
	unsigned body_s;    /* for each 256 KiB of a body; 0: 20 */
	unsigned answer_s;  /* for each 256 KiB of an answer; 0: 20 */
	unsigned request_s; /* from a request's first byte until a handler takes it up; 0: 60 */
	ctr_http_handler handle;
	ctr_http_refusal refuse;
	ctr_http_done done;
	void *ctx;
	struct ctr_log *log; /* NULL: silent */
};

struct ctr_http_server;

/*
 * Binds and listens, starts nothing yet. CTR_ENV "http.listen" naming the address, "memory";
 * CTR_USAGE "http.address". The process needs a descriptor for each connection and some 50 more
 * (RLIMIT_NOFILE is the caller's), and ignores SIGPIPE.
 */
CTR_MUST int ctr_http_server_new(const struct ctr_http_server_conf *c, struct ctr_http_server **out,
				 struct ctr_err *e);
unsigned ctr_http_server_port(const struct ctr_http_server *s, unsigned listener);

/* Starts the threads, all signals blocked in them. CTR_ENV "http.start". */
CTR_MUST int ctr_http_server_start(struct ctr_http_server *s, struct ctr_err *e);

/*
 * No new connections; requests under way are answered, for at most drain_s seconds. Then all
 * threads end. Once, after a start that succeeded.
 */
void ctr_http_server_stop(struct ctr_http_server *s, unsigned drain_s);

/* After stop, or without start. NULL is legal. */
void ctr_http_server_free(struct ctr_http_server *s);

#endif
