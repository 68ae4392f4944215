#include "history.h"

#include <string.h>

#include "manifest.h"
#include "policies.h"
#include "rd.h"

#define MAGIC "ctr-latest-v1\n"
#define MAGIC_SIZE (sizeof MAGIC - 1)
#define SIGNED_SIZE (MAGIC_SIZE + CTR_SHA256_SIZE)

void ctr_history_free(struct ctr_history *h)
{
	for (size_t i = 0; i < h->n; i++)
		free(h->v[i].bytes);
	free(h->v);
	ctr_buf_free(&h->latest);
	*h = (struct ctr_history){ 0 };
}

void ctr_history_last(const struct ctr_history *h, uint8_t t[CTR_SHA256_SIZE])
{
	memset(t, 0, CTR_SHA256_SIZE);
	if (h->n > 0)
		memcpy(t, h->v[h->n - 1].hash, CTR_SHA256_SIZE);
}

/* The blob of a transition. */
static void join(const uint8_t *manifest, const uint8_t *previous,
		 uint8_t blob[CTR_BLOB_TRANSITION_MAX])
{
	memcpy(blob, manifest, CTR_SHA256_SIZE);
	memcpy(blob + CTR_SHA256_SIZE, previous, CTR_SHA256_SIZE);
}

int ctr_history_next(const uint8_t previous[CTR_SHA256_SIZE], const void *p, size_t n,
		     uint8_t t[CTR_SHA256_SIZE], struct ctr_err *e)
{
	uint8_t manifest[CTR_SHA256_SIZE], blob[CTR_BLOB_TRANSITION_MAX];

	if (ctr_hash(CTR_SHA256, p, n, manifest, e) < 0)
		return -1;
	join(manifest, previous, blob);
	return ctr_hash(CTR_SHA256, blob, sizeof blob, t, e);
}

int ctr_history_verify(const struct ctr_bytes *manifests, size_t n,
		       const uint8_t t[CTR_SHA256_SIZE], struct ctr_err *e)
{
	uint8_t now[CTR_SHA256_SIZE] = { 0 };

	for (size_t i = 0; i < n; i++) {
		uint8_t next[CTR_SHA256_SIZE];

		if (ctr_history_next(now, manifests[i].p, manifests[i].n, next, e) < 0)
			return -1;
		memcpy(now, next, sizeof now);
	}
	if (ctr_same(now, t, sizeof now))
		return 0;
	return ctr_fail(e, CTR_NO, "history.transition",
			"%zu manifests do not lead to the transition hash", n);
}

int ctr_latest_parse(const void *p, size_t n, uint8_t t[CTR_SHA256_SIZE], struct ctr_bytes *sig,
		     struct ctr_err *e)
{
	uint8_t magic[MAGIC_SIZE];
	struct ctr_rd r, rest;

	*sig = (struct ctr_bytes){ NULL, 0 };
	ctr_rd_init(&r, p, n);
	if (ctr_rd_copy(&r, magic, sizeof magic) < 0 || !ctr_same(magic, MAGIC, sizeof magic) ||
	    ctr_rd_copy(&r, t, CTR_SHA256_SIZE) < 0 || r.left == 0 || r.left > CTR_LATEST_SIG_MAX ||
	    ctr_rd_take(&r, r.left, &rest) < 0)
		return ctr_fail(e, CTR_FORMAT, "history.latest",
				"transitions/latest: not a record of this version (%zu bytes)", n);
	*sig = (struct ctr_bytes){ rest.p, rest.left };
	return 0;
}

static int make_latest(const struct ctr_signer *key, const uint8_t *t, struct ctr_buf *b,
		       struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf sig = { .max = CTR_LATEST_SIG_MAX };

	ctr_buf_add(b, MAGIC, MAGIC_SIZE);
	ctr_buf_add(b, t, CTR_SHA256_SIZE);
	if (ctr_buf_ok(b, "record", e) < 0 || key->sign(key->ctx, b->p, b->n, &sig, e) < 0 ||
	    ctr_buf_ok(&sig, "signature", e) < 0)
		return -1;
	ctr_buf_add(b, sig.p, sig.n);
	return ctr_buf_ok(b, "record", e);
}

bool ctr_history_has(const struct ctr_history *h, const uint8_t t[CTR_SHA256_SIZE])
{
	for (size_t i = h->n; i-- > 0;) {
		if (ctr_same(h->v[i].hash, t, CTR_SHA256_SIZE))
			return true;
	}
	return false;
}

int ctr_latest_verify(const struct ctr_buf *latest, const struct ctr_signer *key,
		      uint8_t t[CTR_SHA256_SIZE], struct ctr_err *e)
{
	struct ctr_bytes sig;
	bool good = false;

	if (ctr_latest_parse(latest->p, latest->n, t, &sig, e) < 0 ||
	    key->verify(key->ctx, latest->p, SIGNED_SIZE, sig.p, sig.n, &good, e) < 0)
		return -1;
	if (!good)
		return ctr_fail(e, CTR_NO, "history.signature",
				"transitions/latest: not signed by this Coordinator's key");
	return 0;
}

/* Room for one more with n bytes of manifest. */
static int reserve(struct ctr_history *h, size_t n, struct ctr_err *e)
{
	size_t cap = h->cap ? 2 * h->cap : 16;
	struct ctr_transition *v;

	if (h->n >= CTR_HISTORY_MAX || n > CTR_HISTORY_BYTES - h->bytes)
		return ctr_fail(e, CTR_FORMAT, "history.limit",
				"more than %d manifests, or %zu bytes of them", CTR_HISTORY_MAX,
				CTR_HISTORY_BYTES);
	if (h->n < h->cap)
		return 0;
	v = reallocarray(h->v, cap, sizeof *v);
	if (!v)
		return ctr_fail_mem(e);
	h->v = v;
	h->cap = cap;
	return 0;
}

/* Takes the bytes of m. */
static int add(struct ctr_history *h, const uint8_t *t, const uint8_t *hash, struct ctr_buf *m,
	       struct ctr_err *e)
{
	struct ctr_transition *to;

	if (reserve(h, m->n, e) < 0)
		return -1;
	to = &h->v[h->n++];
	*to = (struct ctr_transition){ .bytes = m->p, .n = m->n };
	h->bytes += m->n;
	memcpy(to->hash, t, sizeof to->hash);
	memcpy(to->manifest, hash, sizeof to->manifest);
	*m = (struct ctr_buf){ 0 };
	return 0;
}

/*
 * The transition t and its manifest; *previous is the one before. No cycle can be: each blob holds
 * the hash of the one before and is checked against its own. The limit is for time.
 */
static int load_one(struct ctr_hstore *store, const uint8_t *t, struct ctr_history *h,
		    uint8_t *previous, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf blob = { 0 }, m = { 0 };
	uint8_t hash[CTR_SHA256_SIZE];
	struct ctr_rd r;

	if (ctr_hstore_get(store, CTR_BLOB_TRANSITION, t, &blob, e) < 0)
		return -1;
	ctr_rd_init(&r, blob.p, blob.n);
	if (ctr_rd_copy(&r, hash, sizeof hash) < 0 ||
	    ctr_rd_copy(&r, previous, CTR_SHA256_SIZE) < 0 || ctr_rd_end(&r) < 0)
		return ctr_fail(e, CTR_FORMAT, "history.blob",
				"a transition of %zu bytes (expected 64)", blob.n);
	return ctr_hstore_get(store, CTR_BLOB_MANIFEST, hash, &m, e) < 0 ? -1
									 : add(h, t, hash, &m, e);
}

static int load(struct ctr_hstore *store, const struct ctr_signer *key, struct ctr_history *h,
		struct ctr_err *e)
{
	static const uint8_t none[CTR_SHA256_SIZE];
	uint8_t t[CTR_SHA256_SIZE], previous[CTR_SHA256_SIZE];

	if (ctr_hstore_latest(store, &h->latest, e) < 0)
		return -1;
	if (h->latest.n == 0)
		return 0;
	if (ctr_latest_verify(&h->latest, key, t, e) < 0)
		return -1;
	do {
		if (load_one(store, t, h, previous, e) < 0)
			return -1;
		memcpy(t, previous, sizeof t);
	} while (!ctr_same(t, none, sizeof t));
	for (size_t i = 0; i < h->n / 2; i++) {
		struct ctr_transition x = h->v[i];

		h->v[i] = h->v[h->n - 1 - i];
		h->v[h->n - 1 - i] = x;
	}
	return 0;
}

int ctr_history_load(struct ctr_hstore *store, const struct ctr_signer *key, struct ctr_history *h,
		     struct ctr_err *e)
{
	if (load(store, key, h, e) == 0)
		return 0;
	ctr_history_free(h);
	return -1;
}

int ctr_history_refresh(struct ctr_hstore *store, const struct ctr_signer *key,
			struct ctr_history *h, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf now = { 0 };
	ctr_auto_history struct ctr_history fresh = { 0 };

	if (ctr_hstore_latest(store, &now, e) < 0)
		return -1;
	if (now.n == h->latest.n && ctr_same(ctr_buf_str(&now), ctr_buf_str(&h->latest), now.n))
		return 0;
	if (ctr_history_load(store, key, &fresh, e) < 0)
		return -1;
	if (fresh.n < h->n ||
	    (h->n > 0 && !ctr_same(fresh.v[h->n - 1].hash, h->v[h->n - 1].hash, CTR_SHA256_SIZE)))
		return ctr_fail(e, CTR_NO, "history.rollback",
				"the store was set back: its history of %zu manifests does not "
				"begin with the %zu seen before",
				fresh.n, h->n);
	ctr_history_free(h);
	*h = fresh;
	fresh = (struct ctr_history){ 0 };
	return 0;
}

/* The policies are those that the manifest names, all of them; *n of v are not in the store yet. */
static int check_policies(const struct ctr_update *u, const struct ctr_manifest *m, bool *seen,
			  struct ctr_policy *v, size_t *n, struct ctr_err *e)
{
	for (size_t i = 0; i < u->n_policies; i++) {
		struct ctr_policy x = { .text = u->policies[i] };
		const struct ctr_manifest_policy *p;

		if (ctr_hash(CTR_SHA256, x.text.p, x.text.n, x.hash, e) < 0)
			return -1;
		p = ctr_manifest_find(m, x.hash);
		if (!p || seen[p - m->policies])
			return ctr_fail(e, CTR_NO, "history.policy", "policy %zu: %s", i + 1,
					p ? "given before" : "not one that the manifest names");
		seen[p - m->policies] = true;
		if (!u->n_known ||
		    !bsearch(x.hash, u->known, u->n_known, sizeof *u->known, ctr_sha256_order))
			v[(*n)++] = x;
	}
	if (u->n_policies != m->n_policies)
		return ctr_fail(e, CTR_NO, "history.policy-missing",
				"%zu policies given (the manifest names %zu)", u->n_policies,
				m->n_policies);
	return 0;
}

static void free_seen(bool **p)
{
	free(*p);
}

static void free_policies(struct ctr_policy **p)
{
	free(*p);
}

/* The blob of those that are new, if any are. */
static int pack_policies(const struct ctr_update *u, struct ctr_buf *b, struct ctr_err *e)
{
	ctr_auto_manifest struct ctr_manifest m = { 0 };
	CTR_AUTO(free_seen) bool *seen = NULL;
	CTR_AUTO(free_policies) struct ctr_policy *v = NULL;
	size_t n = 0;

	if (ctr_manifest_parse("manifest", u->manifest.p, u->manifest.n, &m, e) < 0)
		return -1;
	seen = calloc(m.n_policies + 1, sizeof *seen);
	v = calloc(m.n_policies + 1, sizeof *v);
	if (!seen || !v)
		return ctr_fail_mem(e);
	if (check_policies(u, &m, seen, v, &n, e) < 0)
		return -1;
	return n ? ctr_policies_build(v, n, b, e) : 0;
}

static int store_blobs(struct ctr_hstore *store, const struct ctr_update *u,
		       const uint8_t *previous, uint8_t *t, uint8_t *hash, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf policies = { 0 };
	uint8_t blob[CTR_BLOB_TRANSITION_MAX];

	if (pack_policies(u, &policies, e) < 0 ||
	    ctr_hstore_put(store, CTR_BLOB_MANIFEST, u->manifest.p, u->manifest.n, hash, e) < 0)
		return -1;
	join(hash, previous, blob);
	if (ctr_hstore_put(store, CTR_BLOB_TRANSITION, blob, sizeof blob, t, e) < 0)
		return -1;
	return policies.n
		       ? ctr_hstore_put_as(store, CTR_BLOB_POLICIES, t, policies.p, policies.n, e)
		       : 0;
}

/*
 * The swap found another record: of an update that came first, or an old one put back. Who has no
 * history yet has no part in the one that came first: its key is another.
 */
static int conflict(struct ctr_hstore *store, const struct ctr_signer *key, struct ctr_history *h,
		    struct ctr_err *e, const struct ctr_err *why)
{
	if (h->n == 0 || !why->id || strcmp(why->id, "history.conflict") != 0)
		return ctr_err_pass(e, why);
	return ctr_history_refresh(store, key, h, e) < 0 ? -1 : ctr_err_pass(e, why);
}

int ctr_history_append(struct ctr_hstore *store, const struct ctr_signer *key,
		       const struct ctr_update *u, struct ctr_history *h, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf latest = { 0 }, m = { 0 };
	uint8_t previous[CTR_SHA256_SIZE], t[CTR_SHA256_SIZE], hash[CTR_SHA256_SIZE];
	struct ctr_err why = { 0 };

	ctr_history_last(h, previous);
	if (u->previous && !ctr_same(u->previous, previous, sizeof previous))
		return ctr_fail(e, CTR_NO, "history.conflict",
				"the manifest is to follow another transition than the last one");
	/* what could fail without the store fails first */
	ctr_buf_add(&m, u->manifest.p, u->manifest.n);
	if (ctr_buf_ok(&m, "manifest", e) < 0 || reserve(h, m.n, e) < 0 ||
	    store_blobs(store, u, previous, t, hash, e) < 0 || make_latest(key, t, &latest, e) < 0)
		return -1;
	if (ctr_hstore_swap(store, h->latest.p, h->latest.n, latest.p, latest.n, &why) < 0)
		return conflict(store, key, h, e, &why);
	ctr_buf_free(&h->latest);
	h->latest = latest;
	latest = (struct ctr_buf){ 0 };
	return add(h, t, hash, &m, e);
}
