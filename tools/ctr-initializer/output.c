#include "output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enc.h"
#include "file.h"
#include "rd.h"
#include "x509.h"

#define DATA "..data"
#define OURS "..ctr-"
#define NEXT "..next-"
#define NAME_MAX_OURS 32

static const struct {
	const char *name, *to;
} links[] = { { "tls-config", DATA "/tls-config" }, { "secrets", DATA "/secrets" } };

/* What stands under the name: a link to this place, nothing, or something else. */
static int look(int dir, const char *name, const char *to, bool *there, struct ctr_err *e)
{
	char is[256];
	ssize_t n = readlinkat(dir, name, is, sizeof is - 1);

	*there = n >= 0;
	if (n < 0 && errno == ENOENT)
		return 0;
	is[n < 0 ? 0 : n] = '\0';
	if (n >= 0 && (to ? strcmp(is, to) == 0 : strncmp(is, OURS, sizeof OURS - 1) == 0))
		return 0;
	ctr_fail(e, CTR_ENV, "output.foreign", "%s is there, and not from this tool", name);
	return ctr_err_fix(e, "name an empty directory with --output");
}

/* A new name, for the directory or for the link on its way. */
static int fresh(const char *prefix, char name[NAME_MAX_OURS], struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf hex = { 0 };
	uint8_t r[8];

	if (getrandom(r, sizeof r, 0) != sizeof r)
		return ctr_fail_sys(e, "write", "no random name");
	ctr_hex_add(&hex, r, sizeof r);
	if (ctr_buf_ok(&hex, "name", e) < 0)
		return -1;
	snprintf(name, NAME_MAX_OURS, "%s%s", prefix, hex.p);
	return 0;
}

/* A directory of the given form goes away, two levels deep; what cannot go stays. */
static void drop(int at, const char *name, int depth)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *f;

	while (d && (f = readdir(d))) {
		if (strcmp(f->d_name, ".") == 0 || strcmp(f->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, f->d_name, 0) < 0 && depth > 0)
			drop(fd, f->d_name, depth - 1);
	}
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
	unlinkat(at, name, AT_REMOVEDIR);
}

/* What an earlier run left behind, and what was replaced before the last change. */
static void tidy(int dir, const char *now, const char *before)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *f;

	while (d && (f = readdir(d))) {
		if (strncmp(f->d_name, NEXT, sizeof NEXT - 1) == 0)
			unlinkat(dir, f->d_name, 0);
		if (strncmp(f->d_name, OURS, sizeof OURS - 1) == 0 && strcmp(f->d_name, now) != 0 &&
		    strcmp(f->d_name, before) != 0)
			drop(dir, f->d_name, 1);
	}
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
}

struct place {
	const struct output *o;
	int dir;		 /* the volume */
	char gen[NAME_MAX_OURS]; /* the new directory */
	char before[256];	 /* the one that is in use, "" for none */
};

static int path_of(const struct place *p, const char *name, struct ctr_buf *b, struct ctr_err *e)
{
	ctr_buf_addf(b, "%s/%s/%s", p->o->dir, p->gen, name);
	return ctr_buf_ok(b, "path", e);
}

static int put(const struct place *p, const char *name, const struct ctr_buf *b, bool private,
	       struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf path = { 0 };
	bool group = private && p->o->has_group;

	if (path_of(p, name, &path, e) < 0 ||
	    ctr_file_write(path.p, ctr_buf_str(b), b->n, private ? 0400 : 0444, e) < 0)
		return -1;
	/* the owner first: chown would take mode bits away */
	if (group && (chown(path.p, (uid_t)-1, p->o->group) < 0 || chmod(path.p, 0440) < 0))
		return ctr_fail_sys(e, "write", "%s: group %u", path.p, (unsigned)p->o->group);
	return 0;
}

/* Whether the file in use holds the same, with the modes that are asked for. */
static bool same_secret(const struct place *p, const struct ctr_buf *hex, bool *other)
{
	ctr_auto_fd int fd = openat(p->dir, DATA "/" SECRET_SEED, O_RDONLY | O_CLOEXEC);
	ctr_auto_buf struct ctr_buf is = { .wipe = true };
	struct stat st;
	bool same;

	*other = false;
	if (fd < 0 || fstat(fd, &st) < 0 || ctr_fd_read(fd, SECRET_SEED, 4096, &is, NULL) < 0)
		return false;
	same = is.n == hex->n && ctr_same(ctr_buf_str(&is), ctr_buf_str(hex), is.n);
	*other = !same;
	return same && (st.st_mode & 07777) == (p->o->has_group ? 0440 : 0400) &&
	       (!p->o->has_group || st.st_gid == p->o->group);
}

static int put_secret(const struct place *p, const struct ctr_secret *s, bool *changed,
		      struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf hex = { .wipe = true }, path = { 0 };

	*changed = false;
	if (s->n == 0)
		return 0;
	ctr_hex_add(&hex, s->p, s->n);
	if (ctr_buf_ok(&hex, "secret", e) < 0 || path_of(p, SECRET_SEED, &path, e) < 0)
		return -1;
	if (same_secret(p, &hex, changed) &&
	    linkat(p->dir, DATA "/" SECRET_SEED, AT_FDCWD, path.p, 0) == 0)
		return 0;
	return put(p, SECRET_SEED, &hex, true, e);
}

static int make_dir(const struct place *p, const char *name, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf path = { 0 };

	if (path_of(p, name, &path, e) < 0)
		return -1;
	/* umask has no say */
	if (mkdir(path.p, 0700) < 0 || chmod(path.p, 0755) < 0)
		return ctr_fail_sys(e, "mkdir", "%s", path.p);
	return 0;
}

static int fill(const struct place *p, const struct joined *j, bool *changed, struct ctr_err *e)
{
	if (make_dir(p, "", e) < 0 || make_dir(p, "tls-config", e) < 0 ||
	    make_dir(p, "secrets", e) < 0 ||
	    put(p, "tls-config/certChain.pem", &j->chain, false, e) < 0 ||
	    put(p, "tls-config/key.pem", &j->key, true, e) < 0 ||
	    put(p, "tls-config/mesh-ca.pem", &j->mesh_ca, false, e) < 0 ||
	    put(p, "tls-config/coordinator-root-ca.pem", &j->root_ca, false, e) < 0)
		return -1;
	return put_secret(p, &j->secret, changed, e);
}

/* The links that never change dangle until the first step, which is the last thing that is done. */
static int step(const struct place *p, const bool there[2], bool *done, struct ctr_err *e)
{
	char next[NAME_MAX_OURS];

	*done = false;
	for (size_t i = 0; i < 2; i++) {
		if (!there[i] && symlinkat(links[i].to, p->dir, links[i].name) < 0)
			return ctr_fail_sys(e, "write", "%s/%s", p->o->dir, links[i].name);
	}
	if (fresh(NEXT, next, e) < 0)
		return -1;
	if (symlinkat(p->gen, p->dir, next) < 0)
		return ctr_fail_sys(e, "write", "%s/%s", p->o->dir, next);
	if (renameat(p->dir, next, p->dir, DATA) < 0) {
		ctr_fail_sys(e, "write", "%s/%s", p->o->dir, DATA);
		unlinkat(p->dir, next, 0);
		return -1;
	}
	*done = true;
	return fsync(p->dir) < 0 ? ctr_fail_sys(e, "write", "%s", p->o->dir) : 0;
}

/* An existing directory keeps its mode; one that is made can be read by others. */
static int open_dir(const char *dir, struct ctr_err *e)
{
	bool made = access(dir, F_OK) < 0;
	int fd;

	if (made && (ctr_mkdirs(dir, 0755, e) < 0 || chmod(dir, 0755) < 0))
		return e->code ? -1 : ctr_fail_sys(e, "mkdir", "%s", dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ctr_fail_sys(e, "open", "%s", dir);
	if (flock(fd, LOCK_EX) < 0) {
		ctr_fail_sys(e, "open", "%s: lock", dir);
		close(fd);
		return -1;
	}
	return fd;
}

int output_write(const struct output *o, const struct joined *j, bool *changed, struct ctr_err *e)
{
	ctr_auto_fd int dir = open_dir(o->dir, e);
	struct place p = { .o = o, .dir = dir };
	bool there[2], data, done = false;
	ssize_t n;

	if (dir < 0 || look(dir, DATA, NULL, &data, e) < 0)
		return -1;
	for (size_t i = 0; i < 2; i++) {
		if (look(dir, links[i].name, links[i].to, &there[i], e) < 0)
			return -1;
	}
	n = data ? readlinkat(dir, DATA, p.before, sizeof p.before - 1) : 0;
	p.before[n < 0 ? 0 : n] = '\0';
	if (fresh(OURS, p.gen, e) < 0)
		return -1;
	if (fill(&p, j, changed, e) < 0 || step(&p, there, &done, e) < 0) {
		if (!done)
			drop(dir, p.gen, 1);
		return -1;
	}
	tidy(dir, p.gen, p.before);
	return 0;
}

static int get(const struct output *o, const char *name, struct ctr_buf *b, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf path = { 0 };

	ctr_buf_addf(&path, "%s/" DATA "/tls-config/%s", o->dir, name);
	return ctr_buf_ok(&path, "path", e) < 0 ? -1 : ctr_file_read(path.p, CTR_JOIN_MAX, b, e);
}

int output_read(const struct output *o, struct joined *j, bool *there, struct ctr_err *e)
{
	ctr_auto_chain struct ctr_chain c = { 0 };
	ctr_auto_buf struct ctr_buf path = { 0 };

	ctr_buf_addf(&path, "%s/" DATA "/tls-config", o->dir);
	if (ctr_buf_ok(&path, "path", e) < 0)
		return -1;
	*there = access(path.p, F_OK) == 0;
	if (!*there)
		return 0;
	if (get(o, "certChain.pem", &j->chain, e) < 0 ||
	    get(o, "mesh-ca.pem", &j->mesh_ca, e) < 0 ||
	    get(o, "coordinator-root-ca.pem", &j->root_ca, e) < 0 ||
	    ctr_x509_pem(j->chain.p, j->chain.n, "certChain.pem", &c, e) < 0)
		return -1;
	if (!ctr_x509_window(c.v[0], &j->from, &j->until))
		return ctr_fail(e, CTR_FORMAT, "x509.pem", "certChain.pem: no validity");
	return 0;
}
