#include "idauth.h"

#include <string.h>

#include "rd.h"

#define WIDTH 72 /* bytes of a number in AMD's keys and signatures */
#define SIG_SIZE 512

static void put_le(uint8_t *p, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++, v >>= 8)
		p[i] = (uint8_t)v;
}

static void reverse(uint8_t *to, const uint8_t *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = from[n - 1 - i];
}

void id_block_print(const struct id_block *b, uint8_t out[ID_BLOCK])
{
	memcpy(out, b->launch_digest, 48);
	memcpy(out + 48, b->family_id, 16);
	memcpy(out + 64, b->image_id, 16);
	put_le(out + 80, 1, 4); /* version */
	put_le(out + 84, b->guest_svn, 4);
	put_le(out + 88, b->policy, 8);
}

int amd_key_print(const struct ctr_ec *k, uint8_t out[AMD_KEY], struct ctr_err *e)
{
	if (k->size != CTR_EC_MAX)
		return ctr_fail(e, CTR_FORMAT, "key.kind", "no EC key on P-384");
	memset(out, 0, AMD_KEY);
	put_le(out, 2, 4);
	reverse(out + 4, k->x, k->size);
	reverse(out + 4 + WIDTH, k->y, k->size);
	return 0;
}

int amd_key_digest(const struct ctr_ec *k, uint8_t out[ID_DIGEST], struct ctr_err *e)
{
	uint8_t b[AMD_KEY];

	return amd_key_print(k, b, e) < 0 ? -1 : ctr_hash(CTR_SHA384, b, sizeof b, out, e);
}

static int number(struct ctr_rd *r, uint8_t out[CTR_EC_MAX])
{
	uint8_t le[CTR_EC_MAX];

	if (ctr_rd_copy(r, le, sizeof le) < 0 || ctr_rd_zeros(r, WIDTH - sizeof le) < 0)
		return -1;
	reverse(out, le, sizeof le);
	return 0;
}

static int signature(struct ctr_rd *r, struct amd_sig *s, struct ctr_err *e)
{
	if (number(r, s->r) < 0 || number(r, s->s) < 0 || ctr_rd_zeros(r, SIG_SIZE - 2 * WIDTH) < 0)
		return ctr_fail(e, CTR_FORMAT, "idauth.signature",
				"ID authentication page: a signature has a number that is too "
				"large, or bytes behind it");
	return 0;
}

static int reserved(struct ctr_rd *r, size_t n, struct ctr_err *e)
{
	return ctr_rd_zeros(r, n) < 0
		       ? ctr_fail(e, CTR_FORMAT, "idauth.reserved",
				  "ID authentication page: reserved bytes that are not zero")
		       : 0;
}

int id_auth_parse(const void *p, size_t n, struct id_auth *a, struct ctr_err *e)
{
	struct ctr_rd r;

	*a = (struct id_auth){ 0 };
	ctr_rd_init(&r, p, n);
	if (n != ID_AUTH || ctr_rd_le32(&r, &a->id_algo) < 0 ||
	    ctr_rd_le32(&r, &a->author_algo) < 0)
		return ctr_fail(e, CTR_FORMAT, "idauth.size",
				"ID authentication page of %zu bytes (expected %d)", n, ID_AUTH);
	if (a->id_algo != 1 || a->author_algo > 1)
		return ctr_fail(
			e, CTR_FORMAT, "idauth.algorithm",
			"ID authentication page: algorithms %u and %u (expected 1, and 0 or 1)",
			a->id_algo, a->author_algo);
	if (reserved(&r, 56, e) < 0 || signature(&r, &a->block_sig, e) < 0)
		return -1;
	if (ctr_rd_copy(&r, a->id_key, AMD_KEY) < 0 || reserved(&r, 60, e) < 0 ||
	    signature(&r, &a->key_sig, e) < 0)
		return -1;
	if (ctr_rd_copy(&r, a->author_key, AMD_KEY) < 0 || reserved(&r, r.left, e) < 0)
		return -1;
	return 0;
}
