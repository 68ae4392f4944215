#include "refs.h"

#include <string.h>

#include "patch.h"

int refs_load(struct ctr_manifest *m, const char *path, struct ctr_err *e)
{
	static const char *const only[] = { "ReferenceValues", NULL };
	ctr_auto_json struct ctr_json *j = NULL;
	struct ctr_jval root, refs;

	if (ctr_json_load(path, CTR_MANIFEST_MAX, &j, e) < 0)
		return -1;
	root = ctr_jroot(j);
	refs = ctr_jget(&root, "ReferenceValues");
	if (!refs.v)
		refs = root;
	else if (ctr_jonly(&root, only, e) < 0)
		return ctr_wrap(e, "%s", path);
	return ctr_manifest_add_refs(m, &refs, e) < 0 ? ctr_wrap(e, "%s", path) : 0;
}

/* The sets as a JSON tree in canonical form. */
static int to_json(const struct ctr_manifest *m, struct ctr_json **j, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	*j = NULL;
	if (ctr_manifest_print_refs(m, &b, e) < 0)
		return -1;
	return ctr_json_parse("reference values", b.p, b.n, j, e);
}

int refs_copy(struct ctr_manifest *m, const struct ctr_manifest *from, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *j = NULL;
	struct ctr_jval root;

	if (to_json(from, &j, e) < 0)
		return -1;
	root = ctr_jroot(j);
	return ctr_manifest_add_refs(m, &root, e);
}

/* One patch on one set; the set stays where it is. */
static int patch_set(struct ctr_json *sets, size_t i, const struct ctr_jval *ops, struct ctr_err *e)
{
	struct ctr_json *set = ctr_json_detach(sets, NULL, i);
	bool holds;
	int rc;

	if (!set)
		return ctr_fail_mem(e);
	rc = patch_apply(&set, ops, &holds, e);
	if (!ctr_json_insert(sets, i, set)) {
		ctr_json_free(set);
		return ctr_fail_mem(e);
	}
	return rc;
}

static int patch_all(struct ctr_json *refs, const struct ctr_jval *ops, struct ctr_err *e)
{
	static const char *const kinds[] = { "snp", "tdx" };

	for (size_t k = 0; k < 2; k++) {
		struct ctr_json *sets = ctr_json_child(refs, kinds[k], 0);
		struct ctr_jval v = ctr_jroot(sets);

		for (size_t i = 0, n = sets ? ctr_jcount(&v) : 0; i < n; i++) {
			if (patch_set(sets, i, ops, e) < 0)
				return ctr_wrap(e, "%s[%zu]", kinds[k], i);
		}
	}
	return 0;
}

static int patch_tree(struct ctr_json *refs, const struct ctr_jval *patch, struct ctr_err *e)
{
	struct ctr_jval c = ctr_jfirst(patch);

	if (ctr_jarray(patch, e) < 0)
		return -1;
	if (!c.v || ctr_jtype(&c) != CTR_JSON_ARRAY)
		return patch_all(refs, patch, e);
	for (; c.v; c = ctr_jnext(&c)) {
		if (ctr_jarray(&c, e) < 0 || patch_all(refs, &c, e) < 0)
			return -1;
	}
	return 0;
}

int refs_patch(struct ctr_manifest *m, const char *path, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *patch = NULL, *refs = NULL;
	ctr_auto_manifest struct ctr_manifest patched = { 0 };
	struct ctr_jval root;

	if (ctr_json_load(path, CTR_MANIFEST_MAX, &patch, e) < 0 || to_json(m, &refs, e) < 0)
		return -1;
	root = ctr_jroot(patch);
	if (patch_tree(refs, &root, e) < 0)
		return ctr_wrap(e, "%s", path);
	root = ctr_jroot(refs);
	if (ctr_manifest_add_refs(&patched, &root, e) < 0)
		return ctr_wrap(e, "%s: the patched reference values", path);
	ctr_manifest_move_refs(m, &patched);
	return 0;
}

static void fill_hex(struct ctr_ref_hex *to, const struct ctr_ref_hex *from)
{
	if (!to->known)
		*to = *from;
}

static void fill_bits(struct ctr_ref_bits *to, const struct ctr_ref_bits *from)
{
	if (!to->known)
		*to = *from;
}

static int fill_ids(void **to, size_t *n, const void *from, size_t n_from, size_t size,
		    struct ctr_err *e)
{
	if (*n > 0 || n_from == 0)
		return 0;
	*to = malloc(n_from * size);
	if (!*to)
		return ctr_fail_mem(e);
	memcpy(*to, from, n_from * size);
	*n = n_from;
	return 0;
}

static int fill_snp(struct ctr_snp_ref *r, const struct ctr_snp_ref *old, struct ctr_err *e)
{
	void *ids = r->chips;
	int rc;

	fill_hex(&r->measurement, &old->measurement);
	fill_bits(&r->policy, &old->policy);
	fill_bits(&r->platform_info, &old->platform_info);
	for (int i = 0; i < CTR_TCB_N; i++) {
		if (r->tcb[i] < 0)
			r->tcb[i] = old->tcb[i];
	}
	if (!r->mitigation)
		r->mitigation = old->mitigation;
	rc = fill_ids(&ids, &r->n_chips, old->chips, old->n_chips, sizeof *r->chips, e);
	r->chips = ids;
	return rc;
}

static int fill_tdx(struct ctr_tdx_ref *r, const struct ctr_tdx_ref *old, struct ctr_err *e)
{
	void *ids = r->piids;
	int rc;

	fill_hex(&r->mrtd, &old->mrtd);
	fill_hex(&r->mrseam, &old->mrseam);
	fill_hex(&r->xfam, &old->xfam);
	for (int i = 0; i < 4; i++)
		fill_hex(&r->rtmr[i], &old->rtmr[i]);
	/* requirements: the stricter of the two */
	r->memory_integrity |= old->memory_integrity;
	r->smt_disabled |= old->smt_disabled;
	r->static_platform |= old->static_platform;
	if (r->min_tcb_eval < old->min_tcb_eval)
		r->min_tcb_eval = old->min_tcb_eval;
	rc = fill_ids(&ids, &r->n_piids, old->piids, old->n_piids, sizeof *r->piids, e);
	r->piids = ids;
	return rc;
}

int refs_fill(struct ctr_manifest *m, const struct ctr_manifest *old, struct ctr_err *e)
{
	for (size_t i = 0; i < m->n_snp; i++) {
		for (size_t k = 0; k < old->n_snp; k++) {
			if (m->snp[i].product != old->snp[k].product ||
			    strcmp(m->snp[i].platform, old->snp[k].platform) != 0)
				continue;
			if (fill_snp(&m->snp[i], &old->snp[k], e) < 0)
				return -1;
			break;
		}
	}
	for (size_t i = 0; i < m->n_tdx; i++) {
		for (size_t k = 0; k < old->n_tdx; k++) {
			if (strcmp(m->tdx[i].platform, old->tdx[k].platform) != 0)
				continue;
			if (fill_tdx(&m->tdx[i], &old->tdx[k], e) < 0)
				return -1;
			break;
		}
	}
	return 0;
}
