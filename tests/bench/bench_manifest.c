/* A manifest of 100,000 policies: loading and look-up; and packing the policies of as many pods. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "enc.h"
#include "initdata.h"
#include "manifest.h"

#define MANY 100000
#define FEW 1000
#define LOOKUPS 1000000
#define PACKS 2000
#define RULES 10000 /* bytes of a policy that all pods have */
#define DATA 4000   /* bytes that are a pod's own */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(int rc, const struct ctr_err *e)
{
	if (rc == 0)
		return;
	fprintf(stderr, "%s\n", e->msg);
	exit(1);
}

static void hash_of(unsigned i, uint8_t *hash)
{
	struct ctr_err e = { 0 };

	must(ctr_hash(CTR_SHA256, &i, sizeof i, hash, &e), &e);
}

static void text_of(unsigned n, struct ctr_buf *b)
{
	ctr_buf_adds(b, "{\"Policies\":{");
	for (unsigned i = 0; i < n; i++) {
		uint8_t hash[CTR_SHA256_SIZE];

		hash_of(i, hash);
		ctr_buf_adds(b, i ? ",\"" : "\"");
		ctr_hex_add(b, hash, sizeof hash);
		ctr_buf_addf(b, "\":{\"SANs\":[\"web-%u\",\"*\"],\"WorkloadSecretID\":\"apps/v1/Deployment/shop/web-%u\"}",
			     i, i);
	}
	ctr_buf_adds(b, "}}");
}

static double load(unsigned n, struct ctr_manifest *m, double *bare)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	ctr_auto_json struct ctr_json *j = NULL;
	struct ctr_err e = { 0 };
	double t0, t1;

	text_of(n, &b);
	t0 = now();
	must(ctr_json_parse("bench", b.p, b.n, &j, &e), &e);
	t1 = now();
	*bare = t1 - t0;
	must(ctr_manifest_parse("bench", b.p, b.n, m, &e), &e);
	return now() - t1;
}

static double lookup(const struct ctr_manifest *m, unsigned n)
{
	uint8_t(*hash)[CTR_SHA256_SIZE] = calloc(n, sizeof *hash);
	double t0;

	if (!hash)
		exit(1);
	for (unsigned i = 0; i < n; i++)
		hash_of(i, hash[i]);
	t0 = now();
	for (unsigned i = 0; i < LOOKUPS; i++) {
		if (!ctr_manifest_find(m, hash[i % n]))
			exit(1);
	}
	t0 = (now() - t0) / LOOKUPS;
	free(hash);
	return t0;
}

static void policies(void)
{
	ctr_auto_buf struct ctr_buf text = { 0 };
	ctr_auto_packer struct ctr_initdata_packer *p = NULL;
	struct ctr_err e = { 0 };
	uint8_t digest[CTR_SHA256_SIZE];
	double t[3];

	for (unsigned i = 1; text.n < RULES + DATA; i = i * 1664525 + 1013904223)
		ctr_buf_addf(&text, "rule_%u { input.a[%u] == \"%08x\" }\n", i >> 28, i >> 20 & 7, i & 0xff0f);
	must(ctr_initdata_packer_new(text.p, RULES, &p, &e), &e);
	t[0] = now();
	for (int i = 0; i < PACKS; i++) {
		ctr_auto_buf struct ctr_buf b = { 0 };

		must(ctr_initdata_packer_pack(p, text.p + RULES, DATA, &b, digest, &e), &e);
	}
	t[1] = now();
	for (int i = 0; i < PACKS; i++) {
		ctr_auto_buf struct ctr_buf toml = { 0 }, b = { 0 };

		must(ctr_initdata_build(text.p, RULES + DATA, &toml, &e), &e);
		must(ctr_initdata_pack(toml.p, toml.n, &b, &e), &e);
	}
	t[2] = now();
	printf("policy packing: %.0f/s, ratio %.2f to compressing each whole (bound: 2000/s)\n",
	       PACKS / (t[1] - t[0]), (t[2] - t[1]) / (t[1] - t[0]));
}

int main(void)
{
	ctr_auto_manifest struct ctr_manifest many = { 0 }, few = { 0 };
	double bare, unused, t = load(MANY, &many, &bare), slow, fast;

	printf("manifest load: %.3f s for %d policies, ratio %.2f to reading the JSON alone (bound: 1 s)\n", t,
	       MANY, t / bare);
	load(FEW, &few, &unused);
	fast = lookup(&few, FEW);
	slow = lookup(&many, MANY);
	printf("policy look-up: %.0f ns of %d, ratio %.2f to %d (bound: 10, for the caches)\n", slow * 1e9, MANY,
	       slow / fast, FEW);
	policies();
	return 0;
}
