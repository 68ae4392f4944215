#include "hstore_int.h"

#include <string.h>

#include "enc.h"
#include "rd.h"

#define LATEST "transitions/latest"

static const struct {
	const char *dir;
	size_t max;
} kinds[CTR_BLOB_KINDS] = {
	[CTR_BLOB_MANIFEST] = { "manifests", CTR_BLOB_MANIFEST_MAX },
	[CTR_BLOB_POLICY] = { "policies", CTR_BLOB_POLICY_MAX },
	[CTR_BLOB_TRANSITION] = { "transitions", CTR_BLOB_TRANSITION_MAX },
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

/* Into an empty b. */
static int read_blob(struct ctr_hstore *s, enum ctr_blob kind, const char *name,
		     const uint8_t *hash, struct ctr_buf *b, struct ctr_err *e)
{
	uint8_t is[CTR_SHA256_SIZE];
	bool found;

	if (s->read(s, name, kinds[kind].max, b, &found, e) < 0)
		return -1;
	if (!found)
		return ctr_fail(e, CTR_ENV, "store.missing", "%s: not in the store", name);
	if (ctr_hash(CTR_SHA256, b->p, b->n, is, e) < 0)
		return -1;
	if (!ctr_same(is, hash, sizeof is))
		return ctr_fail(e, CTR_FORMAT, "store.hash",
				"%s: the bytes are not those of the name (changed or cut)", name);
	return 0;
}

int ctr_hstore_get(struct ctr_hstore *s, enum ctr_blob kind, const uint8_t hash[CTR_SHA256_SIZE],
		   struct ctr_buf *b, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf name = { 0 }, bytes = { 0 };

	if (blob_name(kind, hash, &name, e) < 0 || read_blob(s, kind, name.p, hash, &bytes, e) < 0)
		return -1;
	ctr_buf_add(b, bytes.p, bytes.n);
	return ctr_buf_ok(b, name.p, e);
}

int ctr_hstore_put(struct ctr_hstore *s, enum ctr_blob kind, const void *p, size_t n,
		   uint8_t hash[CTR_SHA256_SIZE], struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf name = { 0 }, old = { 0 };
	struct ctr_err unread = { 0 };
	bool there;

	if (n > kinds[kind].max)
		return ctr_fail(e, CTR_FORMAT, "limit", "%s: a blob larger than %zu bytes",
				kinds[kind].dir, kinds[kind].max);
	if (ctr_hash(CTR_SHA256, p, n, hash, e) < 0 || blob_name(kind, hash, &name, e) < 0 ||
	    s->create(s, name.p, p, n, &there, e) < 0)
		return -1;
	/* what an interrupted update left, or somebody broke, is written again */
	if (!there || read_blob(s, kind, name.p, hash, &old, &unread) == 0)
		return 0;
	return s->write(s, name.p, p, n, e);
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
