#include "hstore_int.h"

#include <string.h>

#include "enc.h"
#include "rd.h"

#define LATEST "transitions/latest"

static const struct {
	const char *dir;
	size_t max;
	bool hashed; /* named by their SHA-256 */
} kinds[CTR_BLOB_KINDS] = {
	[CTR_BLOB_MANIFEST] = { "manifests", CTR_BLOB_MANIFEST_MAX, true },
	[CTR_BLOB_POLICIES] = { "policies", CTR_BLOB_POLICIES_MAX, false },
	[CTR_BLOB_TRANSITION] = { "transitions", CTR_BLOB_TRANSITION_MAX, true },
};

int ctr_hstore_open(const char *spec, struct ctr_hstore **out, struct ctr_err *e)
{
	*out = NULL;
	if (strncmp(spec, "dir:", 4) == 0 && spec[4])
		return ctr_hstore_dir(spec + 4, out, e);
	return ctr_fail(e, CTR_USAGE, "store.spec", "%s: no store (expected dir:PATH)", spec);
}

void ctr_hstore_free(struct ctr_hstore *s)
{
	if (s)
		s->free(s);
}

void ctr_hstore_cleanup(struct ctr_hstore **s)
{
	ctr_hstore_free(*s);
}

static int blob_name(enum ctr_blob kind, const uint8_t *hash, struct ctr_buf *b, struct ctr_err *e)
{
	ctr_buf_addf(b, "%s/", kinds[kind].dir);
	ctr_hex_add(b, hash, CTR_SHA256_SIZE);
	return ctr_buf_ok(b, "file name", e);
}

int ctr_hstore_get(struct ctr_hstore *s, enum ctr_blob kind, const uint8_t name[CTR_SHA256_SIZE],
		   struct ctr_buf *b, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf path = { 0 }, bytes = { 0 };
	uint8_t is[CTR_SHA256_SIZE];
	bool found;

	if (blob_name(kind, name, &path, e) < 0 ||
	    s->read(s, path.p, kinds[kind].max, &bytes, &found, e) < 0)
		return -1;
	if (!found)
		return ctr_fail(e, CTR_ENV, "store.missing", "%s: not in the store", path.p);
	if (kinds[kind].hashed && ctr_hash(CTR_SHA256, bytes.p, bytes.n, is, e) < 0)
		return -1;
	if (kinds[kind].hashed && !ctr_same(is, name, sizeof is))
		return ctr_fail(e, CTR_FORMAT, "store.hash",
				"%s: the bytes are not those of the name (changed or cut)", path.p);
	ctr_buf_add(b, bytes.p, bytes.n);
	return ctr_buf_ok(b, path.p, e);
}

int ctr_hstore_put_as(struct ctr_hstore *s, enum ctr_blob kind, const uint8_t name[CTR_SHA256_SIZE],
		      const void *p, size_t n, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf path = { 0 }, old = { 0 };
	struct ctr_err unread = { 0 };
	bool there;

	if (n > kinds[kind].max)
		return ctr_fail(e, CTR_FORMAT, "limit", "%s: a blob larger than %zu bytes",
				kinds[kind].dir, kinds[kind].max);
	if (blob_name(kind, name, &path, e) < 0 || s->create(s, path.p, p, n, &there, e) < 0)
		return -1;
	/* what an interrupted update left, or somebody broke, is written again */
	if (!there || (s->read(s, path.p, kinds[kind].max, &old, &there, &unread) == 0 &&
		       old.n == n && ctr_same(ctr_buf_str(&old), p, n)))
		return 0;
	return s->write(s, path.p, p, n, e);
}

int ctr_hstore_put(struct ctr_hstore *s, enum ctr_blob kind, const void *p, size_t n,
		   uint8_t hash[CTR_SHA256_SIZE], struct ctr_err *e)
{
	if (ctr_hash(CTR_SHA256, p, n, hash, e) < 0)
		return -1;
	return ctr_hstore_put_as(s, kind, hash, p, n, e);
}

int ctr_hstore_latest(struct ctr_hstore *s, struct ctr_buf *b, struct ctr_err *e)
{
	bool found;

	return s->read(s, LATEST, CTR_LATEST_MAX, b, &found, e);
}

int ctr_hstore_swap(struct ctr_hstore *s, const void *old, size_t n_old, const void *p, size_t n,
		    struct ctr_err *e)
{
	if (n == 0 || n > CTR_LATEST_MAX)
		return ctr_fail(e, CTR_FORMAT, "limit", LATEST ": not 1 to %zu bytes",
				CTR_LATEST_MAX);
	return s->swap(s, LATEST, old, n_old, p, n, e);
}

bool ctr_hstore_shared(const struct ctr_hstore *s)
{
	return s->wait;
}

int ctr_hstore_wait(struct ctr_hstore *s, const void *now, size_t n, const atomic_bool *stop,
		    bool *changed, struct ctr_err *e)
{
	return s->wait(s, LATEST, now, n, stop, changed, e);
}
