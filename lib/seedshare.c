#include "seedshare.h"

#include <string.h>

#include "crypto.h"
#include "crypto_rsa.h"
#include "json_b64.h"
#include "rd.h"

static int sized(const struct ctr_secret *s, size_t want, const char *what, struct ctr_err *e)
{
	return s->n == want ? 0
			    : ctr_fail(e, CTR_FORMAT, "seedshare.size",
				       "%s of %zu bytes (expected %zu)", what, s->n, want);
}

static int add_share(const struct ctr_seedshare_key *k, const struct ctr_secret *seed,
		     struct ctr_json *shares, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf sealed = { 0 };
	struct ctr_json *share = ctr_json_add_object(shares);

	if (ctr_rsa_encrypt(k->der, k->n, CTR_SEEDSHARE_LABEL, seed->p, seed->n, &sealed, e) < 0)
		return -1;
	ctr_json_set_hex(share, "PublicKey", k->der, k->n);
	return ctr_json_set_base64(share, "EncryptedSeed", sealed.p, sealed.n) ? 0
									       : ctr_fail_mem(e);
}

int ctr_seedshares_make(const struct ctr_manifest *m, const struct ctr_secret *seed,
			const struct ctr_secret *salt, struct ctr_buf *json, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *doc = ctr_json_new_object();
	struct ctr_json *shares = ctr_json_set_array(doc, "SeedShares");

	if (sized(seed, CTR_SEED_SIZE, "a seed", e) < 0 ||
	    sized(salt, CTR_SALT_SIZE, "a salt", e) < 0)
		return -1;
	for (size_t i = 0; i < m->n_seedshare; i++) {
		if (add_share(&m->seedshare[i], seed, shares, e) < 0)
			return -1;
	}
	if (!ctr_json_set_base64(doc, "Salt", salt->p, salt->n))
		return ctr_fail_mem(e);
	return ctr_json_print(doc, 0, json, e);
}

/* Whether the share is for this key; then `sealed` has the encrypted seed. */
static int look(const struct ctr_jval *share, const struct ctr_buf *pub, struct ctr_buf *sealed,
		bool *found, struct ctr_err *e)
{
	static const char *const keys[] = { "PublicKey", "EncryptedSeed", NULL };
	struct ctr_jval key = ctr_jget(share, "PublicKey"), seed = ctr_jget(share, "EncryptedSeed");
	ctr_auto_buf struct ctr_buf der = { 0 }, box = { 0 };
	const char *hex;
	uint8_t *to;
	size_t n;

	if (ctr_jobject(share, e) < 0 || ctr_jonly(share, keys, e) < 0 ||
	    ctr_jstring(&key, &hex, e) < 0 || ctr_jbase64(&seed, &box, e) < 0)
		return -1;
	n = strlen(hex) / 2;
	to = ctr_buf_room(&der, n + 1);
	if (!to)
		return ctr_fail_mem(e);
	if (ctr_jhex(&key, to, n, e) < 0)
		return -1;
	if (n != pub->n || !ctr_same(to, pub->p, n))
		return 0;
	if (*found)
		return ctr_jfail(share, e, "seedshare.duplicate", "a second share for the key");
	*found = true;
	*sealed = box;
	box = (struct ctr_buf){ 0 };
	return 0;
}

static int find(const struct ctr_jval *root, const char *key_name, const struct ctr_buf *pem,
		struct ctr_buf *sealed, struct ctr_err *e)
{
	struct ctr_jval shares = ctr_jget(root, "SeedShares");
	ctr_auto_buf struct ctr_buf pub = { 0 };
	bool found = false;

	if (ctr_key_rsa_public(ctr_buf_str(pem), pem->n, &pub, e) < 0)
		return ctr_wrap(e, "%s", key_name);
	if (ctr_jarray(&shares, e) < 0)
		return -1;
	if (ctr_jcount(&shares) > CTR_OWNERS_MAX)
		return ctr_jfail(&shares, e, "seedshare.count", "%zu shares (expected at most %d)",
				 ctr_jcount(&shares), CTR_OWNERS_MAX);
	for (struct ctr_jval c = ctr_jfirst(&shares); c.v; c = ctr_jnext(&c)) {
		if (look(&c, &pub, sealed, &found, e) < 0)
			return -1;
	}
	return found ? 0
		     : ctr_fail(e, CTR_NO, "seedshare.none", "none of the %zu shares is for %s",
				ctr_jcount(&shares), key_name);
}

static int read_doc(const struct ctr_json *json, const char *key_name, const struct ctr_buf *pem,
		    struct ctr_buf *sealed, struct ctr_buf *salt, struct ctr_err *e)
{
	static const char *const keys[] = { "SeedShares", "Salt", NULL };
	struct ctr_jval root = ctr_jroot(json), s = ctr_jget(&root, "Salt");

	if (ctr_jobject(&root, e) < 0 || ctr_jonly(&root, keys, e) < 0 ||
	    ctr_jbase64(&s, salt, e) < 0)
		return -1;
	if (salt->n != CTR_SALT_SIZE)
		return ctr_jfail(&s, e, "seedshare.size", "a salt of %zu bytes (expected %d)",
				 salt->n, CTR_SALT_SIZE);
	return find(&root, key_name, pem, sealed, e);
}

int ctr_seedshares_open(const char *name, const char *p, size_t n, const char *key_name,
			const struct ctr_buf *pem, struct ctr_secret *seed, struct ctr_secret *salt,
			struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *json = NULL;
	ctr_auto_buf struct ctr_buf sealed = { 0 }, s = { 0 };

	*seed = *salt = (struct ctr_secret){ 0 };
	if (n > CTR_SEEDSHARES_MAX)
		return ctr_fail(e, CTR_FORMAT, "seedshare.limit",
				"%s: %zu bytes (expected at most %zu)", name, n,
				CTR_SEEDSHARES_MAX);
	if (ctr_json_parse(name, p, n, &json, e) < 0)
		return -1;
	if (read_doc(json, key_name, pem, &sealed, &s, e) < 0)
		return ctr_wrap(e, "%s", name);
	if (ctr_rsa_decrypt(key_name, pem, CTR_SEEDSHARE_LABEL, sealed.p, sealed.n, seed, e) < 0)
		return ctr_wrap(e, "%s", name);
	if (sized(seed, CTR_SEED_SIZE, "a seed", e) < 0 ||
	    ctr_secret_new(salt, CTR_SALT_SIZE, e) < 0) {
		ctr_secret_free(seed);
		return ctr_wrap(e, "%s", name);
	}
	memcpy(salt->p, s.p, s.n);
	return 0;
}
