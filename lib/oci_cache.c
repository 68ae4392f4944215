#include "oci_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "enc.h"
#include "file.h"
#include "hash.h"
#include "oci_doc.h"

static const char *const subdir[] = { "blobs/sha256", "refs", "derived" };

struct ctr_store {
	char *dir;
};

struct cache {
	struct ctr_oci_source src;
	struct ctr_store *store;
	struct ctr_oci_source *inner;
	bool refresh;
};

static struct cache *self(struct ctr_oci_source *s)
{
	void *first = s; /* its first member */

	return first;
}

int ctr_store_open(const char *dir, struct ctr_store **out, struct ctr_err *e)
{
	struct ctr_store *s = NULL;

	*out = NULL;
	if (ctr_mkdirs(dir, 0700, e) < 0 || ctr_dir_private(dir, e) < 0)
		return -1;
	for (size_t i = 0; i < sizeof subdir / sizeof *subdir; i++) {
		ctr_auto_buf struct ctr_buf path = { 0 };

		ctr_buf_addf(&path, "%s/%s", dir, subdir[i]);
		if (ctr_buf_ok(&path, "file name", e) < 0 || ctr_mkdirs(path.p, 0700, e) < 0 ||
		    ctr_dir_private(path.p, e) < 0)
			return -1;
	}
	s = calloc(1, sizeof *s);
	if (s)
		s->dir = strdup(dir);
	if (!s || !s->dir) {
		free(s);
		return ctr_fail_mem(e);
	}
	*out = s;
	return 0;
}

void ctr_store_free(struct ctr_store *s)
{
	if (!s)
		return;
	free(s->dir);
	free(s);
}

static int path_of(const struct ctr_store *s, enum ctr_store_kind kind, const char *hex,
		   struct ctr_buf *path, struct ctr_err *e)
{
	ctr_buf_addf(path, "%s/%s/%s", s->dir, subdir[kind], hex);
	return ctr_buf_ok(path, "file name", e);
}

void ctr_store_drop(struct ctr_store *s, enum ctr_store_kind kind, const char *hex)
{
	ctr_auto_buf struct ctr_buf path = { 0 };

	if (path_of(s, kind, hex, &path, NULL) == 0)
		unlink(path.p);
}

static int is_named(const char *hex, const struct ctr_buf *b, bool *same, struct ctr_err *e)
{
	char digest[CTR_OCI_DIGEST];

	if (ctr_oci_digest(b->p, b->n, digest, e) < 0)
		return -1;
	*same = strcmp(digest + 7, hex) == 0;
	return 0;
}

int ctr_store_get(struct ctr_store *s, enum ctr_store_kind kind, const char *hex, size_t max,
		  struct ctr_buf *b, bool *found, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf path = { 0 }, body = { 0 };
	ctr_auto_fd int fd = -1;
	struct ctr_err why = { 0 };
	bool good = true;

	*found = false;
	if (path_of(s, kind, hex, &path, e) < 0)
		return -1;
	fd = open(path.p, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	/* what cannot be read, or is larger than it can be, is as good as absent */
	if (fd < 0 || ctr_fd_read(fd, path.p, max, &body, &why) < 0)
		good = false;
	if (good && kind == CTR_STORE_BLOBS && is_named(hex, &body, &good, e) < 0)
		return -1;
	if (!good) {
		ctr_store_drop(s, kind, hex);
		return 0;
	}
	ctr_buf_add(b, body.p, body.n);
	*found = true;
	return ctr_buf_ok(b, path.p, e);
}

int ctr_store_put(struct ctr_store *s, enum ctr_store_kind kind, const char *hex, const void *p,
		  size_t n, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf path = { 0 };

	if (path_of(s, kind, hex, &path, e) < 0)
		return -1;
	return ctr_file_write(path.p, p, n, 0600, e);
}

static int ref_key(const struct ctr_imgref *ref, char key[CTR_OCI_DIGEST], struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf text = { 0 };

	ctr_buf_addf(&text, "%s/%s:%s", ref->registry, ref->repository, ref->tag);
	if (ctr_buf_ok(&text, "image name", e) < 0)
		return -1;
	return ctr_oci_digest(text.p, text.n, key, e);
}

/* The digest that a tag had when it was last asked for. */
static int get_ref(struct cache *c, const char *key, char digest[CTR_OCI_DIGEST], bool *found,
		   struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	if (ctr_store_get(c->store, CTR_STORE_REFS, key + 7, CTR_OCI_DIGEST, &b, found, e) < 0)
		return -1;
	if (*found && !ctr_oci_digest_ok(ctr_buf_str(&b))) {
		ctr_store_drop(c->store, CTR_STORE_REFS, key + 7);
		*found = false;
	}
	if (*found)
		memcpy(digest, b.p, CTR_OCI_DIGEST);
	return 0;
}

static int fetch(struct cache *c, const struct ctr_imgref *ref, struct ctr_buf *body,
		 char digest[CTR_OCI_DIGEST], bool *found, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	bool same;

	if (c->inner->resolve(c->inner, ref, &b, digest, found, e) < 0)
		return -1;
	if (!*found)
		return 0;
	if (is_named(digest + 7, &b, &same, e) < 0)
		return -1;
	if (!same || (ref->digest[0] && strcmp(ref->digest, digest) != 0))
		return ctr_fail(e, CTR_FORMAT, "image.digest",
				"%s: other content than the digest says", digest);
	if (ctr_store_put(c->store, CTR_STORE_BLOBS, digest + 7, b.p, b.n, e) < 0)
		return -1;
	ctr_buf_add(body, b.p, b.n);
	return ctr_buf_ok(body, "manifest", e);
}

static int resolve(struct ctr_oci_source *s, const struct ctr_imgref *ref, struct ctr_buf *body,
		   char digest[CTR_OCI_DIGEST], bool *found, struct ctr_err *e)
{
	struct cache *c = self(s);
	struct ctr_imgref at = *ref;
	char key[CTR_OCI_DIGEST] = "";

	*found = false;
	if (!ref->digest[0]) {
		bool known = false;

		if (ref_key(ref, key, e) < 0 ||
		    (!c->refresh && get_ref(c, key, at.digest, &known, e) < 0))
			return -1;
	}
	if (at.digest[0]) {
		if (ctr_store_get(c->store, CTR_STORE_BLOBS, at.digest + 7, CTR_OCI_MANIFEST_MAX,
				  body, found, e) < 0)
			return -1;
		memcpy(digest, at.digest, CTR_OCI_DIGEST);
		if (*found)
			return 0;
	}
	if (fetch(c, &at, body, digest, found, e) < 0)
		return -1;
	/* what the tag once named may be gone everywhere */
	if (!*found && key[0] && at.digest[0] && fetch(c, ref, body, digest, found, e) < 0)
		return -1;
	if (!*found || !key[0])
		return 0;
	return ctr_store_put(c->store, CTR_STORE_REFS, key + 7, digest, strlen(digest), e);
}

struct keep {
	struct ctr_buf body;
	ctr_oci_sink sink;
	void *ctx;
};

static int to_both(void *ctx, const void *p, size_t n, struct ctr_err *e)
{
	struct keep *k = ctx;

	ctr_buf_add(&k->body, p, n);
	if (ctr_buf_ok(&k->body, "image configuration", e) < 0)
		return -1;
	return k->sink(k->ctx, p, n, e);
}

static int blob(struct ctr_oci_source *s, const struct ctr_imgref *ref,
		const struct ctr_oci_desc *desc, ctr_oci_sink sink, void *ctx, bool *found,
		struct ctr_err *e)
{
	struct cache *c = self(s);
	struct keep k = { .sink = sink, .ctx = ctx };
	int rc;

	*found = false;
	if (ctr_oci_is_layer(desc->media_type) || desc->size > CTR_OCI_CONFIG_MAX)
		return c->inner->blob(c->inner, ref, desc, sink, ctx, found, e);
	ctr_buf_init(&k.body, CTR_OCI_CONFIG_MAX);
	rc = ctr_store_get(c->store, CTR_STORE_BLOBS, desc->digest + 7, CTR_OCI_CONFIG_MAX, &k.body,
			   found, e);
	if (rc == 0 && *found) {
		rc = ctr_oci_verify(desc, k.body.p, k.body.n, e);
		if (rc == 0)
			rc = sink(ctx, k.body.p, k.body.n, e);
	} else if (rc == 0) {
		rc = c->inner->blob(c->inner, ref, desc, to_both, &k, found, e);
		if (rc == 0 && *found)
			rc = ctr_oci_verify(desc, k.body.p, k.body.n, e);
		if (rc == 0 && *found)
			rc = ctr_store_put(c->store, CTR_STORE_BLOBS, desc->digest + 7, k.body.p,
					   k.body.n, e);
	}
	ctr_buf_free(&k.body);
	return rc;
}

static void cache_free(struct ctr_oci_source *s)
{
	free(self(s));
}

int ctr_oci_cache_new(struct ctr_store *store, struct ctr_oci_source *inner, bool refresh,
		      struct ctr_oci_source **out, struct ctr_err *e)
{
	struct cache *c = calloc(1, sizeof *c);

	*out = NULL;
	if (!c)
		return ctr_fail_mem(e);
	*c = (struct cache){ { resolve, blob, cache_free }, store, inner, refresh };
	*out = &c->src;
	return 0;
}
