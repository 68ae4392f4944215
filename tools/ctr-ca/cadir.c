#include "cadir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

#define FILE_MAX ((size_t)64 * 1024)
#define KEY "mesh-ca.key"

static const char *const names[] = { "root-ca.pem", "intermediate.pem", "mesh-ca.pem", KEY };

static void path_of(struct ctr_buf *b, const char *dir, const char *name)
{
	ctr_buf_reset(b);
	ctr_buf_addf(b, "%s/%s", dir, name);
}

static int put(const char *dir, const char *name, const void *p, size_t n, unsigned mode,
	       struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf path = { 0 };

	path_of(&path, dir, name);
	if (ctr_buf_ok(&path, "file name", e) < 0)
		return -1;
	return ctr_file_write(path.p, p, n, mode, e);
}

static int fill(const char *dir, const struct ctr_root *r, const struct ctr_mesh *m,
		struct ctr_err *e)
{
	const struct ctr_buf *pem[] = { ctr_root_pem(r), ctr_mesh_intermediate(m),
					ctr_mesh_pem(m) };
	ctr_auto_secret struct ctr_secret key = { 0 };

	if (ctr_mesh_key(m, &key, e) < 0)
		return -1;
	for (size_t i = 0; i < 3; i++) {
		if (put(dir, names[i], pem[i]->p, pem[i]->n, 0644, e) < 0)
			return -1;
	}
	return put(dir, KEY, key.p, key.n, 0600, e);
}

static void discard(const char *dir)
{
	ctr_auto_buf struct ctr_buf path = { 0 };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		path_of(&path, dir, names[i]);
		if (!path.bad)
			unlink(path.p);
	}
	rmdir(dir);
}

/* Its name is on the disk too. */
static int sync_parent(const char *dir, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf parent = { 0 };
	ctr_auto_fd int fd = -1;

	ctr_buf_addf(&parent, "%s/..", dir);
	if (ctr_buf_ok(&parent, "file name", e) < 0)
		return -1;
	fd = open(parent.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? ctr_fail_sys(e, "write", "%s", dir) : 0;
}

static int exists(const char *dir, struct ctr_err *e)
{
	ctr_fail(e, CTR_ENV, "ca.exists", "%s exists", dir);
	return ctr_err_fix(e, "choose another name: the key in it cannot be had again");
}

/* On failure nothing of the name is left. */
static int move(const char *from, const char *to, struct ctr_err *e)
{
	/* never over an empty directory either: somebody else made it */
	if (access(to, F_OK) == 0)
		return exists(to, e);
	if (rename(from, to) == 0)
		return 0;
	return errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR
		       ? exists(to, e)
		       : ctr_fail_sys(e, "write", "%s", to);
}

int cadir_write(const char *dir, const struct ctr_root *r, const struct ctr_mesh *m,
		struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf final = { 0 }, tmp = { 0 };

	ctr_buf_adds(&final, dir);
	while (final.n > 1 && final.p[final.n - 1] == '/')
		final.p[--final.n] = '\0';
	ctr_buf_addf(&tmp, "%s.XXXXXX", ctr_buf_str(&final));
	if (ctr_buf_ok(&final, "file name", e) < 0 || ctr_buf_ok(&tmp, "file name", e) < 0)
		return -1;
	if (access(final.p, F_OK) == 0)
		return exists(final.p, e);
	if (!mkdtemp(tmp.p))
		return ctr_fail_sys(e, "write", "%s", dir);
	if (fill(tmp.p, r, m, e) < 0 || move(tmp.p, final.p, e) < 0) {
		discard(tmp.p);
		return -1;
	}
	return sync_parent(final.p, e);
}

static int get(const char *dir, const char *name, struct ctr_buf *b, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf path = { 0 };

	path_of(&path, dir, name);
	if (ctr_buf_ok(&path, "file name", e) < 0)
		return -1;
	return ctr_file_read(path.p, FILE_MAX, b, e);
}

static void warn(const char *dir, struct ctr_log *log)
{
	ctr_auto_buf struct ctr_buf path = { 0 };
	struct stat st;

	path_of(&path, dir, KEY);
	if (!path.bad && stat(path.p, &st) == 0 && (st.st_mode & 077))
		ctr_log(log, CTR_WARN, "key.exposed", path.p, 0, 0,
			"others may read the key of the CA; chmod 600 keeps it from them");
}

int cadir_read(const char *dir, struct ctr_log *log, struct ctr_mesh **m, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf root = { 0 }, inter = { 0 }, mesh = { 0 },
				    text = { .wipe = true };
	struct ctr_secret key;

	*m = NULL;
	if (get(dir, "root-ca.pem", &root, e) < 0 || get(dir, "intermediate.pem", &inter, e) < 0 ||
	    get(dir, "mesh-ca.pem", &mesh, e) < 0 || get(dir, KEY, &text, e) < 0)
		return -1;
	warn(dir, log);
	key = (struct ctr_secret){ .p = (uint8_t *)text.p, .n = text.n };
	return ctr_mesh_load(&key, &inter, &mesh, &root, m, e) < 0 ? ctr_wrap(e, "%s", dir) : 0;
}
