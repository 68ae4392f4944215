#include "ca_claim.h"

#include <stdio.h>
#include <string.h>

#include "utf8.h"

#define TEXT true, 1, CTR_CLAIM_TEXT_MAX
#define BYTES(min, max) false, min, max

const struct ctr_claim_kind ctr_claim_kinds[] = {
	{ "tee", 1, TEXT },
	{ "product", 2, TEXT },
	{ "policy_hash", 3, BYTES(32, 32) },
	{ "measurement", 4, BYTES(48, 48) },
	{ "tcb", 5, BYTES(8, 16) },
	{ "transition", 6, BYTES(32, 32) },
	{ "chip_id", 7, BYTES(8, 64) },
	{ "workload_secret_id", 8, TEXT },
	{ "role", 9, TEXT },
	{ "tcb_status", 10, TEXT },
	{ 0 },
};

const struct ctr_claim_kind *ctr_claim_find(const char *name)
{
	for (const struct ctr_claim_kind *k = ctr_claim_kinds; k->name; k++) {
		if (strcmp(k->name, name) == 0)
			return k;
	}
	return NULL;
}

void ctr_claim_oid(const struct ctr_claim_kind *k, char oid[CTR_CLAIM_OID_MAX])
{
	snprintf(oid, CTR_CLAIM_OID_MAX, "%s.%u", CTR_CLAIM_ARC, k->number);
}

void ctr_claim_oid_der(const struct ctr_claim_kind *k, uint8_t oid[CTR_CLAIM_OID_SIZE])
{
	/* 1.3 is one byte, 9903 two */
	memcpy(oid, (uint8_t[]){ 0x2b, 0xcd, 0x2f, 2, k->number }, CTR_CLAIM_OID_SIZE);
}

int ctr_claim_check(const struct ctr_claim_kind *k, const void *p, size_t n, struct ctr_err *e)
{
	if (n < k->min || n > k->max)
		return k->min == k->max
			       ? ctr_fail(e, CTR_FORMAT, "ca.claim",
					  "claim %s: %zu bytes (expected %zu)", k->name, n, k->max)
			       : ctr_fail(e, CTR_FORMAT, "ca.claim",
					  "claim %s: %zu bytes (expected %zu to %zu)", k->name, n,
					  k->min, k->max);
	if (k->text && (memchr(p, 0, n) || !ctr_utf8_valid(p, n)))
		return ctr_fail(e, CTR_FORMAT, "ca.claim", "claim %s: no UTF-8 text", k->name);
	return 0;
}
