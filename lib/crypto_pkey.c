#include "crypto_pkey.h"

#include <limits.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/pem.h>

#include "crypto.h"

int ctr_pkey_private(const char *name, const struct ctr_buf *pem, EVP_PKEY **key, struct ctr_err *e)
{
	BIO *bio = pem->n <= INT_MAX ? BIO_new_mem_buf(ctr_buf_str(pem), (int)pem->n) : NULL;

	*key = bio ? PEM_read_bio_PrivateKey(bio, NULL, ctr_key_no_password, NULL) : NULL;
	BIO_free(bio);
	return *key ? 0
		    : ctr_fail(e, CTR_FORMAT, "key.pem", "%s: no unencrypted private key in PEM",
			       name);
}

bool ctr_pkey_plain_ec(EVP_PKEY *key)
{
	static const char *const curves[] = { "prime256v1", "secp384r1", "secp521r1" };
	char curve[64] = "", form[32] = "";
	size_t i = 0;

	if (!EVP_PKEY_is_a(key, "EC") ||
	    EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, form, sizeof form,
					   NULL) != 1 ||
	    strcmp(form, OSSL_PKEY_EC_ENCODING_GROUP) != 0 ||
	    EVP_PKEY_get_group_name(key, curve, sizeof curve, NULL) != 1)
		return false;
	while (i < 3 && strcmp(curves[i], curve) != 0)
		i++;
	return i < 3 &&
	       EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
					      "uncompressed") == 1;
}

int ctr_pkey_take(uint8_t *der, int n, struct ctr_buf *b, struct ctr_err *e)
{
	if (n <= 0)
		return ctr_fail_mem(e);
	ctr_buf_add(b, der, (size_t)n);
	OPENSSL_free(der);
	return ctr_buf_ok(b, "key", e);
}
