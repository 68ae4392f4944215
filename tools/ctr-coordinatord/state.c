#include "state.h"

#include <string.h>

#include "enc.h"
#include "policies.h"
#include "rd.h"

/* What evidence, certificates and keys add to an answer, generously. */
#define REST_MAX ((size_t)8 << 20)

struct state *state_hold(struct state *s)
{
	atomic_fetch_add(&s->refs, 1);
	return s;
}

void state_drop(struct state *s)
{
	if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
		return;
	ctr_mesh_free(s->mesh);
	ctr_manifest_free(&s->manifest);
	ctr_buf_free(&s->manifests);
	ctr_buf_free(&s->policies);
	free(s->known);
	free(s);
}

void state_cleanup(struct state **s)
{
	state_drop(*s);
}

static void add_item(struct ctr_buf *b, const void *p, size_t n)
{
	ctr_buf_adds(b, b->n ? ",\"" : "\"");
	ctr_base64_add(b, p, n);
	ctr_buf_addc(b, '"');
}

static bool knows(const struct state *s, const uint8_t *digest)
{
	return s->n_known &&
	       bsearch(digest, s->known, s->n_known, sizeof *s->known, ctr_sha256_order);
}

/* The digests of m's policies that are not known yet, behind those that are: *n of them. */
static int new_digests(struct state *s, const struct ctr_manifest *m, size_t *n, struct ctr_err *e)
{
	void *more = reallocarray(s->known, s->n_known + m->n_policies + 1, sizeof *s->known);

	*n = 0;
	if (!more)
		return ctr_fail_mem(e);
	s->known = more;
	for (size_t i = 0; i < m->n_policies; i++) {
		if (!knows(s, m->policies[i].hash))
			memcpy(s->known[s->n_known + (*n)++], m->policies[i].hash,
			       sizeof *s->known);
	}
	return 0;
}

static void free_policies(struct ctr_policy **p)
{
	free(*p);
}

/* The n that the transition t brings. */
static int add_stored(struct state *s, const struct state_from *f, const uint8_t *t, size_t n,
		      struct ctr_err *e)
{
	CTR_AUTO(free_policies) struct ctr_policy *v = calloc(n + 1, sizeof *v);
	ctr_auto_buf struct ctr_buf b = { 0 };

	if (!v)
		return ctr_fail_mem(e);
	for (size_t i = 0; i < n; i++)
		memcpy(v[i].hash, s->known[s->n_known + i], sizeof v[i].hash);
	qsort(v, n, sizeof *v, ctr_sha256_order);
	if (n && (ctr_hstore_get(f->store, CTR_BLOB_POLICIES, t, &b, e) < 0 ||
		  ctr_policies_parse(b.p, b.n, v, n, e) < 0))
		return -1;
	for (size_t i = 0; i < n; i++)
		add_item(&s->policies, v[i].text.p, v[i].text.n);
	return 0;
}

static int add_given(struct state *s, const struct state_from *f, struct ctr_err *e)
{
	uint8_t digest[CTR_SHA256_SIZE];

	for (size_t i = 0; i < f->n_policies; i++) {
		if (ctr_hash(CTR_SHA256, f->policies[i].p, f->policies[i].n, digest, e) < 0)
			return -1;
		if (!knows(s, digest))
			add_item(&s->policies, f->policies[i].p, f->policies[i].n);
	}
	return 0;
}

static int add_transition(struct state *s, const struct state_from *f,
			  const struct ctr_transition *t, struct ctr_err *e)
{
	size_t n;

	ctr_manifest_free(&s->manifest);
	if (ctr_manifest_parse("manifest", t->bytes, t->n, &s->manifest, e) < 0 ||
	    new_digests(s, &s->manifest, &n, e) < 0 ||
	    (f->policies ? add_given(s, f, e) : add_stored(s, f, t->hash, n, e)) < 0)
		return -1;
	s->n_known += n;
	qsort(s->known, s->n_known, sizeof *s->known, ctr_sha256_order);
	add_item(&s->manifests, t->bytes, t->n);
	return 0;
}

static int copy_old(struct state *s, const struct state *old, struct ctr_err *e)
{
	s->known = calloc(old->n_known + 1, sizeof *s->known);
	if (!s->known)
		return ctr_fail_mem(e);
	if (old->n_known)
		memcpy(s->known, old->known, old->n_known * sizeof *s->known);
	s->n_known = old->n_known;
	ctr_buf_add(&s->manifests, old->manifests.p, old->manifests.n);
	ctr_buf_add(&s->policies, old->policies.p, old->policies.n);
	return 0;
}

static int fill(struct state *s, const struct state_from *f, struct ctr_err *e)
{
	if (f->old && copy_old(s, f->old, e) < 0)
		return -1;
	for (size_t i = 0; i < f->n; i++) {
		if (add_transition(s, f, &f->v[i], e) < 0)
			return -1;
	}
	s->generation = (f->old ? f->old->generation : 0) + f->n;
	memcpy(s->transition, f->v[f->n - 1].hash, sizeof s->transition);
	if (ctr_buf_ok(&s->manifests, "manifests", e) < 0 ||
	    ctr_buf_ok(&s->policies, "policies", e) < 0)
		return -1;
	if (s->manifests.n > CTR_ANSWER_MAX - REST_MAX ||
	    s->policies.n > CTR_ANSWER_MAX - REST_MAX - s->manifests.n)
		return ctr_fail(e, CTR_FORMAT, "state.limit",
				"%zu manifests and %zu policies: more than clients take in one "
				"answer (%zu bytes)",
				s->generation, s->n_known, CTR_ANSWER_MAX);
	return 0;
}

int state_new(struct state_from *f, struct state **out, struct ctr_err *e)
{
	auto_state struct state *s = calloc(1, sizeof *s);

	*out = NULL;
	if (!s)
		return ctr_fail_mem(e);
	atomic_init(&s->refs, 1);
	s->root = f->root;
	if (fill(s, f, e) < 0)
		return -1;
	s->mesh = ctr_give(f->mesh);
	*out = ctr_give(s);
	return 0;
}
