#include "crypto.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "cleanup.h"

static bool canonical(EVP_PKEY *key, const uint8_t *der, size_t n)
{
	uint8_t *again = NULL;
	int len = i2d_PublicKey(key, &again);
	bool same = len > 0 && (size_t)len == n && CRYPTO_memcmp(again, der, n) == 0;

	OPENSSL_free(again);
	return same;
}

static bool sound_exponent(EVP_PKEY *key)
{
	BIGNUM *exp = NULL;
	bool ok = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exp) == 1 &&
		  BN_is_odd(exp) && BN_num_bits(exp) > 16 && BN_num_bits(exp) <= 64;

	BN_free(exp);
	return ok;
}

int ctr_rsa_check(const uint8_t *der, size_t n, unsigned *bits, struct ctr_err *e)
{
	const uint8_t *p = der;
	/* the cap keeps the parser away from numbers that no key has */
	EVP_PKEY *key = n > 0 && n <= 4096 ? d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, (long)n) : NULL;
	bool whole = key && canonical(key, der, n), exponent = whole && sound_exponent(key);

	*bits = whole ? (unsigned)EVP_PKEY_get_bits(key) : 0;
	EVP_PKEY_free(key);
	if (!whole)
		return ctr_fail(e, CTR_FORMAT, "key.rsa", "no RSA public key (expected RSAPublicKey in DER)");
	if (!exponent)
		return ctr_fail(e, CTR_FORMAT, "key.rsa", "weak RSA exponent (expected 65537 or more)");
	if (*bits < CTR_RSA_MIN || *bits > CTR_RSA_MAX)
		return ctr_fail(e, CTR_FORMAT, "key.rsa", "RSA key of %u bits (expected %u to %u)", *bits,
				CTR_RSA_MIN, CTR_RSA_MAX);
	return 0;
}
