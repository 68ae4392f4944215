#include "store_int.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"

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
};

static int take(void *ctx, const void *p, size_t n, struct ctr_err *e)
{
	struct sink *s = ctx;

	if ((s->pin && ctr_hasher_add(s->pin, p, n, e) < 0) || ctr_hasher_add(s->sum, p, n, e) < 0)
		return -1;
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

static int from_web(const char *url, struct ctr_http *http, struct sink *s, struct ctr_err *e)
{
	struct ctr_http_req req = { .url = url, .max = (uint64_t)16 << 30, .sink = take, .ctx = s };
	ctr_auto_http_resp struct ctr_http_resp resp = { 0 };

	if (ctr_http_do(http, &req, &resp, e) < 0)
		return ctr_wrap(e, "%s", url);
	if (resp.status != 200)
		return ctr_fail(e, CTR_ENV, "fetch.status", "%s: status %u", url, resp.status);
	return 0;
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

int store_fetch(const struct config_file *f, const char *dir, struct ctr_http *http,
		uint8_t sum[CTR_SHA256_SIZE], struct ctr_err *e)
{
	ctr_auto_hasher struct ctr_hasher *pin = NULL, *all = NULL;
	ctr_auto_buf struct ctr_buf path = { 0 };
	ctr_auto_fd int fd = -1;
	struct sink s;
	int rc;

	ctr_buf_addf(&path, "%s/%s", dir, f->path);
	if (ctr_buf_ok(&path, "path", e) < 0 || store_parent(path.p, e) < 0 ||
	    (f->pinned && ctr_hasher_new(f->alg, &pin, e) < 0) ||
	    ctr_hasher_new(CTR_SHA256, &all, e) < 0)
		return -1;
	fd = open(path.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return ctr_fail_sys(e, "write", "%s", path.p);
	s = (struct sink){ fd, path.p, pin, all };
	rc = strncmp(f->url, "file:", 5) == 0 ? from_here(f->url + strlen("file://"), &s, e)
					      : from_web(f->url, http, &s, e);
	return rc < 0 ? -1 : fetched(f, &s, sum, e);
}
