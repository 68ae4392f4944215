#include "store_int.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"
#include "oci_doc.h"

#define FILE_MAX ((uint64_t)16 << 30)

int store_hash(const char *path, uint8_t out[CTR_HASH_MAX], struct ctr_err *e)
{
	ctr_auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ctr_auto_hasher struct ctr_hasher *h = NULL;
	static uint8_t piece[64 * 1024];
	ssize_t n;

	if (fd < 0)
		return ctr_fail_sys(e, "open", "%s", path);
	if (ctr_hasher_new(CTR_SHA256, &h, e) < 0)
		return -1;
	while ((n = read(fd, piece, sizeof piece)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ctr_fail_sys(e, "read", "%s", path);
		if (ctr_hasher_add(h, piece, (size_t)n, e) < 0)
			return -1;
	}
	return ctr_hasher_end(h, out, e);
}

int store_parent(const char *path, struct ctr_err *e)
{
	ctr_auto char *up = strndup(path, (size_t)(strrchr(path, '/') - path));

	return up ? ctr_mkdirs(up, 0755, e) : ctr_fail_mem(e);
}

struct sink {
	int fd;
	const char *name;
	struct ctr_hasher *pin, *sum;
	struct ctr_progress *progress;
};

static int take(void *ctx, const void *p, size_t n, struct ctr_err *e)
{
	struct sink *s = ctx;

	if ((s->pin && ctr_hasher_add(s->pin, p, n, e) < 0) || ctr_hasher_add(s->sum, p, n, e) < 0)
		return -1;
	ctr_progress_add(s->progress, n);
	return ctr_fd_write(s->fd, s->name, p, n, e);
}

static int from_here(const char *path, struct sink *s, struct ctr_err *e)
{
	ctr_auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	static uint8_t piece[64 * 1024];
	ssize_t n;

	if (fd < 0)
		return ctr_fail_sys(e, "open", "%s", path);
	while ((n = read(fd, piece, sizeof piece)) != 0) {
		if (n < 0 && errno != EINTR)
			return ctr_fail_sys(e, "read", "%s", path);
		if (n > 0 && take(s, piece, (size_t)n, e) < 0)
			return -1;
	}
	return 0;
}

static int from_web(const struct config_file *f, struct store_web *w, struct sink *s,
		    struct ctr_err *e)
{
	struct ctr_http_req req = { .url = f->url, .max = FILE_MAX, .sink = take, .ctx = s };
	ctr_auto_http_resp struct ctr_http_resp resp = { 0 };

	if (!w->http && ctr_http_new(&w->o->http, &w->http, e) < 0)
		return -1;
	if (ctr_http_do(w->http, &req, &resp, e) < 0)
		return ctr_wrap(e, "%s", f->url);
	if (resp.status != 200)
		return ctr_fail(e, CTR_ENV, "fetch.status", "%s: status %u", f->url, resp.status);
	return 0;
}

static int missing(const struct config_file *f, struct ctr_err *e)
{
	ctr_fail(e, CTR_ENV, "fetch.missing", "%s: not in the registry", f->url);
	return ctr_err_fix(e, "check the name and the digest, or the login");
}

static int from_registry(const struct config_file *f, struct store_web *w, struct sink *s,
			 struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf manifest = { 0 };
	char digest[CTR_OCI_DIGEST];
	struct ctr_oci_source *r;
	struct ctr_oci_desc d;
	bool found;

	if (!w->registry && ctr_registry_new(w->o, &w->registry, e) < 0)
		return -1;
	r = w->registry;
	if (r->resolve(r, &f->ref, &manifest, digest, &found, e) < 0)
		return -1;
	if (!found)
		return missing(f, e);
	if (ctr_oci_artifact_parse(f->url, ctr_buf_str(&manifest), manifest.n, f->title, &d, e) < 0)
		return -1;
	if (d.size > FILE_MAX)
		return ctr_fail(e, CTR_FORMAT, "limit", "%s: a file of %llu bytes", f->url,
				(unsigned long long)d.size);
	ctr_progress_begin(s->progress, f->path, d.size);
	if (r->blob(r, &f->ref, &d, take, s, &found, e) < 0)
		return -1;
	return found ? 0 : missing(f, e);
}

static int bring(const struct config_file *f, struct store_web *w, struct sink *s,
		 struct ctr_err *e)
{
	int rc;

	if (strncmp(f->url, "file:", 5) == 0)
		return from_here(f->url + strlen("file://"), s, e);
	ctr_progress_begin(s->progress, f->path, 0);
	rc = f->ref.digest[0] ? from_registry(f, w, s, e) : from_web(f, w, s, e);
	ctr_progress_end(s->progress);
	return rc;
}

void store_web_free(struct store_web *w)
{
	ctr_http_free(w->http);
	if (w->registry)
		w->registry->free(w->registry);
}

static int fetched(const struct config_file *f, struct sink *s, uint8_t sum[CTR_SHA256_SIZE],
		   struct ctr_err *e)
{
	uint8_t got[CTR_HASH_MAX];

	if (ctr_hasher_end(s->sum, sum, e) < 0)
		return -1;
	if (f->pinned) {
		size_t n = ctr_hash_size(f->alg);
		struct ctr_buf a = { .p = (char *)got, .n = n }, b = { .n = n };

		if (ctr_hasher_end(s->pin, got, e) < 0)
			return -1;
		b.p = (char *)(uintptr_t)f->digest;
		if (!ctr_buf_same(&a, &b)) {
			ctr_fail(e, CTR_NO, "integrity",
				 "%s: not the bytes that integrity asks for", f->url);
			return ctr_err_fix(
				e, "nothing was installed; compare with where the file comes from");
		}
	}
	if (fchmod(s->fd, f->mode) < 0 || fsync(s->fd) < 0)
		return ctr_fail_sys(e, "write", "%s", s->name);
	return 0;
}

int store_fetch(const struct config_file *f, const char *dir, struct store_web *web,
		uint8_t sum[CTR_SHA256_SIZE], struct ctr_err *e)
{
	ctr_auto_hasher struct ctr_hasher *pin = NULL, *all = NULL;
	ctr_auto_buf struct ctr_buf path = { 0 };
	ctr_auto_fd int fd = -1;
	struct sink s;

	ctr_buf_addf(&path, "%s/%s", dir, f->path);
	if (ctr_buf_ok(&path, "path", e) < 0 || store_parent(path.p, e) < 0 ||
	    (f->pinned && ctr_hasher_new(f->alg, &pin, e) < 0) ||
	    ctr_hasher_new(CTR_SHA256, &all, e) < 0)
		return -1;
	fd = open(path.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return ctr_fail_sys(e, "write", "%s", path.p);
	s = (struct sink){ fd, path.p, pin, all, web->o->log ? web->o->log->progress : NULL };
	return bring(f, web, &s, e) < 0 ? -1 : fetched(f, &s, sum, e);
}
