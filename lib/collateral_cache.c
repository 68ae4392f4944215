#include "collateral_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "evidence.h"
#include "file.h"

#define NONE ".none"
#define LOCK ".lock"

static int path_of(const char *dir, const char *name, const char *suffix, struct ctr_buf *b,
		   struct ctr_err *e)
{
	ctr_buf_addf(b, "%s/%s%s", dir, name, suffix);
	return ctr_buf_ok(b, "file name", e);
}

int ctr_ccache_open(const char *dir, struct ctr_err *e)
{
	return ctr_mkdirs(dir, 0700, e) < 0 ? -1 : ctr_dir_private(dir, e);
}

int ctr_ccache_get(const char *dir, const char *name, struct ctr_buf *b, time_t *since, bool *found,
		   struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf path = { 0 }, body = { 0 };
	struct ctr_err why = { 0 };
	ctr_auto_fd int fd = -1;
	struct stat st;

	*found = false;
	*since = 0;
	if (path_of(dir, name, "", &path, e) < 0)
		return -1;
	fd = open(path.p, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    ctr_fd_read(fd, path.p, CTR_EVIDENCE_ITEM_MAX, &body, &why) < 0 || body.n == 0)
		return strcmp(why.id ? why.id : "", "memory") == 0 ? ctr_err_pass(e, &why) : 0;
	*since = st.st_mtime;
	*found = true;
	ctr_buf_add(b, body.p, body.n);
	return ctr_buf_ok(b, path.p, e);
}

int ctr_ccache_put(const char *dir, const char *name, const struct ctr_buf *b, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf path = { 0 }, none = { 0 };

	if (path_of(dir, name, "", &path, e) < 0 || path_of(dir, name, NONE, &none, e) < 0)
		return -1;
	unlink(none.p);
	return ctr_file_write(path.p, ctr_buf_str(b), b->n, 0600, e);
}

bool ctr_ccache_none(const char *dir, const char *name)
{
	ctr_auto_buf struct ctr_buf path = { 0 };
	time_t now = time(NULL);
	struct stat st;

	/* a file from the future was not written by this clock */
	return path_of(dir, name, NONE, &path, NULL) == 0 && lstat(path.p, &st) == 0 &&
	       S_ISREG(st.st_mode) && st.st_mtime <= now &&
	       now - st.st_mtime < CTR_COLLATERAL_NONE_S;
}

int ctr_ccache_set_none(const char *dir, const char *name, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf path = { 0 };

	if (path_of(dir, name, NONE, &path, e) < 0)
		return -1;
	return ctr_file_write(path.p, "", 0, 0600, e);
}

int ctr_ccache_lock(const char *dir, const char *name, unsigned wait_s, const atomic_bool *stop,
		    int *fd, struct ctr_err *e)
{
	const struct timespec tick = { .tv_nsec = 50000000 };
	ctr_auto_buf struct ctr_buf path = { 0 };

	*fd = -1;
	if (path_of(dir, name, LOCK, &path, e) < 0)
		return -1;
	*fd = open(path.p, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*fd < 0)
		return ctr_fail_sys(e, "cache.open", "%s", path.p);
	for (unsigned i = 0; i < wait_s * 20 && !(stop && atomic_load(stop)); i++) {
		if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			break;
		nanosleep(&tick, NULL);
	}
	close(*fd);
	*fd = -1;
	return 0;
}
