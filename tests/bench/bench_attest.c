/* Verification with a chain that was checked before, against the signature checks that it cannot do
 * without. */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "endorse.h"
#include "file.h"
#include "platform.h"
#include "verdict.h"

#define ROUNDS 5
#define SECONDS 0.4

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(int rc, const struct ctr_err *e)
{
	if (rc == 0)
		return;
	fprintf(stderr, "%s: %s\n", e->id, e->msg);
	exit(1);
}

/* A bare verification, with a key and a signature of its own. */
struct bare {
	EVP_PKEY *key;
	uint8_t digest[48], sig[128];
	size_t n_digest, n_sig;
};

static void bare_make(struct bare *b, const char *curve, size_t digest)
{
	EVP_PKEY_CTX *ctx;

	*b = (struct bare){ .key = EVP_EC_gen(curve), .n_digest = digest, .n_sig = sizeof b->sig };
	ctx = EVP_PKEY_CTX_new(b->key, NULL);
	memset(b->digest, 7, digest);
	if (EVP_PKEY_sign_init(ctx) != 1 ||
	    EVP_PKEY_sign(ctx, b->sig, &b->n_sig, b->digest, digest) != 1)
		abort();
	EVP_PKEY_CTX_free(ctx);
}

static void bare_verify(void *arg)
{
	struct bare *b = arg;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(b->key, NULL);

	if (EVP_PKEY_verify_init(ctx) != 1 ||
	    EVP_PKEY_verify(ctx, b->sig, b->n_sig, b->digest, b->n_digest) != 1)
		abort();
	EVP_PKEY_CTX_free(ctx);
}

struct whole {
	struct ctr_verifier vf;
	struct ctr_evidence ev;
};

static void whole_verify(void *arg)
{
	struct whole *w = arg;
	ctr_auto_verdict struct ctr_verdict v = { 0 };
	struct ctr_err e = { 0 };

	must(ctr_verify(&w->vf, &w->ev, &v, &e), &e);
	if (!v.accepted) {
		fprintf(stderr, "rejected: %s\n", ctr_checks_failed(&v.checks)->name);
		exit(1);
	}
}

/* Calls a second. */
static double rate(void (*fn)(void *), void *arg)
{
	double t0 = now(), t;
	unsigned n = 0;

	do {
		for (int i = 0; i < 20; i++)
			fn(arg);
		n += 20;
		t = now() - t0;
	} while (t < SECONDS);
	return n / t;
}

static void file(const char *dir, const char *name, struct ctr_buf *b)
{
	struct ctr_err e = { 0 };
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	must(ctr_file_read(path, 1 << 20, b, &e), &e);
}

static void root(const char *dir, const char *name, uint8_t spki[CTR_SHA256_SIZE])
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	ctr_auto_x509 X509 *c = NULL;
	struct ctr_err e = { 0 };

	file(dir, name, &b);
	must(ctr_x509_der(b.p, b.n, name, &c, &e), &e);
	must(ctr_x509_spki(c, spki, &e), &e);
}

static void prepare(struct whole *w, const char *dir, const char *root_name,
		    struct ctr_appraisal *a, uint8_t *spki)
{
	ctr_auto_platform struct ctr_platform *p = NULL;
	struct ctr_collateral_opts from = { .dir = dir, .offline = true };
	const uint8_t data[64] = { 1 };
	struct ctr_err e = { 0 };
	char spec[4096];

	root(dir, root_name, spki);
	*w = (struct whole){
		.vf = { .opts = { .at = time(NULL), .crl = CTR_CRL_REQUIRED, .test_root = spki },
			.appraisal = a,
			.any_guest = true }
	};
	must(ctr_snp_cache_new(&w->vf.snp, &e), &e);
	must(ctr_tdx_cache_new(&w->vf.tdx, &e), &e);
	snprintf(spec, sizeof spec, "sim:%s", dir);
	must(ctr_platform_open(spec, NULL, &p, &e), &e);
	must(ctr_platform_issue(p, data, &w->ev, &e), &e);
	must(ctr_endorse(&from, &w->vf.opts, &w->ev, &e), &e);
}

/* In turns, so that a machine that slows down slows both; the best of each. */
static void measure(const char *what, struct whole *w, struct bare *b, double per, double bound)
{
	double ours = 0, theirs = 0, r;

	for (int i = 0; i < ROUNDS; i++) {
		r = rate(whole_verify, w);
		ours = r > ours ? r : ours;
		r = rate(bare_verify, b) / per;
		theirs = r > theirs ? r : theirs;
	}
	printf("%s: %.0f/s a core, ratio %.2f (bound: %.1f of %.0f/s, %g bare signature checks)\n",
	       what, ours, ours / theirs, bound, theirs, per);
}

int main(void)
{
	const char *dir = getenv("SIM"); /* chains that scripts/bench had made */
	uint8_t amd[CTR_SHA256_SIZE], intel[CTR_SHA256_SIZE];
	struct ctr_appraisal a;
	struct whole snp, tdx;
	struct bare p384, p256;
	char path[4096];

	if (!dir)
		return 1;
	ctr_appraisal_init(&a);
	snprintf(path, sizeof path, "%s/snp", dir);
	prepare(&snp, path, "ark.der", &a, amd);
	snprintf(path, sizeof path, "%s/tdx", dir);
	prepare(&tdx, path, "root.der", &a, intel);
	bare_make(&p384, "P-384", 48);
	bare_make(&p256, "P-256", 32);
	measure("snp verification", &snp, &p384, 1, 0.9);
	measure("tdx verification", &tdx, &p256, 5, 0.8);
	return 0;
}
