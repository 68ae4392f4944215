#include "output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"

static int one(const char *dir, const char *name, const struct ctr_buf *b, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf path = { 0 };

	ctr_buf_addf(&path, "%s/%s", dir, name);
	return ctr_buf_ok(&path, "file name", e) < 0
		       ? -1
		       : ctr_file_write(path.p, ctr_buf_str(b), b->n, 0600, e);
}

static int all(const struct doc *d, const char *dir, struct ctr_err *e)
{
	for (size_t i = 0; i < d->n; i++) {
		if (one(dir, d->entry[i].name, &d->entry[i].text, e) < 0)
			return -1;
	}
	return d->bare ? 0 : one(dir, DOC_WHOLE, &d->measured, e);
}

/* What `all` may have left. */
static void undo(const struct doc *d, const char *dir)
{
	for (size_t i = 0; i <= d->n; i++) {
		ctr_auto_buf struct ctr_buf path = { 0 };

		ctr_buf_addf(&path, "%s/%s", dir, i < d->n ? d->entry[i].name : DOC_WHOLE);
		if (!path.bad)
			unlink(path.p);
	}
	rmdir(dir);
}

/* Takes the place of an empty directory, never of one that holds something. */
static int settle(const char *from, const char *to, const char *parent, struct ctr_err *e)
{
	ctr_auto_fd int fd = -1;

	if (rename(from, to) < 0) {
		if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR)
			return ctr_fail_sys(e, "write", "%s", to);
		ctr_fail(e, CTR_ENV, "output.exists", "%s: is there already", to);
		return ctr_err_fix(e, "nothing else may write there: remove it, or choose another "
				      "with --output");
	}
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? ctr_fail_sys(e, "write", "%s", parent) : 0;
}

/* The way there is for others as well: services of the guest have their sockets beside it. */
static int make_parent(const char *dir, struct ctr_err *e)
{
	mode_t mask = umask(022);
	int rc = ctr_mkdirs(dir, 0755, e);

	umask(mask);
	return rc;
}

int output_write(const struct doc *d, const char *dir, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf target = { 0 }, parent = { 0 }, tmp = { 0 };
	const char *slash;
	size_t n = strlen(dir);

	while (n > 1 && dir[n - 1] == '/')
		n--;
	ctr_buf_add(&target, dir, n);
	slash = target.p ? strrchr(target.p, '/') : NULL;
	ctr_buf_add(&parent, slash ? target.p : ".",
		    slash > target.p ? (size_t)(slash - target.p) : 1);
	ctr_buf_addf(&tmp, "%s.XXXXXX", ctr_buf_str(&target));
	if (ctr_buf_ok(&target, "file name", e) < 0 || ctr_buf_ok(&parent, "file name", e) < 0 ||
	    ctr_buf_ok(&tmp, "file name", e) < 0 || make_parent(parent.p, e) < 0)
		return -1;
	if (!mkdtemp(tmp.p))
		return ctr_fail_sys(e, "mkdir", "%s", target.p);
	if (chmod(tmp.p, 0700) == 0 && all(d, tmp.p, e) == 0 &&
	    settle(tmp.p, target.p, parent.p, e) == 0)
		return 0;
	ctr_fail_sys(e, "write", "%s", tmp.p);
	undo(d, tmp.p);
	return -1;
}
