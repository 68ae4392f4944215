#include "store_int.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "node.h"

#define RECORD_MAX ((size_t)1024 * 1024)

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
	if (store_hash(path.p, sum, e) < 0)
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
