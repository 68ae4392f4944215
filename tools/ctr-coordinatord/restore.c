#include "restore.h"

#include <string.h>

void restore_free(struct restore *r)
{
	state_drop(r->state);
	ctr_history_free(&r->history);
	ctr_root_free(r->root);
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

/*
 * lesson: a recovering Coordinator did not authenticate the seed. It must be the one whose key
 * signed this history.
 */
int restore_load(struct coord *c, struct restore *r, struct ctr_err *e)
{
	struct ctr_err why = { 0 };
	struct ctr_signer key;

	if (ctr_root_derive(&r->seed, &r->salt, &r->root, e) < 0)
		return -1;
	key = ctr_root_signer(r->root);
	if (ctr_history_load(c->store, &key, &r->history, &why) == 0)
		return r->history.n ? 0
				    : ctr_fail(e, CTR_NO, "history.rollback",
					       "the store lost its history");
	if (why.id && strcmp(why.id, "history.signature") == 0)
		return ctr_fail(e, CTR_NO, "coord.seed",
				"this is not the seed of the history "
				"in the store");
	return ctr_err_pass(e, &why);
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

int restore_publish(struct coord *c, struct restore *r, struct ctr_err *e)
{
	int rc = 0;

	pthread_mutex_lock(&c->change);
	if (c->root) {
		rc = recovered(e);
	} else {
		c->root = r->root;
		c->seed = r->seed;
		c->salt = r->salt;
		c->history = r->history;
		coord_publish(c, r->state);
		*r = (struct restore){ 0 };
	}
	pthread_mutex_unlock(&c->change);
	return rc;
}
