#include "rd.h"

#include <string.h>

#include <openssl/crypto.h>

void ctr_rd_init(struct ctr_rd *r, const void *p, size_t n)
{
	r->p = p ? p : (const uint8_t *)"";
	r->left = p ? n : 0;
	r->at = 0;
}

int ctr_rd_take(struct ctr_rd *r, size_t n, struct ctr_rd *sub)
{
	if (r->left < n) {
		*sub = (struct ctr_rd){ .p = r->p, .left = 0, .at = r->at };
		return -1;
	}
	*sub = (struct ctr_rd){ .p = r->p, .left = n, .at = r->at };
	r->p += n;
	r->left -= n;
	r->at += n;
	return 0;
}

/* The next n <= 8 bytes as a number, least significant first when `little`. */
static int number(struct ctr_rd *r, size_t n, bool little, uint64_t *v)
{
	struct ctr_rd s;

	*v = 0;
	if (ctr_rd_take(r, n, &s) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		*v = *v << 8 | s.p[little ? n - 1 - i : i];
	return 0;
}

#define READER(name, type, little)                               \
	int ctr_rd_##name(struct ctr_rd *r, type *v)             \
	{                                                        \
		uint64_t x;                                      \
		int rc = number(r, sizeof(type), little, &x);    \
								 \
		*v = (type)x;                                    \
		return rc;                                       \
	}
READER(u8, uint8_t, true)
READER(le16, uint16_t, true)
READER(le32, uint32_t, true)
READER(le64, uint64_t, true)
READER(be16, uint16_t, false)
READER(be32, uint32_t, false)

int ctr_rd_copy(struct ctr_rd *r, void *dst, size_t n)
{
	struct ctr_rd s;

	if (ctr_rd_take(r, n, &s) < 0) {
		memset(dst, 0, n);
		return -1;
	}
	memcpy(dst, s.p, n);
	return 0;
}

int ctr_rd_zeros(struct ctr_rd *r, size_t n)
{
	struct ctr_rd s;

	return ctr_rd_take(r, n, &s) < 0 || !ctr_zero(s.p, n) ? -1 : 0;
}

int ctr_rd_sub_le32(struct ctr_rd *r, size_t max, struct ctr_rd *sub)
{
	uint32_t n;

	ctr_rd_init(sub, NULL, 0);
	if (ctr_rd_le32(r, &n) < 0 || n > max)
		return -1;
	return ctr_rd_take(r, n, sub);
}

void ctr_rd_until(struct ctr_rd *r, char delim, struct ctr_rd *sub)
{
	const uint8_t *hit = r->left ? memchr(r->p, delim, r->left) : NULL;
	size_t n = hit ? (size_t)(hit - r->p) : r->left;
	struct ctr_rd skip;

	if (ctr_rd_take(r, n, sub) < 0 || (hit && ctr_rd_take(r, 1, &skip) < 0))
		return; /* cannot be: n is at most what is left */
}

int ctr_rd_end(const struct ctr_rd *r)
{
	return r->left ? -1 : 0;
}

bool ctr_same(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

bool ctr_zero(const void *p, size_t n)
{
	uint8_t any = 0;

	for (size_t i = 0; i < n; i++)
		any |= ((const uint8_t *)p)[i];
	return any == 0;
}
