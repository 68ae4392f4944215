#include "api.h"
#include "crypto_rsa.h"
#include "event.h"
#include "json_b64.h"
#include "owner.h"
#include "peers.h"
#include "restore.h"

struct recovery { /* POST /v1/recover */
	uint8_t nonce[CTR_NONCE_SIZE];
	struct ctr_buf sealed, signature;
	bool forced;
	struct restore restore;
};

static void recovery_free(struct recovery *r)
{
	ctr_buf_free(&r->sealed);
	ctr_buf_free(&r->signature);
	restore_free(&r->restore);
}

static int read_request(const struct ctr_http_request *rq, struct recovery *r, struct ctr_err *e)
{
	static const char *const keys[] = { "nonce", "ciphertext", "signature", "force", NULL };
	ctr_auto_json struct ctr_json *json = NULL;
	struct ctr_jval root, nonce, sealed, signature, force;

	if (api_body(rq, keys, &json, e) < 0)
		return -1;
	root = ctr_jroot(json);
	nonce = ctr_jget(&root, "nonce");
	sealed = ctr_jget(&root, "ciphertext");
	signature = ctr_jget(&root, "signature");
	force = ctr_jget(&root, "force");
	if ((ctr_jhas(&force) && ctr_jbool(&force, &r->forced, e) < 0) ||
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
	return copy(&r->restore.seed, both.p, CTR_SEED_SIZE, e) < 0 ||
			       copy(&r->restore.salt, both.p + CTR_SEED_SIZE, CTR_SALT_SIZE, e) < 0
		       ? -1
		       : 0;
}

/* lesson: one who holds a share of the seed must have signed the request. */
static int check_signature(const struct coord *c, const struct recovery *r, struct ctr_err *e)
{
	ctr_auto_manifest struct ctr_manifest m = { 0 };
	const struct ctr_history *h = &r->restore.history;
	const struct ctr_transition *last = &h->v[h->n - 1];
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

static int prepare(struct coord *c, struct recovery *r, struct ctr_err *e)
{
	ctr_auto_mesh struct ctr_mesh *mesh = NULL;
	struct ctr_mesh_opts opts = { .now = time(NULL) };

	if (restore_due(c, e) < 0 || unseal(c, r, e) < 0 || restore_load(c, &r->restore, e) < 0 ||
	    check_signature(c, r, e) < 0 || ctr_mesh_new(r->restore.root, &opts, &mesh, e) < 0)
		return -1;
	return restore_make(c, &r->restore, &mesh, e);
}

int api_recover(struct coord *c, const struct ctr_http_request *rq, struct ctr_http_answer *a,
		struct ctr_err *e)
{
	CTR_AUTO(recovery_free) struct recovery r = { 0 };
	int rc;

	if (read_request(rq, &r, e) < 0)
		return -1;
	/* one history at a time is read into memory */
	pthread_mutex_lock(&c->change);
	rc = prepare(c, &r, e);
	pthread_mutex_unlock(&c->change);
	/* lesson: user and peer recovery gave different mesh CAs. The peers are asked on behalf of
	 * a seed share owner alone, and without the lock. */
	if (rc < 0 || (!r.forced && c->peers && peers_none_serves(c->peers, e) < 0) ||
	    restore_publish(c, &r.restore, e) < 0)
		return -1;
	event(c->log, "recovered", rq->id, "a seed share owner recovered the history");
	ctr_buf_adds(&a->body, "{\"version\":\"v1\"}\n");
	return 0;
}
