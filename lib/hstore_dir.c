/* "dir:PATH": one machine, one process. Files are reached through descriptors of the directories,
 * and no link is followed. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "file.h"
#include "hstore_int.h"
#include "rd.h"

#define NEW "new" /* being written; whatever has this name is left from a process that died */
#define OLD "latest.old" /* the record while its successor is not yet on the disk */

static const char *const subdir[] = { "manifests", "policies", "transitions" };
#define SUBDIRS (sizeof subdir / sizeof *subdir)

struct dir_store {
	struct ctr_hstore ops;
	int root, lock;
	int sub[SUBDIRS];
	pthread_mutex_t mutex; /* over everything that writes */
};

static struct dir_store *self(struct ctr_hstore *s)
{
	void *first = s; /* its first member */

	return first;
}

static void dir_free(struct ctr_hstore *s)
{
	struct dir_store *d = self(s);

	for (size_t i = 0; i < SUBDIRS; i++)
		if (d->sub[i] >= 0)
			close(d->sub[i]);
	if (d->lock >= 0)
		close(d->lock);
	if (d->root >= 0)
		close(d->root);
	pthread_mutex_destroy(&d->mutex);
	free(d);
}

/* The directory of a name from hstore.c, which makes no others, and what is behind the slash. */
static int place(const struct dir_store *d, const char *name, const char **file)
{
	size_t i = 0;

	*file = strchr(name, '/') + 1;
	while (i + 1 < SUBDIRS && strncmp(subdir[i], name, strlen(subdir[i])) != 0)
		i++;
	return d->sub[i];
}

static int dir_read(struct ctr_hstore *s, const char *name, size_t max, struct ctr_buf *b,
		    bool *found, struct ctr_err *e)
{
	const char *file;
	int dir = place(self(s), name, &file);
	/* a FIFO must not stop us, nor a terminal become ours */
	ctr_auto_fd int fd =
		openat(dir, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct ctr_err why = { 0 };
	struct stat st;

	*found = false;
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 && (errno == ELOOP || errno == ENXIO))
		return ctr_fail(e, CTR_FORMAT, "store.kind", "%s: no regular file", name);
	if (fd < 0 || fstat(fd, &st) < 0)
		return ctr_fail_sys(e, "store.read", "%s", name);
	if (!S_ISREG(st.st_mode))
		return ctr_fail(e, CTR_FORMAT, "store.kind", "%s: no regular file", name);
	*found = true;
	if (ctr_fd_read(fd, name, max, b, &why) == 0)
		return 0;
	/* nothing so large was put there: the store's fault, and no request's */
	return why.code == CTR_FORMAT ? ctr_fail(e, CTR_FORMAT, "store.kind", "%s", why.msg)
				      : ctr_err_pass(e, &why);
}

static int failed(const char *name, struct ctr_err *e)
{
	return ctr_fail_sys(e, "store.write", "%s", name);
}

#define CREATE (O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC)

/* The file that takes a name's place. */
static int create_new(int dir)
{
	int fd = openat(dir, NEW, CREATE, 0600);

	if (fd < 0 && errno == EEXIST && unlinkat(dir, NEW, 0) == 0)
		fd = openat(dir, NEW, CREATE, 0600);
	return fd;
}

static int fill(int fd, const char *name, const void *p, size_t n, struct ctr_err *e)
{
	struct ctr_err why = { 0 };

	if (fd >= 0 && ctr_fd_write(fd, name, p, n, &why) == 0)
		return 0;
	if (fd >= 0)
		errno = why.sys;
	return failed(name, e);
}

static int write_new(int dir, const char *name, const void *p, size_t n, bool sync,
		     struct ctr_err *e)
{
	ctr_auto_fd int fd = create_new(dir);

	if (fill(fd, name, p, n, e) < 0)
		return -1;
	return sync && fsync(fd) < 0 ? failed(name, e) : 0;
}

/* Under its own name at once: nothing refers to it until the next swap. */
static int dir_create(struct ctr_hstore *s, const char *name, const void *p, size_t n, bool *there,
		      struct ctr_err *e)
{
	const char *file;
	int dir = place(self(s), name, &file);
	ctr_auto_fd int fd = openat(dir, file, CREATE, 0600);

	*there = fd < 0 && errno == EEXIST;
	if (*there || fill(fd, name, p, n, e) == 0)
		return 0;
	if (fd >= 0)
		unlinkat(dir, file, 0);
	return -1;
}

/* On failure the name is as it was, and nothing new is left behind. */
static int replace(int dir, const char *name, const char *file, const void *p, size_t n, bool sync,
		   struct ctr_err *e)
{
	int rc = write_new(dir, name, p, n, sync, e);

	if (rc == 0 && renameat(dir, NEW, dir, file) < 0)
		rc = failed(name, e);
	if (rc < 0)
		unlinkat(dir, NEW, 0);
	return rc;
}

static int dir_write(struct ctr_hstore *s, const char *name, const void *p, size_t n,
		     struct ctr_err *e)
{
	struct dir_store *d = self(s);
	const char *file;
	int dir = place(d, name, &file), rc;

	pthread_mutex_lock(&d->mutex);
	rc = replace(dir, name, file, p, n, false, e);
	pthread_mutex_unlock(&d->mutex);
	return rc;
}

/* The directory could not be written through, so the new record may vanish with the power: the old
 * one comes back. */
static int take_back(int dir, const char *name, const char *file, bool was, struct ctr_err *e)
{
	int why = errno;
	bool back = was ? renameat(dir, OLD, dir, file) == 0 : unlinkat(dir, file, 0) == 0;

	errno = why;
	if (back)
		return failed(name, e);
	ctr_fail_sys(e, "store.unsure", "%s: neither written nor taken back", name);
	return ctr_err_fix(e, "look after the disk, then start again: the store is then read anew");
}

static int exchange(struct dir_store *d, const char *name, const void *old, size_t n_old,
		    const void *p, size_t n, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf now = { 0 };
	const char *file;
	int dir = place(d, name, &file);
	bool found;

	if (dir_read(&d->ops, name, CTR_LATEST_MAX, &now, &found, e) < 0)
		return -1;
	if (now.n != n_old || !ctr_same(ctr_buf_str(&now), n_old ? old : "", n_old))
		return ctr_fail(e, CTR_NO, "history.conflict", "%s: changed by somebody else",
				name);
	/* one call for any number of blobs; they and their names must be there before the record
	 * tells of them */
	if (syncfs(d->root) < 0)
		return failed(name, e);
	if (unlinkat(dir, OLD, 0) < 0 && errno != ENOENT)
		return failed(name, e);
	if (found && linkat(dir, file, dir, OLD, 0) < 0)
		return failed(name, e);
	if (replace(dir, name, file, p, n, true, e) < 0) {
		unlinkat(dir, OLD, 0);
		return -1;
	}
	if (fsync(dir) < 0)
		return take_back(dir, name, file, found, e);
	unlinkat(dir, OLD, 0); /* or by the next swap */
	return 0;
}

static int dir_swap(struct ctr_hstore *s, const char *name, const void *old, size_t n_old,
		    const void *p, size_t n, struct ctr_err *e)
{
	struct dir_store *d = self(s);
	int rc;

	pthread_mutex_lock(&d->mutex);
	rc = exchange(d, name, old, n_old, p, n, e);
	pthread_mutex_unlock(&d->mutex);
	return rc;
}

/* Made when it is missing; ours, and only ours to write to. */
static int open_dir(int at, const char *path, const char *show, int *fd, struct ctr_err *e)
{
	struct stat st;

	if (mkdirat(at, path, 0700) < 0 && errno != EEXIST)
		return ctr_fail_sys(e, "store.open", "%s", show);
	*fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd < 0 || fstat(*fd, &st) < 0)
		return ctr_fail_sys(e, "store.open", "%s", show);
	if (st.st_uid == geteuid() && !(st.st_mode & 022))
		return 0;
	ctr_fail(e, CTR_ENV, "store.owner", "%s: %s", show,
		 st.st_uid == geteuid() ? "can be written by others" : "belongs to another user");
	return ctr_err_fix(e, "chown and chmod it to the Coordinator's user and 0700");
}

static int hold(struct dir_store *d, const char *path, struct ctr_err *e)
{
	d->lock = openat(d->root, "lock",
			 O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	if (d->lock < 0)
		return ctr_fail_sys(e, "store.open", "%s/lock", path);
	if (flock(d->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return ctr_fail_sys(e, "store.open", "%s/lock", path);
	return ctr_fail(e, CTR_ENV, "store.busy", "%s: in use by another process", path);
}

static int open_all(struct dir_store *d, const char *path, struct ctr_err *e)
{
	if (open_dir(AT_FDCWD, path, path, &d->root, e) < 0 || hold(d, path, e) < 0)
		return -1;
	for (size_t i = 0; i < SUBDIRS; i++)
		if (open_dir(d->root, subdir[i], subdir[i], &d->sub[i], e) < 0)
			return -1;
	return 0;
}

int ctr_hstore_dir(const char *path, struct ctr_hstore **out, struct ctr_err *e)
{
	struct dir_store *d = calloc(1, sizeof *d);

	*out = NULL;
	if (!d)
		return ctr_fail_mem(e);
	*d = (struct dir_store){ .ops = { dir_free, dir_read, dir_create, dir_write, dir_swap, NULL },
				 .root = -1,
				 .lock = -1,
				 .sub = { -1, -1, -1 },
				 .mutex = PTHREAD_MUTEX_INITIALIZER };
	if (open_all(d, path, e) < 0) {
		dir_free(&d->ops);
		return -1;
	}
	*out = &d->ops;
	return 0;
}
