#include "http_conn_int.h"

#include <string.h>

#include "http_route.h"

#define READ_HEAD 500 /* bytes: so little is read ahead of the budget */
#define LINGER_READ 4096
#define TURN 32 /* steps in one run */

void ctr_http_conn_init(struct ctr_http_conn *c, struct ctr_http_env *env, unsigned listener,
			const struct ctr_chan_ops *ops, void *chan)
{
	*c = (struct ctr_http_conn){ .env = env, .ops = ops, .chan = chan };
	c->listener = (uint8_t)listener;
	c->in.wipe = true;
	c->state = ops->handshake ? CTR_CONN_HANDSHAKE : CTR_CONN_IDLE;
}

void ctr_http_conn_enter(struct ctr_http_conn *c, enum ctr_http_state s)
{
	c->state = (uint8_t)s;
	c->mark++;
}

void ctr_http_conn_release(struct ctr_http_conn *c, enum ctr_http_claim what)
{
	size_t n = c->claimed[what];

	c->claimed[what] = 0;
	if (n)
		c->env->release(c, what, n);
}

void ctr_http_conn_drop_body(struct ctr_http_conn *c)
{
	struct ctr_http_work *w = c->work;
	struct ctr_buf b = { .p = w->body, .cap = w->n, .wipe = true };

	ctr_buf_free(&b); /* wipes what was written, not what was only there */
	w->body = NULL;
	w->n = 0;
	ctr_http_conn_release(c, CTR_CLAIM_BODY);
	ctr_http_conn_release(c, CTR_CLAIM_LARGE);
}

static void free_work(struct ctr_http_conn *c)
{
	struct ctr_http_work *w = c->work;

	if (!w)
		return;
	ctr_http_conn_drop_body(c);
	ctr_buf_free(&w->head_bytes);
	ctr_http_call_free(w->call);
	free(w);
	c->work = NULL;
	ctr_http_conn_release(c, CTR_CLAIM_HEAD);
	ctr_http_conn_release(c, CTR_CLAIM_ANSWER);
}

void ctr_http_conn_fini(struct ctr_http_conn *c)
{
	free_work(c);
	ctr_buf_free(&c->in);
}

enum ctr_http_want ctr_http_conn_wait(enum ctr_chan r)
{
	return r == CTR_CHAN_READ    ? CTR_WANT_READ
	       : r == CTR_CHAN_WRITE ? CTR_WANT_WRITE
				     : CTR_WANT_CLOSE;
}

/* Asks the channel only when it may have something: a call to the system less for each answer. */
static enum ctr_chan receive(struct ctr_http_conn *c, void *p, size_t n, size_t *got)
{
	enum ctr_chan r;

	*got = 0;
	if (!c->ready && !(c->ops->pending && c->ops->pending(c->chan)))
		return CTR_CHAN_READ;
	r = c->ops->read(c->chan, p, n, got);
	if (r == CTR_CHAN_READ || (r == CTR_CHAN_OK && *got < n && !c->ops->pending))
		c->ready = false;
	return r;
}

/* Forgets the first n bytes of c->in, in memory of the size that is needed. */
static void drop(struct ctr_http_conn *c, size_t n)
{
	struct ctr_buf rest = { .wipe = true };

	if (n < c->in.n)
		ctr_buf_add(&rest, c->in.p + n, c->in.n - n);
	ctr_buf_free(&c->in);
	c->in = rest;
}

/* Up to n bytes more of c->in. One that waits keeps no more memory than it has bytes for. */
static enum ctr_chan fill(struct ctr_http_conn *c, size_t n)
{
	uint8_t *p = ctr_buf_room(&c->in, n);
	size_t got;
	enum ctr_chan r;

	if (!p)
		return CTR_CHAN_FAIL;
	r = receive(c, p, n, &got);
	if (r == CTR_CHAN_OK)
		ctr_buf_commit(&c->in, got);
	else if (c->in.n < c->in.cap / 4)
		drop(c, 0);
	return r;
}

static enum ctr_http_want new_request(struct ctr_http_conn *c)
{
	c->work = calloc(1, sizeof *c->work);
	if (!c->work)
		return CTR_WANT_CLOSE;
	c->work->began = c->work->since = c->env->now;
	c->work->head_bytes.wipe = true;
	c->looked = 0;
	ctr_http_conn_enter(c, CTR_CONN_HEAD);
	return CTR_WANT_GO;
}

static enum ctr_http_want step_handshake(struct ctr_http_conn *c)
{
	enum ctr_chan r = c->ops->handshake(c->chan);

	if (r != CTR_CHAN_OK)
		return ctr_http_conn_wait(r);
	ctr_http_conn_enter(c, CTR_CONN_IDLE);
	return CTR_WANT_GO;
}

static enum ctr_http_want step_idle(struct ctr_http_conn *c)
{
	enum ctr_chan r = CTR_CHAN_OK;

	if (c->in.n == 0)
		r = fill(c, READ_HEAD);
	if (r == CTR_CHAN_READ && c->env->closing)
		return CTR_WANT_CLOSE;
	return r == CTR_CHAN_OK ? new_request(c) : ctr_http_conn_wait(r);
}

/* Asks for memory; the state while it has to wait. */
static bool claim(struct ctr_http_conn *c, enum ctr_http_claim what, size_t n,
		  enum ctr_http_state wait)
{
	c->claimed[what] = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
	if (c->env->claim(c, what, c->claimed[what])) {
		c->work->since = c->env->now;
		return true;
	}
	ctr_http_conn_enter(c, wait);
	return false;
}

static enum ctr_http_want start_body(struct ctr_http_conn *c)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct ctr_http_work *w = c->work;
	size_t put = 0;

	w->body = malloc(w->need + 1);
	if (!w->body)
		return ctr_http_conn_refuse(c, 503, "memory", "out of memory");
	ctr_http_conn_enter(c, CTR_CONN_BODY);
	/* the first bytes after an answer: they fit, or the peer is none to wait for */
	if (w->head.expects && c->in.n == w->at &&
	    (c->ops->write(c->chan, go_on, sizeof go_on - 1, &put) != CTR_CHAN_OK ||
	     put != sizeof go_on - 1))
		return CTR_WANT_CLOSE;
	return CTR_WANT_GO;
}

static enum ctr_http_want want_body(struct ctr_http_conn *c)
{
	struct ctr_http_work *w = c->work;
	enum ctr_http_claim what;

	if (w->route->json && !ctr_http_type_json(w->head.content_type))
		return ctr_http_conn_refuse(c, 415, "http.type",
					    "the Content-Type must be application/json");
	if (w->head.length > w->route->body_max || w->route->body_max == 0)
		return ctr_http_conn_refuse(c, 413, "http.body", "the body is too large");
	w->need = w->head.chunked ? w->route->body_max : (size_t)w->head.length;
	if (w->head.chunked) { /* the head stays where it is, c->in moves on */
		w->head_bytes = c->in;
		c->in = (struct ctr_buf){ .wipe = true };
		ctr_buf_add(&c->in, w->head_bytes.p + w->at, w->head_bytes.n - w->at);
		w->at = 0;
	}
	what = w->need > c->env->conf->bodies / 8 ? CTR_CLAIM_LARGE : CTR_CLAIM_BODY;
	return claim(c, what, w->need, CTR_CONN_BODY_WAIT) ? start_body(c) : CTR_WANT_CALL;
}

static enum ctr_http_want have_head(struct ctr_http_conn *c, size_t n)
{
	struct ctr_http_work *w = c->work;
	struct ctr_err e = { 0 };
	bool known;

	w->at = n;
	if (ctr_http_head_parse(c->in.p, n, &w->head, &e) < 0)
		return ctr_http_conn_refuse(c, ctr_http_status(&e), e.id, e.msg);
	w->parsed = true;
	if (c->ops->stale && c->ops->stale(c->chan))
		return CTR_WANT_CLOSE;
	w->route = ctr_http_route_find(c->env->conf, c->listener, w->head.method, w->head.path,
				       &w->rest, &known);
	if (!w->route && known)
		return ctr_http_conn_refuse(c, 405, "http.method", "not with this method");
	if (!w->route)
		return ctr_http_conn_refuse(c, 404, "http.route", "there is nothing here");
	return w->head.length || w->head.chunked ? want_body(c) : ctr_http_conn_dispatch(c);
}

static enum ctr_http_want step_head(struct ctr_http_conn *c)
{
	size_t end = ctr_http_head_end(c->in.p, c->in.n, c->looked);
	enum ctr_chan r;

	if (end)
		return have_head(c, end);
	c->looked = (uint32_t)c->in.n;
	if (c->in.n >= CTR_HTTP_HEAD_MAX)
		return ctr_http_conn_refuse(c, 431, "http.head", "the head is too long");
	if (c->in.n > CTR_HTTP_HEAD_FREE && !c->claimed[CTR_CLAIM_HEAD] &&
	    !claim(c, CTR_CLAIM_HEAD, CTR_HTTP_HEAD_MAX, CTR_CONN_HEAD_WAIT))
		return CTR_WANT_CALL;
	r = fill(c,
		 READ_HEAD < CTR_HTTP_HEAD_MAX - c->in.n ? READ_HEAD : CTR_HTTP_HEAD_MAX - c->in.n);
	if (r == CTR_CHAN_END)
		return ctr_http_conn_refuse(c, 400, "http.cut", "the request ends too early");
	return r == CTR_CHAN_OK ? CTR_WANT_GO : ctr_http_conn_wait(r);
}

static void gained(struct ctr_http_conn *c, size_t n)
{
	struct ctr_http_work *w = c->work;

	w->n += n;
	w->step += n;
	if (w->step < CTR_HTTP_STEP)
		return;
	w->step = 0;
	c->mark++;
}

/* Straight to its place: up to n bytes. */
static enum ctr_chan read_body(struct ctr_http_conn *c, size_t n)
{
	struct ctr_http_work *w = c->work;
	size_t got;
	enum ctr_chan r = receive(c, w->body + w->n, n < CTR_HTTP_STEP ? n : CTR_HTTP_STEP, &got);

	if (r == CTR_CHAN_OK)
		gained(c, got);
	return r;
}

static enum ctr_http_want have_body(struct ctr_http_conn *c)
{
	c->work->body[c->work->n] = '\0';
	return ctr_http_conn_dispatch(c);
}

static enum ctr_chan step_plain(struct ctr_http_conn *c, struct ctr_err *e)
{
	struct ctr_http_work *w = c->work;
	size_t have = c->in.n - w->at, n = w->need - w->n;

	(void)e;
	if (!have)
		return read_body(c, n);
	n = have < n ? have : n;
	memcpy(w->body + w->n, c->in.p + w->at, n);
	w->at += n;
	gained(c, n);
	return CTR_CHAN_OK;
}

/* Takes what c->in has; CTR_CHAN_OK also when it takes nothing. */
static int unchunk(struct ctr_http_conn *c, struct ctr_err *e)
{
	struct ctr_http_work *w = c->work;
	struct ctr_rd r, data;

	do {
		ctr_rd_init(&r, c->in.p + w->at, c->in.n - w->at);
		if (ctr_http_chunk(&w->chunks, &r, &data, e) < 0)
			return -1;
		if (data.left > w->need - w->n || (w->chunks.state == CTR_CHUNK_DATA &&
						   w->chunks.left > w->need - w->n - data.left))
			return ctr_fail(e, CTR_FORMAT, "http.body", "the body is too large");
		if (data.left)
			memcpy(w->body + w->n, data.p, data.left);
		w->at += r.at;
		gained(c, data.left);
	} while (r.at && w->at < c->in.n && w->chunks.state != CTR_CHUNK_DONE);
	return 0;
}

static enum ctr_chan step_chunks(struct ctr_http_conn *c, struct ctr_err *e)
{
	struct ctr_http_work *w = c->work;
	struct ctr_rd r, data;
	enum ctr_chan got;
	size_t from;

	if (c->in.n > w->at && unchunk(c, e) < 0)
		return CTR_CHAN_FAIL;
	if (w->chunks.state == CTR_CHUNK_DONE)
		return CTR_CHAN_OK;
	drop(c, w->at);
	w->at = 0;
	if (w->chunks.state != CTR_CHUNK_DATA)
		return fill(c, READ_HEAD);
	from = w->n;
	got = read_body(c, (size_t)w->chunks.left);
	ctr_rd_init(&r, w->body + from, w->n - from);
	/* nothing is copied: the data is where it belongs */
	return w->n > from && ctr_http_chunk(&w->chunks, &r, &data, e) < 0 ? CTR_CHAN_FAIL : got;
}

static enum ctr_http_want step_body(struct ctr_http_conn *c)
{
	struct ctr_http_work *w = c->work;
	struct ctr_err e = { 0 };
	bool done = w->head.chunked ? w->chunks.state == CTR_CHUNK_DONE : w->n == w->need;
	enum ctr_chan r;

	if (done)
		return have_body(c);
	r = w->head.chunked ? step_chunks(c, &e) : step_plain(c, &e);
	if (e.code && strcmp(e.id, "http.body") == 0)
		return ctr_http_conn_refuse(c, 413, e.id, e.msg);
	if (e.code)
		return ctr_http_conn_refuse(c, ctr_http_status(&e), e.id, e.msg);
	if (r == CTR_CHAN_END)
		return ctr_http_conn_refuse(c, 400, "http.cut", "the request ends too early");
	return r == CTR_CHAN_OK ? CTR_WANT_GO : ctr_http_conn_wait(r);
}

static enum ctr_http_want step_wait(struct ctr_http_conn *c)
{
	(void)c;
	return CTR_WANT_CALL;
}

static enum ctr_http_want step_answer(struct ctr_http_conn *c)
{
	enum ctr_http_want want = ctr_http_conn_write(c);
	bool keep, linger;

	if (want != CTR_WANT_GO)
		return want;
	drop(c, c->work->at);
	keep = c->work->keep;
	linger = c->work->linger || c->in.n > 0;
	free_work(c);
	if (keep) {
		ctr_http_conn_enter(c, CTR_CONN_IDLE);
		return CTR_WANT_GO;
	}
	if (!linger)
		return CTR_WANT_CLOSE;
	ctr_buf_free(&c->in);
	c->ops->shut(c->chan);
	ctr_http_conn_enter(c, CTR_CONN_LINGER);
	return CTR_WANT_GO;
}

static enum ctr_http_want step_linger(struct ctr_http_conn *c)
{
	char thrown[LINGER_READ];
	size_t got;
	enum ctr_chan r = receive(c, thrown, sizeof thrown, &got);

	return r == CTR_CHAN_OK ? CTR_WANT_GO : ctr_http_conn_wait(r);
}

static enum ctr_http_want step_closed(struct ctr_http_conn *c)
{
	(void)c;
	return CTR_WANT_CLOSE;
}

enum ctr_http_want ctr_http_conn_run(struct ctr_http_conn *c)
{
	static enum ctr_http_want (*const steps[CTR_CONN_STATES])(struct ctr_http_conn *) = {
		[CTR_CONN_HANDSHAKE] = step_handshake, [CTR_CONN_IDLE] = step_idle,
		[CTR_CONN_HEAD] = step_head,	       [CTR_CONN_HEAD_WAIT] = step_wait,
		[CTR_CONN_BODY_WAIT] = step_wait,      [CTR_CONN_BODY] = step_body,
		[CTR_CONN_QUEUE] = step_wait,	       [CTR_CONN_ANSWER] = step_answer,
		[CTR_CONN_LINGER] = step_linger,       [CTR_CONN_CLOSED] = step_closed,
	};
	enum ctr_http_want want = CTR_WANT_GO;

	for (unsigned i = 0; want == CTR_WANT_GO && i < TURN; i++)
		want = steps[c->state](c);
	return want == CTR_WANT_GO ? CTR_WANT_TURN : want;
}

void ctr_http_conn_granted(struct ctr_http_conn *c)
{
	c->work->since = c->env->now;
	if (c->state == CTR_CONN_HEAD_WAIT)
		ctr_http_conn_enter(c, CTR_CONN_HEAD);
	else if (start_body(c) == CTR_WANT_CLOSE)
		ctr_http_conn_enter(c, CTR_CONN_CLOSED);
}

void ctr_http_conn_expire(struct ctr_http_conn *c)
{
	enum ctr_http_want want = CTR_WANT_CLOSE;

	switch (c->state) {
	case CTR_CONN_HEAD_WAIT:
	case CTR_CONN_BODY_WAIT:
		/* never granted, so nothing to give back; a long head may hold its claim */
		if (c->state == CTR_CONN_HEAD_WAIT)
			c->claimed[CTR_CLAIM_HEAD] = 0;
		c->claimed[CTR_CLAIM_BODY] = c->claimed[CTR_CLAIM_LARGE] = 0;
		want = ctr_http_conn_refuse(c, 503, "http.busy", "too many requests at once");
		break;
	case CTR_CONN_QUEUE:
		want = ctr_http_conn_refuse(c, 503, "http.busy", "too many requests at once");
		break;
	case CTR_CONN_HEAD:
	case CTR_CONN_BODY:
		want = ctr_http_conn_refuse(c, 408, "http.slow", "the request came too slowly");
		break;
	default:
		break;
	}
	if (want == CTR_WANT_CLOSE)
		ctr_http_conn_enter(c, CTR_CONN_CLOSED);
}

uint64_t ctr_http_conn_since(const struct ctr_http_conn *c)
{
	return c->work ? c->work->since : c->env->now;
}
