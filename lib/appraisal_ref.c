/* A manifest's reference values as an appraisal policy. */
#include <string.h>

#include "appraisal.h"

static int copy(const void *from, size_t size, size_t n, void **to, struct ctr_err *e)
{
	*to = NULL;
	if (n == 0)
		return 0;
	*to = malloc(size * n);
	if (!*to)
		return ctr_fail_mem(e);
	memcpy(*to, from, size * n);
	return 0;
}

static int digests(const struct ctr_digest_list *from, struct ctr_digest_list *to,
		   struct ctr_err *e)
{
	void *v;

	to->n = 0;
	if (copy(from->v, sizeof *from->v, from->n, &v, e) < 0)
		return -1;
	to->v = v;
	to->n = from->n;
	return 0;
}

/* Values are copied with the structure; what is on the heap needs copies of its own. */
static int own(const struct ctr_appraisal *base, struct ctr_appraisal *a, struct ctr_err *e)
{
	const struct ctr_tdx_policy *t = &base->tdx;

	*a = *base;
	a->snp.id_keys = a->snp.author_keys = (struct ctr_digest_list){ 0 };
	a->snp.chips = NULL;
	a->tdx.piids = NULL;
	a->tdx.refuse_advisories = NULL;
	a->snp.n_chips = a->tdx.n_piids = a->tdx.n_refuse_advisories = 0;
	if (digests(&base->snp.id_keys, &a->snp.id_keys, e) < 0 ||
	    digests(&base->snp.author_keys, &a->snp.author_keys, e) < 0)
		return -1;
	a->tdx.refuse_advisories =
		calloc(t->n_refuse_advisories + 1, sizeof *a->tdx.refuse_advisories);
	if (!a->tdx.refuse_advisories)
		return ctr_fail_mem(e);
	for (; a->tdx.n_refuse_advisories < t->n_refuse_advisories; a->tdx.n_refuse_advisories++) {
		char *s = strdup(t->refuse_advisories[a->tdx.n_refuse_advisories]);

		if (!s)
			return ctr_fail_mem(e);
		a->tdx.refuse_advisories[a->tdx.n_refuse_advisories] = s;
	}
	return 0;
}

/* Both must hold: a value of the base that differs makes the set impossible, and stays. */
static void want(struct ctr_want *w, const struct ctr_ref_hex *ref, size_t n)
{
	if (!ref->known || (w->what == CTR_WANT_EQUAL && !ctr_same(w->v, ref->v, n))) {
		w->what = CTR_WANT_UNKNOWN;
		return;
	}
	w->what = CTR_WANT_EQUAL;
	memcpy(w->v, ref->v, n);
}

/* The greater of both minima; null is unknown, but for a component that the product does not have.
 */
static void minimum(const struct ctr_snp_ref *ref, int16_t *min)
{
	for (int i = 0; i < ctr_snp_svn_n(ref->product); i++) {
		if (ref->tcb[i] < 0)
			min[i] = CTR_MIN_UNKNOWN;
		else if (min[i] != CTR_MIN_UNKNOWN && min[i] < ref->tcb[i])
			min[i] = ref->tcb[i];
	}
}

/* Bits that let something happen must not be set where the reference has none; bits that protect
 * must be where it has them. */
static void bits(const struct ctr_ref_bits *ref, uint64_t permissions, uint64_t protections,
		 uint64_t *require, uint64_t *forbid, bool *unknown)
{
	*unknown = *unknown || !ref->known;
	*require |= ref->v & protections;
	*forbid |= ~ref->v & permissions;
}

#define BIT(n) ((uint64_t)1 << (n))

int ctr_appraisal_snp_ref(const struct ctr_appraisal *base, const struct ctr_snp_ref *ref,
			  struct ctr_appraisal *a, struct ctr_err *e)
{
	const uint64_t smt_cxl = CTR_SNP_POLICY_SMT | BIT(21); /* CXL allowed */
	const uint64_t held = BIT(20) | BIT(22) | BIT(23) | BIT(24) |
			      BIT(25); /* single socket, AES-256-XTS, RAPL off, ciphertext hiding,
					  page swap off */
	const uint64_t smt_tsme_tio = BIT(0) | BIT(1) | BIT(7);
	const uint64_t ecc_to_iommu = BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6);
	struct ctr_snp_policy *p = &a->snp;
	void *chips;

	if (own(base, a, e) < 0)
		return -1;
	p->has_product = true;
	p->product = ref->product;
	want(&p->expect[CTR_SNP_MEASUREMENT], &ref->measurement, 48);
	minimum(ref, p->min_tcb);
	bits(&ref->policy, smt_cxl, held, &p->policy_require, &p->policy_forbid,
	     &p->policy_unknown);
	bits(&ref->platform_info, smt_tsme_tio, ecc_to_iommu, &p->platform_require,
	     &p->platform_forbid, &p->platform_unknown);
	/* the manifest's own words alone allow these */
	p->allow_debug = ref->policy.known && (ref->policy.v & CTR_SNP_POLICY_DEBUG);
	p->allow_migration_agent = ref->policy.known && (ref->policy.v & CTR_SNP_POLICY_MIGRATE_MA);
	p->abi_minor = ref->policy.v & 0xff;
	p->abi_major = ref->policy.v >> 8 & 0xff;
	p->launch_mit |= ref->mitigation;
	p->current_mit |= ref->mitigation;
	if (p->vmpl < 0)
		p->vmpl = 0;
	if (copy(ref->chips, sizeof *ref->chips, ref->n_chips, &chips, e) < 0)
		return -1;
	p->chips = chips;
	p->n_chips = ref->n_chips;
	return 0;
}

int ctr_appraisal_tdx_ref(const struct ctr_appraisal *base, const struct ctr_tdx_ref *ref,
			  struct ctr_appraisal *a, struct ctr_err *e)
{
	struct ctr_tdx_policy *p = &a->tdx;
	void *piids;

	if (own(base, a, e) < 0)
		return -1;
	want(&p->expect[CTR_TDX_MRTD], &ref->mrtd, 48);
	want(&p->expect[CTR_TDX_MRSEAM], &ref->mrseam, 48);
	want(&p->expect[CTR_TDX_XFAM], &ref->xfam, 8);
	for (int i = 0; i < 4; i++)
		want(&p->expect[CTR_TDX_RTMR0 + i], &ref->rtmr[i], 48);
	p->allow_debug = p->allow_migratable = false; /* a manifest has no words for these */
	p->refuse_service_td = true;
	p->memory_integrity |= ref->memory_integrity;
	p->smt_disabled |= ref->smt_disabled;
	p->static_platform |= ref->static_platform;
	if (ref->min_tcb_eval > p->min_tcb_eval)
		p->min_tcb_eval = ref->min_tcb_eval;
	if (copy(ref->piids, sizeof *ref->piids, ref->n_piids, &piids, e) < 0)
		return -1;
	p->piids = piids;
	p->n_piids = ref->n_piids;
	return 0;
}
