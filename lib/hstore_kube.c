#include "hstore_kube.h"

#include <string.h>

#include "hstore_int.h"
#include "rd.h"

#define PART ((size_t)512 << 10) /* well below what a ConfigMap and a request may hold */
#define SWAPS 3

struct kube_store {
	struct ctr_hstore ops;
	struct ctr_kube *kube;
	char name[64];
};

static struct kube_store *self(struct ctr_hstore *s)
{
	void *first = s; /* its first member */

	return first;
}

static void kube_free(struct ctr_hstore *s)
{
	ctr_kube_free(self(s)->kube);
	free(self(s));
}

/* The object of a part of "KIND/HEX" or of "transitions/latest". */
static int object(const struct kube_store *k, const char *name, size_t part, struct ctr_buf *b,
		  struct ctr_err *e)
{
	const char *rest = strchr(name, '/') + 1;
	const char *kind = strcmp(rest, "latest") == 0	     ? ""
			   : strncmp(name, "manif", 5) == 0  ? "manifest."
			   : strncmp(name, "polic", 5) == 0  ? "policies."
			   : strncmp(name, "transi", 6) == 0 ? "transition."
							     : NULL;

	if (!kind)
		return ctr_fail(e, CTR_ENV, "store.write", "%s: a kind without a place", name);
	ctr_buf_addf(b, "%s.%s%s", k->name, kind, rest);
	if (part)
		ctr_buf_addf(b, ".%zu", part);
	return ctr_buf_ok(b, "name", e);
}

static int cut(const char *name, struct ctr_err *e)
{
	return ctr_fail(e, CTR_FORMAT, "store.hash", "%s: its parts are not those of one blob",
			name);
}

static size_t part_size(uint64_t size, size_t part)
{
	size_t left = (size_t)size - part * PART;

	return left < PART ? left : PART;
}

/* The bytes are checked by whoever knows the hash; here, that they have an end. */
static int read_parts(struct kube_store *k, const char *name, size_t max, struct ctr_buf *b,
		      bool *found, struct ctr_err *e)
{
	uint64_t size = 0;

	for (size_t i = 0; i == 0 || i * PART < size; i++) {
		ctr_auto_buf struct ctr_buf at = { 0 };
		ctr_auto_kube_map struct ctr_kube_map m = { 0 };
		bool there;

		if (object(k, name, i, &at, e) < 0 ||
		    ctr_kube_get(k->kube, at.p, &m, &there, e) < 0)
			return -1;
		if (i == 0)
			size = m.size;
		if (i == 0 && !there)
			return 0;
		if (size > max)
			return ctr_fail(e, CTR_FORMAT, "store.kind", "%s: larger than %zu bytes",
					name, max);
		if (!there || m.size != size || m.bytes.n != part_size(size, i))
			return cut(name, e);
		ctr_buf_add(b, m.bytes.p, m.bytes.n);
	}
	*found = true;
	return ctr_buf_ok(b, name, e);
}

static int kube_read(struct ctr_hstore *s, const char *name, size_t max, struct ctr_buf *b,
		     bool *found, struct ctr_err *e)
{
	*found = false;
	return read_parts(self(s), name, max, b, found, e);
}

/* *there: some part of it was. The first goes last: while it is not there, nothing is. */
static int put_parts(struct kube_store *k, const char *name, const void *p, size_t n, bool over,
		     bool *there, struct ctr_err *e)
{
	*there = false;
	for (size_t i = n ? (n - 1) / PART + 1 : 1; i-- > 0;) {
		ctr_auto_buf struct ctr_buf at = { 0 };
		ctr_auto_kube_map struct ctr_kube_map m = { .size = n, .immutable = true };
		struct ctr_rd r, part;
		bool exists;

		ctr_rd_init(&r, p, n);
		if (ctr_rd_take(&r, i * PART, &part) < 0 ||
		    ctr_rd_take(&r, part_size(n, i), &part) < 0)
			return cut(name, e);
		ctr_buf_add(&m.bytes, part.p, part.left);
		if (ctr_buf_ok(&m.bytes, name, e) < 0 || object(k, name, i, &at, e) < 0 ||
		    (over && ctr_kube_delete(k->kube, at.p, e) < 0) ||
		    ctr_kube_create(k->kube, at.p, k->name, &m, &exists, e) < 0)
			return -1;
		*there |= exists;
	}
	return 0;
}

static int kube_create(struct ctr_hstore *s, const char *name, const void *p, size_t n, bool *there,
		       struct ctr_err *e)
{
	return put_parts(self(s), name, p, n, false, there, e);
}

static int kube_write(struct ctr_hstore *s, const char *name, const void *p, size_t n,
		      struct ctr_err *e)
{
	bool there;

	if (put_parts(self(s), name, p, n, true, &there, e) < 0)
		return -1;
	return there ? ctr_fail(e, CTR_ENV, "store.write", "%s: written by somebody else, too",
				name)
		     : 0;
}

static bool same(const struct ctr_kube_map *m, const void *p, size_t n)
{
	return m->bytes.n == n && ctr_same(ctr_buf_str(&m->bytes), n ? p : "", n);
}

static int lost(const char *name, struct ctr_err *e)
{
	return ctr_fail(e, CTR_NO, "history.conflict", "%s: changed by somebody else", name);
}

/*
 * One try: 1 when it is done, 0 when another came between and the record is to be looked at. `sent`
 * says that p was sent before, so that its being there is our doing.
 */
static int try_swap(struct kube_store *k, const char *name, const void *old, size_t n_old,
		    const void *p, size_t n, bool *sent, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf at = { 0 };
	ctr_auto_kube_map struct ctr_kube_map m = { 0 };
	bool found, beaten;

	if (object(k, name, 0, &at, e) < 0 || ctr_kube_get(k->kube, at.p, &m, &found, e) < 0)
		return -1;
	if (*sent && found && same(&m, p, n))
		return 1;
	if (!same(&m, old, n_old))
		return lost(name, e);
	ctr_buf_reset(&m.bytes);
	m.bytes.max = 0;
	ctr_buf_add(&m.bytes, p, n);
	m.size = n;
	*sent = true;
	if (ctr_buf_ok(&m.bytes, name, e) < 0 ||
	    (found ? ctr_kube_update(k->kube, at.p, k->name, &m, &beaten, e)
		   : ctr_kube_create(k->kube, at.p, k->name, &m, &beaten, e)) < 0)
		return -1;
	return !beaten;
}

/*
 * An answer that was lost leaves open whether the record was changed. Asking again settles it: the
 * version lets at most one try through.
 */
static int kube_swap(struct ctr_hstore *s, const char *name, const void *old, size_t n_old,
		     const void *p, size_t n, struct ctr_err *e)
{
	struct ctr_err why = { 0 };
	bool sent = false;

	for (int i = 0; i < SWAPS; i++) {
		int rc;

		why = (struct ctr_err){ 0 };
		rc = try_swap(self(s), name, old, n_old, p, n, &sent, &why);
		if (rc > 0)
			return 0;
		/* an answer, and not the one that was lost, says that nothing was done */
		if (rc < 0 && (!sent || why.code == CTR_NO || strncmp(why.id, "kube.", 5) == 0))
			return ctr_err_pass(e, &why);
	}
	ctr_fail(e, CTR_ENV, "store.unsure", "%s: may or may not be written: %s", name,
		 why.id ? why.msg : "changed again and again");
	return ctr_err_fix(e, "see what the next attestation says");
}

static int kube_wait(struct ctr_hstore *s, const char *name, const void *now, size_t n,
		     const atomic_bool *stop, bool *changed, struct ctr_err *e)
{
	struct kube_store *k = self(s);
	ctr_auto_buf struct ctr_buf at = { 0 };

	return object(k, name, 0, &at, e) < 0
		       ? -1
		       : ctr_kube_watch(k->kube, at.p, now, n, stop, changed, e);
}

/* All names made of it are then legal. */
static bool is_label(const char *s)
{
	static const char ends[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	static const char all[] = "-abcdefghijklmnopqrstuvwxyz0123456789";
	size_t n = strlen(s);

	return n > 0 && n < 64 && strspn(s, all) == n && strchr(ends, s[0]) &&
	       strchr(ends, s[n - 1]);
}

int ctr_hstore_kube(const struct ctr_kube_opts *o, const char *name, struct ctr_hstore **out,
		    struct ctr_err *e)
{
	struct kube_store *k;

	*out = NULL;
	if (!is_label(name))
		return ctr_fail(e, CTR_USAGE, "store.spec",
				"kubernetes:%s: no name (expected at most 63 of a-z, 0-9 and '-')",
				name);
	k = calloc(1, sizeof *k);
	if (!k)
		return ctr_fail_mem(e);
	k->ops = (struct ctr_hstore){ kube_free,  kube_read, kube_create,
				      kube_write, kube_swap, kube_wait };
	memcpy(k->name, name, strlen(name) + 1);
	if (ctr_kube_new(o, &k->kube, e) < 0) {
		kube_free(&k->ops);
		return -1;
	}
	*out = &k->ops;
	return 0;
}
