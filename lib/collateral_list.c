#include "collateral_list.h"

#include <string.h>

#include "snp_cert.h"

struct list {
	const struct ctr_collateral_opts *o;
	const struct ctr_collateral_needs *needs;
	const struct ctr_evidence *ev, *known;
	struct ctr_asks *asks;
	char kds[CTR_ASK_URL], pcs[CTR_ASK_URL]; /* base URLs */
};

static int set_base(const char *given, const char *usual, char out[CTR_ASK_URL], struct ctr_err *e)
{
	const char *from = given ? given : usual;
	size_t n = strlen(from);

	while (n > 0 && from[n - 1] == '/')
		n--;
	if (strncmp(from, "https://", 8) != 0 && strncmp(from, "http://", 7) != 0)
		return ctr_fail(e, CTR_USAGE, "collateral.url",
				"%.100s: expected a URL with http or https", from);
	if (n >= CTR_ASK_URL || strcspn(from, "?#") < n)
		return ctr_fail(e, CTR_USAGE, "collateral.url", "%.100s: too long, or with a query",
				from);
	memcpy(out, from, n);
	out[n] = '\0';
	return 0;
}

static struct ctr_ask *next(struct list *f, bool optional)
{
	struct ctr_asks *to = f->asks;

	if (to->n == CTR_ASKS)
		abort(); /* neither list is longer */
	to->optional[to->n] = optional;
	return &to->v[to->n++];
}

static bool lacks(const struct list *f, enum ctr_item item)
{
	return f->ev->item[item].n == 0;
}

/* The product, by the report, by the leaf beside it, or as the caller knows it. */
static int get_product(const struct list *f, const struct ctr_snp_report *r, bool vlek,
		       enum ctr_snp_product *p, struct ctr_err *e)
{
	const struct ctr_buf *leaf = &f->known->item[vlek ? CTR_VLEK : CTR_VCEK];
	ctr_auto_x509 X509 *c = NULL;
	struct ctr_snp_vek vek;

	*p = ctr_snp_cpuid_product(r);
	if (*p == CTR_PRODUCTS && leaf->n > 0 &&
	    ctr_x509_der(leaf->p, leaf->n, "leaf", &c, NULL) == 0 &&
	    ctr_snp_vek_read(c, &vek, NULL) == 0)
		*p = vek.product;
	if (*p >= CTR_PRODUCTS)
		*p = f->needs->product;
	if (*p < CTR_PRODUCTS)
		return 0;
	return ctr_fail(e, CTR_ENV, "collateral.product",
			"the report does not say which product made it");
}

static int list_leaf(struct list *f, const struct ctr_snp_report *r, enum ctr_snp_product p,
		     struct ctr_err *e)
{
	bool vlek = ctr_snp_signing_key(r) == CTR_SNP_VLEK;
	/* with a certificate of the other kind there is something to judge, and to refuse */
	bool optional = !lacks(f, vlek ? CTR_VCEK : CTR_VLEK);
	struct ctr_snp_svn tcb;

	if (ctr_snp_svn(p, r->reported_tcb, &tcb) < 0)
		return ctr_fail(e, CTR_FORMAT, "snp.reserved",
				"report: REPORTED_TCB is not one of %s", ctr_snp_product_names[p]);
	if (vlek)
		return ctr_kds_vlek(p, &tcb, next(f, optional), e);
	return ctr_kds_vcek(f->kds, p, r->chip_id, &tcb, next(f, optional), e);
}

/* ASK and ARK: asked for when wanted; else those of the directory stand before the shipped ones. */
static int list_chain(struct list *f, enum ctr_snp_product p, bool vlek, struct ctr_err *e)
{
	if (!lacks(f, CTR_ASK) && !lacks(f, CTR_ARK))
		return 0;
	if (!f->needs->chain && !f->o->dir)
		return 0;
	f->asks->local[f->asks->n] = !f->needs->chain;
	return ctr_kds_chain(f->kds, p, vlek, next(f, !f->needs->chain), e);
}

static int list_snp(struct list *f, struct ctr_err *e)
{
	const struct ctr_buf *raw = &f->ev->item[CTR_REPORT];
	bool vlek, leaf, crl, must;
	enum ctr_snp_product p;
	struct ctr_snp_report r;

	if (ctr_snp_parse((const uint8_t *)ctr_buf_str(raw), raw->n, &r, e) < 0)
		return -1;
	vlek = ctr_snp_signing_key(&r) == CTR_SNP_VLEK;
	leaf = lacks(f, vlek ? CTR_VLEK : CTR_VCEK);
	crl = f->needs->crl != CTR_CRL_NEVER && lacks(f, CTR_CRL);
	/* no certificate helps a report that was not signed */
	if (!vlek && ctr_snp_signing_key(&r) != CTR_SNP_VCEK)
		return 0;
	/* when nothing must be had, an unknown product is for the verifier to say */
	must = leaf || (crl && f->needs->crl == CTR_CRL_REQUIRED) ||
	       (f->needs->chain && (lacks(f, CTR_ASK) || lacks(f, CTR_ARK)));
	if (get_product(f, &r, vlek, &p, must ? e : NULL) < 0)
		return must ? -1 : 0;
	if ((leaf && list_leaf(f, &r, p, e) < 0) || list_chain(f, p, vlek, e) < 0)
		return -1;
	if (!crl)
		return 0;
	return ctr_kds_crl(f->kds, p, vlek, next(f, f->needs->crl == CTR_CRL_IF_AVAILABLE), e);
}

static int list_tdx(struct list *f, struct ctr_err *e)
{
	bool crl = f->needs->crl != CTR_CRL_NEVER, optional = f->needs->crl == CTR_CRL_IF_AVAILABLE;
	bool tcb = f->needs->tcb_optional;

	if ((lacks(f, CTR_TCB_INFO) || lacks(f, CTR_TCB_INFO_CHAIN)) &&
	    ctr_pcs_tcb_info(f->pcs, f->needs->fmspc, next(f, tcb), e) < 0)
		return -1;
	if ((lacks(f, CTR_QE_IDENTITY) || lacks(f, CTR_QE_IDENTITY_CHAIN)) &&
	    ctr_pcs_qe_identity(f->pcs, next(f, tcb), e) < 0)
		return -1;
	/* the chain behind that list comes with it, and is not needed */
	if (crl && lacks(f, CTR_PCK_CRL) &&
	    ctr_pcs_pck_crl(f->pcs, f->needs->processor_ca, next(f, optional), e) < 0)
		return -1;
	if (!crl || !lacks(f, CTR_ROOT_CRL))
		return 0;
	return ctr_pcs_root_crl(f->pcs, f->o->root_crl_url, next(f, optional), e);
}

int ctr_collateral_list(const struct ctr_collateral_opts *o, const struct ctr_collateral_needs *n,
			const struct ctr_evidence *ev, const struct ctr_evidence *known,
			struct ctr_asks *asks, struct ctr_err *e)
{
	struct list l = { .o = o, .needs = n, .ev = ev, .known = known, .asks = asks };

	*asks = (struct ctr_asks){ 0 };
	if (set_base(o->kds_url, CTR_KDS_URL, l.kds, e) < 0 ||
	    set_base(o->pcs_url, CTR_PCS_URL, l.pcs, e) < 0)
		return -1;
	return ev->tee == CTR_TEE_SNP ? list_snp(&l, e) : list_tdx(&l, e);
}
