#include "store_int.h"

#include <fcntl.h>
#include <fts.h>
#include <string.h>
#include <sys/stat.h>

#include "enc.h"
#include "file.h"
#include "node.h"

static int add_file_line(const struct config_file *f, struct ctr_buf *b, struct ctr_err *e)
{
	uint8_t digest[CTR_HASH_MAX];

	ctr_buf_addf(b, "%s %o %d ", f->path, f->mode, f->pinned ? (int)f->alg : -1);
	if (f->pinned) {
		ctr_hex_add(b, f->digest, ctr_hash_size(f->alg));
	} else {
		if (store_hash(f->url + strlen("file://"), digest, e) < 0)
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
	if (ctr_buf_ok(&path, "path", e) < 0 || store_parent(path.p, e) < 0)
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
		struct store_web *web, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *j = record_start(c, v);
	ctr_auto_buf struct ctr_buf text = { 0 };
	struct ctr_json *files = ctr_json_set_array(j, "files");
	uint8_t sum[CTR_SHA256_SIZE];

	for (size_t i = 0; i < c->n; i++) {
		if (store_fetch(&c->file[i], dir, web, sum, e) < 0)
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
		  const struct ctr_registry_opts *o, bool *made, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf to = { 0 }, from = { 0 }, base = { 0 };
	struct store_web web = { .o = o };
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
	rc = fill(c, v, from.p, &web, e);
	store_web_free(&web);
	if (rc == 0)
		return put_in_place(from.p, to.p, e) < 0 ? -1 : sync_dir(base.p, e);
	/* best effort: what stays is swept by the next run */
	rc = store_delete(from.p, &(struct ctr_err){ 0 });
	return -1;
}
