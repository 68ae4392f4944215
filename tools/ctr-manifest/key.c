#include "key.h"

#include "crypto.h"
#include "file.h"
#include "rd.h"

#define PEM_MAX ((size_t)64 * 1024)

typedef int (*public_fn)(const char *pem, size_t n, struct ctr_buf *der, struct ctr_err *e);

static int load(const char *path, public_fn fn, struct ctr_buf *der, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf pem = { .wipe = true };

	if (ctr_file_read(path, PEM_MAX, &pem, e) < 0)
		return -1;
	return fn(ctr_buf_str(&pem), pem.n, der, e) < 0 ? ctr_wrap(e, "%s", path) : 0;
}

int key_add_owner(struct ctr_manifest *m, const char *path, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf der = { 0 };
	uint8_t digest[CTR_SHA256_SIZE];

	if (load(path, ctr_key_ec_spki, &der, e) < 0 ||
	    ctr_hash(CTR_SHA256, der.p, der.n, digest, e) < 0)
		return -1;
	return ctr_manifest_add_owner(m, digest, e);
}

int key_add_seedshare(struct ctr_manifest *m, const char *path, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf der = { 0 };
	struct ctr_rd r;

	if (load(path, ctr_key_rsa_public, &der, e) < 0)
		return -1;
	ctr_rd_init(&r, der.p, der.n);
	return ctr_manifest_add_seedshare(m, r.p, r.left, e) < 0 ? ctr_wrap(e, "%s", path) : 0;
}
