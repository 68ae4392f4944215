#include "oci_layout.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "enc.h"
#include "file.h"
#include "hash.h"
#include "json.h"
#include "oci_doc.h"

#define PIECE ((size_t)256 * 1024)

struct named {
	struct ctr_imgref ref;
	struct ctr_oci_desc desc;
};

struct layout {
	char *dir;
	struct named *v; /* the images that have a name */
	size_t n;
};

struct layouts {
	struct ctr_oci_source src;
	struct layout *v;
	size_t n;
};

static struct layouts *self(struct ctr_oci_source *s)
{
	void *first = s; /* its first member */

	return first;
}

int ctr_oci_send_fd(int fd, const char *name, const struct ctr_oci_desc *desc, ctr_oci_sink sink,
		    void *ctx, struct ctr_err *e)
{
	ctr_auto_hasher struct ctr_hasher *h = NULL;
	ctr_auto_buf struct ctr_buf hex = { 0 };
	ctr_auto char *piece = malloc(PIECE);
	uint8_t sum[CTR_SHA256_SIZE];
	uint64_t left = desc->size;
	struct stat st;

	if (!piece)
		return ctr_fail_mem(e);
	if (fstat(fd, &st) < 0)
		return ctr_fail_sys(e, "read", "%s", name);
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != desc->size)
		return ctr_fail(e, CTR_FORMAT, "image.size",
				"%s: %s of %llu bytes (expected a file of %llu)", name,
				S_ISREG(st.st_mode) ? "a file" : "no file",
				(unsigned long long)st.st_size, (unsigned long long)desc->size);
	if (ctr_hasher_new(CTR_SHA256, &h, e) < 0)
		return -1;
	while (left > 0) {
		ssize_t got = read(fd, piece, left < PIECE ? (size_t)left : PIECE);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ctr_fail_sys(e, "read", "%s", name);
		if (got == 0)
			return ctr_fail(e, CTR_FORMAT, "image.size", "%s: shrank while it was read",
					name);
		if (ctr_hasher_add(h, piece, (size_t)got, e) < 0 ||
		    sink(ctx, piece, (size_t)got, e) < 0)
			return -1;
		left -= (uint64_t)got;
	}
	if (ctr_hasher_end(h, sum, e) < 0)
		return -1;
	ctr_hex_add(&hex, sum, sizeof sum);
	if (ctr_buf_ok(&hex, name, e) < 0)
		return -1;
	if (strcmp(hex.p, desc->digest + 7) != 0)
		return ctr_fail(e, CTR_FORMAT, "image.digest",
				"%s: the content has digest sha256:%s", name, hex.p);
	return 0;
}

/* Opens dir/blobs/sha256/<hex>; fd -1 when it is not there. */
static int open_blob(const struct layout *l, const char *digest, struct ctr_buf *path, int *fd,
		     struct ctr_err *e)
{
	*fd = -1;
	ctr_buf_reset(path);
	ctr_buf_addf(path, "%s/blobs/sha256/%s", l->dir, digest + 7);
	if (ctr_buf_ok(path, "file name", e) < 0)
		return -1;
	/* not blocking: a pipe in the place of a blob must not hang us */
	*fd = open(path->p, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (*fd < 0 && errno == ELOOP)
		return ctr_fail(e, CTR_FORMAT, "image.layout", "%s: a symbolic link", path->p);
	return *fd < 0 && errno != ENOENT && errno != ENOTDIR
		       ? ctr_fail_sys(e, "open", "%s", path->p)
		       : 0;
}

static int blob(struct ctr_oci_source *s, const struct ctr_imgref *ref,
		const struct ctr_oci_desc *desc, ctr_oci_sink sink, void *ctx, bool *found,
		struct ctr_err *e)
{
	struct layouts *ls = self(s);

	(void)ref;
	*found = false;
	for (size_t i = 0; i < ls->n; i++) {
		ctr_auto_buf struct ctr_buf path = { 0 };
		ctr_auto_fd int fd = -1;

		if (open_blob(&ls->v[i], desc->digest, &path, &fd, e) < 0)
			return -1;
		if (fd < 0)
			continue;
		if (ctr_oci_send_fd(fd, path.p, desc, sink, ctx, e) < 0)
			return -1;
		*found = true;
		return 0;
	}
	return 0;
}

static int to_buf(void *ctx, const void *p, size_t n, struct ctr_err *e)
{
	ctr_buf_add(ctx, p, n);
	return ctr_buf_ok(ctx, "manifest", e);
}

/* A manifest whose size the reference does not tell: the file's own, below the cap, must do. */
static int read_manifest(const struct layout *l, const char *digest, uint64_t size,
			 struct ctr_buf *body, bool *found, struct ctr_err *e)
{
	struct ctr_oci_desc d = { .size = size };
	ctr_auto_buf struct ctr_buf path = { 0 };
	ctr_auto_fd int fd = -1;
	struct stat st;

	*found = false;
	memcpy(d.digest, digest, sizeof d.digest);
	if (open_blob(l, digest, &path, &fd, e) < 0)
		return -1;
	if (fd < 0)
		return 0;
	if (size == UINT64_MAX && fstat(fd, &st) == 0)
		d.size = (uint64_t)st.st_size;
	if (d.size > CTR_OCI_MANIFEST_MAX)
		return ctr_fail(e, CTR_FORMAT, "limit", "%s: a manifest larger than %zu bytes",
				path.p, CTR_OCI_MANIFEST_MAX);
	if (ctr_oci_send_fd(fd, path.p, &d, to_buf, body, e) < 0)
		return -1;
	*found = true;
	return 0;
}

static bool same_name(const struct ctr_imgref *a, const struct ctr_imgref *b)
{
	return strcmp(a->registry, b->registry) == 0 && strcmp(a->repository, b->repository) == 0 &&
	       strcmp(a->tag, b->tag) == 0;
}

static int by_tag(const struct layout *l, const struct ctr_imgref *ref,
		  const struct ctr_oci_desc **d, struct ctr_err *e)
{
	*d = NULL;
	for (size_t i = 0; i < l->n; i++) {
		if (!same_name(&l->v[i].ref, ref))
			continue;
		if (*d && strcmp((*d)->digest, l->v[i].desc.digest) != 0) {
			ctr_fail(e, CTR_FORMAT, "image.ambiguous",
				 "%s: the name stands for %s and %s", l->dir, (*d)->digest,
				 l->v[i].desc.digest);
			return ctr_err_fix(e, "name the image by digest");
		}
		*d = &l->v[i].desc;
	}
	return 0;
}

static int resolve(struct ctr_oci_source *s, const struct ctr_imgref *ref, struct ctr_buf *body,
		   char digest[CTR_OCI_DIGEST], bool *found, struct ctr_err *e)
{
	struct layouts *ls = self(s);

	*found = false;
	for (size_t i = 0; i < ls->n && !*found; i++) {
		struct ctr_oci_desc d = { .size = UINT64_MAX };
		const struct ctr_oci_desc *named;

		memcpy(d.digest, ref->digest, sizeof d.digest);
		if (!ref->digest[0]) {
			if (by_tag(&ls->v[i], ref, &named, e) < 0)
				return -1;
			if (!named)
				continue;
			d = *named;
		}
		if (read_manifest(&ls->v[i], d.digest, d.size, body, found, e) < 0)
			return -1;
		if (!*found && !ref->digest[0])
			return ctr_fail(e, CTR_FORMAT, "image.layout",
					"%s: index.json names %s, which is not in blobs/",
					ls->v[i].dir, d.digest);
		if (*found)
			memcpy(digest, d.digest, sizeof d.digest);
	}
	return 0;
}

static void layouts_free(struct ctr_oci_source *s)
{
	struct layouts *ls = self(s);

	for (size_t i = 0; i < ls->n; i++) {
		free(ls->v[i].dir);
		free(ls->v[i].v);
	}
	free(ls->v);
	free(ls);
}

static const char *base_name(const char *dir)
{
	const char *slash = strrchr(dir, '/');

	return slash ? slash + 1 : dir;
}

/* A name that is no reference is no name: index.json may hold things that are no images. */
static void add_name(struct layout *l, const struct ctr_oci_entry *t, const char *name)
{
	struct named *v = &l->v[l->n];

	if (ctr_imgref_parse(name, &v->ref, NULL) < 0 || v->ref.digest[0])
		return;
	v->desc = t->desc;
	l->n++;
}

static int add_names(struct layout *l, const struct ctr_oci_entry *t, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf name = { 0 };

	if (t->image_name)
		add_name(l, t, t->image_name);
	if (!t->ref_name)
		return 0;
	if (strpbrk(t->ref_name, "/:")) {
		add_name(l, t, t->ref_name);
	} else if (!t->image_name) {
		ctr_buf_addf(&name, "%s:%s", base_name(l->dir), t->ref_name);
		if (ctr_buf_ok(&name, "image name", e) < 0)
			return -1;
		add_name(l, t, name.p);
	}
	return 0;
}

static int check_version(const char *path, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *j = NULL;
	struct ctr_jval root, v;
	const char *s;

	if (ctr_json_load(path, CTR_OCI_MANIFEST_MAX, &j, e) < 0)
		return -1;
	root = ctr_jroot(j);
	v = ctr_jget(&root, "imageLayoutVersion");
	if (ctr_jstring(&v, &s, e) < 0)
		return ctr_wrap(e, "%s", path);
	if (strncmp(s, "1.", 2) != 0)
		return ctr_fail(e, CTR_FORMAT, "image.layout",
				"%s: layout version \"%s\" (expected 1.x)", path, s);
	return 0;
}

static int load(struct layout *l, struct ctr_err *e)
{
	ctr_auto_oci_index struct ctr_oci_index *x = NULL;
	ctr_auto_oci_manifest struct ctr_oci_manifest *m = NULL;
	ctr_auto_buf struct ctr_buf path = { 0 }, body = { 0 };

	ctr_buf_addf(&path, "%s/oci-layout", l->dir);
	if (ctr_buf_ok(&path, "file name", e) < 0 || check_version(path.p, e) < 0)
		return -1;
	ctr_buf_reset(&path);
	ctr_buf_addf(&path, "%s/index.json", l->dir);
	if (ctr_buf_ok(&path, "file name", e) < 0 ||
	    ctr_file_read(path.p, CTR_OCI_MANIFEST_MAX, &body, e) < 0 ||
	    ctr_oci_doc_parse(path.p, body.p, body.n, &x, &m, e) < 0)
		return -1;
	if (!x)
		return ctr_fail(e, CTR_FORMAT, "image.layout", "%s: not an index", path.p);
	l->v = calloc(2 * x->n + 1, sizeof *l->v);
	if (!l->v)
		return ctr_fail_mem(e);
	for (size_t i = 0; i < x->n; i++) {
		if (add_names(l, &x->v[i], e) < 0)
			return -1;
	}
	return 0;
}

static bool is_layout(const char *dir)
{
	ctr_auto_buf struct ctr_buf path = { 0 };

	ctr_buf_addf(&path, "%s/oci-layout", dir);
	return !path.bad && access(path.p, F_OK) == 0;
}

static int add_layout(struct layouts *ls, const char *dir, struct ctr_err *e)
{
	struct layout *v;

	v = reallocarray(ls->v, ls->n + 1, sizeof *v);
	if (!v)
		return ctr_fail_mem(e);
	ls->v = v;
	v = &ls->v[ls->n];
	*v = (struct layout){ .dir = strdup(dir) };
	if (!v->dir)
		return ctr_fail_mem(e);
	ls->n++;
	/* "images/" and "images" have one base name */
	for (size_t n = strlen(v->dir); n > 1 && v->dir[n - 1] == '/'; n--)
		v->dir[n - 1] = '\0';
	return load(v, e);
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static int add_below(struct layouts *ls, const char *dir, struct ctr_err *e)
{
	struct dirent **v = NULL;
	int n = scandir(dir, &v, visible, by_bytes), rc = 0;
	size_t before = ls->n;

	if (n < 0)
		return ctr_fail_sys(e, "image.layout", "%s", dir);
	for (int i = 0; i < n; i++) {
		ctr_auto_buf struct ctr_buf sub = { 0 };

		ctr_buf_addf(&sub, "%s/%s", dir, v[i]->d_name);
		free(v[i]);
		if (rc == 0 && ctr_buf_ok(&sub, "file name", e) < 0)
			rc = -1;
		if (rc == 0 && is_layout(sub.p))
			rc = add_layout(ls, sub.p, e);
	}
	free(v);
	if (rc == 0 && ls->n == before) {
		rc = ctr_fail(e, CTR_ENV, "image.layout",
			      "%s: no OCI image layout (no file oci-layout here or one level down)",
			      dir);
		ctr_err_fix(e, "make one with: skopeo copy docker://IMAGE:TAG oci:DIR:TAG");
	}
	return rc;
}

int ctr_oci_layout_new(const char *const *dirs, size_t n, struct ctr_oci_source **out,
		       struct ctr_err *e)
{
	struct layouts *ls = calloc(1, sizeof *ls);

	*out = NULL;
	if (!ls)
		return ctr_fail_mem(e);
	ls->src = (struct ctr_oci_source){ resolve, blob, layouts_free };
	for (size_t i = 0; i < n; i++) {
		if ((is_layout(dirs[i]) ? add_layout(ls, dirs[i], e) : add_below(ls, dirs[i], e)) <
		    0) {
			layouts_free(&ls->src);
			return -1;
		}
	}
	*out = &ls->src;
	return 0;
}
