#include <sys/random.h>

#include "api.h"
#include "event.h"
#include "json_b64.h"
#include "owner.h"
#include "rd.h"
#include "seedshare.h"

#define SIGNATURES_MAX 64

struct set { /* POST /v1/manifest */
	struct ctr_json *json;
	struct ctr_buf manifest, texts; /* the policies one behind the other */
	struct ctr_bytes *policies;	/* in texts */
	size_t n_policies;
	struct ctr_jval signatures;
	bool has_previous;
	uint8_t previous[CTR_SHA256_SIZE];
};

static void set_free(struct set *r)
{
	ctr_json_free(r->json);
	ctr_buf_free(&r->manifest);
	ctr_buf_free(&r->texts);
	free(r->policies);
}

static int read_policies(struct set *r, const struct ctr_jval *list, struct ctr_err *e)
{
	size_t at = 0;

	if (ctr_jarray(list, e) < 0)
		return -1;
	r->policies = calloc(ctr_jcount(list) + 1, sizeof *r->policies);
	if (!r->policies)
		return ctr_fail_mem(e);
	for (struct ctr_jval i = ctr_jfirst(list); i.v; i = ctr_jnext(&i)) {
		if (ctr_jbase64(&i, &r->texts, e) < 0)
			return -1;
		r->policies[r->n_policies++].n = r->texts.n - at;
		at = r->texts.n;
	}
	if (ctr_buf_ok(&r->texts, "policies", e) < 0)
		return -1;
	at = 0;
	for (size_t i = 0; i < r->n_policies; i++) {
		r->policies[i].p = ctr_buf_str(&r->texts) + at;
		at += r->policies[i].n;
	}
	return 0;
}

static int read_request(const struct ctr_http_request *rq, struct set *r, struct ctr_jval *root,
			struct ctr_err *e)
{
	static const char *const keys[] = { "manifest", "policies", "previous_transition_hash",
					    "signatures", NULL };
	struct ctr_jval manifest, policies, previous;

	if (api_body(rq, keys, &r->json, e) < 0)
		return -1;
	*root = ctr_jroot(r->json);
	manifest = ctr_jget(root, "manifest");
	policies = ctr_jget(root, "policies");
	previous = ctr_jget(root, "previous_transition_hash");
	r->signatures = ctr_jget(root, "signatures");
	r->has_previous = ctr_jhas(&previous);
	if (ctr_jhas(&r->signatures) && ctr_jarray(&r->signatures, e) < 0)
		return -1;
	if (r->has_previous &&
	    ctr_jbase64_exact(&previous, r->previous, sizeof r->previous, "json.size", e) < 0)
		return -1;
	return ctr_jbase64(&manifest, &r->manifest, e) < 0 ? -1 : read_policies(r, &policies, e);
}

static bool owns(const uint8_t (*owners)[CTR_SHA256_SIZE], size_t n, const uint8_t *digest)
{
	bool found = false;

	for (size_t i = 0; i < n; i++)
		found |= ctr_same(owners[i], digest, CTR_SHA256_SIZE);
	return found;
}

/* One {"key","signature"}. */
static int check_one(const struct ctr_jval *item, const uint8_t *t,
		     const uint8_t (*owners)[CTR_SHA256_SIZE], size_t n, bool *good,
		     struct ctr_err *e)
{
	static const char *const keys[] = { "key", "signature", NULL };
	ctr_auto_buf struct ctr_buf key = { 0 }, sig = { 0 };
	struct ctr_jval k, s;
	uint8_t digest[CTR_SHA256_SIZE];

	*good = false;
	if (ctr_jobject(item, e) < 0 || ctr_jonly(item, keys, e) < 0)
		return -1;
	k = ctr_jget(item, "key");
	s = ctr_jget(item, "signature");
	if (ctr_jbase64(&k, &key, e) < 0 || ctr_jbase64(&s, &sig, e) < 0 ||
	    ctr_hash(CTR_SHA256, key.p, key.n, digest, e) < 0)
		return -1;
	if (!owns(owners, n, digest))
		return 0;
	return ctr_owner_verify(key.p, key.n, t, sig.p, sig.n, good, e);
}

/* One of the owners must have signed t. */
static int check_owner(const struct set *r, const uint8_t *t,
		       const uint8_t (*owners)[CTR_SHA256_SIZE], size_t n, struct ctr_err *e)
{
	bool good = false;

	if (!ctr_jhas(&r->signatures) || ctr_jcount(&r->signatures) == 0)
		return ctr_fail(e, CTR_NO, "coord.unsigned",
				"the signature of a workload owner is missing");
	if (ctr_jcount(&r->signatures) > SIGNATURES_MAX)
		return ctr_jfail(&r->signatures, e, "coord.signatures", "more than %d",
				 SIGNATURES_MAX);
	for (struct ctr_jval i = ctr_jfirst(&r->signatures); i.v; i = ctr_jnext(&i)) {
		if (check_one(&i, t, owners, n, &good, e) < 0)
			return -1;
		if (good)
			return 0;
	}
	return ctr_fail(
		e, CTR_NO, "coord.signature",
		"no signature of this transition by a workload owner of the active manifest");
}

/* The same keys, whatever their order: the seed was encrypted for these, once. */
static int same_seedshare_owners(const struct ctr_manifest *old, const struct set *r,
				 struct ctr_err *e)
{
	ctr_auto_manifest struct ctr_manifest m = { 0 };
	size_t found = 0;

	if (ctr_manifest_parse("manifest", r->manifest.p, r->manifest.n, &m, e) < 0)
		return -1;
	for (size_t i = 0; i < m.n_seedshare; i++) {
		const struct ctr_seedshare_key *a = &m.seedshare[i];

		for (size_t j = 0; j < old->n_seedshare; j++)
			found += a->n == old->seedshare[j].n &&
				 ctr_same(a->der, old->seedshare[j].der, a->n);
	}
	if (found == m.n_seedshare && m.n_seedshare == old->n_seedshare)
		return 0;
	return ctr_fail(e, CTR_FORMAT, "coord.seedshare-owners",
			"the seed share owners cannot be changed by an update");
}

/* Makes what will be served, then stores: what fails leaves all as it was. */
static int store(struct coord *c, const struct ctr_root *root, const struct state *old,
		 const struct set *r, const uint8_t *t, struct state **out, struct ctr_err *e)
{
	ctr_auto_mesh struct ctr_mesh *mesh = NULL;
	auto_state struct state *s = NULL;
	struct ctr_mesh_opts opts = { .now = time(NULL) };
	struct ctr_transition next = { .bytes = r->manifest.p, .n = r->manifest.n };
	struct state_from from = { .root = root,
				   .old = old,
				   .v = &next,
				   .n = 1,
				   .policies = r->policies,
				   .n_policies = r->n_policies };
	struct ctr_signer key = ctr_root_signer(root);
	struct ctr_update u = { .manifest = { r->manifest.p, r->manifest.n },
				.policies = r->policies,
				.n_policies = r->n_policies };
	uint8_t last[CTR_SHA256_SIZE] = { 0 };

	if (old) {
		memcpy(last, old->transition, sizeof last);
		u.known = (const uint8_t(*)[CTR_SHA256_SIZE])old->known;
		u.n_known = old->n_known;
	}
	u.previous = last;
	memcpy(next.hash, t, sizeof next.hash);
	if (ctr_mesh_new(root, &opts, &mesh, e) < 0)
		return -1;
	from.mesh = mesh;
	if (state_new(&from, &s, e) < 0)
		return -1;
	mesh = NULL;
	if (ctr_history_append(c->store, &key, &u, &c->history, e) < 0)
		return -1;
	*out = ctr_give(s);
	return 0;
}

/* Whoever comes first sets the first manifest, unless the command line named an owner: data owners
 * see whose it is. */
static int first(struct coord *c, const struct set *r, struct state **out, struct ctr_buf *shares,
		 struct ctr_err *e)
{
	static const uint8_t none[CTR_SHA256_SIZE];
	ctr_auto_manifest struct ctr_manifest m = { 0 };
	ctr_auto_secret struct ctr_secret seed = { 0 }, salt = { 0 };
	ctr_auto_root struct ctr_root *root = NULL;
	uint8_t t[CTR_SHA256_SIZE];

	if (r->has_previous && !ctr_zero(r->previous, sizeof r->previous))
		return ctr_fail(e, CTR_NO, "history.conflict", "no manifest was set yet");
	if (ctr_history_next(none, r->manifest.p, r->manifest.n, t, e) < 0 ||
	    (c->owned &&
	     check_owner(r, t, (const uint8_t(*)[CTR_SHA256_SIZE]) & c->owner, 1, e) < 0) ||
	    ctr_manifest_parse("manifest", r->manifest.p, r->manifest.n, &m, e) < 0 ||
	    ctr_secret_new(&seed, CTR_SEED_SIZE, e) < 0 ||
	    ctr_secret_new(&salt, CTR_SALT_SIZE, e) < 0)
		return -1;
	if (getrandom(seed.p, seed.n, 0) != CTR_SEED_SIZE ||
	    getrandom(salt.p, salt.n, 0) != CTR_SALT_SIZE)
		return ctr_fail_sys(e, "random", "no random bytes");
	if (ctr_root_derive(&seed, &salt, &root, e) < 0 ||
	    (m.n_seedshare && ctr_seedshares_make(&m, &seed, &salt, shares, e) < 0) ||
	    store(c, root, NULL, r, t, out, e) < 0)
		return -1;
	c->root = ctr_give(root);
	c->seed = seed;
	c->salt = salt;
	seed = salt = (struct ctr_secret){ 0 };
	coord_publish(c, state_hold(*out));
	return 0;
}

/* An update that failed for another, which came first by another Coordinator: the history has that
 * one now, and what is served is over. */
static void notice(struct coord *c, const struct state *s)
{
	uint8_t last[CTR_SHA256_SIZE];

	ctr_history_last(&c->history, last);
	if (!coord_serves(c, s) || ctr_same(last, s->transition, sizeof last))
		return;
	memcpy(c->newest, last, sizeof last);
	coord_recover(c);
}

/* lesson: an update is its owner's alone */
static int update(struct coord *c, const struct state *s, const struct set *r, struct state **out,
		  struct ctr_err *e)
{
	uint8_t t[CTR_SHA256_SIZE];
	int rc;

	if (r->has_previous && !ctr_same(r->previous, s->transition, sizeof r->previous))
		return ctr_fail(e, CTR_NO, "history.conflict",
				"the active manifest is not the one that this is to follow");
	if (s->manifest.n_owners == 0)
		return ctr_fail(e, CTR_NO, "coord.immutable",
				"the active manifest has no workload owner: nobody can change it");
	if (ctr_history_next(s->transition, r->manifest.p, r->manifest.n, t, e) < 0 ||
	    check_owner(r, t, (const uint8_t(*)[CTR_SHA256_SIZE])s->manifest.owners,
			s->manifest.n_owners, e) < 0 ||
	    same_seedshare_owners(&s->manifest, r, e) < 0)
		return -1;
	pthread_mutex_lock(&c->change);
	if (!coord_serves(c, s))
		rc = ctr_fail(e, CTR_NO, "history.conflict", "another manifest came first");
	else
		rc = store(c, s->root, s, r, t, out, e);
	if (rc == 0)
		coord_publish(c, state_hold(*out));
	else
		notice(c, s);
	pthread_mutex_unlock(&c->change);
	return rc;
}

static int set(struct coord *c, const struct set *r, struct state **out, struct ctr_buf *shares,
	       struct ctr_err *e)
{
	auto_state struct state *s = NULL;
	struct ctr_err why = { 0 };
	int rc;

	s = coord_state(c, &why);
	if (s)
		return update(c, s, r, out, e);
	if (strcmp(why.id, "coord.no-manifest") != 0)
		return ctr_err_pass(e, &why);
	pthread_mutex_lock(&c->change);
	if (c->root)
		rc = ctr_fail(e, CTR_NO, "history.conflict", "another manifest came first");
	else
		rc = first(c, r, out, shares, e);
	pthread_mutex_unlock(&c->change);
	return rc;
}

int api_manifest(struct coord *c, const struct ctr_http_request *rq, struct ctr_http_answer *a,
		 struct ctr_err *e)
{
	CTR_AUTO(set_free) struct set r = { 0 };
	ctr_auto_json struct ctr_json *obj = ctr_json_new_object();
	auto_state struct state *s = NULL;
	ctr_auto_buf struct ctr_buf shares = { 0 };
	struct ctr_jval root; /* what r.signatures hangs on */

	if (read_request(rq, &r, &root, e) < 0 || set(c, &r, &s, &shares, e) < 0)
		return -1;
	event(c->log, "manifest.set", rq->id, "manifest %zu is active, with %zu policies",
	      s->generation, s->manifest.n_policies);
	ctr_json_set_string(obj, "version", "v1");
	ctr_json_set_base64(obj, "root_ca", ctr_root_pem(s->root)->p, ctr_root_pem(s->root)->n);
	ctr_json_set_base64(obj, "mesh_ca", ctr_mesh_pem(s->mesh)->p, ctr_mesh_pem(s->mesh)->n);
	ctr_json_set_base64(obj, "transition_hash", s->transition, sizeof s->transition);
	if (shares.n)
		ctr_json_set_base64(obj, "seed_shares_doc", shares.p, shares.n);
	return ctr_json_print(obj, 0, &a->body, e);
}
