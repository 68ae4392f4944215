/* needs: tests/sim/lib/pki.c tests/sim/lib/chain_snp.c */
/* Every byte of a report, and of what endorses it, counts: on minted ones, and on real ones. */
#include "snp_verify.h"

#include <unistd.h>

#include "file.h"
#include "sim.h"
#include "snp_chain.h"
#include "t.h"
#include "tests/sim/lib/chain.h"
#include "trust.h"
#include "x509.h"

static char dir[] = "/tmp/ctr-snp-XXXXXX";
static uint8_t root[CTR_SHA256_SIZE];
static time_t now;

/* The RSA keys are those that the Makefile made. */
static int make_chain(void **state)
{
	static char keys[512];
	const char *build = getenv("BUILD");
	struct chain_opts o = { .dir = dir, .keys = keys, .product = "Milan", .csp_id = "" };

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(keys, sizeof keys, "%s/sim/keys", build ? build : "build");
	now = time(NULL);
	o.from = o.crl_from = now - 86400;
	o.until = o.crl_until = now + 30 * 86400;
	chain_snp(&o);
	return 0;
}

static int remove_chain(void **state)
{
	static const char *const names[] = { "vcek.der",       "vcek.key", "ask.der", "ark.der",
					     "cert_chain.pem", "crl.der",  "snp.json" };
	char path[64];

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		unlink(path);
	}
	return rmdir(dir);
}

static void from_file(struct ctr_evidence *ev, enum ctr_item item, const char *base,
		      const char *name)
{
	char path[800];

	snprintf(path, sizeof path, "%s/%s", base, name);
	ev->item[item] = t_file(path);
}

/* Evidence with a report of these fields. */
static struct ctr_evidence mint(const char *changes)
{
	static const uint8_t data[CTR_REPORT_DATA] = { 0x5a };
	struct ctr_evidence ev = { .tee = CTR_TEE_SNP };
	ctr_auto_x509 X509 *ark = NULL;
	struct ctr_sim *s;

	T_OK(ctr_sim_open(dir, changes, &s, e));
	T_OK(ctr_sim_mint(s, data, &ev.item[CTR_REPORT], e));
	ctr_sim_free(s);
	from_file(&ev, CTR_VCEK, dir, "vcek.der");
	from_file(&ev, CTR_ASK, dir, "ask.der");
	from_file(&ev, CTR_ARK, dir, "ark.der");
	from_file(&ev, CTR_CRL, dir, "crl.der");
	T_OK(ctr_x509_der(ev.item[CTR_ARK].p, ev.item[CTR_ARK].n, "ARK", &ark, e));
	T_OK(ctr_x509_spki(ark, root, e));
	return ev;
}

static struct ctr_verify_opts opts(void)
{
	return (struct ctr_verify_opts){ .at = now, .crl = CTR_CRL_REQUIRED, .test_root = root };
}

/* Genuine, as far as this module says: false for rejected and for malformed. */
static bool genuine(const struct ctr_evidence *ev, const struct ctr_verify_opts *o,
		    struct ctr_snp_cache *cache)
{
	ctr_auto_checks struct ctr_checks cs = { 0 };
	struct ctr_snp_result r;
	struct ctr_err e = { 0 };

	if (ctr_snp_verify(ev, o, cache, &cs, &r, &e) < 0) {
		assert_int_equal(e.code, CTR_FORMAT);
		return false;
	}
	assert_int_equal(r.authenticated, ctr_checks_ok(&cs));
	return r.authenticated;
}

static void every_change(const struct ctr_buf *b, const struct ctr_evidence *ev,
			 const struct ctr_verify_opts *o, struct ctr_snp_cache *cache)
{
	static const char flips[] = { 1, (char)0xff };
	const char *valgrind = getenv("VALGRIND");
	size_t step = valgrind && *valgrind ? 37 : 1; /* all of them would take hours there */

	assert_true(genuine(ev, o, cache));
	for (size_t i = 0; i < b->n; i += step) {
		for (size_t k = 0; k < sizeof flips; k++) {
			b->p[i] ^= flips[k];
			if (genuine(ev, o, cache))
				fail_msg("byte %zu of %zu, 0x%02x: accepted", i, b->n,
					 (unsigned char)flips[k]);
			b->p[i] ^= flips[k];
		}
	}
	assert_true(genuine(ev, o, cache));
}

static void every_byte_of_a_report(void **state)
{
	static const char *const versions[] = {
		"version=2", "version=3", "version=5,launch_mit_vector=3,current_mit_vector=1"
	};
	struct ctr_snp_cache *cache;

	(void)state;
	T_OK(ctr_snp_cache_new(&cache, e));
	for (size_t i = 0; i < 3; i++) {
		ctr_auto_evidence struct ctr_evidence ev = mint(versions[i]);
		struct ctr_verify_opts o = opts();

		assert_int_equal(ev.item[CTR_REPORT].n, CTR_SNP_REPORT_SIZE);
		every_change(&ev.item[CTR_REPORT], &ev, &o, cache);
	}
	ctr_snp_cache_free(cache);
}

/* Certificates and list; without a cache, and with one, which must not take a changed one for the
 * one it knows. */
static void every_byte_of_an_endorsement(void **state)
{
	static const enum ctr_item items[] = { CTR_VCEK, CTR_ASK, CTR_ARK, CTR_CRL };
	struct ctr_snp_cache *cache;

	(void)state;
	T_OK(ctr_snp_cache_new(&cache, e));
	for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
		ctr_auto_evidence struct ctr_evidence ev = mint("");
		struct ctr_verify_opts o = opts();

		every_change(&ev.item[items[i]], &ev, &o, i % 2 ? cache : NULL);
	}
	ctr_snp_cache_free(cache);
}

/* Each length, from memory of exactly that length. */
static void every_length(void **state)
{
	static const enum ctr_item items[] = { CTR_REPORT, CTR_VCEK, CTR_ASK, CTR_ARK, CTR_CRL };
	static const char *const ids[] = { "snp.length", "x509.der", "x509.der", "x509.der",
					   "x509.crl" };
	struct ctr_verify_opts o = opts();

	(void)state;
	for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
		ctr_auto_evidence struct ctr_evidence ev = mint("");
		struct ctr_buf *b = &ev.item[items[i]], whole = *b;

		o.crl = CTR_CRL_REQUIRED;
		for (size_t n = 1; n <= whole.n + 1; n++) {
			ctr_auto_checks struct ctr_checks cs = { 0 };
			struct ctr_snp_result r;

			if (n == whole.n)
				continue;
			b->p = calloc(1, n);
			assert_non_null(b->p);
			b->n = n;
			memcpy(b->p, whole.p, n < whole.n ? n : whole.n);
			T_FAILS(ctr_snp_verify(&ev, &o, NULL, &cs, &r, e), CTR_FORMAT, ids[i]);
			free(b->p);
		}
		*b = whole;
	}
}

static void missing(void **state)
{
	ctr_auto_evidence struct ctr_evidence ev = mint("");
	struct ctr_verify_opts o = opts();
	ctr_auto_checks struct ctr_checks cs = { 0 };
	struct ctr_snp_result r;

	(void)state;
	ctr_buf_free(&ev.item[CTR_CRL]);
	T_FAILS(ctr_snp_verify(&ev, &o, NULL, &cs, &r, e), CTR_ENV, "collateral.missing");
	o.crl = CTR_CRL_IF_AVAILABLE;
	assert_true(genuine(&ev, &o, NULL));
	ctr_buf_free(&ev.item[CTR_VCEK]);
	T_FAILS(ctr_snp_verify(&ev, &o, NULL, &cs, &r, e), CTR_ENV, "collateral.missing");
}

/* What is known again is known with its times. */
static void cache_and_time(void **state)
{
	ctr_auto_evidence struct ctr_evidence ev = mint("");
	struct ctr_verify_opts o = opts();
	struct ctr_snp_cache *cache;

	(void)state;
	T_OK(ctr_snp_cache_new(&cache, e));
	for (int days = -2; days < 33; days++) {
		o.at = now + days * (time_t)86400;
		assert_int_equal(genuine(&ev, &o, cache), days >= -1 && days <= 30);
		assert_int_equal(genuine(&ev, &o, NULL), days >= -1 && days <= 30);
	}
	/* the last second counts in, the next one not */
	o.at = now + 30 * (time_t)86400;
	assert_true(genuine(&ev, &o, cache));
	o.at++;
	assert_false(genuine(&ev, &o, cache));
	/* another pin is another question, and so is another use of lists */
	o.at = now;
	root[0] ^= 1;
	assert_false(genuine(&ev, &o, cache));
	root[0] ^= 1;
	assert_true(genuine(&ev, &o, cache));
	o.test_root = NULL;
	assert_false(genuine(&ev, &o, cache));
	ctr_snp_cache_free(cache);
}

static void shipped(struct ctr_evidence *ev, enum ctr_item item, enum ctr_snp_product p,
		    enum ctr_amd_ca kind)
{
	struct ctr_rd r = ctr_trust_amd(p, kind);

	ctr_buf_add(&ev->item[item], r.p, r.left);
}

/* Reports from hardware, with the shipped ASK and ARK, as of the day on which the leaf was made. */
static void every_byte_of_real_reports(void **state)
{
	static const char *const names[] = { "milan-v2-a",    "milan-v2-azure", "milan-v3-a",
					     "milan-v3-vlek", "genoa-v3-a",	"turin-v5-a" };
	const char *base = t_shared("attestation/vectors/snp/real");
	struct ctr_snp_cache *cache;

	(void)state;
	T_OK(ctr_snp_cache_new(&cache, e));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		enum ctr_item leaf = strstr(names[i], "vlek") ? CTR_VLEK : CTR_VCEK;
		enum ctr_snp_product p = *names[i] == 'm'   ? CTR_MILAN
					 : *names[i] == 'g' ? CTR_GENOA
							    : CTR_TURIN;
		struct ctr_verify_opts o = { .crl = CTR_CRL_IF_AVAILABLE };
		ctr_auto_evidence struct ctr_evidence ev = { .tee = CTR_TEE_SNP };
		ctr_auto_x509 X509 *c = NULL;
		time_t until;
		char path[600];

		snprintf(path, sizeof path, "%s/%s", base, names[i]);
		from_file(&ev, CTR_REPORT, path, "report.bin");
		from_file(&ev, leaf, path, "vek.der");
		T_OK(ctr_x509_der(ev.item[leaf].p, ev.item[leaf].n, "leaf", &c, e));
		assert_true(ctr_x509_window(c, &o.at, &until));
		every_change(&ev.item[CTR_REPORT], &ev, &o, cache);
		shipped(&ev, CTR_ASK, p, leaf == CTR_VLEK ? CTR_AMD_ASVK : CTR_AMD_ASK);
		shipped(&ev, CTR_ARK, p, CTR_AMD_ARK);
		if (leaf == CTR_VLEK || p == CTR_TURIN)
			every_change(&ev.item[leaf], &ev, &o, NULL);
	}
	ctr_snp_cache_free(cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_of_a_report),
		cmocka_unit_test(every_byte_of_an_endorsement),
		cmocka_unit_test(every_length),
		cmocka_unit_test(missing),
		cmocka_unit_test(cache_and_time),
		cmocka_unit_test(every_byte_of_real_reports),
	};

	return cmocka_run_group_tests(tests, make_chain, remove_chain);
}
