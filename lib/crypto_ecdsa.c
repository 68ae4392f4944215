#include "crypto_ecdsa.h"

#include <openssl/ec.h>
#include <openssl/x509.h>

#include "crypto_p256.h"
#include "crypto_pkey.h"
#include "rd.h"

static void md_cleanup(EVP_MD_CTX **ctx)
{
	EVP_MD_CTX_free(*ctx);
}

#define auto_md CTR_AUTO(md_cleanup)

static int not_ec(struct ctr_err *e)
{
	return ctr_fail(e, CTR_FORMAT, "key.kind", "no EC key on P-256, P-384 or P-521");
}

int ctr_ecdsa_sign(const char *name, const struct ctr_buf *pem, const void *p, size_t n,
		   struct ctr_buf *spki, struct ctr_buf *sig, struct ctr_err *e)
{
	auto_md EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	ctr_auto_pkey EVP_PKEY *key = NULL;
	uint8_t der[CTR_ECDSA_SIG_MAX], *pub = NULL;
	size_t len = sizeof der;
	int n_pub;

	if (ctr_pkey_private(name, pem, &key, e) < 0)
		return -1;
	if (!ctr_pkey_plain_ec(key)) {
		not_ec(e);
		return ctr_wrap(e, "%s", name);
	}
	if (!ctx || EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, key, NULL) != 1 ||
	    EVP_DigestSign(ctx, der, &len, p, n) != 1)
		return ctr_fail(e, CTR_ENV, "key.sign", "%s: the signature could not be made",
				name);
	ctr_buf_add(sig, der, len);
	n_pub = i2d_PUBKEY(key, &pub);
	if (ctr_pkey_take(pub, n_pub, spki, e) < 0)
		return -1;
	return ctr_buf_ok(sig, "signature", e);
}

static bool same(const uint8_t *a, int n_a, const void *b, size_t n)
{
	return n_a > 0 && (size_t)n_a == n && ctr_same(a, b, n);
}

/* With the point at infinity, which has an encoding too, anybody could sign. */
static bool on_curve(EVP_PKEY *key)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	bool ok = ctx && EVP_PKEY_public_check_quick(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	return ok;
}

static int not_spki(struct ctr_err *e)
{
	return ctr_fail(e, CTR_FORMAT, "key.spki",
			"no public EC key (expected SubjectPublicKeyInfo in DER)");
}

/* All of a key on P-256 but its coordinates. Most keys are such, and OpenSSL takes longer to find
 * out what a key is than to use it. */
static const uint8_t p256[] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
				0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
				0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04 };

static int read_key(const void *spki, size_t n, EVP_PKEY **key, struct ctr_err *e)
{
	const uint8_t *p = spki;
	uint8_t *again = NULL;
	bool whole;
	int len;

	if (n == sizeof p256 + 64 && ctr_same(spki, p256, sizeof p256)) {
		*key = ctr_p256_key(p + sizeof p256);
		return *key ? 0 : not_spki(e);
	}
	*key = n > 0 && n <= CTR_ECDSA_SPKI_MAX ? d2i_PUBKEY(NULL, &p, (long)n) : NULL;
	if (*key && p == (const uint8_t *)spki + n && !ctr_pkey_plain_ec(*key))
		return not_ec(e);
	len = *key ? i2d_PUBKEY(*key, &again) : 0;
	whole = same(again, len, spki, n) && on_curve(*key);
	OPENSSL_free(again);
	return whole ? 0 : not_spki(e);
}

/* OpenSSL reads some of BER; two spellings of a signature would be two messages. */
static bool canonical(const void *sig, size_t n)
{
	const uint8_t *p = sig;
	uint8_t *again = NULL;
	ECDSA_SIG *s = n > 0 && n <= CTR_ECDSA_SIG_MAX ? d2i_ECDSA_SIG(NULL, &p, (long)n) : NULL;
	int len = s ? i2d_ECDSA_SIG(s, &again) : 0;
	bool ok = same(again, len, sig, n);

	ECDSA_SIG_free(s);
	OPENSSL_free(again);
	return ok;
}

int ctr_ecdsa_verify(const void *spki, size_t n_spki, enum ctr_hash_alg alg, const void *p,
		     size_t n, const void *sig, size_t n_sig, bool *good, struct ctr_err *e)
{
	static const char *const names[] = { "SHA256", "SHA384", "SHA512" };
	auto_md EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	ctr_auto_pkey EVP_PKEY *key = NULL;

	*good = false;
	if (read_key(spki, n_spki, &key, e) < 0)
		return -1;
	if (!canonical(sig, n_sig))
		return ctr_fail(e, CTR_FORMAT, "ecdsa.signature", "no ECDSA signature in DER");
	if (!ctx || EVP_DigestVerifyInit_ex(ctx, NULL, names[alg], NULL, NULL, key, NULL) != 1)
		return ctr_fail_mem(e);
	*good = EVP_DigestVerify(ctx, sig, n_sig, p, n) == 1;
	return 0;
}
