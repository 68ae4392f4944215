#include "crypto_hpke.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "crypto_gcm.h"
#include "crypto_hpke_int.h"
#include "crypto_p256.h"
#include "kdf.h"
#include "rd.h"

/* suite_id: of the KEM (section 4.1), and of the whole (section 5.1) for each of the two ciphers.
 */
struct suite {
	uint8_t id[10];
	size_t n;
};
static const struct suite kem = { { 'K', 'E', 'M', 0, 0x20 }, 5 };
static const struct suite aes128 = { { 'H', 'P', 'K', 'E', 0, 0x20, 0, 1, 0, 1 }, 10 };
static const struct suite aes256 = { { 'H', 'P', 'K', 'E', 0, 0x20, 0, 1, 0, 2 }, 10 };

static void label(struct ctr_buf *b, const struct suite *s, const char *name)
{
	ctr_buf_adds(b, "HPKE-v1");
	ctr_buf_add(b, s->id, s->n);
	ctr_buf_adds(b, name);
}

/* Section 4, LabeledExtract and LabeledExpand. */
static int extract(const struct suite *s, const void *salt, size_t n_salt, const char *name,
		   const void *ikm, size_t n, uint8_t out[32], struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { .wipe = true };

	label(&b, s, name);
	ctr_buf_add(&b, ikm, n);
	return ctr_buf_ok(&b, "key material", e) < 0
		       ? -1
		       : ctr_hkdf_extract(salt, n_salt, b.p, b.n, out, e);
}

static int expand(const struct suite *s, const uint8_t prk[32], const char *name, const void *info,
		  size_t n, uint8_t *out, size_t n_out, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	ctr_buf_addc(&b, (char)(n_out >> 8));
	ctr_buf_addc(&b, (char)(n_out & 0xff));
	label(&b, s, name);
	ctr_buf_add(&b, info, n);
	return ctr_buf_ok(&b, "context", e) < 0 ? -1
						: ctr_hkdf_expand(prk, b.p, b.n, out, n_out, e);
}

/* OpenSSL refuses a result of zeros, which is what points of small order give. */
static int diffie_hellman(EVP_PKEY *own, const uint8_t *peer, uint8_t dh[32], struct ctr_err *e)
{
	ctr_auto_pkey EVP_PKEY *other =
		EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, peer, CTR_X25519_SIZE);
	EVP_PKEY_CTX *ctx = own && other ? EVP_PKEY_CTX_new(own, NULL) : NULL;
	size_t n = 32;
	bool ready =
		ctx && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, other) == 1;
	bool ok = ready && EVP_PKEY_derive(ctx, dh, &n) == 1 && n == 32;

	EVP_PKEY_CTX_free(ctx);
	if (!ready)
		return ctr_fail(e, CTR_ENV, "hpke", "the key agreement could not be set up");
	return ok ? 0
		  : ctr_fail(e, CTR_FORMAT, "hpke.key",
			     "the public key gives no shared secret (expected an X25519 key)");
}

static int shared_secret(struct ctr_hpke_context *c, const uint8_t *dh, const uint8_t *enc,
			 const uint8_t *pk_r, struct ctr_err *e)
{
	uint8_t both[2 * CTR_X25519_SIZE], prk[32];
	int rc = -1;

	memcpy(both, enc, CTR_X25519_SIZE);
	memcpy(both + CTR_X25519_SIZE, pk_r, CTR_X25519_SIZE);
	if (extract(&kem, NULL, 0, "eae_prk", dh, 32, prk, e) == 0)
		rc = expand(&kem, prk, "shared_secret", both, sizeof both, c->shared, 32, e);
	OPENSSL_cleanse(prk, sizeof prk);
	return rc;
}

static int key_schedule(struct ctr_hpke_context *c, const void *info, size_t n_info,
			struct ctr_err *e)
{
	const struct suite *s = c->n_key == 16 ? &aes128 : &aes256;
	uint8_t context[65] = { 0 }, secret[32]; /* mode_base, no pre-shared key */
	int rc = -1;

	if (extract(s, NULL, 0, "psk_id_hash", "", 0, context + 1, e) == 0 &&
	    extract(s, NULL, 0, "info_hash", info, n_info, context + 33, e) == 0 &&
	    extract(s, c->shared, 32, "secret", "", 0, secret, e) == 0 &&
	    expand(s, secret, "key", context, sizeof context, c->key, c->n_key, e) == 0)
		rc = expand(s, secret, "base_nonce", context, sizeof context, c->nonce,
			    sizeof c->nonce, e);
	OPENSSL_cleanse(secret, sizeof secret);
	return rc;
}

static int schedule(struct ctr_hpke_context *c, EVP_PKEY *own, const uint8_t *peer,
		    const uint8_t *enc, const uint8_t *pk_r, const void *info, size_t n_info,
		    struct ctr_err *e)
{
	uint8_t dh[32];
	int rc = -1;

	if (diffie_hellman(own, peer, dh, e) == 0 && shared_secret(c, dh, enc, pk_r, e) == 0)
		rc = key_schedule(c, info, n_info, e);
	OPENSSL_cleanse(dh, sizeof dh);
	return rc;
}

static EVP_PKEY *private_key(const uint8_t *sk)
{
	return EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, sk, CTR_X25519_SIZE);
}

int ctr_hpke_schedule(struct ctr_hpke_context *c, const uint8_t *sk, const uint8_t *peer,
		      const uint8_t *enc, const uint8_t *pk_r, const void *info, size_t n_info,
		      struct ctr_err *e)
{
	ctr_auto_pkey EVP_PKEY *own = private_key(sk);

	return schedule(c, own, peer, enc, pk_r, info, n_info, e);
}

static bool public_of(const EVP_PKEY *key, uint8_t pk[CTR_X25519_SIZE])
{
	size_t n = CTR_X25519_SIZE;

	return key && EVP_PKEY_get_raw_public_key(key, pk, &n) == 1 && n == CTR_X25519_SIZE;
}

int ctr_hpke_generate(struct ctr_secret *sk, uint8_t pk[CTR_X25519_SIZE], struct ctr_err *e)
{
	ctr_auto_pkey EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	size_t n = CTR_X25519_SIZE;

	if (ctr_secret_new(sk, CTR_X25519_SIZE, e) < 0)
		return -1;
	if (key && EVP_PKEY_get_raw_private_key(key, sk->p, &n) == 1 && n == CTR_X25519_SIZE &&
	    public_of(key, pk))
		return 0;
	ctr_secret_free(sk);
	return ctr_fail(e, CTR_ENV, "key.generate", "the key could not be made");
}

int ctr_hpke_seal(const uint8_t pk[CTR_X25519_SIZE], const void *info, size_t n_info,
		  const void *aad, size_t n_aad, const void *pt, size_t n, struct ctr_buf *out,
		  struct ctr_err *e)
{
	ctr_auto_pkey EVP_PKEY *own = NULL;
	struct ctr_hpke_context c = { .n_key = 32 };
	uint8_t enc[CTR_X25519_SIZE], *room;
	int rc = -1;

	if (n > CTR_HPKE_MAX)
		return ctr_fail(e, CTR_FORMAT, "hpke.length",
				"a message of %zu bytes (expected at most %zu)", n, CTR_HPKE_MAX);
	own = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	if (!public_of(own, enc))
		return ctr_fail(e, CTR_ENV, "key.generate", "the key could not be made");
	room = ctr_buf_room(out, n + CTR_HPKE_EXTRA);
	if (!room)
		return ctr_buf_ok(out, "sealed message", e) < 0 ? -1 : ctr_fail_mem(e);
	memcpy(room, enc, sizeof enc);
	if (schedule(&c, own, pk, enc, pk, info, n_info, e) == 0)
		rc = ctr_gcm_encrypt(c.key, c.n_key, c.nonce, aad, n_aad, pt, n, room + sizeof enc,
				     e);
	if (rc == 0)
		ctr_buf_commit(out, n + CTR_HPKE_EXTRA);
	OPENSSL_cleanse(&c, sizeof c);
	return rc;
}

static int open_with(struct ctr_hpke_context *c, const void *aad, size_t n_aad,
		     const struct ctr_rd *ct, struct ctr_secret *pt, struct ctr_err *e)
{
	size_t n = ct->left - CTR_GCM_TAG; /* the caller saw to it that there is a tag */
	bool good = false;

	if (ctr_secret_new(pt, n, e) < 0 ||
	    ctr_gcm_decrypt(c->key, c->n_key, c->nonce, aad, n_aad, ct->p, n, pt->p, &good, e) < 0)
		return -1;
	return good ? 0
		    : ctr_fail(e, CTR_NO, "hpke.open",
			       "the message is not for this key and purpose, or was changed");
}

int ctr_hpke_open(const struct ctr_secret *sk, const void *info, size_t n_info, const void *aad,
		  size_t n_aad, const void *msg, size_t n, struct ctr_secret *pt, struct ctr_err *e)
{
	ctr_auto_pkey EVP_PKEY *own = sk->n == CTR_X25519_SIZE ? private_key(sk->p) : NULL;
	struct ctr_hpke_context c = { .n_key = 32 };
	uint8_t enc[CTR_X25519_SIZE], pk[CTR_X25519_SIZE];
	struct ctr_rd r;
	int rc = -1;

	*pt = (struct ctr_secret){ 0 };
	ctr_rd_init(&r, msg, n);
	if (ctr_rd_copy(&r, enc, sizeof enc) < 0 || r.left < CTR_GCM_TAG ||
	    r.left - CTR_GCM_TAG > CTR_HPKE_MAX)
		return ctr_fail(
			e, CTR_FORMAT, "hpke.length",
			"a sealed message of %zu bytes (expected %d more than its contents)", n,
			CTR_HPKE_EXTRA);
	if (!public_of(own, pk))
		return ctr_fail(e, CTR_FORMAT, "hpke.key", "no X25519 private key");
	if (schedule(&c, own, enc, enc, pk, info, n_info, e) == 0)
		rc = open_with(&c, aad, n_aad, &r, pt, e);
	if (rc < 0)
		ctr_secret_free(pt);
	OPENSSL_cleanse(&c, sizeof c);
	return rc;
}
