#include "texts.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enc.h"
#include "file.h"
#include "gather.h"
#include "rd.h"

void texts_free(struct ctr_blobs *b)
{
	for (size_t i = 0; i < b->n; i++)
		ctr_buf_free(&b->v[i]);
	free(b->v);
	*b = (struct ctr_blobs){ 0 };
}

static int matches(const struct ctr_buf *b, const uint8_t *hash, bool *yes, struct ctr_err *e)
{
	uint8_t digest[CTR_SHA256_SIZE];

	if (ctr_hash(CTR_SHA256, b->p, b->n, digest, e) < 0)
		return -1;
	*yes = ctr_same(digest, hash, sizeof digest);
	return 0;
}

/* What the file holds, or the document that it is the policy of. */
static int take_file(const char *path, const uint8_t *hash, struct ctr_buf *out, bool *yes,
		     struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf in = { 0 }, doc = { 0 };

	if (ctr_file_read(path, CTR_INITDATA_MAX, &in, e) < 0 || matches(&in, hash, yes, e) < 0)
		return -1;
	if (!*yes && ctr_initdata_build(ctr_buf_str(&in), in.n, &doc, NULL) == 0) {
		if (matches(&doc, hash, yes, e) < 0)
			return -1;
		*out = *yes ? doc : (struct ctr_buf){ 0 };
		if (*yes)
			doc = (struct ctr_buf){ 0 };
		return 0;
	}
	*out = in;
	in = (struct ctr_buf){ 0 };
	return 0;
}

static int from_dir(const char *dir, const uint8_t *hash, struct ctr_buf *out, struct ctr_err *e)
{
	static const char *const suffixes[] = { ".rego", ".toml", "" };
	ctr_auto_buf struct ctr_buf hex = { 0 }, path = { 0 }, seen = { 0 };
	bool yes = false;

	ctr_hex_add(&hex, hash, CTR_SHA256_SIZE);
	for (int i = 0; i < 3 && !yes; i++) {
		ctr_buf_reset(&path);
		ctr_buf_addf(&path, "%s/%s%s", dir, ctr_buf_str(&hex), suffixes[i]);
		if (ctr_buf_ok(&path, "file name", e) < 0)
			return -1;
		if (access(path.p, F_OK) < 0)
			continue;
		ctr_buf_free(out);
		if (take_file(path.p, hash, out, &yes, e) < 0)
			return -1;
		ctr_buf_reset(&seen);
		ctr_buf_adds(&seen, path.p);
	}
	if (yes)
		return 0;
	if (seen.n) {
		ctr_fail(e, CTR_FORMAT, "policy.digest",
			 "%s: not what the manifest names by this hash", ctr_buf_str(&seen));
		return ctr_err_fix(e, "give the annotated YAML, which has what is measured");
	}
	return ctr_fail(e, CTR_FORMAT, "policy.absent",
			"policy %s, which the manifest names, is not in %s", ctr_buf_str(&hex),
			dir);
}

struct find {
	const struct ctr_manifest *m;
	struct ctr_blobs *out;
};

static int on_pod(void *ctx, const struct pod *p, struct ctr_err *e)
{
	const struct find *f = ctx;
	const struct ctr_manifest_policy *q = ctr_manifest_find(f->m, p->policy.digest);
	struct ctr_buf *to = q ? &f->out->v[q - f->m->policies] : NULL;

	if (!to || to->n)
		return 0;
	ctr_buf_add(to, p->policy.measured.p, p->policy.measured.n);
	return ctr_buf_ok(to, "policy", e);
}

static int from_yaml(const char *path, const struct ctr_manifest *m, struct ctr_log *log,
		     struct ctr_blobs *out, struct ctr_err *e)
{
	ctr_auto char *copy = strdup(path);
	struct find f = { m, out };

	if (!copy)
		return ctr_fail_mem(e);
	if (gather(&copy, 1, log, on_pod, &f, e) < 0)
		return -1;
	for (size_t i = 0; i < m->n_policies; i++) {
		ctr_auto_buf struct ctr_buf hex = { 0 };

		if (out->v[i].n)
			continue;
		ctr_hex_add(&hex, m->policies[i].hash, CTR_SHA256_SIZE);
		return ctr_fail(e, CTR_FORMAT, "policy.absent",
				"policy %s, which the manifest names, is not in %s",
				ctr_buf_str(&hex), path);
	}
	return 0;
}

int texts_load(const char *path, const struct ctr_manifest *m, struct ctr_log *log,
	       struct ctr_blobs *out, struct ctr_err *e)
{
	struct stat st;

	out->v = calloc(m->n_policies + 1, sizeof *out->v);
	if (!out->v)
		return ctr_fail_mem(e);
	out->n = m->n_policies;
	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return from_yaml(path, m, log, out, e);
	for (size_t i = 0; i < m->n_policies; i++) {
		if (from_dir(path, m->policies[i].hash, &out->v[i], e) < 0)
			return -1;
	}
	return 0;
}
