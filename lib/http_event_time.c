#include "http_event.h"

#define LARGE_GRACE 10 /* seconds */

/* Takes it out of the queue it waits in. False: what it waits for is on its way, or a handler has
 * it, which nothing interrupts. */
static bool call_back(struct ctr_http_link *k)
{
	struct ctr_http_server *s = k->loop->server;
	enum ctr_http_claim what = k->conn.state == CTR_CONN_HEAD_WAIT ? CTR_CLAIM_HEAD
				   : k->conn.claimed[CTR_CLAIM_LARGE]  ? CTR_CLAIM_LARGE
								       : CTR_CLAIM_BODY;
	bool back;

	if (!k->away)
		return true;
	switch (k->conn.state) {
	case CTR_CONN_HEAD_WAIT:
	case CTR_CONN_BODY_WAIT:
		back = ctr_http_budget_leave(&s->budgets[what], &k->wait);
		break;
	case CTR_CONN_QUEUE:
		back = ctr_http_pool_remove(&s->pool, k);
		break;
	default: /* its turn comes */
		back = false;
	}
	k->away = !back;
	return back;
}

static void expire(struct ctr_http_link *k)
{
	if (!call_back(k)) {
		ctr_http_link_renew(k);
		return;
	}
	ctr_http_conn_expire(&k->conn);
	ctr_http_link_serve(k);
}

/* Those in a state that have held what others wait for, for longer than that. */
static void hurry(struct ctr_http_loop *l, enum ctr_http_state s, enum ctr_http_claim what,
		  uint64_t grace)
{
	for (unsigned i = 0; i < l->server->conf.n_listeners; i++) {
		struct ctr_http_link *k, *next;

		for (k = TAILQ_FIRST(&l->lists[i][s]); k; k = next) {
			next = TAILQ_NEXT(k, deadline);
			if (!k->away && k->conn.claimed[what] &&
			    l->env.now - ctr_http_conn_since(&k->conn) > grace * 1000000)
				expire(k);
		}
	}
}

static void each(struct ctr_http_loop *l, enum ctr_http_state s,
		 void (*call)(struct ctr_http_link *k))
{
	for (unsigned i = 0; i < l->server->conf.n_listeners; i++) {
		struct ctr_http_link *k, *next;

		for (k = TAILQ_FIRST(&l->lists[i][s]); k; k = next) {
			next = TAILQ_NEXT(k, deadline);
			call(k);
		}
	}
}

static void cut(struct ctr_http_link *k)
{
	if (call_back(k))
		ctr_http_link_close(k);
}

/* A request that has arrived is answered, although nobody has read it yet. */
static void last_look(struct ctr_http_link *k)
{
	if (k->away)
		return;
	k->conn.ready = true;
	ctr_http_link_serve(k);
}

static void cut_all(struct ctr_http_loop *l)
{
	for (unsigned s = 0; s < CTR_CONN_STATES; s++)
		each(l, s, cut);
}

void ctr_http_drain(struct ctr_http_loop *l)
{
	l->env.closing = true;
	l->drain_until = l->env.now + (uint64_t)l->server->drain_s * 1000000;
	for (unsigned i = 0; i < l->server->conf.n_listeners; i++)
		event_del(l->accept[i]);
	each(l, CTR_CONN_HANDSHAKE, cut);
	each(l, CTR_CONN_IDLE, last_look);
	if (l->n)
		ctr_http_loop_tick(l);
	else
		event_base_loopbreak(l->base);
}

void ctr_http_deadlines(struct ctr_http_loop *l)
{
	struct ctr_http_server *s = l->server;

	for (unsigned i = 0; i < s->conf.n_listeners; i++) {
		for (unsigned j = 0; j < CTR_CONN_STATES; j++) {
			struct ctr_http_link *k;

			while ((k = TAILQ_FIRST(&l->lists[i][j])) &&
			       l->env.now - k->start > s->deadlines[j])
				expire(k);
		}
	}
	if (s->budgets[CTR_CLAIM_HEAD].pressed)
		hurry(l, CTR_CONN_HEAD, CTR_CLAIM_HEAD, CTR_HTTP_GRACE);
	if (s->budgets[CTR_CLAIM_BODY].pressed)
		hurry(l, CTR_CONN_BODY, CTR_CLAIM_BODY, CTR_HTTP_GRACE);
	if (s->budgets[CTR_CLAIM_LARGE].pressed)
		hurry(l, CTR_CONN_BODY, CTR_CLAIM_LARGE, LARGE_GRACE);
	if (s->pool.pressed)
		hurry(l, CTR_CONN_ANSWER, CTR_CLAIM_ANSWER, CTR_HTTP_GRACE);
	if (l->env.closing && l->env.now > l->drain_until)
		cut_all(l);
}
