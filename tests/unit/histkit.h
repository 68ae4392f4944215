/* A store in a new directory, a signing key, and updates: what the tests of the history share.
 * Included once by each. */
#ifndef TESTS_UNIT_HISTKIT_H
#define TESTS_UNIT_HISTKIT_H

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto.h"
#include "crypto_ec.h"
#include "crypto_sign.h"
#include "enc.h"
#include "file.h"
#include "history.h"
#include "policies.h"
#include "t.h"

struct key {
	struct ctr_sign_key *own;
	struct ctr_ec public;
	struct ctr_signer signer;
};

static int key_sign(void *ctx, const void *p, size_t n, struct ctr_buf *sig, struct ctr_err *e)
{
	struct key *k = ctx;
	uint8_t rs[2 * CTR_EC_MAX];

	if (ctr_sign(k->own, CTR_SHA384, p, n, rs, e) < 0)
		return -1;
	ctr_buf_add(sig, rs, sizeof rs);
	return 0;
}

static int key_verify(void *ctx, const void *p, size_t n, const void *sig, size_t n_sig, bool *good,
		      struct ctr_err *e)
{
	const struct key *k = ctx;
	const uint8_t *rs = sig;

	*good = false;
	return n_sig == 2 * CTR_EC_MAX
		       ? ctr_ec_verify(&k->public, p, n, rs, rs + CTR_EC_MAX, good, e)
		       : 0;
}

static void key_new(struct key *k)
{
	ctr_auto_buf struct ctr_buf private = { 0 }, public = { 0 };

	T_OK(ctr_key_generate(false, &private, &public, e));
	T_OK(ctr_sign_key_read("key", &private, 48, &k->own, e));
	T_OK(ctr_ec_pem(public.p, public.n, &k->public, e));
	k->signer = (struct ctr_signer){ k, key_sign, key_verify };
}

static char dir[64], spec[80];

/* The path of a file in the store; good until the fourth call after. */
static inline const char *in_store(const char *sub, const char *name)
{
	static char p[4][400];
	static int i;

	i = (i + 1) % 4;
	snprintf(p[i], sizeof p[i], "%s/s/%s/%s", dir, sub, name);
	return p[i];
}

static inline const char *blob_path(const char *sub, const uint8_t *hash)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	ctr_hex_add(&b, hash, CTR_SHA256_SIZE);
	return in_store(sub, b.p);
}

static int drop(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st;
	(void)flag;
	(void)f;
	return remove(path);
}

static void store_begin(void)
{
	snprintf(dir, sizeof dir, "/tmp/ctr-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(spec, sizeof spec, "dir:%s/s", dir);
}

static void store_end(void)
{
	assert_int_equal(nftw(dir, drop, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* The i-th update: a manifest that names two policies. */
struct update {
	char policy[2][32], manifest[512];
	struct ctr_bytes policies[2];
	struct ctr_update u;
};

/* Its policies as a reader of the store knows them, in order. */
static inline void update_named(const struct update *up, struct ctr_policy v[2])
{
	for (int k = 0; k < 2; k++)
		T_OK(ctr_hash(CTR_SHA256, up->policy[k], strlen(up->policy[k]), v[k].hash, e));
	qsort(v, 2, sizeof *v, ctr_sha256_order);
}

static void update_make(struct update *up, int i)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	ctr_buf_adds(&b, "{\"Policies\":{");
	for (int k = 0; k < 2; k++) {
		uint8_t h[CTR_SHA256_SIZE];

		snprintf(up->policy[k], sizeof up->policy[k], "policy %d of %d\n", k,
			 k == 0 ? 0 : i);
		up->policies[k] = (struct ctr_bytes){ up->policy[k], strlen(up->policy[k]) };
		T_OK(ctr_hash(CTR_SHA256, up->policy[k], strlen(up->policy[k]), h, e));
		ctr_buf_adds(&b, k ? ",\"" : "\"");
		ctr_hex_add(&b, h, sizeof h);
		ctr_buf_adds(&b, "\":{\"SANs\":[],\"WorkloadSecretID\":\"\"}");
	}
	ctr_buf_addf(&b,
		     "},\"ReferenceValues\":{},\"WorkloadOwnerKeyDigests\":[],"
		     "\"SeedshareOwnerPubKeys\":[]}%*s",
		     i + 1, "");
	assert_true(b.n < sizeof up->manifest);
	memcpy(up->manifest, b.p, b.n + 1);
	up->u = (struct ctr_update){ .manifest = { up->manifest, b.n },
				     .policies = up->policies,
				     .n_policies = 2 };
}

#endif
