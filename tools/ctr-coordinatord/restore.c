#include "restore.h"

#include <string.h>

#include "rd.h"

void restore_free(struct restore *r)
{
	state_drop(r->state);
	ctr_history_free(&r->history);
	ctr_root_free(r->derived);
	ctr_secret_free(&r->seed);
	ctr_secret_free(&r->salt);
	*r = (struct restore){ 0 };
}

static int recovered(struct ctr_err *e)
{
	return ctr_fail(e, CTR_NO, "coord.recovered", "nothing is to be recovered");
}

int restore_due(struct coord *c, struct ctr_err *e)
{
	auto_state struct state *s = NULL;
	struct ctr_err why = { 0 };

	s = coord_state(c, &why);
	if (s)
		return recovered(e);
	return strcmp(why.id, "coord.recovering") == 0 ? 0 : ctr_err_pass(e, &why);
}

static int other_seed(struct ctr_err *e)
{
	return ctr_fail(e, CTR_NO, "coord.seed", "this is not the seed of the history in the store");
}

/* A root stays for as long as the process runs: states refer to it. */
static int find_root(struct coord *c, struct restore *r, struct ctr_err *e)
{
	if (!c->root) {
		if (ctr_root_derive(&r->seed, &r->salt, &r->derived, e) < 0)
			return -1;
		r->root = r->derived;
		return 0;
	}
	if (!ctr_secret_same(&c->seed, &r->seed) || !ctr_secret_same(&c->salt, &r->salt))
		return other_seed(e);
	r->root = c->root;
	return 0;
}

/*
 * lesson: a recovering Coordinator did not authenticate the seed. It must be the one whose key
 * signed this history.
 */
int restore_load(struct coord *c, struct restore *r, struct ctr_err *e)
{
	struct ctr_err why = { 0 };
	struct ctr_signer key;

	if (find_root(c, r, e) < 0)
		return -1;
	key = ctr_root_signer(r->root);
	if (ctr_history_load(c->store, &key, &r->history, &why) == 0)
		return r->history.n ? 0
				    : ctr_fail(e, CTR_NO, "history.rollback",
					       "the store lost its history");
	return why.id && strcmp(why.id, "history.signature") == 0 ? other_seed(e)
								  : ctr_err_pass(e, &why);
}

int restore_make(struct coord *c, struct restore *r, struct ctr_mesh **mesh, struct ctr_err *e)
{
	struct state_from from = { .root = r->root,
				   .mesh = *mesh,
				   .v = r->history.v,
				   .n = r->history.n,
				   .store = c->store };

	if (state_new(&from, &r->state, e) < 0)
		return -1;
	*mesh = NULL;
	return 0;
}

/* lesson: a peer recovered to an older generation. What was served or seen here is not unlearned. */
static int is_later(const struct coord *c, const struct restore *r, struct ctr_err *e)
{
	static const uint8_t none[CTR_SHA256_SIZE];
	uint8_t last[CTR_SHA256_SIZE];

	ctr_history_last(&c->history, last);
	if ((c->history.n == 0 || ctr_history_has(&r->history, last)) &&
	    (ctr_same(c->newest, none, sizeof none) || ctr_history_has(&r->history, c->newest)))
		return 0;
	return ctr_fail(e, CTR_NO, "history.rollback",
			"the store's history of %zu manifests lacks one that was seen before",
			r->history.n);
}

/* The seed is the same when there is one. */
static void take_over(struct coord *c, struct restore *r)
{
	if (r->derived) {
		c->root = r->derived;
		c->seed = r->seed;
		c->salt = r->salt;
		r->seed = r->salt = (struct ctr_secret){ 0 };
		r->derived = NULL;
	}
	ctr_history_free(&c->history);
	c->history = r->history;
	r->history = (struct ctr_history){ 0 };
	memset(c->newest, 0, sizeof c->newest);
	coord_publish(c, ctr_give(r->state));
	restore_free(r);
}

int restore_publish(struct coord *c, struct restore *r, struct ctr_err *e)
{
	int rc;

	pthread_mutex_lock(&c->change);
	/* by another way, or with a seed that nobody compared */
	if (!coord_serves(c, NULL) || (c->root && r->derived))
		rc = recovered(e);
	else
		rc = is_later(c, r, e);
	if (rc == 0)
		take_over(c, r);
	pthread_mutex_unlock(&c->change);
	return rc;
}
