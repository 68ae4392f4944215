#include "answer.h"

#include <string.h>

#include "history.h"
#include "json_b64.h"
#include "rd.h"

static void blobs_free(struct ctr_blobs *b)
{
	for (size_t i = 0; i < b->n; i++)
		ctr_buf_free(&b->v[i]);
	free(b->v);
	*b = (struct ctr_blobs){ 0 };
}

void ctr_answer_free(struct ctr_answer *a)
{
	ctr_buf_free(&a->evidence);
	blobs_free(&a->manifests);
	blobs_free(&a->policies);
	ctr_buf_free(&a->root_ca);
	ctr_buf_free(&a->mesh_ca);
	*a = (struct ctr_answer){ 0 };
}

/* Absent, null and "" are empty. */
static int state(const struct ctr_jval *v, struct ctr_buf *b, struct ctr_err *e)
{
	return ctr_jhas(v) ? ctr_jbase64(v, b, e) : 0;
}

static int transition(const struct ctr_jval *v, uint8_t *dst, size_t n, struct ctr_err *e)
{
	const char *s;

	memset(dst, 0, n);
	if (!ctr_jhas(v))
		return 0;
	if (ctr_jstring(v, &s, e) < 0)
		return -1;
	return *s ? ctr_jbase64_exact(v, dst, n, "answer.size", e) : 0;
}

static int list(const struct ctr_jval *v, size_t max, struct ctr_blobs *out, struct ctr_err *e)
{
	if (!ctr_jhas(v))
		return 0;
	if (ctr_jarray(v, e) < 0)
		return -1;
	if (ctr_jcount(v) > max)
		return ctr_jfail(v, e, "answer.count", "%zu items (expected at most %zu)",
				 ctr_jcount(v), max);
	out->v = calloc(ctr_jcount(v) + 1, sizeof *out->v);
	if (!out->v)
		return ctr_fail_mem(e);
	for (struct ctr_jval c = ctr_jfirst(v); c.v; c = ctr_jnext(&c)) {
		if (ctr_jbase64(&c, &out->v[out->n++], e) < 0)
			return -1;
	}
	return 0;
}

/* Reordered, shortened or changed: then T is another. */
static int check_history(const struct ctr_answer *a, struct ctr_err *e)
{
	uint8_t t[CTR_SHA256_SIZE] = { 0 };

	for (size_t i = 0; i < a->manifests.n; i++) {
		if (ctr_history_next(t, a->manifests.v[i].p, a->manifests.v[i].n, t, e) < 0)
			return -1;
	}
	if (!ctr_same(t, a->transition, sizeof t))
		return ctr_fail(e, CTR_FORMAT, "answer.history",
				"transition_hash is not that of the %zu manifests", a->manifests.n);
	if (a->manifests.n && (a->root_ca.n == 0 || a->mesh_ca.n == 0))
		return ctr_fail(e, CTR_FORMAT, "answer.size", "a state without certificates");
	if (!a->manifests.n && (a->root_ca.n || a->mesh_ca.n || a->policies.n))
		return ctr_fail(e, CTR_FORMAT, "answer.history",
				"certificates or policies without a manifest");
	return 0;
}

static int fields(const struct ctr_jval *root, struct ctr_answer *a, struct ctr_err *e)
{
	static const char *const keys[] = { "version",	    "evidence",	       "manifests",
					    "policies",	    "root_ca",	       "mesh_ca",
					    "hpke_pub_key", "transition_hash", NULL };
	struct ctr_jval version = ctr_jget(root, "version"), evidence = ctr_jget(root, "evidence");
	struct ctr_jval manifests = ctr_jget(root, "manifests"),
			policies = ctr_jget(root, "policies");
	struct ctr_jval root_ca = ctr_jget(root, "root_ca"), mesh_ca = ctr_jget(root, "mesh_ca");
	struct ctr_jval key = ctr_jget(root, "hpke_pub_key"), t = ctr_jget(root, "transition_hash");
	const char *v;

	if (ctr_jobject(root, e) < 0 || ctr_jonly(root, keys, e) < 0 ||
	    ctr_jstring(&version, &v, e) < 0)
		return -1;
	if (strcmp(v, "v1") != 0)
		return ctr_jfail(&version, e, "answer.version", "version \"%.40s\" (expected v1)",
				 v);
	if (ctr_jbase64(&evidence, &a->evidence, e) < 0 ||
	    list(&manifests, CTR_ANSWER_HISTORY, &a->manifests, e) < 0 ||
	    list(&policies, CTR_ANSWER_POLICIES, &a->policies, e) < 0 ||
	    state(&root_ca, &a->root_ca, e) < 0 || state(&mesh_ca, &a->mesh_ca, e) < 0 ||
	    ctr_jbase64_exact(&key, a->hpke_key, sizeof a->hpke_key, "answer.size", e) < 0 ||
	    transition(&t, a->transition, sizeof a->transition, e) < 0)
		return -1;
	return check_history(a, e);
}

int ctr_answer_parse(const char *name, const char *p, size_t n, struct ctr_answer *a,
		     struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *json = NULL;
	struct ctr_jval root;

	if (ctr_json_parse(name, p, n, &json, e) < 0)
		return -1;
	root = ctr_jroot(json);
	return fields(&root, a, e) < 0 ? ctr_wrap(e, "%s", name) : 0;
}

static void set_list(struct ctr_json *obj, const char *key, const struct ctr_blobs *l)
{
	struct ctr_json *arr = ctr_json_set_array(obj, key);

	for (size_t i = 0; i < l->n; i++)
		ctr_json_add_base64(arr, l->v[i].p, l->v[i].n);
}

int ctr_answer_print(const struct ctr_answer *a, struct ctr_buf *b, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *obj = ctr_json_new_object();

	ctr_json_set_string(obj, "version", "v1");
	ctr_json_set_base64(obj, "evidence", a->evidence.p, a->evidence.n);
	if (a->manifests.n) {
		set_list(obj, "manifests", &a->manifests);
		set_list(obj, "policies", &a->policies);
		ctr_json_set_base64(obj, "root_ca", a->root_ca.p, a->root_ca.n);
		ctr_json_set_base64(obj, "mesh_ca", a->mesh_ca.p, a->mesh_ca.n);
	}
	ctr_json_set_base64(obj, "hpke_pub_key", a->hpke_key, sizeof a->hpke_key);
	if (a->manifests.n)
		ctr_json_set_base64(obj, "transition_hash", a->transition, sizeof a->transition);
	return ctr_json_print(obj, 0, b, e);
}

int ctr_answer_report_data(const struct ctr_answer *a, const uint8_t nonce[CTR_NONCE_SIZE],
			   uint8_t out[CTR_REPORT_DATA_SIZE], struct ctr_err *e)
{
	ctr_auto_hasher struct ctr_hasher *h = NULL;
	uint8_t root[CTR_SHA256_SIZE], mesh[CTR_SHA256_SIZE];

	memset(out, 0, CTR_REPORT_DATA_SIZE);
	if (ctr_hash(CTR_SHA256, a->root_ca.p, a->root_ca.n, root, e) < 0 ||
	    ctr_hash(CTR_SHA256, a->mesh_ca.p, a->mesh_ca.n, mesh, e) < 0 ||
	    ctr_hasher_new(CTR_SHA256, &h, e) < 0 ||
	    ctr_hasher_add(h, nonce, CTR_NONCE_SIZE, e) < 0 ||
	    ctr_hasher_add(h, a->transition, a->manifests.n ? sizeof a->transition : 0, e) < 0 ||
	    ctr_hasher_add(h, root, sizeof root, e) < 0 ||
	    ctr_hasher_add(h, mesh, sizeof mesh, e) < 0 ||
	    ctr_hasher_add(h, a->hpke_key, sizeof a->hpke_key, e) < 0)
		return -1;
	return ctr_hasher_end(h, out, e);
}

struct ctr_answer_index {
	const struct ctr_answer *a;
	size_t n;
	struct {
		uint8_t digest[CTR_SHA256_SIZE];
		size_t at;
	} v[]; /* sorted by digest */
};

int ctr_answer_index_new(const struct ctr_answer *a, struct ctr_answer_index **x, struct ctr_err *e)
{
	*x = calloc(1, sizeof **x + (a->policies.n + 1) * sizeof *(*x)->v);
	if (!*x)
		return ctr_fail_mem(e);
	(*x)->a = a;
	for (size_t i = 0; i < a->policies.n; i++) {
		(*x)->v[i].at = i;
		if (ctr_hash(CTR_SHA256, a->policies.v[i].p, a->policies.v[i].n, (*x)->v[i].digest,
			     e) < 0) {
			ctr_answer_index_free(*x);
			*x = NULL;
			return -1;
		}
	}
	(*x)->n = a->policies.n;
	qsort((*x)->v, (*x)->n, sizeof *(*x)->v, ctr_sha256_order);
	return 0;
}

const struct ctr_buf *ctr_answer_policy(const struct ctr_answer_index *x,
					const uint8_t digest[CTR_SHA256_SIZE])
{
	const void *at = bsearch(digest, x->v, x->n, sizeof *x->v, ctr_sha256_order);

	return at ? &x->a->policies.v[x->v[((size_t)((const char *)at - (const char *)x->v)) /
					   sizeof *x->v]
					      .at]
		  : NULL;
}

void ctr_answer_index_free(struct ctr_answer_index *x)
{
	free(x);
}
