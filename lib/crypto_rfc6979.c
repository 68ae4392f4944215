#include "crypto_rfc6979.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>

#include "hash.h"

#define SIZE                                                                                       \
	48 /* of the digest, of the order and of a coordinate: the conversions of section 2.3      \
	    * are then those of OpenSSL */

/* What signing works on. ctx, x, k and blind are secret. */
struct work {
	EC_GROUP *g;
	BN_CTX *ctx;
	BN_MONT_CTX *mont; /* of the order */
	BIGNUM *x, *k, *blind, *e, *r, *s, *t, *u;
	EC_POINT *point;
};

/* The generator of section 3.2: K and V. */
struct drbg {
	uint8_t k[SIZE], v[SIZE];
};

static bool hmac(const uint8_t key[SIZE], const uint8_t *p, size_t n, uint8_t out[SIZE])
{
	return HMAC(EVP_sha384(), key, SIZE, p, n, out, NULL) != NULL;
}

/* K = HMAC(K, V || mark || seed), V = HMAC(K, V): steps d to g, and the last of h. */
static bool drbg_mix(struct drbg *d, uint8_t mark, const uint8_t *seed, size_t n)
{
	uint8_t block[SIZE + 1 + 2 * SIZE];
	bool ok;

	memcpy(block, d->v, SIZE);
	block[SIZE] = mark;
	if (n)
		memcpy(block + SIZE + 1, seed, n);
	ok = hmac(d->k, block, SIZE + 1 + n, d->k) && hmac(d->k, d->v, SIZE, d->v);
	OPENSSL_cleanse(block, sizeof block);
	return ok;
}

/* seed: int2octets(x) || bits2octets(digest). */
static bool drbg_init(struct drbg *d, struct work *w)
{
	uint8_t seed[2 * SIZE];
	bool ok;

	memset(d->v, 1, SIZE);
	memset(d->k, 0, SIZE);
	ok = BN_bn2binpad(w->x, seed, SIZE) == SIZE &&
	     BN_bn2binpad(w->e, seed + SIZE, SIZE) == SIZE && drbg_mix(d, 0, seed, sizeof seed) &&
	     drbg_mix(d, 1, seed, sizeof seed);
	OPENSSL_cleanse(seed, sizeof seed);
	return ok;
}

/* r = x coordinate of k * G, s = (e + r * x) / k, both modulo the order q. All products are of
 * Montgomery, and k is inverted as (k * blind)^(q - 2) * blind: neither depends on it in time. */
static bool pair(struct work *w)
{
	const BIGNUM *q = EC_GROUP_get0_order(w->g);

	return EC_POINT_mul(w->g, w->point, w->k, NULL, NULL, w->ctx) == 1 &&
	       EC_POINT_get_affine_coordinates(w->g, w->point, w->r, NULL, w->ctx) == 1 &&
	       BN_nnmod(w->r, w->r, q, w->ctx) &&
	       /* t = e + r * x */
	       BN_to_montgomery(w->t, w->x, w->mont, w->ctx) &&
	       BN_mod_mul_montgomery(w->t, w->t, w->r, w->mont, w->ctx) &&
	       BN_mod_add_quick(w->t, w->t, w->e, q) &&
	       /* s = k * blind */
	       BN_to_montgomery(w->u, w->blind, w->mont, w->ctx) &&
	       BN_mod_mul_montgomery(w->s, w->k, w->u, w->mont, w->ctx) &&
	       /* t = (e + r * x) * blind, s = t / s */
	       BN_mod_mul_montgomery(w->t, w->t, w->u, w->mont, w->ctx) && BN_copy(w->u, q) &&
	       BN_sub_word(w->u, 2) &&
	       BN_mod_exp_mont_consttime(w->s, w->s, w->u, q, w->ctx, w->mont) &&
	       BN_to_montgomery(w->s, w->s, w->mont, w->ctx) &&
	       BN_mod_mul_montgomery(w->s, w->s, w->t, w->mont, w->ctx);
}

/* Step h: the first k from 1 to q - 1 for which r and s are not zero. */
static bool search(struct work *w)
{
	const BIGNUM *q = EC_GROUP_get0_order(w->g);
	struct drbg d;
	bool ok = drbg_init(&d, w), done = false;

	while (ok && !done) {
		ok = hmac(d.k, d.v, SIZE, d.v) && BN_bin2bn(d.v, SIZE, w->k);
		if (ok && !BN_is_zero(w->k) && BN_cmp(w->k, q) < 0) {
			ok = pair(w);
			done = !BN_is_zero(w->r) && !BN_is_zero(w->s);
		}
		if (ok && !done)
			ok = drbg_mix(&d, 0, NULL, 0);
	}
	OPENSSL_cleanse(&d, sizeof d);
	return ok;
}

static bool start(struct work *w, EVP_PKEY *key)
{
	w->g = EC_GROUP_new_by_curve_name(NID_secp384r1);
	w->ctx = BN_CTX_secure_new();
	w->mont = BN_MONT_CTX_new();
	if (!w->g || !w->ctx || !w->mont)
		return false;
	w->point = EC_POINT_new(w->g);
	BN_CTX_start(w->ctx);
	w->k = BN_CTX_get(w->ctx);
	w->blind = BN_CTX_get(w->ctx);
	w->e = BN_CTX_get(w->ctx);
	w->r = BN_CTX_get(w->ctx);
	w->s = BN_CTX_get(w->ctx);
	w->t = BN_CTX_get(w->ctx);
	w->u = BN_CTX_get(w->ctx);
	if (!w->point || !w->u ||
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &w->x) != 1 ||
	    !BN_MONT_CTX_set(w->mont, EC_GROUP_get0_order(w->g), w->ctx))
		return false;
	BN_set_flags(w->x, BN_FLG_CONSTTIME);
	BN_set_flags(w->k, BN_FLG_CONSTTIME);
	BN_set_flags(w->s, BN_FLG_CONSTTIME);
	BN_set_flags(w->t, BN_FLG_CONSTTIME);
	do {
		if (!BN_priv_rand_range(w->blind, EC_GROUP_get0_order(w->g)))
			return false;
	} while (BN_is_zero(w->blind));
	return true;
}

/* The numbers of a secure context are cleared when it goes. */
static void finish(struct work *w)
{
	BN_clear_free(w->x);
	if (w->k)
		BN_clear(w->k);
	if (w->ctx)
		BN_CTX_end(w->ctx);
	BN_CTX_free(w->ctx);
	BN_MONT_CTX_free(w->mont);
	EC_POINT_clear_free(w->point);
	EC_GROUP_free(w->g);
}

static bool digest(struct work *w, const void *p, size_t n, struct ctr_err *e)
{
	uint8_t h[SIZE];

	return ctr_hash(CTR_SHA384, p, n, h, e) == 0 && BN_bin2bn(h, SIZE, w->e) &&
	       BN_nnmod(w->e, w->e, EC_GROUP_get0_order(w->g), w->ctx);
}

static bool encode(const struct work *w, struct ctr_buf *sig)
{
	BIGNUM *r = BN_dup(w->r), *s = BN_dup(w->s);
	ECDSA_SIG *pair = ECDSA_SIG_new();
	uint8_t *der = NULL;
	int len = -1;

	if (r && s && pair && ECDSA_SIG_set0(pair, r, s) == 1) {
		r = s = NULL;
		len = i2d_ECDSA_SIG(pair, &der);
	}
	if (len > 0)
		ctr_buf_add(sig, der, (size_t)len);
	OPENSSL_free(der);
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(pair);
	return len > 0;
}

int ctr_rfc6979_sign(EVP_PKEY *key, const void *p, size_t n, struct ctr_buf *sig, struct ctr_err *e)
{
	struct work w = { 0 };
	char curve[32] = "";
	bool ok;

	if (!EVP_PKEY_is_a(key, "EC") ||
	    EVP_PKEY_get_group_name(key, curve, sizeof curve, NULL) != 1 ||
	    strcmp(curve, "secp384r1") != 0)
		return ctr_fail(e, CTR_FORMAT, "key.kind", "no private key on P-384");
	ok = start(&w, key) && digest(&w, p, n, e) && search(&w) && encode(&w, sig);
	finish(&w);
	return ok ? ctr_buf_ok(sig, "signature", e)
		  : ctr_fail(e, CTR_ENV, "key.sign", "the signature could not be made");
}
