#include "api.h"
#include "appraise.h"
#include "figures.h"
#include "peer.h"

static int challenge(struct coord *c, struct ctr_http_answer *a, struct ctr_err *e)
{
	uint8_t nonce[CTR_NONCE_SIZE];

	if (nonces_make(c->nonces, coord_clock(), nonce, e) < 0)
		return -1;
	ctr_join_challenge(nonce, a->challenge, sizeof a->challenge);
	return 0;
}

struct joining {
	struct ctr_join join;
	struct peer peer;
	uint8_t nonce[CTR_NONCE_SIZE];
};

static void joining_free(struct joining *j)
{
	peer_free(&j->peer);
	ctr_join_free(&j->join);
}

/*
 * The whole handshake: afterwards the peer is what its policy says, holds both keys, and this is
 * the nonce's first use. The nonce goes last, so that only genuine evidence is remembered.
 */
static int handshake(struct coord *c, struct state *s, const struct ctr_http_request *rq,
		     enum ctr_role role, struct joining *j, struct ctr_err *e)
{
	uint8_t data[CTR_REPORT_DATA_SIZE];

	if (!rq->authorization)
		return ctr_fail(e, CTR_NO, "nonce.none", "evidence for a nonce is asked for");
	if (ctr_join_nonce(rq->authorization, j->nonce, e) < 0 ||
	    nonces_check(c->nonces, coord_clock(), j->nonce, e) < 0 ||
	    ctr_join_parse("request", rq->body, rq->n, &j->join, e) < 0 ||
	    ctr_join_verify(&j->join, j->nonce, e) < 0 ||
	    ctr_join_report_data(&j->join, j->nonce, data, e) < 0 ||
	    appraise(c, s, rq->id, &j->join.evidence, data, role, &j->peer, e) < 0)
		return -1;
	return nonces_use(c->nonces, coord_clock(), j->nonce, e);
}

static int issue(const struct coord *c, const struct state *s, const struct joining *j,
		 struct ctr_buf *chain, struct ctr_err *e)
{
	const struct ctr_verdict *v = &j->peer.verdict;
	const struct ctr_snp_report *snp = &v->snp.report;
	const struct ctr_tdx_report *tdx = &v->tdx.quote.report;
	bool is_snp = v->tee == CTR_TEE_SNP;
	const char *tee = ctr_tee_names[v->tee];
	const struct ctr_claim claims[] = {
		{ "tee", { tee, strlen(tee) } },
		{ "policy_hash", { v->policy->hash, CTR_SHA256_SIZE } },
		{ "measurement",
		  { is_snp ? snp->measurement : tdx->mrtd,
		    is_snp ? sizeof snp->measurement : sizeof tdx->mrtd } },
		{ "tcb",
		  { is_snp ? snp->reported_tcb : tdx->tee_tcb_svn,
		    is_snp ? sizeof snp->reported_tcb : sizeof tdx->tee_tcb_svn } },
		{ "transition", { s->transition, sizeof s->transition } },
	};
	/* lesson: names come from the manifest alone, never from the peer */
	struct ctr_issue i = { .spki = { j->join.cert_key.p, j->join.cert_key.n },
			       .sans = (const char *const *)v->policy->sans,
			       .n_sans = v->policy->n_sans,
			       .claims = claims,
			       .n_claims = sizeof claims / sizeof *claims,
			       .now = time(NULL),
			       .seconds = c->cert_seconds };

	return ctr_mesh_issue(s->mesh, &i, chain, e);
}

static int seal(const struct joining *j, const struct ctr_buf *info,
		const struct ctr_secret *secret, struct ctr_buf *out, struct ctr_err *e)
{
	return ctr_buf_ok(info, "info", e) < 0
		       ? -1
		       : ctr_hpke_seal(j->join.kem_key, info->p, info->n, NULL, 0, secret->p,
				       secret->n, out, e);
}

static int answer(struct coord *c, const struct state *s, const struct joining *j,
		  const struct ctr_secret *secret, struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf chain = { 0 }, sealed = { 0 }, info = { 0 };
	struct ctr_join_answer a = { .mesh_ca = *ctr_mesh_pem(s->mesh),
				     .root_ca = *ctr_root_pem(s->root) };

	ctr_join_info(j->nonce, &info);
	if (issue(c, s, j, &chain, e) < 0 || (secret->n && seal(j, &info, secret, &sealed, e) < 0))
		return -1;
	a.cert_chain = chain;
	a.sealed = sealed;
	if (ctr_join_answer_print(&a, out, e) < 0)
		return -1;
	figure_add(c, F_ISSUED, NULL, NULL);
	return 0;
}

static int mesh_cert(struct coord *c, const struct ctr_http_request *rq, struct ctr_buf *out,
		     struct ctr_err *e)
{
	auto_state struct state *s = coord_state(c, e);
	CTR_AUTO(joining_free) struct joining j = { 0 };
	ctr_auto_secret struct ctr_secret secret = { 0 };
	const char *id;

	if (!s || handshake(c, s, rq, CTR_ROLE_NONE, &j, e) < 0)
		return -1;
	id = j.peer.verdict.policy->secret_id;
	if (*id && ctr_root_workload_secret(s->root, id, &secret, e) < 0)
		return -1;
	return answer(c, s, &j, &secret, out, e);
}

/* What a peer needs to serve the same. */
static int peer_state(const struct coord *c, const struct state *s, struct ctr_secret *out,
		      struct ctr_err *e)
{
	ctr_auto_secret struct ctr_secret key = { 0 };
	ctr_auto_buf struct ctr_buf text = { .wipe = true };
	/* borrows: nothing of it is freed */
	struct ctr_peer_state p = {
		.generation = s->generation,
		/* written before the first state was published, and never again */
		.seed = c->seed,
		.salt = c->salt,
		.intermediate = *ctr_mesh_intermediate(s->mesh),
		.mesh_ca = *ctr_mesh_pem(s->mesh)
	};

	memcpy(p.transition, s->transition, sizeof p.transition);
	if (ctr_mesh_key(s->mesh, &key, e) < 0)
		return -1;
	p.mesh_key = key;
	if (ctr_peer_state_print(&p, &text, e) < 0 || ctr_secret_new(out, text.n, e) < 0)
		return -1;
	memcpy(out->p, text.p, text.n);
	return 0;
}

/* lesson: peer recovery did not compare histories. If the store was changed under this process,
 * somebody is ahead of it, or set it back: it does not hand on what it has. */
static int still_ours(struct coord *c, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf now = { 0 };
	bool same = false;
	int rc;

	pthread_mutex_lock(&c->change);
	rc = ctr_hstore_latest(c->store, &now, e);
	if (rc == 0)
		same = ctr_buf_same(&now, &c->history.latest);
	pthread_mutex_unlock(&c->change);
	if (rc < 0)
		return -1;
	return same ? 0
		    : ctr_fail(e, CTR_NO, "history.rollback",
			       "the store has another history than the one that is served");
}

static int mesh_recover(struct coord *c, const struct ctr_http_request *rq, struct ctr_buf *out,
			struct ctr_err *e)
{
	auto_state struct state *s = coord_state(c, e);
	CTR_AUTO(joining_free) struct joining j = { 0 };
	ctr_auto_secret struct ctr_secret secret = { 0 };
	ctr_auto_buf struct ctr_buf info = { 0 };
	ctr_auto_peer_answer struct ctr_peer_answer a = { 0 };
	uint8_t data[CTR_REPORT_DATA_SIZE];

	if (!s || handshake(c, s, rq, CTR_ROLE_COORDINATOR, &j, e) < 0 || still_ours(c, e) < 0 ||
	    peer_state(c, s, &secret, e) < 0)
		return -1;
	ctr_peer_info(j.nonce, &info);
	if (seal(&j, &info, &secret, &a.sealed, e) < 0 ||
	    ctr_peer_report_data(&a, j.nonce, data, e) < 0 ||
	    coord_evidence(c, data, &a.evidence, e) < 0)
		return -1;
	return ctr_peer_answer_print(&a, out, e);
}

/* A nonce that is not good, or none: the client gets another with the refusal. */
static int with_challenge(struct coord *c, int rc, struct ctr_http_answer *a, struct ctr_err *e)
{
	if (rc < 0 && e->id && strncmp(e->id, "nonce.", 6) == 0 && e->code == CTR_NO) {
		struct ctr_err why = { 0 };

		if (challenge(c, a, &why) < 0)
			*e = why;
	}
	return rc;
}

int api_mesh_cert(struct coord *c, const struct ctr_http_request *rq, struct ctr_http_answer *a,
		  struct ctr_err *e)
{
	return with_challenge(c, mesh_cert(c, rq, &a->body, e), a, e);
}

int api_mesh_recover(struct coord *c, const struct ctr_http_request *rq, struct ctr_http_answer *a,
		     struct ctr_err *e)
{
	return with_challenge(c, mesh_recover(c, rq, &a->body, e), a, e);
}

int api_mesh_ca(struct coord *c, const struct ctr_http_request *rq, struct ctr_http_answer *a,
		struct ctr_err *e)
{
	auto_state struct state *s = coord_state(c, e);

	(void)rq;
	return s ? ctr_join_ca_print(ctr_mesh_pem(s->mesh), &a->body, e) : -1;
}
