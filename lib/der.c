#include "der.h"

#include <string.h>

#define LENGTH_BYTES 3

static int length(struct ctr_rd *r, size_t *n)
{
	uint8_t first, next;
	size_t v = 0;

	*n = 0;
	if (ctr_rd_u8(r, &first) < 0)
		return -1;
	if (first < 0x80) {
		*n = first;
		return 0;
	}
	first &= 0x7f; /* 0: indefinite, which DER does not have */
	if (first == 0 || first > LENGTH_BYTES)
		return -1;
	for (unsigned i = 0; i < first; i++) {
		if (ctr_rd_u8(r, &next) < 0 || (i == 0 && next == 0))
			return -1;
		v = v << 8 | next;
	}
	if (v < 0x80)
		return -1;
	*n = v;
	return 0;
}

int ctr_der_tlv(struct ctr_rd *r, uint8_t tag, struct ctr_rd *sub)
{
	uint8_t found;
	size_t n;

	ctr_rd_init(sub, NULL, 0);
	if (ctr_rd_u8(r, &found) < 0 || found != tag || length(r, &n) < 0)
		return -1;
	return ctr_rd_take(r, n, sub);
}

static int number(struct ctr_rd *r, uint8_t tag, uint64_t max, uint64_t *v)
{
	struct ctr_rd s;
	uint64_t x = 0;
	uint8_t b;

	*v = 0;
	if (ctr_der_tlv(r, tag, &s) < 0 || s.left == 0 || s.left > 9)
		return -1;
	for (size_t i = 0, n = s.left; i < n; i++) {
		if (ctr_rd_u8(&s, &b) < 0)
			return -1;
		if (i == 0 && b >= 0x80)
			return -1; /* negative */
		if (i == 1 && x == 0 && b < 0x80)
			return -1; /* the zero in front was not needed */
		if (x >> 56)
			return -1;
		x = x << 8 | b;
	}
	if (x > max)
		return -1;
	*v = x;
	return 0;
}

int ctr_der_uint(struct ctr_rd *r, uint64_t max, uint64_t *v)
{
	return number(r, CTR_DER_INTEGER, max, v);
}

int ctr_der_enum(struct ctr_rd *r, uint64_t max, uint64_t *v)
{
	return number(r, CTR_DER_ENUMERATED, max, v);
}

int ctr_der_bool(struct ctr_rd *r, bool *v)
{
	struct ctr_rd s;
	uint8_t b;

	*v = false;
	if (ctr_der_tlv(r, CTR_DER_BOOLEAN, &s) < 0 || ctr_rd_u8(&s, &b) < 0 ||
	    ctr_rd_end(&s) < 0 || (b != 0 && b != 0xff))
		return -1;
	*v = b != 0;
	return 0;
}

int ctr_der_octets(struct ctr_rd *r, void *dst, size_t n)
{
	struct ctr_rd s;

	if (ctr_der_tlv(r, CTR_DER_OCTETS, &s) < 0 || s.left != n) {
		memset(dst, 0, n);
		return -1;
	}
	return ctr_rd_copy(&s, dst, n);
}

int ctr_der_ia5(struct ctr_rd *r, char *dst, size_t n)
{
	struct ctr_rd s;

	memset(dst, 0, n);
	if (ctr_der_tlv(r, CTR_DER_IA5, &s) < 0 || s.left >= n)
		return -1;
	for (size_t i = 0; i < s.left; i++) {
		if (s.p[i] < 0x20 || s.p[i] > 0x7e)
			return -1;
	}
	return ctr_rd_copy(&s, dst, s.left);
}

bool ctr_der_oid_is(const struct ctr_rd *oid, const uint8_t *bytes, size_t n)
{
	return oid->left == n && ctr_same(oid->p, bytes, n);
}

int ctr_der_oid_below(const struct ctr_rd *oid, const uint8_t *bytes, size_t n)
{
	if (oid->left == 0 || oid->left - 1 != n || !ctr_same(oid->p, bytes, n) ||
	    oid->p[n] >= 0x80)
		return -1;
	return oid->p[n];
}
