#include "owner.h"

#include "crypto_ecdsa.h"
#include "enc.h"

/* Text, so that any tool that signs a file can make it. */
static int text(const uint8_t t[CTR_SHA256_SIZE], struct ctr_buf *b, struct ctr_err *e)
{
	ctr_hex_add(b, t, CTR_SHA256_SIZE);
	return ctr_buf_ok(b, "transition hash", e);
}

int ctr_owner_sign(const char *name, const struct ctr_buf *pem, const uint8_t t[CTR_SHA256_SIZE],
		   struct ctr_buf *spki, struct ctr_buf *sig, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	return text(t, &b, e) < 0 ? -1 : ctr_ecdsa_sign(name, pem, b.p, b.n, spki, sig, e);
}

int ctr_owner_verify(const void *spki, size_t n_spki, const uint8_t t[CTR_SHA256_SIZE],
		     const void *sig, size_t n, bool *good, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	*good = false;
	return text(t, &b, e) < 0
		       ? -1
		       : ctr_ecdsa_verify(spki, n_spki, CTR_SHA256, b.p, b.n, sig, n, good, e);
}

void ctr_recover_info(const uint8_t nonce[32], struct ctr_buf *info)
{
	ctr_buf_adds(info, "contrast recover v1");
	ctr_buf_add(info, nonce, 32);
}

int ctr_recover_digest(const uint8_t nonce[32], const uint8_t hpke_key[32], const void *ct,
		       size_t n, uint8_t out[CTR_SHA256_SIZE], struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	ctr_recover_info(nonce, &b);
	ctr_buf_add(&b, hpke_key, 32);
	ctr_buf_add(&b, ct, n);
	return ctr_buf_ok(&b, "recovery", e) < 0 ? -1 : ctr_hash(CTR_SHA256, b.p, b.n, out, e);
}
