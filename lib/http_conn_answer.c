#include <inttypes.h>
#include <string.h>

#include "http_conn_int.h"
#include "http_route.h"

#define SHORT 4096 /* bytes of a body that goes out in one write with its head */

void ctr_http_call_free(struct ctr_http_call *k)
{
	if (!k)
		return;
	ctr_buf_free(&k->a.body);
	ctr_buf_free(&k->out);
	free(k);
}

static struct ctr_http_call *new_call(struct ctr_http_conn *c)
{
	struct ctr_http_work *w = c->work;

	ctr_http_call_free(w->call);
	w->call = calloc(1, sizeof *w->call);
	if (!w->call)
		return NULL;
	w->call->a.body.wipe = w->call->out.wipe = true;
	w->call->bodiless = w->parsed && strcmp(w->head.method, "HEAD") == 0;
	return w->call;
}

/* The answer is there: writing begins. */
static void begin_answer(struct ctr_http_conn *c, const char *allow)
{
	struct ctr_http_call *k = c->work->call;

	ctr_http_conn_drop_body(c);
	c->work->keep = c->work->keep && !c->env->closing;
	ctr_http_head_print(&k->out, &k->a, allow, c->work->keep);
	k->bodiless |= k->a.status == 204;
	if (k->bodiless || k->a.body.n <= SHORT) {
		if (!k->bodiless)
			ctr_buf_add(&k->out, ctr_buf_str(&k->a.body), k->a.body.n);
		ctr_buf_free(&k->a.body);
	}
	c->claimed[CTR_CLAIM_ANSWER] = (uint32_t)(k->out.n + k->a.body.n);
	c->env->claim(c, CTR_CLAIM_ANSWER, c->claimed[CTR_CLAIM_ANSWER]);
	c->work->since = c->env->now;
	ctr_http_conn_enter(c, CTR_CONN_ANSWER);
}

enum ctr_http_want ctr_http_conn_refuse(struct ctr_http_conn *c, unsigned status, const char *id,
					const char *text)
{
	const struct ctr_http_server_conf *conf = c->env->conf;
	struct ctr_http_work *w = c->work;
	struct ctr_http_call *k = new_call(c);
	ctr_auto_buf struct ctr_buf allow = { 0 };

	if (!k)
		return CTR_WANT_CLOSE;
	/* where the next request begins is known, and nothing but this one is amiss */
	w->keep = (status == 404 || status == 405) && w->head.keep && !w->head.length &&
		  !w->head.chunked;
	w->linger = !w->keep;
	if (status == 405)
		ctr_http_route_allow(conf, c->listener, w->head.path, &allow);
	conf->refuse(conf->ctx, c->listener, status, id, text, &k->a);
	k->a.status = status;
	if (k->a.body.bad)
		ctr_buf_free(&k->a.body);
	begin_answer(c, ctr_buf_str(&allow));
	return k->out.bad ? CTR_WANT_CLOSE : CTR_WANT_GO;
}

enum ctr_http_want ctr_http_conn_dispatch(struct ctr_http_conn *c)
{
	struct ctr_http_work *w = c->work;
	struct ctr_http_call *k = new_call(c);

	if (!k)
		return CTR_WANT_CLOSE;
	snprintf(k->id, sizeof k->id, "%s-%" PRIx64, c->env->prefix, ++*c->env->count);
	k->rq = (struct ctr_http_request){
		.route = w->route->id,
		.listener = c->listener,
		.method = w->head.method,
		.path = w->head.path,
		.query = w->head.query,
		.authorization = w->head.authorization,
		.rest = w->rest,
		.body = w->body ? w->body : "",
		.n = w->n,
		.id = k->id,
	};
	if (c->ops->peer)
		k->rq.peer_cert = c->ops->peer(c->chan, &k->rq.n_peer_cert);
	w->keep = w->head.keep;
	ctr_http_conn_enter(c, CTR_CONN_QUEUE);
	if (w->route->quick) {
		ctr_http_conn_handle(c, c->env->now);
		ctr_http_conn_answered(c);
		return CTR_WANT_GO;
	}
	c->env->queue(c);
	return CTR_WANT_CALL;
}

void ctr_http_conn_handle(struct ctr_http_conn *c, uint64_t now)
{
	const struct ctr_http_server_conf *conf = c->env->conf;
	struct ctr_http_call *k = c->work->call;

	k->late = now - c->work->began > (uint64_t)conf->request_s * 1000000 &&
		  !c->work->route->quick;
	if (!k->late)
		conf->handle(conf->ctx, &k->rq, &k->a);
}

/* One line of printable ASCII: what a handler took from a request must not become a header line. */
static bool sound_line(const char *s, size_t max)
{
	size_t n = strnlen(s, max);

	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)s[i] < 0x20 || (unsigned char)s[i] > 0x7e)
			return false;
	}
	return n < max;
}

void ctr_http_conn_answered(struct ctr_http_conn *c)
{
	struct ctr_http_call *k = c->work->call;
	enum ctr_http_want want = CTR_WANT_GO;

	if (k->late)
		want = ctr_http_conn_refuse(c, 503, "http.busy", "too many requests at once");
	else if (k->a.body.bad == CTR_BUF_MEMORY)
		want = ctr_http_conn_refuse(c, 503, "memory", "out of memory");
	else if (k->a.status < 200 || k->a.status > 599 || k->a.body.bad ||
		 !sound_line(k->a.challenge, sizeof k->a.challenge))
		want = ctr_http_conn_refuse(c, 500, "http.answer", "the answer could not be made");
	else
		begin_answer(c, NULL);
	if (want == CTR_WANT_CLOSE || c->work->call->out.bad)
		ctr_http_conn_enter(c, CTR_CONN_CLOSED);
}

static void written(struct ctr_http_conn *c, size_t n)
{
	struct ctr_http_call *k = c->work->call;

	k->put += n;
	k->step += n;
	if (k->step < CTR_HTTP_STEP)
		return;
	k->step = 0;
	c->mark++;
}

static enum ctr_http_want wrote_all(struct ctr_http_conn *c)
{
	const struct ctr_http_server_conf *conf = c->env->conf;
	struct ctr_http_work *w = c->work;

	if (conf->done)
		conf->done(conf->ctx, w->route ? (int)w->route->id : -1, w->call->a.status,
			   (double)(c->env->now - w->began) / 1e6);
	return CTR_WANT_GO;
}

enum ctr_http_want ctr_http_conn_write(struct ctr_http_conn *c)
{
	struct ctr_http_call *k = c->work->call;
	size_t all = k->out.n + k->a.body.n;

	for (unsigned i = 0; k->put < all; i++) {
		bool head = k->put < k->out.n;
		const char *p = head ? k->out.p + k->put : k->a.body.p + (k->put - k->out.n);
		size_t n = head ? k->out.n - k->put : all - k->put, put = 0;
		enum ctr_chan r;

		if (i == 4) /* 1 MiB: others wait */
			return CTR_WANT_TURN;
		r = c->ops->write(c->chan, p, n < CTR_HTTP_STEP ? n : CTR_HTTP_STEP, &put);
		if (r != CTR_CHAN_OK)
			return ctr_http_conn_wait(r);
		written(c, put);
	}
	return wrote_all(c);
}
