#include "tdx_trust.h"

#include <string.h>

#include "crypto_p256.h"
#include "enc.h"
#include "tdx_chain.h"

/* While the checks are made: certificates and lists are not needed afterwards. */
struct run {
	const struct ctr_evidence *ev;
	const struct ctr_verify_opts *o;
	const uint8_t *pin;
	struct ctr_tdx_trust *t;
	struct ctr_checks *cs;
	struct ctr_chain pck, tcb, qe; /* empty: not there */
	X509_CRL *root_crl, *pck_crl;  /* NULL: not there */
	bool root_crl_good, pck_crl_good;
	struct ctr_err *e;
};

static void free_run(struct run *r)
{
	ctr_chain_free(&r->pck);
	ctr_chain_free(&r->tcb);
	ctr_chain_free(&r->qe);
	X509_CRL_free(r->root_crl);
	X509_CRL_free(r->pck_crl);
}

void ctr_tdx_trust_free(struct ctr_tdx_trust *t)
{
	ctr_checks_free(&t->checks);
	ctr_tcb_info_free(&t->tcb);
	ctr_qe_identity_free(&t->qe);
	EVP_PKEY_free(t->key);
	*t = (struct ctr_tdx_trust){ 0 };
}

static bool there(const struct ctr_evidence *ev, enum ctr_item a, enum ctr_item b)
{
	return ev->item[a].n && ev->item[b].n;
}

/* All that is missing in one message, so that one more request is enough. */
static int missing(const struct ctr_evidence *ev, const struct ctr_verify_opts *o,
		   struct ctr_err *e)
{
	static const struct {
		enum ctr_item item;
		const char *name;
		bool crl;
	} need[] = {
		{ CTR_TCB_INFO, "tcb_info", false },
		{ CTR_TCB_INFO_CHAIN, "tcb_info_chain", false },
		{ CTR_QE_IDENTITY, "qe_identity", false },
		{ CTR_QE_IDENTITY_CHAIN, "qe_identity_chain", false },
		{ CTR_PCK_CRL, "pck_crl", true },
		{ CTR_ROOT_CRL, "root_crl", true },
	};
	ctr_auto_buf struct ctr_buf list = { 0 };

	for (size_t i = 0; i < sizeof need / sizeof *need; i++) {
		if (!ev->item[need[i].item].n &&
		    (need[i].crl ? o->crl == CTR_CRL_REQUIRED : !o->tcb_optional))
			ctr_buf_addf(&list, "%s%s", list.n ? ", " : "", need[i].name);
	}
	if (ctr_buf_ok(&list, "list", e) < 0)
		return -1;
	if (list.n == 0)
		return 0;
	ctr_fail(e, CTR_ENV, "collateral.missing", "the evidence has no %s", ctr_buf_str(&list));
	return ctr_err_fix(e, "get it from Intel's PCS or a PCCS, and put it into the evidence");
}

static int pem(const struct ctr_evidence *ev, enum ctr_item item, const char *what,
	       struct ctr_chain *c, struct ctr_err *e)
{
	return ev->item[item].n ? ctr_x509_pem(ev->item[item].p, ev->item[item].n, what, c, e) : 0;
}

static int crl(const struct ctr_evidence *ev, enum ctr_item item, const char *what, X509_CRL **l,
	       struct ctr_err *e)
{
	return ev->item[item].n ? ctr_crl_der(ev->item[item].p, ev->item[item].n, what, l, e) : 0;
}

/* Everything is read before anything is judged: what is malformed is an error, not a verdict. */
static int load(struct run *r, const struct ctr_tdx_quote *q)
{
	const struct ctr_evidence *ev = r->ev;
	const struct ctr_buf *tcb = &ev->item[CTR_TCB_INFO], *qe = &ev->item[CTR_QE_IDENTITY];

	if (ctr_x509_pem(q->chain.p, q->chain.left, "PCK chain in the quote", &r->pck, r->e) < 0 ||
	    pem(ev, CTR_TCB_INFO_CHAIN, "tcb_info_chain", &r->tcb, r->e) < 0 ||
	    pem(ev, CTR_QE_IDENTITY_CHAIN, "qe_identity_chain", &r->qe, r->e) < 0)
		return -1;
	if (r->o->crl != CTR_CRL_NEVER &&
	    (crl(ev, CTR_ROOT_CRL, "root_crl", &r->root_crl, r->e) < 0 ||
	     crl(ev, CTR_PCK_CRL, "pck_crl", &r->pck_crl, r->e) < 0))
		return -1;
	if ((tcb->n && ctr_tcb_info_parse(tcb->p, tcb->n, &r->t->tcb, r->e) < 0) ||
	    (qe->n && ctr_qe_identity_parse(qe->p, qe->n, &r->t->qe, r->e) < 0))
		return -1;
	return 0;
}

static void add_window(struct run *r, const char *what, const char *check, bool known, time_t from,
		       time_t until)
{
	if (!known)
		ctr_check(r->cs, check, false, "dates", "none", "%s: its dates cannot be read",
			  what);
	else
		r->t->window[r->t->n_windows++] =
			(struct ctr_tdx_window){ what, check, from, until };
}

struct chain_names {
	enum ctr_tdx_chain_kind kind;
	const char *what, *root, *chain, *validity;
};

/* Pinned root and sound chain; false when not. */
static int check_chain(struct run *r, const struct ctr_chain *c, const struct chain_names *n,
		       bool *good)
{
	uint8_t spki[CTR_SHA256_SIZE];
	const char *fault;
	time_t from, until;
	bool known;

	*good = false;
	if (ctr_x509_spki(c->v[c->n - 1], spki, r->e) < 0)
		return -1;
	*good = ctr_check_bytes(r->cs, n->root, r->pin, spki, sizeof spki,
				"SHA-256 of the public key of the chain's last certificate");
	fault = ctr_tdx_chain_fault(c, n->kind);
	*good &= ctr_check(r->cs, n->chain, !fault, "a sound chain", fault ? fault : "so", "%s",
			   n->what);
	known = ctr_tdx_chain_window(c, &from, &until);
	add_window(r, n->what, n->validity, known, from, until);
	return 0;
}

static int check_pck(struct run *r)
{
	static const struct chain_names names = { CTR_TDX_PCK, "PCK chain", "tdx.pck.root",
						  "tdx.pck.chain", "tdx.pck.validity" };
	struct ctr_err why = { 0 };
	struct ctr_rd value;
	int ext;

	if (check_chain(r, &r->pck, &names, &r->t->pck_good) < 0)
		return -1;
	ext = ctr_x509_ext(r->pck.v[0], CTR_PCK_OID, &value);
	r->t->has_pck = ext == 1 && ctr_pck_parse(value, &r->t->pck, &why) == 0;
	ctr_check(r->cs, "tdx.pck.extension", r->t->has_pck, "the SGX extension",
		  r->t->has_pck ? "so" : "not so", "%s",
		  r->t->has_pck ? ""
		  : ext == 1	? why.msg
		  : ext == 0	? "it is missing"
				: "it is there twice");
	if (ctr_x509_key_ec(r->pck.v[0], NID_X9_62_prime256v1) &&
	    (r->t->key = X509_get_pubkey(r->pck.v[0])) == NULL)
		return ctr_fail_mem(r->e);
	return 0;
}

struct crl_names {
	const char *what, *list, *validity;
};

static bool check_crl(struct run *r, X509_CRL *l, size_t issuer, const struct crl_names *n)
{
	const char *why = NULL, *fault;
	time_t from, until;
	bool known;

	if (r->o->crl == CTR_CRL_NEVER)
		why = "not asked for";
	else if (!l)
		why = "there is no list";
	else if (r->pck.n != 3)
		why = "the quote has no chain of three certificates";
	if (why) {
		ctr_check_skip(r->cs, n->list, "%s", why);
		ctr_check_skip(r->cs, n->validity, "%s", why);
		return false;
	}
	fault = ctr_tdx_crl_fault(l, r->pck.v[issuer]);
	known = ctr_crl_window(l, &from, &until);
	add_window(r, n->what, n->validity, known, from, until);
	return ctr_check(r->cs, n->list, !fault, "a list of the chain's CA", fault ? fault : "so",
			 "%s", n->what);
}

static void check_crls(struct run *r)
{
	static const struct crl_names root = { "root_crl", "tdx.crl.root",
					       "tdx.crl.root.validity" };
	static const struct crl_names pck = { "pck_crl", "tdx.crl.pck", "tdx.crl.pck.validity" };

	r->root_crl_good = check_crl(r, r->root_crl, 2, &root);
	r->pck_crl_good = check_crl(r, r->pck_crl, 1, &pck);
}

/* c must be of the list's issuer: a list says nothing of other issuers' certificates, whatever
 * their numbers. */
static void check_revoked(struct run *r, const char *name, X509_CRL *l, bool good, size_t issuer,
			  const X509 *c)
{
	const char *why = r->o->crl == CTR_CRL_NEVER ? "not asked for"
			  : !l			     ? "there is no list"
						     : NULL;
	const char *found = "so";

	if (!why && (!good || !c))
		why = c ? "the list is not good" : "there is no certificate to look for";
	if (why) {
		ctr_check_skip(r->cs, name, "%s", why);
		return;
	}
	if (!ctr_x509_same_name(c, r->pck.v[issuer]))
		found = "of another issuer";
	else if (ctr_crl_has(l, c))
		found = "revoked";
	ctr_check(r->cs, name, strcmp(found, "so") == 0, "not on the list", found, NULL);
}

static void check_revocations(struct run *r)
{
	bool pck = r->pck.n == 3;

	check_revoked(r, "tdx.revoked.pck_ca", r->root_crl, r->root_crl_good, 2,
		      pck ? r->pck.v[1] : NULL);
	check_revoked(r, "tdx.revoked.pck", r->pck_crl, r->pck_crl_good, 1,
		      pck ? r->pck.v[0] : NULL);
	check_revoked(r, "tdx.revoked.tcb_info_signer", r->root_crl, r->root_crl_good, 2,
		      r->tcb.n ? r->tcb.v[0] : NULL);
	check_revoked(r, "tdx.revoked.qe_identity_signer", r->root_crl, r->root_crl_good, 2,
		      r->qe.n ? r->qe.v[0] : NULL);
}

struct signed_names {
	struct chain_names chain;
	const char *what, *signature, *validity;
};

/* *unfit: why the text cannot be believed, NULL when it can. */
static int check_signed(struct run *r, bool present, const struct ctr_chain *c,
			struct ctr_tcb_head *h, const struct signed_names *n, const char **unfit)
{
	const char *const names[] = { n->chain.root, n->chain.chain, n->chain.validity,
				      n->signature, n->validity };
	bool chain, sig;

	if (!present) {
		*unfit = "it is not in the evidence";
		for (size_t i = 0; i < sizeof names / sizeof *names; i++)
			ctr_check_skip(r->cs, names[i], "%s is not in the evidence", n->what);
		return 0;
	}
	if (check_chain(r, c, &n->chain, &chain) < 0)
		return -1;
	sig = ctr_p256_signed(X509_get0_pubkey(c->v[0]), h->text.p, h->text.left, h->signature);
	ctr_check(r->cs, n->signature, sig, "ECDSA P-256 by the first certificate of its chain",
		  sig ? "so" : "not signed by it", "%s", n->what);
	add_window(r, n->what, n->validity, true, h->issued, h->next);
	ctr_rd_init(&h->text, NULL, 0); /* it borrowed from the evidence */
	*unfit = chain && sig ? NULL : "it is not signed by Intel";
	return 0;
}

static int check_tcb_info(struct run *r)
{
	static const struct signed_names names = { { CTR_TDX_SIGNER, "tcb_info_chain",
						     "tdx.tcb_info.root", "tdx.tcb_info.chain",
						     "tdx.tcb_info.chain.validity" },
						   "tcb_info",
						   "tdx.tcb_info.signature",
						   "tdx.tcb_info.validity" };
	struct ctr_tdx_trust *t = r->t;
	bool same;

	if (check_signed(r, there(r->ev, CTR_TCB_INFO, CTR_TCB_INFO_CHAIN), &r->tcb, &t->tcb.head,
			 &names, &t->tcb_unfit) < 0)
		return -1;
	if (!t->tcb_unfit && !t->has_pck)
		t->tcb_unfit = "the PCK certificate does not say which platform it is of";
	if (t->tcb_unfit) {
		ctr_check_skip(r->cs, "tdx.tcb_info.fmspc", "TCB info: %s", t->tcb_unfit);
		ctr_check_skip(r->cs, "tdx.tcb_info.pceid", "TCB info: %s", t->tcb_unfit);
		return 0;
	}
	same = ctr_check_bytes(r->cs, "tdx.tcb_info.fmspc", t->pck.fmspc, t->tcb.fmspc,
			       sizeof t->pck.fmspc,
			       "FMSPC of the PCK certificate against the TCB info's");
	same &= ctr_check_bytes(r->cs, "tdx.tcb_info.pceid", t->pck.pceid, t->tcb.pceid,
				sizeof t->pck.pceid,
				"PCEID of the PCK certificate against the TCB info's");
	if (!same)
		t->tcb_unfit = "it is of another platform";
	return 0;
}

static int check_qe_identity(struct run *r)
{
	static const struct signed_names names = {
		{ CTR_TDX_SIGNER, "qe_identity_chain", "tdx.qe_identity.root",
		  "tdx.qe_identity.chain", "tdx.qe_identity.chain.validity" },
		"qe_identity",
		"tdx.qe_identity.signature",
		"tdx.qe_identity.validity"
	};

	r->t->qe_absent = !there(r->ev, CTR_QE_IDENTITY, CTR_QE_IDENTITY_CHAIN);
	return check_signed(r, !r->t->qe_absent, &r->qe, &r->t->qe.head, &names, &r->t->qe_unfit);
}

static int check_all(struct run *r)
{
	if (check_pck(r) < 0)
		return -1;
	check_crls(r);
	if (check_tcb_info(r) < 0 || check_qe_identity(r) < 0)
		return -1;
	check_revocations(r);
	return r->cs->bad ? ctr_fail_mem(r->e) : 0;
}

int ctr_tdx_trust_check(const struct ctr_evidence *ev, const struct ctr_tdx_quote *q,
			const struct ctr_verify_opts *o, struct ctr_tdx_trust *t, struct ctr_err *e)
{
	struct run r = { .ev = ev,
			 .o = o,
			 .pin = o->test_root ? o->test_root : ctr_tdx_root,
			 .t = t,
			 .cs = &t->checks,
			 .e = e };
	int rc = -1;

	if (missing(ev, o, e) == 0 && load(&r, q) == 0)
		rc = check_all(&r);
	free_run(&r);
	if (rc < 0)
		ctr_tdx_trust_free(t);
	return rc;
}
