#include "api.h"
#include "crypto_rsa.h"
#include "event.h"
#include "json_b64.h"
#include "owner.h"

struct recovery { /* POST /v1/recover */
	uint8_t nonce[CTR_NONCE_SIZE];
	struct ctr_buf sealed, signature;
	struct ctr_secret seed, salt;
	struct ctr_root *root;
	struct ctr_history history;
};

static void recovery_free(struct recovery *r)
{
	ctr_buf_free(&r->sealed);
	ctr_buf_free(&r->signature);
	ctr_secret_free(&r->seed);
	ctr_secret_free(&r->salt);
	ctr_root_free(r->root);
	ctr_history_free(&r->history);
}

static int read_request(const struct ctr_http_request *rq, struct recovery *r, struct ctr_err *e)
{
	static const char *const keys[] = { "nonce", "ciphertext", "signature", "force", NULL };
	ctr_auto_json struct ctr_json *json = NULL;
	struct ctr_jval root, nonce, sealed, signature, force;
	bool forced;

	if (api_body(rq, keys, &json, e) < 0)
		return -1;
	root = ctr_jroot(json);
	nonce = ctr_jget(&root, "nonce");
	sealed = ctr_jget(&root, "ciphertext");
	signature = ctr_jget(&root, "signature");
	force = ctr_jget(&root, "force");
	if ((ctr_jhas(&force) && ctr_jbool(&force, &forced, e) < 0) ||
	    ctr_jbase64_exact(&nonce, r->nonce, sizeof r->nonce, "json.size", e) < 0 ||
	    ctr_jbase64(&sealed, &r->sealed, e) < 0)
		return -1;
	return ctr_jbase64(&signature, &r->signature, e);
}

static int copy(struct ctr_secret *to, const uint8_t *p, size_t n, struct ctr_err *e)
{
	if (ctr_secret_new(to, n, e) < 0)
		return -1;
	memcpy(to->p, p, n);
	return 0;
}

static int unseal(const struct coord *c, struct recovery *r, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf info = { 0 };
	ctr_auto_secret struct ctr_secret both = { 0 };

	ctr_recover_info(r->nonce, &info);
	if (ctr_buf_ok(&info, "info", e) < 0 ||
	    ctr_hpke_open(&c->hpke, info.p, info.n, NULL, 0, r->sealed.p, r->sealed.n, &both, e) <
		    0)
		return -1;
	if (both.n != CTR_SEED_SIZE + CTR_SALT_SIZE)
		return ctr_fail(e, CTR_FORMAT, "coord.seed",
				"seed and salt have %zu bytes "
				"(expected %d)",
				both.n, CTR_SEED_SIZE + CTR_SALT_SIZE);
	return copy(&r->seed, both.p, CTR_SEED_SIZE, e) < 0 ||
			       copy(&r->salt, both.p + CTR_SEED_SIZE, CTR_SALT_SIZE, e) < 0
		       ? -1
		       : 0;
}

/*
 * lesson: a recovering Coordinator did not authenticate the seed. It must be the one whose key
 * signed this history, and one who holds a share of it must have signed the request.
 */
static int load(struct coord *c, struct recovery *r, struct ctr_err *e)
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

static int check_signature(const struct coord *c, const struct recovery *r, struct ctr_err *e)
{
	ctr_auto_manifest struct ctr_manifest m = { 0 };
	const struct ctr_transition *last = &r->history.v[r->history.n - 1];
	uint8_t digest[CTR_SHA256_SIZE];
	bool good = false;

	if (ctr_manifest_parse("manifest", last->bytes, last->n, &m, e) < 0 ||
	    ctr_recover_digest(r->nonce, c->hpke_pub, r->sealed.p, r->sealed.n, digest, e) < 0)
		return -1;
	for (size_t i = 0; i < m.n_seedshare && !good; i++) {
		if (ctr_rsa_verify(m.seedshare[i].der, m.seedshare[i].n, digest, r->signature.p,
				   r->signature.n, &good, e) < 0)
			return -1;
	}
	return good ? 0
		    : ctr_fail(e, CTR_NO, "coord.signature",
			       "not signed by a seed share owner of the manifest");
}

static int serve(struct coord *c, struct recovery *r, struct ctr_err *e)
{
	ctr_auto_mesh struct ctr_mesh *mesh = NULL;
	struct ctr_mesh_opts opts = { .now = time(NULL) };
	struct state_from from = {
		.root = r->root, .v = r->history.v, .n = r->history.n, .store = c->store
	};
	struct state *s;

	if (ctr_mesh_new(r->root, &opts, &mesh, e) < 0)
		return -1;
	from.mesh = mesh;
	if (state_new(&from, &s, e) < 0)
		return -1;
	mesh = NULL;
	c->root = ctr_give(r->root);
	c->seed = r->seed;
	c->salt = r->salt;
	c->history = r->history;
	r->seed = r->salt = (struct ctr_secret){ 0 };
	r->history = (struct ctr_history){ 0 };
	coord_publish(c, s);
	return 0;
}

static int recover(struct coord *c, struct recovery *r, struct ctr_err *e)
{
	auto_state struct state *s = NULL;
	struct ctr_err why = { 0 };

	s = coord_state(c, &why);
	if (s)
		return ctr_fail(e, CTR_NO, "coord.recovered", "nothing is to be recovered");
	if (strcmp(why.id, "coord.recovering") != 0)
		return ctr_err_pass(e, &why);
	return unseal(c, r, e) < 0 || load(c, r, e) < 0 || check_signature(c, r, e) < 0 ||
			       serve(c, r, e) < 0
		       ? -1
		       : 0;
}

int api_recover(struct coord *c, const struct ctr_http_request *rq, struct ctr_http_answer *a,
		struct ctr_err *e)
{
	CTR_AUTO(recovery_free) struct recovery r = { 0 };
	int rc;

	if (read_request(rq, &r, e) < 0)
		return -1;
	pthread_mutex_lock(&c->change);
	rc = recover(c, &r, e);
	pthread_mutex_unlock(&c->change);
	if (rc < 0)
		return -1;
	event(c->log, "recovered", rq->id, "a seed share owner recovered the history");
	ctr_buf_adds(&a->body, "{\"version\":\"v1\"}\n");
	return 0;
}
