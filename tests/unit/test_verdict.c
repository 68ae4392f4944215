/* needs: tests/sim/lib/pki.c tests/sim/lib/chain_snp.c tests/sim/lib/chain_tdx.c */
#include "verdict.h"

#include <ftw.h>
#include <unistd.h>

#include "file.h"
#include "sim.h"
#include "t.h"
#include "tests/sim/lib/chain.h"
#include "x509.h"

/* Machines of both kinds, and a question that both answer well. */
static char top[] = "/tmp/ctr-verdict-XXXXXX";
static const char *const names[2] = { "snp", "tdx" }, *const roots[2] = { "ark.der", "root.der" };
static uint8_t root[2][CTR_SHA256_SIZE];
static time_t now;

static void path_of(char b[64], enum ctr_tee tee, const char *name)
{
	snprintf(b, 64, "%s/%s/%s", top, names[tee], name);
}

static int make_chains(void **state)
{
	static char dir[2][64], keys[512];
	const char *build = getenv("BUILD");

	(void)state;
	if (!mkdtemp(top))
		return -1;
	snprintf(keys, sizeof keys, "%s/sim/keys", build ? build : "build");
	now = time(NULL);
	for (int tee = 0; tee < 2; tee++) {
		struct chain_opts o = { .product = "Milan",
					.csp_id = "",
					.fmspc = "90c06f000000",
					.pceid = "0000",
					.eval = 18,
					.status = "UpToDate",
					.module_status = "UpToDate",
					.qe_status = "UpToDate" };
		ctr_auto_x509 X509 *c = NULL;
		ctr_auto_buf struct ctr_buf b = { 0 };
		char path[64];

		path_of(dir[tee], tee, "");
		o.dir = dir[tee];
		o.keys = tee == CTR_TEE_SNP ? keys : dir[tee];
		o.from = o.crl_from = o.info_from = now - 86400;
		o.until = o.crl_until = o.info_until = now + 30 * 86400;
		(tee == CTR_TEE_SNP ? chain_snp : chain_tdx)(&o);
		path_of(path, tee, roots[tee]);
		b = t_file(path);
		T_OK(ctr_x509_der(b.p, b.n, path, &c, e));
		T_OK(ctr_x509_spki(c, root[tee], e));
	}
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

static int remove_chains(void **state)
{
	(void)state;
	return nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct ctr_evidence mint(enum ctr_tee tee, const char *changes)
{
	static const uint8_t data[CTR_REPORT_DATA] = { 0x5a };
	static const struct {
		enum ctr_item item;
		const char *name;
	} files[2][7] = {
		{ { CTR_VCEK, "vcek.der" },
		  { CTR_ASK, "ask.der" },
		  { CTR_ARK, "ark.der" },
		  { CTR_CRL, "crl.der" } },
		{ { CTR_TCB_INFO, "tcb_info.json" },
		  { CTR_TCB_INFO_CHAIN, "tcb_info_chain.pem" },
		  { CTR_QE_IDENTITY, "qe_identity.json" },
		  { CTR_QE_IDENTITY_CHAIN, "qe_identity_chain.pem" },
		  { CTR_PCK_CRL, "pck_crl.der" },
		  { CTR_ROOT_CRL, "root_crl.der" } },
	};
	struct ctr_evidence ev = { .tee = tee };
	struct ctr_sim *s;
	char path[64];

	path_of(path, tee, "");
	T_OK(ctr_sim_open(path, changes, &s, e));
	T_OK(ctr_sim_mint(s, data, &ev.item[CTR_REPORT], e));
	ctr_sim_free(s);
	for (size_t i = 0; i < 7 && files[tee][i].name; i++) {
		path_of(path, tee, files[tee][i].name);
		ev.item[files[tee][i].item] = t_file(path);
	}
	return ev;
}

/* The measurement that the simulated machines have, or another. */
static struct ctr_manifest manifest(bool first_fits)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct ctr_manifest m = { 0 };

	ctr_buf_adds(&b, "{\"ReferenceValues\": {\"snp\": [");
	for (int i = 0; i < 2; i++) {
		ctr_buf_addf(&b, "%s{\"ProductName\": \"Milan\", \"TrustedMeasurement\": \"%s0c0de",
			     i ? "," : "", (i == 0) == first_fits ? "51a" : "000");
		for (int k = 0; k < 44; k++)
			ctr_buf_addf(&b, "%02x", k);
		ctr_buf_adds(&b, "\", \"MinimumTCB\": {\"BootloaderVersion\": 4, \"TEEVersion\": "
				 "0, \"SNPVersion\": 24, \"MicrocodeVersion\": 219},"
				 "\"GuestPolicy\": {\"SMT\": true}, \"PlatformInfo\": "
				 "{\"SMTEnabled\": true}}");
	}
	ctr_buf_addf(&b,
		     "]}, \"Policies\": {\"%064d\": {\"SANs\": [], \"Role\": \"coordinator\"}, "
		     "\"%064d\": {\"SANs\": []}}}",
		     7, 8);
	T_OK(ctr_manifest_parse("m", b.p, b.n, &m, e));
	return m;
}

/* Of the evidence and the question; *r is freed by the caller. */
static void ask(enum ctr_tee tee, const char *changes, struct ctr_verifier *vf,
		struct ctr_verdict *v, struct ctr_evidence *ev)
{
	*ev = mint(tee, changes);
	vf->opts = (struct ctr_verify_opts){ .at = now,
					     .crl = CTR_CRL_REQUIRED,
					     .test_root = root[tee] };
	T_OK(ctr_verify(vf, ev, v, e));
}

static void accepted_is_all_of_it(void **state)
{
	static const struct {
		enum ctr_tee tee;
		const char *changes;
		bool authenticated, accepted;
	} rows[] = {
		{ CTR_TEE_SNP, "", true, true },
		{ CTR_TEE_TDX, "", true, true },
		{ CTR_TEE_SNP, "policy=0xb0000", true, false },
		{ CTR_TEE_TDX, "tdattributes=0x10000001", true, false },
		{ CTR_TEE_SNP, "chip_id=07", false, false },
		{ CTR_TEE_TDX, "qe_report_data=07", false, false },
		{ CTR_TEE_SNP, "signer_info=0x1c", false, false },
		{ CTR_TEE_TDX, "qe_mrsigner=07", true, false },
	};
	struct ctr_appraisal a;

	(void)state;
	ctr_appraisal_init(&a);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ctr_verifier vf = { .appraisal = &a, .any_guest = true };
		ctr_auto_verdict struct ctr_verdict v = { 0 };
		ctr_auto_evidence struct ctr_evidence ev = { 0 };

		ask(rows[i].tee, rows[i].changes, &vf, &v, &ev);
		if (v.authenticated != rows[i].authenticated || v.accepted != rows[i].accepted)
			fail_msg("%s", rows[i].changes);
		assert_int_equal(v.accepted, ctr_checks_ok(&v.checks));
	}
	ctr_appraisal_free(&a);
}

/* Without a word on the guest nothing is accepted, unless that is what was asked. */
static void pins(void **state)
{
	struct ctr_appraisal a;

	(void)state;
	ctr_appraisal_init(&a);
	for (int tee = 0; tee < 2; tee++) {
		struct ctr_verifier vf = { .appraisal = &a };
		ctr_auto_verdict struct ctr_verdict v = { 0 };
		ctr_auto_evidence struct ctr_evidence ev = { 0 };

		ask(tee, "", &vf, &v, &ev);
		assert_true(v.authenticated && !v.accepted);
		assert_int_equal(v.checks.failed, 1);
		T_STR(ctr_checks_failed(&v.checks)->name, "appraisal.pins");
	}
	ctr_appraisal_free(&a);
}

static void sets(void **state)
{
	struct ctr_appraisal a;

	(void)state;
	ctr_appraisal_init(&a);
	for (int first = 0; first < 2; first++) {
		ctr_auto_manifest struct ctr_manifest m = manifest(first);
		struct ctr_verifier vf = { .appraisal = &a, .refs = &m };
		ctr_auto_verdict struct ctr_verdict v = { 0 }, no = { 0 }, other = { 0 };
		ctr_auto_evidence struct ctr_evidence ev = { 0 }, ev2 = { 0 }, ev3 = { 0 };

		ask(CTR_TEE_SNP, "", &vf, &v, &ev);
		assert_true(v.accepted);
		assert_int_equal(v.matched, first ? 1 : 2);
		/* what fits but is not genuine is not accepted */
		ask(CTR_TEE_SNP, "chip_id=07", &vf, &no, &ev2);
		assert_false(no.accepted || no.authenticated);
		/* and no set for a kind of machine permits none of that kind */
		ask(CTR_TEE_TDX, "", &vf, &other, &ev3);
		assert_false(other.accepted);
		assert_int_equal(other.matched, 0);
		T_STR(ctr_checks_failed(&other.checks)->name, "reference_values");
	}
	ctr_appraisal_free(&a);
}

static void policies(void **state)
{
	static const struct {
		const char *changes;
		enum ctr_role role;
		const char *failed; /* NULL: accepted */
	} rows[] = {
		{ "host_data=0000000000000000000000000000000000000000000000000000000000000007",
		  CTR_ROLE_NONE, NULL },
		{ "host_data=0000000000000000000000000000000000000000000000000000000000000007",
		  CTR_ROLE_COORDINATOR, NULL },
		{ "host_data=0000000000000000000000000000000000000000000000000000000000000008",
		  CTR_ROLE_NONE, NULL },
		{ "host_data=0000000000000000000000000000000000000000000000000000000000000008",
		  CTR_ROLE_COORDINATOR, "policy.role" },
		{ "host_data=0000000000000000000000000000000000000000000000000000000000000009",
		  CTR_ROLE_NONE, "policy.listed" },
		{ "", CTR_ROLE_NONE, "policy.listed" },
	};
	ctr_auto_manifest struct ctr_manifest m = manifest(true);
	struct ctr_appraisal a;

	(void)state;
	ctr_appraisal_init(&a);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ctr_verifier vf = {
			.appraisal = &a, .refs = &m, .policies = true, .role = rows[i].role
		};
		ctr_auto_verdict struct ctr_verdict v = { 0 };
		ctr_auto_evidence struct ctr_evidence ev = { 0 };

		ask(CTR_TEE_SNP, rows[i].changes, &vf, &v, &ev);
		assert_int_equal(v.accepted, rows[i].failed == NULL);
		if (rows[i].failed)
			T_STR(ctr_checks_failed(&v.checks)->name, rows[i].failed);
		else
			assert_int_equal(v.policy->hash[31], v.snp.report.host_data[31]);
		assert_ptr_equal(ctr_verdict_host_data(&v), v.snp.report.host_data);
	}
	ctr_appraisal_free(&a);
}

/* Each thing that the verdict stands on, with its end; the first of them is what expires. */
static void expiries(void **state)
{
	struct ctr_appraisal a;

	(void)state;
	ctr_appraisal_init(&a);
	for (int tee = 0; tee < 2; tee++) {
		struct ctr_verifier vf = { .appraisal = &a, .any_guest = true };
		ctr_auto_verdict struct ctr_verdict v = { 0 };
		ctr_auto_evidence struct ctr_evidence ev = { 0 };
		const struct ctr_expiry *x;
		size_t n;

		ask(tee, "", &vf, &v, &ev);
		x = ctr_verdict_expiries(&v, &n);
		assert_int_equal(n, tee == CTR_TEE_SNP ? 4 : 7);
		for (size_t i = 0; i < n; i++) {
			assert_non_null(x[i].item);
			assert_true(x[i].until >= v.expires);
		}
		assert_int_equal(v.expires, now + 30 * 86400);
	}
	ctr_appraisal_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepted_is_all_of_it),
		cmocka_unit_test(pins),
		cmocka_unit_test(sets),
		cmocka_unit_test(policies),
		cmocka_unit_test(expiries),
	};

	return cmocka_run_group_tests(tests, make_chains, remove_chains);
}
