#include "tdx_verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "crypto_p256.h"
#include "enc.h"
#include "hash.h"
#include "tdx_cache.h"
#include "tdx_level.h"
#include "x509.h"

void ctr_tdx_result_free(struct ctr_tdx_result *r)
{
	ctr_advisories_free(&r->advisories);
	*r = (struct ctr_tdx_result){ 0 };
}

_Static_assert(CTR_TDX_WINDOWS <= CTR_EXPIRIES, "a place for each");

/* The window of the PCK chain is the first; true when all of its certificates are valid. */
static bool check_times(const struct ctr_tdx_trust *t, time_t at, struct ctr_checks *cs,
			struct ctr_tdx_result *r)
{
	char from[CTR_TIME_MAX], until[CTR_TIME_MAX], now[CTR_TIME_MAX], both[2 * CTR_TIME_MAX + 8];
	bool pck = false;

	for (size_t i = 0; i < t->n_windows; i++) {
		const struct ctr_tdx_window *w = &t->window[i];
		bool ok = w->from <= at && at <= w->until;

		snprintf(both, sizeof both, "%s to %s", ctr_time_print(w->from, from),
			 ctr_time_print(w->until, until));
		ctr_check(cs, w->check, ok, both, ctr_time_print(at, now), "%s%s", w->what,
			  ok		  ? ""
			  : at > w->until ? ": expired, get a new one"
					  : ": not valid yet");
		pck = pck || (ok && strcmp(w->check, "tdx.pck.validity") == 0);
		r->expiry[r->n_expiry++] = (struct ctr_expiry){ w->what, w->until };
		if (!r->expires_item || w->until < r->expires) {
			r->expires = w->until;
			r->expires_item = w->what;
		}
	}
	return pck;
}

static bool check_signature(struct ctr_checks *cs, const char *name, EVP_PKEY *key,
			    const struct ctr_rd *part, const uint8_t rs[64], const char *whose)
{
	bool ok = ctr_p256_signed(key, part->p, part->left, rs);

	return ctr_check(cs, name, ok, "ECDSA P-256 with SHA-256", ok ? "so" : "not signed by it",
			 "by %s", whose);
}

/* PCK certificate -> QE report -> attestation key -> quote. */
static int check_quote(const struct ctr_tdx_quote *q, EVP_PKEY *pck, struct ctr_checks *cs,
		       bool *good, struct ctr_err *e)
{
	ctr_auto_pkey EVP_PKEY *att = ctr_p256_key(q->att_key);
	ctr_auto_hasher struct ctr_hasher *h = NULL;
	uint8_t want[sizeof q->qe.reportdata] = { 0 }; /* the second half stays zero */
	bool qe = false, bound, quote;

	if (pck)
		qe = check_signature(cs, "tdx.qe.signature", pck, &q->qe_bytes, q->qe_signature,
				     "the PCK certificate");
	else
		ctr_check(cs, "tdx.qe.signature", false, "a PCK key on P-256", "another key", NULL);
	if (ctr_hasher_new(CTR_SHA256, &h, e) < 0 ||
	    ctr_hasher_add(h, q->att_key, sizeof q->att_key, e) < 0 ||
	    ctr_hasher_add(h, q->qe_auth.p, q->qe_auth.left, e) < 0 ||
	    ctr_hasher_end(h, want, e) < 0)
		return -1;
	bound = ctr_check_bytes(
		cs, "tdx.qe.binding", want, q->qe.reportdata, sizeof want,
		"REPORTDATA of the QE against the hash of attestation key and authentication data");
	if (att)
		quote = check_signature(cs, "tdx.quote.signature", att, &q->signed_part,
					q->signature, "the attestation key");
	else
		quote = ctr_check(cs, "tdx.quote.signature", false, "an attestation key on P-256",
				  "no point of the curve", NULL);
	*good = qe && bound && quote;
	return 0;
}

/* Under the mask, shown unmasked. */
static bool check_masked(struct ctr_checks *cs, const char *name, const uint8_t *want,
			 const uint8_t *mask, const uint8_t *found, size_t n)
{
	ctr_auto_buf struct ctr_buf w = { 0 }, f = { 0 }, m = { 0 };
	uint8_t off = 0;

	for (size_t i = 0; i < n; i++)
		off |= (found[i] & mask[i]) ^ want[i];
	ctr_hex_add(&w, want, n);
	ctr_hex_add(&f, found, n);
	ctr_hex_add(&m, mask, n);
	cs->bad = cs->bad || w.bad || f.bad || m.bad;
	return ctr_check(cs, name, off == 0, ctr_buf_str(&w), ctr_buf_str(&f), "under the mask %s",
			 ctr_buf_str(&m));
}

/* A level that is there passes: whether its status is good enough is for the policy to say. */
static int found_level(struct ctr_checks *cs, const char *name, const struct ctr_tcb_level *l,
		       const char *have, enum ctr_tcb_status *st, struct ctr_tdx_result *r,
		       struct ctr_err *e)
{
	char day[CTR_TIME_MAX], text[96];

	*st = l ? l->status : CTR_TCB_NOT_SUPPORTED;
	if (!l) {
		ctr_check(cs, name, false, "a level that it reaches", "none",
			  "%s: older than all that Intel lists", have);
		return 0;
	}
	snprintf(text, sizeof text, "%s, level of %.10s", ctr_tcb_status_names[l->status],
		 ctr_time_print(l->date, day));
	ctr_check(cs, name, true, "a level that it reaches", text, "%s", have);
	return ctr_advisories_join(&r->advisories, &l->advisories, e);
}

/*
 * Without the identity: any enclave may have its report signed on a genuine platform, so what does
 * not change from one identity to the next is held all the same (Intel's signer and product of the
 * TD quoting enclave; not a debug enclave).
 */
static bool check_qe_alone(const struct ctr_sgx_report *qe, struct ctr_checks *cs)
{
	static const uint8_t intel[32] = {
		0xdc, 0x9e, 0x2a, 0x7c, 0x6f, 0x94, 0x8f, 0x17, 0x47, 0x4e, 0x34,
		0xa7, 0xfc, 0x43, 0xed, 0x03, 0x0f, 0x7c, 0x15, 0x63, 0xf1, 0xba,
		0xbd, 0xdf, 0x63, 0x40, 0xc8, 0x2e, 0x0e, 0x54, 0xa8, 0xc5,
	};
	bool debug = qe->attributes[0] & 2, ok;

	ctr_check_skip(cs, "tdx.qe.miscselect", "there is no QE identity");
	ok = ctr_check(cs, "tdx.qe.attributes", !debug, "no debug enclave", debug ? "one" : "none",
		       "bit 1 of the QE's ATTRIBUTES");
	ok &= ctr_check_bytes(cs, "tdx.qe.mrsigner", intel, qe->mrsigner, sizeof intel,
			      "signer of the quoting enclave: Intel");
	ok &= ctr_check_number(cs, "tdx.qe.isvprodid", 2, qe->isvprodid,
			       "product of the quoting enclave: TD quoting enclave");
	ctr_check_skip(cs, "tdx.qe.level", "there is no QE identity");
	return ok;
}

/* *good stays what it is unless a quoting enclave without identity is not Intel's. */
static int check_qe(const struct ctr_tdx_trust *t, struct ctr_checks *cs, struct ctr_tdx_result *r,
		    bool *good, struct ctr_err *e)
{
	static const char *const names[] = { "tdx.qe.miscselect", "tdx.qe.attributes",
					     "tdx.qe.mrsigner", "tdx.qe.isvprodid",
					     "tdx.qe.level" };
	const struct ctr_qe_identity *id = &t->qe;
	const struct ctr_sgx_report *qe = &r->quote.qe;
	char have[24];
	bool same;

	if (t->qe_absent) {
		*good = check_qe_alone(qe, cs) && *good;
		return 0;
	}
	if (t->qe_unfit) {
		for (size_t i = 0; i < sizeof names / sizeof *names; i++)
			ctr_check_skip(cs, names[i], "QE identity: %s", t->qe_unfit);
		return 0;
	}
	r->has_qe_identity = true;
	r->qe_identity_eval = id->head.eval;
	same = check_masked(cs, names[0], id->miscselect, id->miscselect_mask, qe->miscselect,
			    sizeof qe->miscselect);
	same &= check_masked(cs, names[1], id->attributes, id->attributes_mask, qe->attributes,
			     sizeof qe->attributes);
	same &= ctr_check_bytes(cs, names[2], id->mrsigner, qe->mrsigner, sizeof qe->mrsigner,
				"signer of the quoting enclave");
	same &= ctr_check_number(cs, names[3], id->isvprodid, qe->isvprodid,
				 "product of the quoting enclave");
	if (!same) {
		ctr_check_skip(cs, names[4], "it is not the quoting enclave of the identity");
		return 0;
	}
	snprintf(have, sizeof have, "ISVSVN %u", qe->isvsvn);
	return found_level(cs, names[4], ctr_tcb_svn_level(&id->levels, qe->isvsvn), have, &r->qe,
			   r, e);
}

static bool check_module_identity(const struct ctr_tdx_module *m, const struct ctr_tdx_report *td,
				  struct ctr_checks *cs)
{
	bool same;

	if (!m) {
		ctr_check_skip(cs, "tdx.module.mrsigner", "the module's version has no identity");
		ctr_check_skip(cs, "tdx.module.attributes", "the module's version has no identity");
		return false;
	}
	same = ctr_check_bytes(cs, "tdx.module.mrsigner", m->mrsigner, td->mrsignerseam,
			       sizeof m->mrsigner, "MRSIGNERSEAM against the identity's");
	same &= check_masked(cs, "tdx.module.attributes", m->attributes, m->attributes_mask,
			     td->seamattributes, sizeof m->attributes);
	return same;
}

/* The module, by its own list; *known: it is one of Intel's. */
static int check_module(const struct ctr_tdx_trust *t, struct ctr_checks *cs,
			struct ctr_tdx_result *r, bool *known, struct ctr_err *e)
{
	const struct ctr_tdx_report *td = &r->quote.report;
	const struct ctr_tdx_module *m = ctr_tdx_module_of(&t->tcb, td->tee_tcb_svn);
	bool clear = ctr_zero(td->seamattributes, sizeof td->seamattributes);
	char id[32];

	snprintf(id, sizeof id, "version %u, SVN %u", td->tee_tcb_svn[1], td->tee_tcb_svn[0]);
	*known = ctr_check(cs, "tdx.module", m, "an identity of the TDX module",
			   m ? m->id[0] ? m->id : "tdxModule" : "none", "%s", id);
	*known = check_module_identity(m, td, cs) && *known;
	*known = ctr_check(cs, "tdx.module.reserved", clear, "SEAMATTRIBUTES zero",
			   clear ? "so" : "not zero", NULL) &&
		 *known;
	if (!*known)
		ctr_check_skip(cs, "tdx.module.level", "it is not a module of the TCB info");
	else if (td->tee_tcb_svn[1] == 0)
		ctr_check_skip(cs, "tdx.module.level",
			       "module version 0 is part of the platform's level");
	else
		return found_level(cs, "tdx.module.level",
				   ctr_tcb_svn_level(&m->levels, td->tee_tcb_svn[0]), id,
				   &r->module, r, e);
	return 0;
}

static int check_platform(const struct ctr_tdx_trust *t, struct ctr_checks *cs,
			  struct ctr_tdx_result *r, struct ctr_err *e)
{
	const uint8_t *svn = r->quote.report.tee_tcb_svn;
	const struct ctr_tcb_level *l = ctr_tcb_platform_level(&t->tcb.levels, &r->pck, svn);
	ctr_auto_buf struct ctr_buf have = { 0 };

	ctr_buf_adds(&have, "components ");
	ctr_hex_add(&have, r->pck.comp, sizeof r->pck.comp);
	ctr_buf_addf(&have, ", PCESVN %u, TEE_TCB_SVN ", r->pck.pcesvn);
	ctr_hex_add(&have, svn, sizeof r->quote.report.tee_tcb_svn);
	r->tcb_date = l ? l->date : 0;
	return ctr_buf_ok(&have, "text", e) < 0
		       ? -1
		       : found_level(cs, "tdx.tcb.level", l, have.p, &r->platform, r, e);
}

static int check_tcb(const struct ctr_tdx_trust *t, struct ctr_checks *cs, struct ctr_tdx_result *r,
		     struct ctr_err *e)
{
	static const char *const names[] = {
		"tdx.module",	       "tdx.module.mrsigner", "tdx.module.attributes",
		"tdx.module.reserved", "tdx.module.level",    "tdx.tcb.level"
	};
	bool known;

	if (t->tcb_unfit) {
		for (size_t i = 0; i < sizeof names / sizeof *names; i++)
			ctr_check_skip(cs, names[i], "TCB info: %s", t->tcb_unfit);
		return 0;
	}
	r->has_tcb_info = true;
	r->tcb_info_eval = t->tcb.head.eval;
	if (check_module(t, cs, r, &known, e) < 0 || check_platform(t, cs, r, e) < 0)
		return -1;
	if (!known || r->qe == CTR_TCB_NONE)
		return 0;
	r->status = r->platform;
	if (r->module != CTR_TCB_NONE)
		r->status = ctr_tcb_merge(r->status, r->module);
	r->status = ctr_tcb_merge(r->status, r->qe);
	r->status = ctr_tcb_relaunch(&t->tcb, &r->pck, &r->quote.report, r->platform, r->module,
				     r->qe, r->status);
	return 0;
}

/* Levels of SVNs that nobody vouches for are shown in the checks, but are no result. */
static void forget_levels(struct ctr_tdx_result *r)
{
	ctr_advisories_free(&r->advisories);
	r->platform = r->module = r->qe = r->status = CTR_TCB_NONE;
	r->tcb_date = 0;
}

static int judge(const struct ctr_tdx_trust *t, time_t at, struct ctr_checks *cs,
		 struct ctr_tdx_result *r, struct ctr_err *e)
{
	bool valid, good;

	r->has_pck = t->has_pck;
	r->pck = t->pck;
	ctr_checks_append(cs, &t->checks);
	valid = check_times(t, at, cs, r);
	if (check_quote(&r->quote, t->key, cs, &good, e) < 0 || check_qe(t, cs, r, &good, e) < 0 ||
	    check_tcb(t, cs, r, e) < 0)
		return -1;
	r->authenticated = t->pck_good && valid && good && !cs->bad;
	if (!r->authenticated)
		forget_levels(r);
	return cs->bad ? ctr_fail_mem(e) : 0;
}

int ctr_tdx_verify(const struct ctr_evidence *ev, const struct ctr_verify_opts *o,
		   struct ctr_tdx_cache *cache, struct ctr_checks *cs, struct ctr_tdx_result *r,
		   struct ctr_err *e)
{
	struct ctr_tdx_trust *t;
	int rc;

	*r = (struct ctr_tdx_result){ 0 };
	if (ctr_tdx_parse(ev->item[CTR_REPORT].p, ev->item[CTR_REPORT].n, &r->quote, e) < 0 ||
	    ctr_tdx_trust_get(cache, ev, &r->quote, o, &t, e) < 0)
		return -1;
	rc = judge(t, o->at, cs, r, e);
	ctr_tdx_trust_put(cache, t);
	if (rc < 0)
		ctr_tdx_result_free(r);
	return rc;
}
