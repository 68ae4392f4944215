/* Between lib/http_conn.c, which reads requests, and lib/http_conn_answer.c. */
#ifndef LIB_HTTP_CONN_INT_H
#define LIB_HTTP_CONN_INT_H

#include "http_conn.h"

/* What a request needs from its dispatch on. */
struct ctr_http_call {
	struct ctr_http_request rq;
	struct ctr_http_answer a;
	char id[40];
	struct ctr_buf out; /* the head, and a short body */
	size_t put, step;   /* bytes written, of both; since the deadline was renewed */
	bool bodiless;	    /* HEAD */
	bool late;
};

/* A request from its first byte on: small, for thousands may wait. */
struct ctr_http_work {
	struct ctr_http_head head;
	struct ctr_buf head_bytes; /* what head points into, when that is not conn->in any more */
	size_t at;		   /* bytes of conn->in that are done with */
	const struct ctr_http_route *route;
	const char *rest;
	char *body; /* room for need, and a NUL */
	size_t n, need, step;
	struct ctr_http_chunks chunks;
	uint64_t began, since;
	struct ctr_http_call *call;
	bool parsed; /* head is there */
	bool keep, linger;
};

void ctr_http_conn_enter(struct ctr_http_conn *c, enum ctr_http_state s);
void ctr_http_conn_release(struct ctr_http_conn *c, enum ctr_http_claim what);
/* Frees and wipes the body, and gives its claim back. */
void ctr_http_conn_drop_body(struct ctr_http_conn *c);
/* What a channel's result is for a step that cannot go on. */
enum ctr_http_want ctr_http_conn_wait(enum ctr_chan r);

/* The request is whole: to its handler. */
enum ctr_http_want ctr_http_conn_dispatch(struct ctr_http_conn *c);
/* In place of a handler. */
enum ctr_http_want ctr_http_conn_refuse(struct ctr_http_conn *c, unsigned status, const char *id,
					const char *text);
/* The step of CTR_CONN_ANSWER: CTR_WANT_GO once all is written. */
enum ctr_http_want ctr_http_conn_write(struct ctr_http_conn *c);
void ctr_http_call_free(struct ctr_http_call *k); /* NULL is legal */

#endif
