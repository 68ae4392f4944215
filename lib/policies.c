#include "policies.h"

#include <stdlib.h>
#include <string.h>

#include "rd.h"

#define MAGIC "ctr-policies-v1\n"
#define MAGIC_SIZE (sizeof MAGIC - 1)

static void add_le32(struct ctr_buf *b, uint32_t v)
{
	const uint8_t le[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16),
				(uint8_t)(v >> 24) };

	ctr_buf_add(b, le, sizeof le);
}

int ctr_policies_build(struct ctr_policy *v, size_t n, struct ctr_buf *b, struct ctr_err *e)
{
	qsort(v, n, sizeof *v, ctr_sha256_order);
	ctr_buf_add(b, MAGIC, MAGIC_SIZE);
	for (size_t i = 0; i < n; i++) {
		if (v[i].text.n > UINT32_MAX)
			return ctr_fail(e, CTR_FORMAT, "limit", "a policy of %zu bytes",
					v[i].text.n);
		add_le32(b, (uint32_t)v[i].text.n);
		ctr_buf_add(b, v[i].text.p, v[i].text.n);
	}
	return ctr_buf_ok(b, "policies", e);
}

static int take(struct ctr_rd *r, struct ctr_policy *v, size_t i, struct ctr_err *e)
{
	uint8_t is[CTR_SHA256_SIZE];
	struct ctr_rd text;

	if (ctr_rd_sub_le32(r, r->left, &text) < 0)
		return ctr_fail(e, CTR_FORMAT, "store.policies",
				"policy %zu of the transition's: cut off at byte %zu", i + 1,
				r->at);
	if (ctr_hash(CTR_SHA256, text.p, text.left, is, e) < 0)
		return -1;
	if (!ctr_same(is, v->hash, sizeof is))
		return ctr_fail(e, CTR_FORMAT, "store.policies",
				"policy %zu of the transition's: not the one that the manifest "
				"names",
				i + 1);
	v->text = (struct ctr_bytes){ text.p, text.left };
	return 0;
}

int ctr_policies_parse(const void *p, size_t len, struct ctr_policy *v, size_t n, struct ctr_err *e)
{
	uint8_t magic[MAGIC_SIZE];
	struct ctr_rd r;

	ctr_rd_init(&r, p, len);
	if (ctr_rd_copy(&r, magic, sizeof magic) < 0 || !ctr_same(magic, MAGIC, sizeof magic))
		return ctr_fail(e, CTR_FORMAT, "store.policies",
				"the transition's policies: not a blob of this version (%zu bytes)",
				len);
	for (size_t i = 0; i < n; i++) {
		if (take(&r, &v[i], i, e) < 0)
			return -1;
	}
	if (ctr_rd_end(&r) < 0)
		return ctr_fail(e, CTR_FORMAT, "store.policies",
				"the transition's policies: %zu bytes after the last", r.left);
	return 0;
}
