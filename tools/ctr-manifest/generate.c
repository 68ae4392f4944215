#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "corim.h"
#include "gather.h"
#include "key.h"
#include "merge.h"
#include "refs.h"

enum { OPT_REFS = 1, OPT_OWNER, OPT_SEEDSHARE, OPT_FROZEN, OPT_MERGE, OPT_PATCH, OPT_CORIM, OPT_CORIM_KEY,
       OPT_CORIM_UNSIGNED, OPT_CORIM_PRODUCT };

static const struct ctr_opt opts[] = {
	{ OPT_REFS, "reference-values", 'r', "FILE", "add these reference values (repeatable)" },
	{ OPT_CORIM, "corim", 0, "FILE", "add the reference values of this CoRIM (repeatable)" },
	{ OPT_CORIM_KEY, "corim-key", 0, "FILE", "who must have signed it (PEM)" },
	{ OPT_CORIM_UNSIGNED, "corim-unsigned", 0, NULL, "it need not be signed" },
	{ OPT_CORIM_PRODUCT, "corim-product", 0, "NAME", "Milan, Genoa or Turin: what its SEV-SNP values are for" },
	{ OPT_OWNER, "workload-owner-key", 'w', "FILE", "this key may set later manifests (PEM; repeatable)" },
	{ OPT_SEEDSHARE, "seedshare-owner-key", 's', "FILE", "this key may recover (PEM; repeatable)" },
	{ OPT_FROZEN, "disable-updates", 0, NULL, "no key may set a later manifest" },
	{ OPT_MERGE, "merge", 'm', "OLD", "keep what was edited in this manifest" },
	{ OPT_PATCH, "patch", 'p', "FILE", "apply a JSON Patch to each reference value set (repeatable)" },
	{ 0 },
};

struct list {
	const char **v;
	size_t n;
};

struct args {
	struct list refs, corims, owners, seedshare, patches;
	const char *merge, *corim_key;
	int corim_product; /* enum ctr_snp_product, -1: not given */
	bool frozen, corim_unsigned;
};

/* What is gathered: the manifest, and for each policy where it was seen first. */
struct work {
	struct ctr_manifest m;
	char **seen;
	size_t n_seen;
};

static int push(struct list *l, const char *s, struct ctr_err *e)
{
	const char **v = realloc(l->v, (l->n + 1) * sizeof *v);

	if (!v)
		return ctr_fail_mem(e);
	l->v = v;
	v[l->n++] = s;
	return 0;
}

static int read_product(const char *s, int *product, struct ctr_err *e)
{
	for (int i = 0; i < CTR_PRODUCTS; i++) {
		if (strcmp(s, ctr_snp_product_names[i]) == 0) {
			*product = i;
			return 0;
		}
	}
	return ctr_fail(e, CTR_USAGE, "usage", "--corim-product=%s (expected Milan, Genoa or Turin)", s);
}

static int on_corim(struct args *a, int id, const char *value, struct ctr_err *e)
{
	switch (id) {
	case OPT_CORIM:
		return push(&a->corims, value, e);
	case OPT_CORIM_UNSIGNED:
		a->corim_unsigned = true;
		return 0;
	case OPT_CORIM_PRODUCT:
		return read_product(value, &a->corim_product, e);
	default:
		if (a->corim_key)
			return ctr_fail(e, CTR_USAGE, "usage", "--corim-key is given twice");
		a->corim_key = value;
		return 0;
	}
}

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct args *a = ctx;

	switch (id) {
	case OPT_REFS:
		return push(&a->refs, value, e);
	case OPT_OWNER:
		return push(&a->owners, value, e);
	case OPT_SEEDSHARE:
		return push(&a->seedshare, value, e);
	case OPT_PATCH:
		return push(&a->patches, value, e);
	case OPT_FROZEN:
		a->frozen = true;
		return 0;
	case OPT_CORIM:
	case OPT_CORIM_KEY:
	case OPT_CORIM_UNSIGNED:
	case OPT_CORIM_PRODUCT:
		return on_corim(a, id, value, e);
	default:
		if (a->merge)
			return ctr_fail(e, CTR_USAGE, "usage", "--merge is given twice");
		a->merge = value;
		return 0;
	}
}

static int remember(struct work *w, const struct pod *p, struct ctr_err *e)
{
	char **v = w->seen;
	struct ctr_buf where = { 0 };

	/* as many as there are policies: grow by doubling */
	if ((w->n_seen & (w->n_seen - 1)) == 0) {
		v = realloc(w->seen, (w->n_seen ? w->n_seen * 2 : 1) * sizeof *v);
		if (!v)
			return ctr_fail_mem(e);
		w->seen = v;
	}
	ctr_buf_addf(&where, "%s at %s:%u", p->title, p->path, p->line);
	if (ctr_buf_ok(&where, "position", e) < 0)
		return -1;
	v[w->n_seen++] = where.p;
	return 0;
}

/* Two pods with one policy are told apart by nobody: they must agree on who they are. */
static int same_identity(const struct work *w, const struct ctr_manifest_policy *q,
			 const struct pod *p, struct ctr_err *e)
{
	const char *first = w->seen[q - w->m.policies];

	if (q->role != p->role)
		ctr_fail(e, CTR_FORMAT, "policy.conflict", "%s: same policy as %s, but another role",
			 p->title, first);
	else if (strcmp(q->secret_id, p->secret_id) != 0)
		ctr_fail(e, CTR_FORMAT, "policy.conflict",
			 "%s: same policy as %s, but workload secret ID %s (expected %s)", p->title,
			 first, p->secret_id, q->secret_id);
	else
		return 0;
	ctr_err_at(e, p->path, p->line, 0);
	return ctr_err_fix(e, "give both the same " CTR_ANN_SECRET_ID " annotation");
}

static int on_pod(void *ctx, const struct pod *p, struct ctr_err *e)
{
	struct work *w = ctx;
	struct ctr_manifest_policy *q = ctr_manifest_find(&w->m, p->policy.digest);

	if (q && same_identity(w, q, p, e) < 0)
		return -1;
	if (!q) {
		if (remember(w, p, e) < 0 || ctr_manifest_add(&w->m, p->policy.digest, &q, e) < 0)
			return -1;
		q->role = p->role;
		if (ctr_manifest_set_secret(q, p->secret_id, e) < 0)
			return ctr_wrap(e, "%s", p->title);
	}
	if (ctr_manifest_add_san(q, p->name, e) < 0)
		return ctr_wrap(e, "%s", p->title);
	return ctr_manifest_add_san(q, "*", e);
}

static int reference_values(struct ctr_manifest *m, const struct args *a,
			    const struct ctr_manifest *old, struct ctr_err *e)
{
	for (size_t i = 0; i < a->refs.n; i++) {
		if (refs_load(m, a->refs.v[i], e) < 0)
			return -1;
	}
	for (size_t i = 0; i < a->corims.n; i++) {
		if (corim_load(a->corims.v[i], a->corim_key, a->corim_unsigned, a->corim_product, m, e) < 0)
			return -1;
	}
	if (a->refs.n + a->corims.n == 0 && refs_copy(m, old, e) < 0)
		return -1;
	for (size_t i = 0; i < a->patches.n; i++) {
		if (refs_patch(m, a->patches.v[i], e) < 0)
			return -1;
	}
	return refs_fill(m, old, e);
}

static int keys(struct ctr_manifest *m, const struct args *a, struct ctr_err *e)
{
	if (a->frozen)
		m->n_owners = 0;
	for (size_t i = 0; i < a->owners.n; i++) {
		if (key_add_owner(m, a->owners.v[i], e) < 0)
			return -1;
	}
	for (size_t i = 0; i < a->seedshare.n; i++) {
		if (key_add_seedshare(m, a->seedshare.v[i], e) < 0)
			return -1;
	}
	return 0;
}

static void warn(struct ctr_log *log, const struct args *a, const struct ctr_manifest *m)
{
	if (m->n_snp + m->n_tdx == 0)
		ctr_log(log, CTR_WARN, "manifest.no-reference-values", NULL, 0, 0,
			"no reference values: a Coordinator accepts nothing; give --reference-values");
	if (m->n_owners == 0 && !a->frozen)
		ctr_log(log, CTR_WARN, "manifest.no-owner", NULL, 0, 0,
			"no workload owner: this manifest can never be updated; give "
			"--workload-owner-key, or --disable-updates if that is meant");
}

static int run(struct work *w, const struct args *a, char **paths, int n, struct ctr_log *log,
	       struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_manifest struct ctr_manifest old = { 0 };

	if (a->frozen && a->owners.n > 0)
		return ctr_fail(e, CTR_USAGE, "usage",
				"--disable-updates and --workload-owner-key exclude each other");
	if (a->corims.n == 0 && (a->corim_key || a->corim_unsigned || a->corim_product >= 0))
		return ctr_fail(e, CTR_USAGE, "usage", "--corim-key, --corim-unsigned and --corim-product need --corim");
	/* the small files first: a mistake there shows at once */
	if ((a->merge && ctr_manifest_load(a->merge, &old, e) < 0) ||
	    reference_values(&w->m, a, &old, e) < 0 ||
	    gather(paths, n, log, on_pod, w, e) < 0)
		return -1;
	if (a->merge && merge_old(&w->m, &old, a->merge, log, e) < 0)
		return -1;
	if (keys(&w->m, a, e) < 0)
		return -1;
	warn(log, a, &w->m);
	return ctr_manifest_print(&w->m, out, e);
}

int cmd_generate(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	struct args a = { .corim_product = -1 };
	struct work w = { 0 };
	int first = 0, rc;

	t->synopsis = "[options] [file ...]";
	t->summary = "Makes the manifest of the pods in annotated Kubernetes YAML. With a first word:\n\n"
		     "  check     says whether a manifest is sound and complete\n"
		     "  policies  writes the policies of the YAML to files\n"
		     "  diff      shows how two manifests differ\n"
		     "  keygen    makes an owner's key\n"
		     "  measure   computes reference values of a guest\n"
		     "  set       sets a manifest on a Coordinator\n"
		     "  recover   gives a Coordinator that restarted its seed back\n"
		     "  get       prints the active manifest of a Coordinator\n\n"
		     "each with its own --help.";
	t->example = "ctr-manifest -r snp.json -w owner.pem < annotated.yaml > manifest.json";
	t->opts = opts;
	rc = ctr_tool_opts(t, argc, argv, on_opt, &a, &first, e);
	if (rc == 0 && !t->served)
		rc = run(&w, &a, argv + first, argc - first, &t->log, out, e);
	for (size_t i = 0; i < w.n_seen; i++)
		free(w.seen[i]);
	free(w.seen);
	ctr_manifest_free(&w.m);
	free(a.refs.v);
	free(a.corims.v);
	free(a.owners.v);
	free(a.seedshare.v);
	free(a.patches.v);
	return rc;
}
