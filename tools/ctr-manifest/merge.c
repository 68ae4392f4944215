#include "merge.h"

#include <string.h>

#include "enc.h"

static int by_secret(const void *a, const void *b)
{
	const struct ctr_manifest_policy *const *x = a, *const *y = b;

	return strcmp((*x)->secret_id, (*y)->secret_id);
}

int merge_index(const struct ctr_manifest *m, struct ctr_manifest_policy ***index,
		struct ctr_err *e)
{
	struct ctr_manifest_policy **v = malloc((m->n_policies + 1) * sizeof *v);

	*index = v;
	if (!v) {
		ctr_fail_mem(e);
		return -1;
	}
	for (size_t i = 0; i < m->n_policies; i++)
		v[i] = &m->policies[i];
	qsort(v, m->n_policies, sizeof *v, by_secret);
	return 0;
}

struct ctr_manifest_policy *merge_lookup(struct ctr_manifest_policy *const *index, size_t n,
					 const char *secret_id)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(index[mid]->secret_id, secret_id) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!*secret_id || lo == n || strcmp(index[lo]->secret_id, secret_id) != 0 ||
	    (lo + 1 < n && strcmp(index[lo + 1]->secret_id, secret_id) == 0))
		return NULL;
	return index[lo];
}

static int keep_sans(struct ctr_manifest_policy *p, const struct ctr_manifest_policy *old,
		     struct ctr_err *e)
{
	ctr_manifest_clear_sans(p);
	for (size_t i = 0; i < old->n_sans; i++) {
		if (ctr_manifest_add_san(p, old->sans[i], e) < 0)
			return -1;
	}
	return 0;
}

static int merge_policies(struct ctr_manifest *m, const struct ctr_manifest *old,
			  struct ctr_manifest_policy *const *index, bool *used, struct ctr_err *e)
{
	for (size_t i = 0; i < m->n_policies; i++) {
		struct ctr_manifest_policy *p = &m->policies[i], *q;

		q = ctr_manifest_find(old, p->hash);
		if (q && ctr_manifest_set_secret(p, q->secret_id, e) < 0)
			return -1;
		if (!q)
			q = merge_lookup(index, old->n_policies, p->secret_id);
		if (!q)
			continue;
		if (keep_sans(p, q, e) < 0)
			return -1;
		used[q - old->policies] = true;
	}
	return 0;
}

static void warn_unused(const struct ctr_manifest *old, const bool *used, const char *name,
			struct ctr_log *log)
{
	for (size_t i = 0; i < old->n_policies; i++) {
		ctr_auto_buf struct ctr_buf hash = { 0 };

		if (used[i])
			continue;
		ctr_hex_add(&hash, old->policies[i].hash, 8);
		ctr_log(log, CTR_WARN, "merge.dropped", name, 0, 0,
			"policy %s… (%s) is not in the input and is left out", ctr_buf_str(&hash),
			old->policies[i].secret_id);
	}
}

static int merge_keys(struct ctr_manifest *m, const struct ctr_manifest *old, struct ctr_err *e)
{
	for (size_t i = 0; i < old->n_owners; i++) {
		if (ctr_manifest_add_owner(m, old->owners[i], e) < 0)
			return -1;
	}
	for (size_t i = 0; i < old->n_seedshare; i++) {
		if (ctr_manifest_add_seedshare(m, old->seedshare[i].der, old->seedshare[i].n, e) < 0)
			return -1;
	}
	return 0;
}

int merge_old(struct ctr_manifest *m, const struct ctr_manifest *old, const char *name,
	      struct ctr_log *log, struct ctr_err *e)
{
	struct ctr_manifest_policy **index = NULL;
	bool *used = calloc(old->n_policies + 1, sizeof *used);
	int rc = -1;

	if (!used)
		return ctr_fail_mem(e);
	if (merge_index(old, &index, e) == 0 && merge_policies(m, old, index, used, e) == 0) {
		warn_unused(old, used, name, log);
		rc = merge_keys(m, old, e);
	}
	free(index);
	free(used);
	return rc;
}
