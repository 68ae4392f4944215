#include "kdf.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

/* A key that is absent would mean "the one of before" to OpenSSL. */
static int hmac(const void *key, size_t n_key, const void *p, size_t n,
		uint8_t out[CTR_SHA256_SIZE], struct ctr_err *e)
{
	if (n_key <= INT32_MAX && HMAC(EVP_sha256(), n_key ? key : "", (int)n_key,
				       n ? p : (const void *)"", n, out, NULL))
		return 0;
	return ctr_fail(e, CTR_ENV, "hash", "HMAC could not be computed");
}

int ctr_hkdf_extract(const void *salt, size_t n_salt, const void *ikm, size_t n_ikm,
		     uint8_t prk[CTR_SHA256_SIZE], struct ctr_err *e)
{
	return hmac(salt, n_salt, ikm, n_ikm, prk, e);
}

/* T(i) = HMAC(prk, T(i-1) || info || i); `block` holds these three, T(i-1) from the second round
 * on. */
static int rounds(const uint8_t *prk, struct ctr_secret *block, uint8_t *out, size_t n,
		  struct ctr_err *e)
{
	uint8_t t[CTR_SHA256_SIZE];
	size_t skip = sizeof t, take;
	int rc = 0;

	for (uint8_t i = 1; n > 0 && rc == 0; i++, skip = 0) {
		block->p[block->n - 1] = i;
		rc = hmac(prk, CTR_SHA256_SIZE, block->p + skip, block->n - skip, t, e);
		take = n < sizeof t ? n : sizeof t;
		if (rc == 0) {
			memcpy(block->p, t, sizeof t);
			memcpy(out, t, take);
		}
		out += take;
		n -= take;
	}
	OPENSSL_cleanse(t, sizeof t);
	return rc;
}

int ctr_hkdf_expand(const uint8_t prk[CTR_SHA256_SIZE], const void *info, size_t n_info,
		    uint8_t *out, size_t n, struct ctr_err *e)
{
	ctr_auto_secret struct ctr_secret block = { 0 };

	if (n == 0 || n > CTR_HKDF_MAX || n_info > UINT16_MAX)
		return ctr_fail(e, CTR_FORMAT, "hkdf.length",
				"%zu bytes of key material, %zu of context", n, n_info);
	if (ctr_secret_new(&block, CTR_SHA256_SIZE + n_info + 1, e) < 0)
		return -1;
	if (n_info)
		memcpy(block.p + CTR_SHA256_SIZE, info, n_info);
	return rounds(prk, &block, out, n, e);
}

int ctr_hkdf(const void *salt, size_t n_salt, const void *ikm, size_t n_ikm, const char *info,
	     size_t n, struct ctr_secret *out, struct ctr_err *e)
{
	uint8_t prk[CTR_SHA256_SIZE];
	int rc = -1;

	*out = (struct ctr_secret){ 0 };
	if (n > CTR_HKDF_MAX)
		return ctr_fail(e, CTR_FORMAT, "hkdf.length", "%zu bytes of key material", n);
	if (ctr_secret_new(out, n, e) == 0 &&
	    ctr_hkdf_extract(salt, n_salt, ikm, n_ikm, prk, e) == 0)
		rc = ctr_hkdf_expand(prk, info, strlen(info), out->p, n, e);
	OPENSSL_cleanse(prk, sizeof prk);
	if (rc < 0)
		ctr_secret_free(out);
	return rc;
}
