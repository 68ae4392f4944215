#include "appraise.h"

#include "event.h"
#include "figures.h"

void peer_free(struct peer *p)
{
	ctr_verdict_free(&p->verdict);
	ctr_evidence_free(&p->ev);
}

/* Whether the verifier will find all that it may ask for. */
static bool complete(const struct ctr_verify_opts *o, const struct ctr_evidence *ev)
{
	const struct ctr_buf *i = ev->item;
	bool lists = o->crl == CTR_CRL_NEVER;

	if (ev->tee == CTR_TEE_SNP)
		return (i[CTR_VCEK].n || i[CTR_VLEK].n) && (lists || i[CTR_CRL].n);
	return (o->tcb_optional || (i[CTR_TCB_INFO].n && i[CTR_QE_IDENTITY].n)) &&
	       (lists || (i[CTR_PCK_CRL].n && i[CTR_ROOT_CRL].n));
}

/*
 * Whoever sends a report can make us ask the vendor for what endorses it: one at a time, so that
 * the workers stay free for evidence that is complete, or known.
 */
static int fetch(struct coord *c, const struct ctr_verify_opts *now, struct ctr_evidence *ev,
		 struct ctr_err *e)
{
	int rc;

	if (pthread_mutex_trylock(&c->fetch))
		return ctr_fail(e, CTR_ENV, "coord.busy", "endorsements of others are fetched");
	rc = ctr_endorse(&c->from, now, ev, e);
	pthread_mutex_unlock(&c->fetch);
	return rc;
}

/* A list that could not be had a moment ago is not asked for again at once. */
static int endorse(struct coord *c, const struct ctr_verify_opts *now, struct ctr_evidence *ev,
		   struct ctr_err *e)
{
	struct ctr_collateral_opts local = c->from;
	bool own_list = ev->item[CTR_CRL].n > 0, known = lists_get(&c->lists, coord_clock(), ev);
	bool leaf = ev->item[CTR_VCEK].n || ev->item[CTR_VLEK].n;
	struct ctr_err why = { 0 };
	int rc;

	if (complete(now, ev) || (known && leaf && now->crl != CTR_CRL_REQUIRED))
		return 0;
	local.offline = true;
	rc = ctr_endorse(&local, now, ev, &why);
	if (rc < 0 && (c->from.offline || why.code != CTR_ENV))
		return ctr_err_pass(e, &why);
	if (!c->from.offline && !complete(now, ev))
		rc = fetch(c, now, ev, e);
	if (rc == 0 && !own_list)
		lists_put(&c->lists, coord_clock(), ev);
	return rc;
}

static void refused(struct coord *c, const char *request, const struct ctr_verdict *v)
{
	const struct ctr_check *first = ctr_checks_failed(&v->checks);

	figure_add(c, F_REFUSED, first ? first->name : "none", NULL);
	event_verdict(c->log, request, v);
}

static int judge(struct coord *c, struct state *s, const char *request,
		 const struct ctr_appraisal *a, const struct ctr_verify_opts *now,
		 enum ctr_role role, struct peer *p, struct ctr_err *e)
{
	struct ctr_verifier vf = { .opts = *now,
				   .appraisal = a,
				   .refs = &s->manifest,
				   .policies = true,
				   .role = role,
				   .snp = c->snp,
				   .tdx = c->tdx };
	const struct ctr_check *why;

	if (ctr_verify(&vf, &p->ev, &p->verdict, e) < 0)
		return -1;
	if (p->verdict.accepted && p->verdict.policy)
		return 0;
	refused(c, request, &p->verdict);
	why = ctr_checks_failed(&p->verdict.checks);
	return ctr_fail(e, CTR_NO, "coord.evidence", "the evidence was refused: %s",
			why ? why->name : "no policy");
}

/* Not to be judged: nobody's fault but the network's, or not evidence. */
static int unjudged(struct coord *c, const struct ctr_err *why, struct ctr_err *e)
{
	figure_add(c, F_REFUSED, why->code == CTR_ENV ? "collateral" : "malformed", NULL);
	if (why->code != CTR_ENV || (why->id && strcmp(why->id, "coord.busy") == 0))
		return ctr_err_pass(e, why);
	return ctr_fail(e, CTR_ENV, "coord.collateral", "%s", why->msg);
}

int appraise(struct coord *c, struct state *s, const char *request, const struct ctr_buf *evidence,
	     const uint8_t report_data[CTR_REPORT_DATA], enum ctr_role role, struct peer *p,
	     struct ctr_err *e)
{
	ctr_auto_appraisal struct ctr_appraisal a = { 0 };
	struct ctr_want *data = &a.snp.expect[CTR_SNP_REPORT_DATA];
	struct ctr_verify_opts now = c->verify;
	struct ctr_err why = { 0 };

	now.at = time(NULL);
	ctr_appraisal_init(&a);
	data->what = CTR_WANT_EQUAL;
	memcpy(data->v, report_data, CTR_REPORT_DATA);
	a.tdx.expect[CTR_TDX_REPORTDATA] = *data;
	if (ctr_evidence_parse((const uint8_t *)evidence->p, evidence->n, &p->ev, &why) < 0 ||
	    endorse(c, &now, &p->ev, &why) < 0)
		return unjudged(c, &why, e);
	if (judge(c, s, request, &a, &now, role, p, &why) == 0)
		return 0;
	return why.code == CTR_NO ? ctr_err_pass(e, &why) : unjudged(c, &why, e);
}
