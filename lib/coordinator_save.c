#include "coordinator.h"

#include "enc.h"
#include "file.h"

static int save(const char *dir, const char *sub, const char *name, const struct ctr_buf *b,
		struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf path = { 0 };

	ctr_buf_addf(&path, "%s/%s", dir, sub);
	if (ctr_buf_ok(&path, "path", e) < 0 || ctr_mkdirs(path.p, 0755, e) < 0)
		return -1;
	ctr_buf_addf(&path, "/%s", name);
	return ctr_buf_ok(&path, "path", e) < 0 ? -1 : ctr_file_write(path.p, b->p, b->n, 0644, e);
}

static int save_blobs(const char *dir, const char *sub, const struct ctr_blobs *l, bool numbered,
		      struct ctr_err *e)
{
	for (size_t i = 0; i < l->n; i++) {
		ctr_auto_buf struct ctr_buf name = { 0 };
		uint8_t digest[CTR_SHA256_SIZE];

		if (ctr_hash(CTR_SHA256, l->v[i].p, l->v[i].n, digest, e) < 0)
			return -1;
		if (numbered)
			ctr_buf_addf(&name, "%06zu-", i);
		ctr_hex_add(&name, digest, sizeof digest);
		if (ctr_buf_ok(&name, "name", e) < 0 || save(dir, sub, name.p, &l->v[i], e) < 0)
			return -1;
	}
	return 0;
}

int ctr_answer_save(const char *dir, const struct ctr_answer *a, struct ctr_err *e)
{
	return save_blobs(dir, "manifests", &a->manifests, true, e) < 0 ||
			       save_blobs(dir, "policies", &a->policies, false, e) < 0 ||
			       save(dir, ".", "coordinator-root-ca.pem", &a->root_ca, e) < 0 ||
			       save(dir, ".", "mesh-ca.pem", &a->mesh_ca, e) < 0
		       ? -1
		       : 0;
}
