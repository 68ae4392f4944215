#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <string.h>
#include <sys/stat.h>

#include "enc.h"
#include "file.h"
#include "node.h"

#define RECORD_MAX ((size_t)1024 * 1024)

/* --- names --- */

static int hash_file(const char *path, uint8_t out[CTR_HASH_MAX], struct ctr_err *e)
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

static int add_file_line(const struct config_file *f, struct ctr_buf *b, struct ctr_err *e)
{
	uint8_t digest[CTR_HASH_MAX];

	ctr_buf_addf(b, "%s %o %d ", f->path, f->mode, f->pinned ? (int)f->alg : -1);
	if (f->pinned) {
		ctr_hex_add(b, f->digest, ctr_hash_size(f->alg));
	} else {
		if (hash_file(f->url + strlen("file://"), digest, e) < 0)
			return -1;
		ctr_hex_add(b, digest, CTR_SHA256_SIZE);
	}
	ctr_buf_addc(b, '\n');
	return 0;
}

int store_name(const struct config *c, struct store_version *v, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 }, hex = { 0 };
	uint8_t digest[CTR_SHA256_SIZE];

	ctr_buf_addf(&b, "%s\n%s\n%s\n", c->handler, c->snapshotter ? c->snapshotter : "",
		     c->address ? c->address : "");
	kata_config(&c->kata, CONFIG_BASE, &b);
	for (size_t i = 0; i < c->n; i++) {
		if (add_file_line(&c->file[i], &b, e) < 0)
			return -1;
	}
	if (ctr_buf_ok(&b, "configuration", e) < 0 || ctr_hash(CTR_SHA256, b.p, b.n, digest, e) < 0)
		return -1;
	ctr_hex_add(&hex, digest, STORE_ID / 2);
	snprintf(v->handler, sizeof v->handler, "%s", c->handler);
	snprintf(v->id, sizeof v->id, "%s", ctr_buf_str(&hex));
	snprintf(v->dir, sizeof v->dir, STORE_DIR "/%s-%s", v->handler, v->id);
	return ctr_buf_ok(&hex, "configuration", e);
}

void store_kata(const struct config *c, const struct store_version *v, struct ctr_buf *b)
{
	ctr_buf_adds(b, "# Made by ctr-node-install; changes are reported as drift.\n");
	kata_config(&c->kata, v->dir, b);
}

void store_runtime(const struct config *c, const struct store_version *v, struct ctr_buf *shim,
		   struct ctr_buf *conf, struct cd_runtime *r)
{
	ctr_buf_addf(shim, "%s/" KATA_SHIM, v->dir);
	ctr_buf_addf(conf, "%s/" CONFIG_KATA, v->dir);
	*r = (struct cd_runtime){ c->handler, ctr_buf_str(shim), ctr_buf_str(conf), c->snapshotter,
				  c->address };
}

/* --- fetching --- */

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

static int parent(const char *path, struct ctr_err *e)
{
	ctr_auto char *up = strndup(path, (size_t)(strrchr(path, '/') - path));

	return up ? ctr_mkdirs(up, 0755, e) : ctr_fail_mem(e);
}

static int fetch(const struct config_file *f, const char *dir, struct ctr_http *http,
		 uint8_t sum[CTR_SHA256_SIZE], struct ctr_err *e)
{
	ctr_auto_hasher struct ctr_hasher *pin = NULL, *all = NULL;
	ctr_auto_buf struct ctr_buf path = { 0 };
	ctr_auto_fd int fd = -1;
	struct sink s;
	int rc;

	ctr_buf_addf(&path, "%s/%s", dir, f->path);
	if (ctr_buf_ok(&path, "path", e) < 0 || parent(path.p, e) < 0 ||
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

/* --- the record --- */

static void record_file(struct ctr_json *files, const char *path, unsigned mode, const uint8_t *sum)
{
	struct ctr_json *o = files ? ctr_json_add_object(files) : NULL;
	char text[8];

	snprintf(text, sizeof text, "%04o", mode);
	if (o && ctr_json_set_string(o, "path", path) && ctr_json_set_string(o, "mode", text))
		ctr_json_set_hex(o, "sha256", sum, CTR_SHA256_SIZE);
}

static struct ctr_json *record_start(const struct config *c, const struct store_version *v)
{
	struct ctr_json *j = ctr_json_new_object();

	ctr_json_set_uint(j, "version", 1);
	ctr_json_set_string(j, "handler", v->handler);
	ctr_json_set_string(j, "id", v->id);
	ctr_json_set_string(j, "platform", c->kata.platform->name);
	ctr_json_set_bool(j, "debug", c->kata.debug);
	if (c->snapshotter)
		ctr_json_set_string(j, "snapshotter", c->snapshotter);
	if (c->address)
		ctr_json_set_string(j, "snapshotterAddress", c->address);
	ctr_json_set_string(j, "shim", KATA_SHIM);
	ctr_json_set_string(j, "configuration", CONFIG_KATA);
	return j;
}

static int put_file(const char *dir, const char *name, const struct ctr_buf *b, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf path = { 0 };

	ctr_buf_addf(&path, "%s/%s", dir, name);
	if (ctr_buf_ok(&path, "path", e) < 0 || parent(path.p, e) < 0)
		return -1;
	return ctr_file_write(path.p, b->p, b->n, 0644, e);
}

static int put_kata(const struct config *c, const struct store_version *v, const char *dir,
		    struct ctr_json *files, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	uint8_t sum[CTR_SHA256_SIZE];

	store_kata(c, v, &b);
	if (ctr_buf_ok(&b, "configuration", e) < 0 || put_file(dir, CONFIG_KATA, &b, e) < 0 ||
	    ctr_hash(CTR_SHA256, b.p, b.n, sum, e) < 0)
		return -1;
	record_file(files, CONFIG_KATA, 0644, sum);
	return 0;
}

static int sync_dir(const char *dir, struct ctr_err *e)
{
	ctr_auto_fd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? ctr_fail_sys(e, "write", "%s", dir) : 0;
}

/* Directories to the disk, as the files are: after a crash the name must not stand for less. */
static int sync_tree(const char *top, struct ctr_err *e)
{
	ctr_auto char *copy = strdup(top);
	char *const argv[] = { copy, NULL };
	FTS *tree = copy ? fts_open(argv, FTS_PHYSICAL | FTS_NOCHDIR, NULL) : NULL;
	int rc = 0;

	if (!tree)
		return ctr_fail_sys(e, "write", "%s", top);
	for (FTSENT *f; rc == 0 && (f = fts_read(tree));)
		rc = f->fts_info == FTS_DP ? sync_dir(f->fts_path, e) : 0;
	fts_close(tree);
	return rc;
}

static int fill(const struct config *c, const struct store_version *v, const char *dir,
		struct ctr_http *http, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *j = record_start(c, v);
	ctr_auto_buf struct ctr_buf text = { 0 };
	struct ctr_json *files = ctr_json_set_array(j, "files");
	uint8_t sum[CTR_SHA256_SIZE];

	for (size_t i = 0; i < c->n; i++) {
		if (fetch(&c->file[i], dir, http, sum, e) < 0)
			return -1;
		record_file(files, c->file[i].path, c->file[i].mode, sum);
	}
	if (put_kata(c, v, dir, files, e) < 0 || ctr_json_print(j, 2, &text, e) < 0)
		return -1;
	ctr_buf_addc(&text, '\n');
	if (ctr_buf_ok(&text, "record", e) < 0 || put_file(dir, CONFIG_RECORD, &text, e) < 0)
		return -1;
	return sync_tree(dir, e);
}

static void count_drift(void *ctx, const char *path, const char *what)
{
	(void)path;
	(void)what;
	++*(unsigned *)ctx;
}

/* A version that is damaged is replaced in one step: whoever refers to it never finds it gone. */
static int put_in_place(const char *from, const char *to, struct ctr_err *e)
{
	struct stat st;

	if (lstat(to, &st) == 0) {
		if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE) < 0)
			return ctr_fail_sys(e, "write", "%s", to);
		return store_delete(from, e);
	}
	if (rename(from, to) < 0)
		return ctr_fail_sys(e, "write", "%s", to);
	return 0;
}

static bool sound(const char *root, const struct store_version *v, const char *real)
{
	struct ctr_err why = { 0 };
	unsigned drift = 0;
	struct stat st;

	return lstat(real, &st) == 0 && store_check(root, v, count_drift, &drift, &why) == 0 &&
	       drift == 0;
}

int store_install(const char *root, const struct config *c, const struct store_version *v,
		  const struct ctr_http_opts *opts, bool *made, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf to = { 0 }, from = { 0 }, base = { 0 };
	struct ctr_http *http = NULL;
	int rc;

	*made = false;
	if (node_path(root, STORE_DIR, &base, NULL, e) < 0)
		return -1;
	ctr_buf_addf(&to, "%s%s", base.p, v->dir + strlen(STORE_DIR));
	ctr_buf_addf(&from, "%s/.new-%s-%s", base.p, v->handler, v->id);
	if (ctr_buf_ok(&to, "path", e) < 0 || ctr_buf_ok(&from, "path", e) < 0)
		return -1;
	if (sound(root, v, to.p))
		return 0;
	*made = true;
	if (store_delete(from.p, e) < 0 || ctr_mkdirs(from.p, 0755, e) < 0)
		return -1;
	rc = ctr_http_new(opts, &http, e);
	if (rc == 0)
		rc = fill(c, v, from.p, http, e);
	ctr_http_free(http);
	if (rc == 0)
		return put_in_place(from.p, to.p, e) < 0 ? -1 : sync_dir(base.p, e);
	/* best effort: what stays is swept by the next run */
	rc = store_delete(from.p, &(struct ctr_err){ 0 });
	return -1;
}

/* --- what is there --- */

static bool version_name(const char *name, struct store_version *v)
{
	size_t n = strlen(name);
	const char *id;

	if (n < STORE_ID + 2 || n - STORE_ID - 1 >= sizeof v->handler)
		return false;
	id = name + n - STORE_ID;
	if (id[-1] != '-' || strspn(id, "0123456789abcdef") != STORE_ID)
		return false;
	snprintf(v->handler, sizeof v->handler, "%.*s", (int)(n - STORE_ID - 1), name);
	snprintf(v->id, sizeof v->id, "%s", id);
	snprintf(v->dir, sizeof v->dir, STORE_DIR "/%.90s", name);
	return config_handler_ok(v->handler);
}

static int by_dir(const void *a, const void *b)
{
	return strcmp(((const struct store_version *)a)->dir,
		      ((const struct store_version *)b)->dir);
}

int store_list(const char *root, struct store_list *l, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf base = { 0 };
	struct dirent *d;
	bool exists;
	DIR *dir;

	l->n = 0;
	if (node_path(root, STORE_DIR, &base, &exists, e) < 0)
		return -1;
	if (!exists)
		return 0;
	dir = opendir(base.p);
	if (!dir)
		return ctr_fail_sys(e, "open", "%s", base.p);
	while (l->n < STORE_VERSIONS && (d = readdir(dir)))
		l->n += version_name(d->d_name, &l->v[l->n]);
	closedir(dir);
	qsort(l->v, l->n, sizeof *l->v, by_dir);
	return 0;
}

static int bad_record(const struct store_version *v, const struct ctr_err *why, struct ctr_err *e)
{
	return ctr_fail(e, CTR_FORMAT, "store.record", "%s/" CONFIG_RECORD ": %s", v->dir,
			why->msg);
}

static int optional(const struct ctr_jval *top, const char *key, const char **s, struct ctr_err *e)
{
	struct ctr_jval v = ctr_jget(top, key);

	*s = NULL;
	return ctr_jhas(&v) ? ctr_jstring(&v, s, e) : 0;
}

int store_read(const char *root, const struct store_version *v, struct ctr_json **record,
	       struct cd_runtime *r, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf path = { 0 }, text = { 0 };
	struct ctr_err why = { 0 };
	struct ctr_jval top;
	bool exists;

	ctr_buf_addf(&path, "%s/" CONFIG_RECORD, v->dir);
	if (ctr_buf_ok(&path, "path", e) < 0)
		return -1;
	if (node_read(root, path.p, RECORD_MAX, &text, &exists, &why) < 0 ||
	    ctr_json_parse(path.p, ctr_buf_str(&text), text.n, record, &why) < 0)
		return bad_record(v, &why, e);
	top = ctr_jroot(*record);
	*r = (struct cd_runtime){ .handler = v->handler };
	if (ctr_jobject(&top, &why) < 0 ||
	    optional(&top, "snapshotter", &r->snapshotter, &why) < 0 ||
	    optional(&top, "snapshotterAddress", &r->address, &why) < 0)
		return bad_record(v, &why, e);
	return 0;
}

struct want {
	const char *path, *mode;
	uint8_t sum[CTR_SHA256_SIZE];
};

static int want_of(const struct ctr_jval *f, struct want *w, struct ctr_err *e)
{
	struct ctr_jval path = ctr_jget(f, "path"), mode = ctr_jget(f, "mode"),
			sum = ctr_jget(f, "sha256");

	if (ctr_jstring(&path, &w->path, e) < 0 || ctr_jstring(&mode, &w->mode, e) < 0)
		return -1;
	return ctr_jhex(&sum, w->sum, sizeof w->sum, e);
}

static int check_file(const char *real, const struct want *w, store_drift_fn fn, void *ctx,
		      struct ctr_err *e)
{
	struct ctr_buf a = { .n = CTR_SHA256_SIZE }, b = { .n = CTR_SHA256_SIZE };
	ctr_auto_buf struct ctr_buf path = { 0 };
	uint8_t sum[CTR_HASH_MAX], need[CTR_SHA256_SIZE];
	struct stat st;

	ctr_buf_addf(&path, "%s/%s", real, w->path);
	if (ctr_buf_ok(&path, "path", e) < 0)
		return -1;
	if (lstat(path.p, &st) < 0 || !S_ISREG(st.st_mode)) {
		fn(ctx, w->path, "missing");
		return 0;
	}
	if (hash_file(path.p, sum, e) < 0)
		return -1;
	memcpy(need, w->sum, sizeof need);
	a.p = (char *)sum;
	b.p = (char *)need;
	if (!ctr_buf_same(&a, &b))
		fn(ctx, w->path, "content");
	else if ((st.st_mode & 07777) != strtoul(w->mode, NULL, 8))
		fn(ctx, w->path, "mode");
	return 0;
}

int store_check(const char *root, const struct store_version *v, store_drift_fn fn, void *ctx,
		struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *record = NULL;
	ctr_auto_buf struct ctr_buf real = { 0 };
	struct ctr_jval top, files;
	struct ctr_err why = { 0 };
	struct cd_runtime r;

	if (store_read(root, v, &record, &r, e) < 0 || node_path(root, v->dir, &real, NULL, e) < 0)
		return -1;
	top = ctr_jroot(record);
	files = ctr_jget(&top, "files");
	if (ctr_jarray(&files, &why) < 0)
		return bad_record(v, &why, e);
	for (struct ctr_jval f = ctr_jfirst(&files); f.v; f = ctr_jnext(&f)) {
		struct want w;

		if (want_of(&f, &w, &why) < 0)
			return bad_record(v, &why, e);
		if (check_file(real.p, &w, fn, ctx, e) < 0)
			return -1;
	}
	return 0;
}

/* --- taking out --- */

static int delete_entry(const FTSENT *f, struct ctr_err *e)
{
	if (f->fts_info == FTS_D)
		return 0;
	if (f->fts_info == FTS_DNR || f->fts_info == FTS_ERR || f->fts_info == FTS_NS) {
		if (f->fts_errno == ENOENT)
			return 0;
		errno = f->fts_errno;
		return ctr_fail_sys(e, "delete", "%s", f->fts_path);
	}
	if ((f->fts_info == FTS_DP ? rmdir(f->fts_accpath) : unlink(f->fts_accpath)) < 0 &&
	    errno != ENOENT)
		return ctr_fail_sys(e, "delete", "%s", f->fts_path);
	return 0;
}

int store_delete(const char *real, struct ctr_err *e)
{
	ctr_auto char *top = strdup(real);
	char *const argv[] = { top, NULL };
	FTS *tree;
	int rc = 0;

	if (!top)
		return ctr_fail_mem(e);
	tree = fts_open(argv, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
	if (!tree)
		return ctr_fail_sys(e, "delete", "%s", real);
	for (FTSENT *f; rc == 0 && (f = fts_read(tree));)
		rc = delete_entry(f, e);
	fts_close(tree);
	return rc;
}

int store_remove(const char *root, const struct store_version *v, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf from = { 0 }, to = { 0 }, base = { 0 };

	if (node_path(root, v->dir, &from, NULL, e) < 0 ||
	    node_path(root, STORE_DIR, &base, NULL, e) < 0)
		return -1;
	ctr_buf_addf(&to, "%s/.old-%s-%s", base.p, v->handler, v->id);
	if (ctr_buf_ok(&to, "path", e) < 0 || store_delete(to.p, e) < 0)
		return -1;
	if (rename(from.p, to.p) < 0)
		return ctr_fail_sys(e, "delete", "%s", from.p);
	return store_delete(to.p, e);
}

int store_tidy(const char *root, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf base = { 0 };
	struct store_list all;
	bool exists;

	if (store_list(root, &all, e) < 0 || node_path(root, STORE_DIR, &base, &exists, e) < 0)
		return -1;
	return all.n > 0 || !exists ? 0 : store_delete(base.p, e);
}

int store_sweep(const char *root, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf base = { 0 };
	struct dirent *d;
	bool exists;
	int rc = 0;
	DIR *dir;

	if (node_path(root, STORE_DIR, &base, &exists, e) < 0)
		return -1;
	dir = exists ? opendir(base.p) : NULL;
	if (!dir)
		return 0;
	while (rc == 0 && (d = readdir(dir))) {
		ctr_auto_buf struct ctr_buf path = { 0 };

		if (strncmp(d->d_name, ".new-", 5) != 0 && strncmp(d->d_name, ".old-", 5) != 0)
			continue;
		ctr_buf_addf(&path, "%s/%s", base.p, d->d_name);
		rc = ctr_buf_ok(&path, "path", e) < 0 ? -1 : store_delete(path.p, e);
	}
	closedir(dir);
	return rc;
}
