#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define PIECE ((size_t)64 * 1024)
#define SPOOL_MEM ((size_t)1024 * 1024)

int ctr_fd_read(int fd, const char *name, size_t max, struct ctr_buf *b, struct ctr_err *e)
{
	size_t start = b->n;

	for (;;) {
		size_t room = max - (b->n - start) < PIECE ? max - (b->n - start) + 1 : PIECE;
		uint8_t *to = ctr_buf_room(b, room);
		ssize_t got;

		if (!to)
			return ctr_buf_ok(b, name, e);
		got = read(fd, to, room);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ctr_fail_sys(e, "read", "%s", name);
		ctr_buf_commit(b, (size_t)got);
		if (got == 0)
			return 0;
		if (b->n - start > max)
			return ctr_fail(e, CTR_FORMAT, "limit", "%s: larger than %zu bytes", name,
					max);
	}
}

int ctr_file_read(const char *path, size_t max, struct ctr_buf *b, struct ctr_err *e)
{
	ctr_auto_fd int fd = -1;

	if (strcmp(path, "-") == 0)
		return ctr_fd_read(STDIN_FILENO, "standard input", max, b, e);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ctr_fail_sys(e, "open", "%s", path);
	return ctr_fd_read(fd, path, max, b, e);
}

int ctr_fd_write(int fd, const char *name, const void *p, size_t n, struct ctr_err *e)
{
	const char *c = p;

	while (n > 0) {
		ssize_t put = write(fd, c, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return ctr_fail_sys(e, "write", "%s", name);
		c += put;
		n -= (size_t)put;
	}
	return 0;
}

static void dir_of(const char *path, struct ctr_buf *b)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		ctr_buf_adds(b, ".");
	else
		ctr_buf_add(b, path, slash == path ? 1 : (size_t)(slash - path));
}

static int sync_dir(const char *dir, struct ctr_err *e)
{
	ctr_auto_fd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return ctr_fail_sys(e, "write", "%s", dir);
	return 0;
}

static int write_synced(int fd, const char *name, const void *p, size_t n, unsigned mode,
			struct ctr_err *e)
{
	if (fchmod(fd, mode) < 0)
		return ctr_fail_sys(e, "write", "%s", name);
	if (ctr_fd_write(fd, name, p, n, e) < 0)
		return -1;
	return fsync(fd) < 0 ? ctr_fail_sys(e, "write", "%s", name) : 0;
}

int ctr_file_write(const char *path, const void *p, size_t n, unsigned mode, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf dir = { 0 }, tmp = { 0 };
	ctr_auto_fd int fd = -1;

	dir_of(path, &dir);
	ctr_buf_addf(&tmp, "%s.XXXXXX", path);
	if (ctr_buf_ok(&dir, "file name", e) < 0 || ctr_buf_ok(&tmp, "file name", e) < 0)
		return -1;
	fd = mkostemp(tmp.p, O_CLOEXEC);
	if (fd < 0)
		return ctr_fail_sys(e, "write", "%s", path);
	if (write_synced(fd, path, p, n, mode, e) < 0) {
		unlink(tmp.p);
		return -1;
	}
	if (rename(tmp.p, path) < 0) {
		ctr_fail_sys(e, "write", "%s", path);
		unlink(tmp.p);
		return -1;
	}
	return sync_dir(dir.p, e);
}

int ctr_mkdirs(const char *path, unsigned mode, struct ctr_err *e)
{
	ctr_auto char *p = strdup(path);

	if (!p)
		return ctr_fail_mem(e);
	for (char *s = p + 1; *p; s++) {
		char keep = *s;

		if (keep != '/' && keep != '\0')
			continue;
		*s = '\0';
		if (mkdir(p, mode) < 0 && errno != EEXIST)
			return ctr_fail_sys(e, "mkdir", "%s", p);
		*s = keep;
		if (keep == '\0')
			break;
	}
	return 0;
}

int ctr_dir_private(const char *path, struct ctr_err *e)
{
	ctr_auto_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return ctr_fail_sys(e, "cache.open", "%s", path);
	if (st.st_uid == geteuid() && !(st.st_mode & 022))
		return 0;
	ctr_fail(e, CTR_ENV, "cache.owner", "%s: the cache directory %s", path,
		 st.st_uid == geteuid() ? "can be written by others" : "belongs to another user");
	return ctr_err_fix(e, "choose another with --cache, or: chmod go-w %s", path);
}

void ctr_spool_init(struct ctr_spool *s)
{
	*s = (struct ctr_spool){ .fd = -1 };
}

void ctr_spool_free(struct ctr_spool *s)
{
	if (s->fd >= 0)
		close(s->fd);
	ctr_buf_free(&s->mem);
	ctr_spool_init(s);
}

/* The file is gone from the directory before the first byte goes in. */
static int to_file(struct ctr_spool *s, struct ctr_err *e)
{
	const char *dir = P_tmpdir;
	char path[] = P_tmpdir "/ctr-spool-XXXXXX";

	s->fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (s->fd < 0) {
		s->fd = mkostemp(path, O_CLOEXEC);
		if (s->fd < 0)
			return ctr_fail_sys(e, "spool", "%s", dir);
		unlink(path);
	}
	if (ctr_fd_write(s->fd, "temporary file", s->mem.p, s->mem.n, e) < 0)
		return -1;
	ctr_buf_free(&s->mem);
	return 0;
}

int ctr_spool_add(struct ctr_spool *s, const void *p, size_t n, struct ctr_err *e)
{
	if (s->fd < 0 && s->mem.n + n > SPOOL_MEM && to_file(s, e) < 0)
		return -1;
	if (s->fd >= 0) {
		if (ctr_fd_write(s->fd, "temporary file", p, n, e) < 0)
			return -1;
	} else {
		ctr_buf_add(&s->mem, p, n);
		if (ctr_buf_ok(&s->mem, "spool", e) < 0)
			return -1;
	}
	s->n += n;
	return 0;
}

int ctr_spool_read(struct ctr_spool *s, uint64_t at, size_t n, struct ctr_buf *b,
		   struct ctr_err *e)
{
	if (at > s->n || n > s->n - at)
		return ctr_fail(e, CTR_ENV, "spool", "read beyond the end of the spool");
	if (s->fd < 0) {
		if (n)
			ctr_buf_add(b, s->mem.p + at, n);
		return ctr_buf_ok(b, "spool", e);
	}
	while (n > 0) {
		uint8_t *to = ctr_buf_room(b, n);
		ssize_t got;

		if (!to)
			return ctr_buf_ok(b, "spool", e);
		got = pread(s->fd, to, n, (off_t)at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return ctr_fail_sys(e, "spool", "temporary file");
		ctr_buf_commit(b, (size_t)got);
		at += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

int ctr_spool_send(struct ctr_spool *s, int fd, const char *name, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	if (s->fd < 0)
		return ctr_fd_write(fd, name, s->mem.p, s->mem.n, e);
	for (uint64_t at = 0; at < s->n; at += b.n) {
		ctr_buf_reset(&b);
		if (ctr_spool_read(s, at, s->n - at < PIECE ? (size_t)(s->n - at) : PIECE, &b, e) < 0 ||
		    ctr_fd_write(fd, name, b.p, b.n, e) < 0)
			return -1;
	}
	return 0;
}
