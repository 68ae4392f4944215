#include "endorse.h"

#include <string.h>

#include "tdx.h"
#include "tdx_pck.h"
#include "tdx_tcb.h"
#include "x509.h"

struct window {
	time_t from, until;
};

static bool certificate(const struct ctr_buf *b, struct window *w)
{
	ctr_auto_x509 X509 *c = NULL;

	return ctr_x509_der(b->p, b->n, "certificate", &c, NULL) == 0 &&
	       ctr_x509_window(c, &w->from, &w->until);
}

static bool list(const struct ctr_buf *b, struct window *w)
{
	ctr_auto_crl X509_CRL *c = NULL;

	return ctr_crl_der(b->p, b->n, "list", &c, NULL) == 0 &&
	       ctr_crl_window(c, &w->from, &w->until);
}

/* As long as all of them hold. */
static bool chain(const struct ctr_buf *b, struct window *w)
{
	ctr_auto_chain struct ctr_chain c = { 0 };
	struct window one;

	if (ctr_x509_pem(b->p, b->n, "chain", &c, NULL) < 0)
		return false;
	for (size_t i = 0; i < c.n; i++) {
		if (!ctr_x509_window(c.v[i], &one.from, &one.until))
			return false;
		if (i == 0 || one.from > w->from)
			w->from = one.from;
		if (i == 0 || one.until < w->until)
			w->until = one.until;
	}
	return true;
}

static bool tcb_info(const struct ctr_buf *b, struct window *w)
{
	ctr_auto_tcb_info struct ctr_tcb_info t = { 0 };

	if (ctr_tcb_info_parse(b->p, b->n, &t, NULL) < 0)
		return false;
	*w = (struct window){ t.head.issued, t.head.next };
	return true;
}

static bool qe_identity(const struct ctr_buf *b, struct window *w)
{
	ctr_auto_qe_identity struct ctr_qe_identity q = { 0 };

	if (ctr_qe_identity_parse(b->p, b->n, &q, NULL) < 0)
		return false;
	*w = (struct window){ q.head.issued, q.head.next };
	return true;
}

bool ctr_endorsement_good(void *ctx, enum ctr_item item, const struct ctr_buf *b, time_t at,
			  time_t *expires)
{
	struct window w = { 0 };
	bool sound;

	(void)ctx;
	switch (item) {
	case CTR_TCB_INFO:
		sound = tcb_info(b, &w);
		break;
	case CTR_QE_IDENTITY:
		sound = qe_identity(b, &w);
		break;
	case CTR_CRL:
	case CTR_PCK_CRL:
	case CTR_ROOT_CRL:
		sound = list(b, &w);
		break;
	case CTR_TCB_INFO_CHAIN:
	case CTR_QE_IDENTITY_CHAIN:
	case CTR_PCK_CRL_CHAIN:
		sound = chain(b, &w);
		break;
	default:
		sound = certificate(b, &w);
	}
	*expires = w.until;
	return sound && w.from <= at && at <= w.until;
}

/* Which platform, by the certificate in the quote: it is only used to ask. */
static int tdx_needs(const struct ctr_evidence *ev, struct ctr_collateral_needs *n,
		     struct ctr_err *e)
{
	ctr_auto_chain struct ctr_chain c = { 0 };
	struct ctr_tdx_quote q;
	struct ctr_pck pck;
	struct ctr_rd ext;
	char issuer[64];

	if (ctr_tdx_parse(ev->item[CTR_REPORT].p, ev->item[CTR_REPORT].n, &q, e) < 0 ||
	    ctr_x509_pem(q.chain.p, q.chain.left, "PCK chain in the quote", &c, e) < 0)
		return -1;
	if (ctr_x509_ext(c.v[0], CTR_PCK_OID, &ext) != 1)
		return ctr_fail(e, CTR_FORMAT, "pck.missing",
				"the PCK certificate has no SGX extensions");
	if (ctr_pck_parse(ext, &pck, e) < 0)
		return -1;
	memcpy(n->fmspc, pck.fmspc, sizeof n->fmspc);
	n->processor_ca =
		ctr_x509_cn(c.v[0], true, issuer, sizeof issuer) && strstr(issuer, "Processor");
	return 0;
}

static bool says_product(const struct ctr_buf *report)
{
	struct ctr_snp_report r;

	return ctr_snp_parse((const uint8_t *)report->p, report->n, &r, NULL) == 0 &&
	       ctr_snp_cpuid_product(&r) != CTR_PRODUCTS;
}

/* A report of version 2 does not say its product; the certificate that comes with it does. */
static enum ctr_snp_product product(const struct ctr_evidence *ev)
{
	static const enum ctr_item leafs[] = { CTR_VCEK, CTR_VLEK };
	char cn[64];

	if (says_product(&ev->item[CTR_REPORT]))
		return CTR_PRODUCTS;

	for (int i = 0; i < 2; i++) {
		ctr_auto_x509 X509 *c = NULL;
		const struct ctr_buf *b = &ev->item[leafs[i]];
		const char *dash;

		if (b->n && ctr_x509_der(b->p, b->n, "leaf", &c, NULL) == 0 &&
		    ctr_x509_cn(c, true, cn, sizeof cn) && (dash = strrchr(cn, '-')))
			return ctr_snp_product_find(dash + 1, strlen(dash + 1));
	}
	return CTR_PRODUCTS;
}

int ctr_endorse_needs(const struct ctr_evidence *ev, struct ctr_collateral_needs *n,
		      struct ctr_err *e)
{
	if (ev->tee == CTR_TEE_TDX)
		return tdx_needs(ev, n, e);
	if (n->product == CTR_PRODUCTS)
		n->product = product(ev);
	return 0;
}

int ctr_endorse(const struct ctr_collateral_opts *o, const struct ctr_verify_opts *v,
		struct ctr_evidence *ev, struct ctr_err *e)
{
	struct ctr_collateral_needs needs = { .crl = v->crl,
					      .product = CTR_PRODUCTS,
					      .tcb_optional = v->tcb_optional };
	struct ctr_collateral_opts own = *o;
	struct ctr_err why = { 0 };

	own.at = v->at;
	own.still_good = ctr_endorsement_good;
	/* what cannot be read cannot be asked for: the verifier says what is wrong with it */
	if (ctr_endorse_needs(ev, &needs, &why) < 0)
		return why.code == CTR_FORMAT ? 0 : ctr_err_pass(e, &why);
	return ctr_collateral_fill(&own, &needs, ev, e);
}
