#include <stdlib.h>
#include <string.h>

#include "http_conn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define GO_ON "HTTP/1.1 100 Continue\r\n\r\n"

static const struct ctr_http_route routes[] = {
	{ "GET", "/q", 1, 0, .quick = true, .listeners = 1 },
	{ "POST", "/b", 2, 2000, .listeners = 1 },
	{ "POST", "/j", 3, 300, .json = true, .listeners = 1 },
	{ "GET", "/k/*", 4, 0, .listeners = 1 },
	{ "GET", "/bad", 5, 0, .listeners = 1 },
	{ "GET", "/l", 6, 0, .listeners = 1 },
};

/* A peer that sends data[at..n) and takes what comes, in its own pace. */
struct peer {
	const uint8_t *data;
	size_t n, at;
	unsigned reads, writes; /* bytes at a time, 0: all */
	bool fitful;		/* every other call has to wait */
	bool defers;		/* claims are granted later */
	unsigned calls;
	struct ctr_buf out;
	bool shut;
	/* what the connection waits for, and what it has claimed */
	bool claiming, queued;
	enum ctr_http_claim claimed; /* the last one */
	unsigned steps, until;
	size_t claims[CTR_CLAIMS];
	struct ctr_http_env env;
	struct ctr_http_conn conn;
};

static struct peer *peer_of(struct ctr_http_conn *c)
{
	return c->chan;
}

static enum ctr_chan peer_read(void *ch, void *p, size_t n, size_t *got)
{
	struct peer *w = ch;
	size_t left = w->n - w->at;

	if (w->fitful && w->calls++ % 2)
		return CTR_CHAN_READ;
	if (!left)
		return CTR_CHAN_END;
	n = n < left ? n : left;
	n = w->reads && w->reads < n ? w->reads : n;
	memcpy(p, w->data + w->at, n);
	w->at += n;
	*got = n;
	return CTR_CHAN_OK;
}

static enum ctr_chan peer_write(void *ch, const void *p, size_t n, size_t *put)
{
	struct peer *w = ch;

	if (w->shut || n == 0)
		abort();
	/* what asks for a body is not repeated when it does not go through */
	if (n != strlen(GO_ON) || memcmp(p, GO_ON, n) != 0) {
		if (w->fitful && w->calls++ % 2)
			return CTR_CHAN_WRITE;
		n = w->writes && w->writes < n ? w->writes : n;
	}
	ctr_buf_add(&w->out, p, n);
	*put = n;
	return CTR_CHAN_OK;
}

static void peer_shut(void *ch)
{
	((struct peer *)ch)->shut = true;
}

static const struct ctr_chan_ops ops = { .read = peer_read,
					 .write = peer_write,
					 .shut = peer_shut };

static bool claim(struct ctr_http_conn *c, enum ctr_http_claim what, size_t n)
{
	struct peer *w = peer_of(c);

	if (w->claims[what] || !n)
		abort();
	w->claims[what] = n;
	w->claimed = what;
	w->claiming = w->defers && what != CTR_CLAIM_ANSWER;
	return !w->claiming;
}

static void release(struct ctr_http_conn *c, enum ctr_http_claim what, size_t n)
{
	struct peer *w = peer_of(c);

	if (w->claims[what] != n)
		abort();
	w->claims[what] = 0;
}

static void queue(struct ctr_http_conn *c)
{
	peer_of(c)->queued = true;
}

static void handle(void *ctx, const struct ctr_http_request *rq, struct ctr_http_answer *a)
{
	unsigned sum = 0;

	(void)ctx;
	for (size_t i = 0; i < rq->n; i++)
		sum = sum * 31 + (unsigned char)rq->body[i];
	if (rq->body[rq->n] != '\0' || rq->n > 2000)
		abort();
	a->status = rq->route == 5 ? 0 : 200;
	ctr_buf_addf(&a->body, "%s %zu %u %s %s %s", rq->method, rq->n, sum, rq->rest,
		     rq->query ? rq->query : "-", rq->authorization ? rq->authorization : "-");
	for (unsigned i = 0; rq->route == 6 && i < 10000; i++)
		ctr_buf_addc(&a->body, 'x');
}

static void refuse(void *ctx, unsigned listener, unsigned status, const char *id, const char *text,
		   struct ctr_http_answer *a)
{
	(void)ctx;
	(void)listener;
	if (status < 400 || status > 599 || !*text)
		abort();
	ctr_buf_adds(&a->body, id);
}

static const struct ctr_http_server_conf conf = {
	.routes = routes,
	.n_routes = sizeof routes / sizeof *routes,
	.bodies = 8000, /* a body is large from 1,000 bytes on */
	.request_s = 60,
	.handle = handle,
	.refuse = refuse,
};

/* Does what the connection wants. False: it is over. */
static bool serve(struct peer *w)
{
	enum ctr_http_want want = ctr_http_conn_run(&w->conn);

	w->env.now++;
	w->conn.ready |= want == CTR_WANT_READ;
	if (want != CTR_WANT_CALL)
		return want != CTR_WANT_CLOSE;
	if (w->claiming == w->queued)
		abort();
	if (w->claiming && w->steps + 1 == w->until) { /* in vain */
		w->claims[w->claimed] = 0;
	} else if (w->claiming) {
		w->claiming = false;
		ctr_http_conn_granted(&w->conn);
	} else {
		w->queued = false;
		ctr_http_conn_handle(&w->conn, w->env.now);
		ctr_http_conn_answered(&w->conn);
	}
	return true;
}

/* Its deadline passes in the middle. */
static void expire(struct peer *w)
{
	if (w->queued)
		abort();
	w->claiming = false;
	ctr_http_conn_expire(&w->conn);
}

/* The whole conversation; after `until` steps time is up. */
static void talk(struct peer *w)
{
	_Atomic uint64_t count = 0;
	unsigned most = 1000 + 40 * (unsigned)w->n;

	w->env = (struct ctr_http_env){ .conf = &conf,
					.prefix = "fuzz",
					.count = &count,
					.claim = claim,
					.release = release,
					.queue = queue };
	ctr_http_conn_init(&w->conn, &w->env, 0, &ops, w);
	while (serve(w)) {
		if (++w->steps == w->until)
			expire(w);
		if (w->steps > most) /* goes round and round */
			abort();
	}
	ctr_http_conn_fini(&w->conn);
	for (unsigned i = 0; i < CTR_CLAIMS; i++) {
		if (w->claims[i])
			abort();
	}
}

/* Without what depends on whether the body was there already. */
static void drop_go_on(struct ctr_buf *b)
{
	char *p;

	while (b->n && (p = memmem(b->p, b->n, GO_ON, strlen(GO_ON)))) {
		size_t rest = b->n - (size_t)(p - b->p) - strlen(GO_ON);

		memmove(p, p + strlen(GO_ON), rest);
		b->n -= strlen(GO_ON);
	}
}

static bool same(const struct ctr_buf *a, const struct ctr_buf *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->p, b->p, a->n) == 0);
}

/*
 * What is answered does not depend on the pieces in which a request arrives and an answer leaves,
 * nor on how long memory is waited for; whatever was claimed is given back. The first two bytes
 * choose pieces and pace.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct peer whole = { 0 }, pieces = { 0 };

	if (size < 2 || size > 40000)
		return 0;
	whole.data = pieces.data = data + 2;
	whole.n = pieces.n = size - 2;
	pieces.reads = data[0] & 31;
	pieces.writes = data[0] >> 5;
	pieces.fitful = data[1] & 1;
	pieces.defers = data[1] & 2;
	pieces.until = data[1] >> 2;
	talk(&pieces);
	if (!pieces.until) {
		talk(&whole);
		drop_go_on(&whole.out);
		drop_go_on(&pieces.out);
		if (!same(&whole.out, &pieces.out))
			abort();
	}
	ctr_buf_free(&whole.out);
	ctr_buf_free(&pieces.out);
	return 0;
}
