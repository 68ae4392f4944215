/* The blob of a transition's policies, read as those it says it has: built again, it is the same
 * bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policies.h"
#include "rd.h"

#define MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The hashes of its policies as they come; how many. */
static size_t hashes(const uint8_t *data, size_t size, struct ctr_policy *v)
{
	struct ctr_err e = { 0 };
	struct ctr_rd r, text;
	size_t n = 0;

	ctr_rd_init(&r, data, size);
	if (ctr_rd_take(&r, strlen("ctr-policies-v1\n"), &text) < 0)
		return 0;
	while (n < MAX && ctr_rd_sub_le32(&r, r.left, &text) == 0) {
		if (ctr_hash(CTR_SHA256, text.p, text.left, v[n++].hash, &e) < 0)
			abort();
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ctr_policy v[MAX] = { 0 };
	ctr_auto_buf struct ctr_buf again = { 0 };
	size_t n = hashes(data, size, v);
	struct ctr_err e = { 0 };
	bool sorted = true;

	if (ctr_policies_parse(data, size, v, n, &e) < 0) {
		if (e.code != CTR_FORMAT || strcmp(e.id, "store.policies") != 0)
			abort();
		return 0;
	}
	for (size_t i = 1; i < n; i++)
		sorted = sorted && ctr_sha256_order(&v[i - 1], &v[i]) <= 0;
	if (ctr_policies_build(v, n, &again, &e) < 0 || again.n != size ||
	    (sorted && memcmp(again.p, data, size) != 0))
		abort();
	return 0;
}
