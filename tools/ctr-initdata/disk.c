#include "disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"
#include "gzip.h"
#include "initdata.h"
#include "rd.h"

#define HEAD_SIZE (DISK_MAGIC_SIZE + 8)

bool disk_magic(const void *p, size_t n)
{
	return n >= DISK_MAGIC_SIZE && ctr_same(p, DISK_MAGIC, DISK_MAGIC_SIZE);
}

int disk_parse(const void *p, size_t n, struct ctr_buf *toml, struct ctr_err *e)
{
	struct ctr_rd r, magic, data;
	uint64_t length;

	ctr_rd_init(&r, p, n);
	if (!disk_magic(p, n) || ctr_rd_take(&r, DISK_MAGIC_SIZE, &magic) < 0)
		return ctr_fail(e, CTR_FORMAT, "disk.magic",
				"initdata disk: does not begin with \"" DISK_MAGIC "\"");
	if (n % DISK_SECTOR != 0)
		return ctr_fail(e, CTR_FORMAT, "disk.length",
				"initdata disk: %zu bytes (expected whole sectors of %d)", n,
				DISK_SECTOR);
	if (ctr_rd_le64(&r, &length) < 0 || length == 0 || length > r.left ||
	    ctr_rd_take(&r, (size_t)length, &data) < 0)
		return ctr_fail(
			e, CTR_FORMAT, "disk.length",
			"initdata disk: says that it has %llu bytes of data (expected 1 to %zu)",
			(unsigned long long)length, n - HEAD_SIZE);
	if (ctr_rd_zeros(&r, r.left) < 0)
		return ctr_fail(e, CTR_FORMAT, "disk.padding",
				"initdata disk: something behind the data (expected zeros)");
	return ctr_gunzip(data.p, data.left, CTR_INITDATA_MAX, "initdata.gzip", toml, e);
}

int disk_make(const char *toml, size_t n, struct ctr_buf *disk, struct ctr_err *e)
{
	static const uint8_t zero[DISK_SECTOR];
	ctr_auto_gzip struct ctr_gzip *g = NULL;
	ctr_auto_buf struct ctr_buf gz = { 0 };
	size_t start = disk->n;

	if (ctr_gzip_new(&g, e) < 0 || ctr_gzip_add(g, toml, n, e) < 0 ||
	    ctr_gzip_end(g, &gz, e) < 0)
		return -1;
	ctr_buf_adds(disk, DISK_MAGIC);
	for (int i = 0; i < 8; i++)
		ctr_buf_addc(disk, (char)(uint8_t)((uint64_t)gz.n >> 8 * i));
	ctr_buf_add(disk, gz.p, gz.n);
	ctr_buf_add(disk, zero, (DISK_SECTOR - (disk->n - start) % DISK_SECTOR) % DISK_SECTOR);
	return ctr_buf_ok(disk, "initdata disk", e);
}

/* As many bytes as the magic has, fewer at the end. */
static int read_head(int fd, const char *path, struct ctr_buf *b, struct ctr_err *e)
{
	while (b->n < DISK_MAGIC_SIZE) {
		uint8_t *to = ctr_buf_room(b, DISK_MAGIC_SIZE - b->n);
		ssize_t got = to ? read(fd, to, DISK_MAGIC_SIZE - b->n) : 0;

		if (!to)
			return ctr_buf_ok(b, path, e);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ctr_fail_sys(e, "read", "%s", path);
		if (got == 0)
			return 0;
		ctr_buf_commit(b, (size_t)got);
	}
	return 0;
}

/*
 * A disk that cannot be opened or does not begin with the magic leaves *found as it was, with the
 * reason in e: when it was to be found, that is one; when it was one of many, it is none.
 */
static int look_at(const struct disk_search *s, const char *path, struct ctr_buf *name,
		   struct ctr_buf *disk, bool *found, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	ctr_auto_fd int fd = -1;
	struct stat st;

	if (stat(path, &st) < 0)
		return ctr_fail_sys(e, "open", "%s", path);
	/* opening another kind of device may do something */
	if (!S_ISBLK(st.st_mode) && !(S_ISREG(st.st_mode) && (s->path || s->files)))
		return ctr_fail(e, CTR_FORMAT, "disk.magic", "%s: neither a disk nor a file", path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return ctr_fail_sys(e, "open", "%s", path);
	if (read_head(fd, path, &b, e) < 0)
		return -1;
	if (!disk_magic(ctr_buf_str(&b), b.n))
		return ctr_fail(e, CTR_FORMAT, "disk.magic",
				"%s: no initdata disk (does not begin with \"" DISK_MAGIC "\")",
				path);
	*found = true;
	if (name->n)
		return ctr_fail(e, CTR_FORMAT, "disk.many",
				"%s and %s: more than one initdata disk (expected one)",
				ctr_buf_str(name), path);
	ctr_buf_adds(name, path);
	/* on from where the magic ended: what was seen is what is used */
	if (ctr_buf_ok(name, path, e) < 0 ||
	    ctr_fd_read(fd, path, DISK_MAX - DISK_MAGIC_SIZE, &b, e) < 0)
		return -1;
	ctr_buf_add(disk, b.p, b.n);
	return ctr_buf_ok(disk, path, e);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_disk(const struct dirent *d)
{
	return strncmp(d->d_name, "vd", 2) == 0 || strncmp(d->d_name, "sd", 2) == 0;
}

static int look_below(const struct disk_search *s, struct ctr_buf *name, struct ctr_buf *disk,
		      struct ctr_err *e)
{
	struct dirent **list = NULL;
	int n = scandir(s->dir, &list, is_disk, by_name), rc = 0;

	if (n < 0)
		return ctr_fail_sys(e, "open", "%s", s->dir);
	for (int i = 0; i < n; i++) {
		ctr_auto_buf struct ctr_buf path = { 0 };
		struct ctr_err mine = { 0 };
		bool found = false;

		ctr_buf_addf(&path, "%s/%s", s->dir, list[i]->d_name);
		if (rc == 0 && ctr_buf_ok(&path, "file name", e) < 0)
			rc = -1;
		/* no medium, not ours to read, no disk: not the one */
		if (rc == 0 && look_at(s, path.p, name, disk, &found, &mine) < 0 && found)
			rc = ctr_err_pass(e, &mine);
		free(list[i]);
	}
	free(list);
	return rc;
}

int disk_find(const struct disk_search *s, struct ctr_buf *path, struct ctr_buf *disk,
	      struct ctr_err *e)
{
	bool found = false;

	if (s->path)
		return look_at(s, s->path, path, disk, &found, e);
	if (look_below(s, path, disk, e) < 0)
		return -1;
	if (path->n)
		return 0;
	ctr_fail(e, CTR_ENV, "disk.none", "%s: no initdata disk (looked at vd* and sd*)", s->dir);
	return ctr_err_fix(e, "does the pod have initdata, and does its runtime pass it on?");
}
