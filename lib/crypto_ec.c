#include "crypto_ec.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "crypto.h"
#include "rd.h"

int ctr_ec_pem(const char *pem, size_t n, struct ctr_ec *k, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf der = { 0 };
	struct ctr_rd r, skip;
	uint8_t form = 0;

	*k = (struct ctr_ec){ 0 };
	if (ctr_key_ec_spki(pem, n, &der, e) < 0)
		return -1;
	/* a SubjectPublicKeyInfo ends with the point; its length is that of the curve */
	k->size = der.n == 91 ? 32 : der.n == 120 ? 48 : 0;
	ctr_rd_init(&r, der.p, der.n);
	if (k->size == 0 || ctr_rd_take(&r, der.n - 2 * k->size - 1, &skip) < 0 ||
	    ctr_rd_u8(&r, &form) < 0 || form != 4 || ctr_rd_copy(&r, k->x, k->size) < 0 ||
	    ctr_rd_copy(&r, k->y, k->size) < 0 || ctr_rd_end(&r) < 0)
		return ctr_fail(e, CTR_FORMAT, "key.kind", "no EC key on P-256 or P-384");
	return 0;
}

static EVP_PKEY *make_key(const struct ctr_ec *k)
{
	char curve[] = "P-256", big[] = "P-384";
	uint8_t point[1 + 2 * CTR_EC_MAX] = { 4 };
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
						 k->size == 48 ? big : curve, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * k->size),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;

	memcpy(point + 1, k->x, k->size);
	memcpy(point + 1 + k->size, k->y, k->size);
	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* The signature as the DER that OpenSSL wants; the length, or 0. */
static int make_der(const uint8_t *r, const uint8_t *s, size_t size, uint8_t **der)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *br = BN_bin2bn(r, (int)size, NULL), *bs = BN_bin2bn(s, (int)size, NULL);
	int n = 0;

	if (sig && br && bs && ECDSA_SIG_set0(sig, br, bs) == 1) {
		br = bs = NULL; /* now sig's */
		n = i2d_ECDSA_SIG(sig, der);
	}
	BN_free(br);
	BN_free(bs);
	ECDSA_SIG_free(sig);
	return n > 0 ? n : 0;
}

int ctr_ec_verify(const struct ctr_ec *k, const void *msg, size_t n, const uint8_t *r,
		  const uint8_t *s, bool *good, struct ctr_err *e)
{
	EVP_PKEY *key = k->size == 32 || k->size == 48 ? make_key(k) : NULL;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t *der = NULL;
	int len, rc = 0;

	*good = false;
	if (!key)
		rc = ctr_fail(e, CTR_FORMAT, "key.kind", "no point of the curve P-256 or P-384");
	else if (!ctx || (len = make_der(r, s, k->size, &der)) == 0)
		rc = ctr_fail_mem(e);
	else
		*good = EVP_DigestVerifyInit(ctx, NULL, k->size == 48 ? EVP_sha384() : EVP_sha256(),
					     NULL, key) == 1 &&
			EVP_DigestVerify(ctx, der, (size_t)len, msg, n) == 1;
	OPENSSL_free(der);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return rc;
}
