#include "appraisal.h"

#include <unistd.h>

#include "enc.h"
#include "file.h"
#include "t.h"

/* As a file would be read; *e as of ctr_appraisal_load. */
static int load(const char *json, struct ctr_appraisal *a, struct ctr_err *e)
{
	char path[] = "/tmp/ctr-appraisal-XXXXXX";
	int fd = mkstemp(path), rc;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, json, strlen(json)), strlen(json));
	close(fd);
	ctr_appraisal_init(a);
	rc = ctr_appraisal_load(path, a, e);
	unlink(path);
	return rc;
}

static struct ctr_appraisal loaded(const char *json)
{
	struct ctr_appraisal a;

	T_OK(load(json, &a, e));
	return a;
}

static void defaults(void **state)
{
	struct ctr_appraisal a = loaded("{}");

	(void)state;
	assert_false(a.snp.allow_debug || a.snp.allow_migration_agent || a.snp.permit_provisional ||
		     a.tdx.allow_debug);
	assert_true(a.tdx.allow_migratable);
	assert_int_equal(a.tdx.accept_status, 1u << CTR_TCB_UP_TO_DATE);
	assert_int_equal(a.snp.vmpl, -1);
	assert_int_equal(a.snp.min_tcb[CTR_TCB_SNP], CTR_MIN_NONE);
	assert_false(ctr_appraisal_pins(&a, CTR_TEE_SNP) || ctr_appraisal_pins(&a, CTR_TEE_TDX));
	ctr_appraisal_free(&a);
}

/* Every member that holds bytes: of its length and no other, where it belongs. */
static void values(void **state)
{
	static const struct {
		const char *name;
		size_t n;
		int snp, tdx; /* which value; -1: none */
	} rows[] = {
		{ "report_data", 64, CTR_SNP_REPORT_DATA, -1 },
		{ "measurement", 48, CTR_SNP_MEASUREMENT, -1 },
		{ "host_data", 32, CTR_SNP_HOST_DATA, -1 },
		{ "id_key_digest", 48, CTR_SNP_ID_KEY_DIGEST, -1 },
		{ "author_key_digest", 48, CTR_SNP_AUTHOR_KEY_DIGEST, -1 },
		{ "family_id", 16, CTR_SNP_FAMILY_ID, -1 },
		{ "image_id", 16, CTR_SNP_IMAGE_ID, -1 },
		{ "report_id", 32, CTR_SNP_REPORT_ID, -1 },
		{ "report_id_ma", 32, CTR_SNP_REPORT_ID_MA, -1 },
		{ "chip_id", 64, CTR_SNP_CHIP_ID, -1 },
		{ "reportdata", 64, -1, CTR_TDX_REPORTDATA },
		{ "mrtd", 48, -1, CTR_TDX_MRTD },
		{ "rtmr0", 48, -1, CTR_TDX_RTMR0 },
		{ "rtmr1", 48, -1, CTR_TDX_RTMR1 },
		{ "rtmr2", 48, -1, CTR_TDX_RTMR2 },
		{ "rtmr3", 48, -1, CTR_TDX_RTMR3 },
		{ "mrseam", 48, -1, CTR_TDX_MRSEAM },
		{ "mrsignerseam", 48, -1, CTR_TDX_MRSIGNERSEAM },
		{ "mrconfigid", 48, -1, CTR_TDX_MRCONFIGID },
		{ "mrowner", 48, -1, CTR_TDX_MROWNER },
		{ "mrownerconfig", 48, -1, CTR_TDX_MROWNERCONFIG },
		{ "tdattr", 8, -1, CTR_TDX_TDATTR },
		{ "xfam", 8, -1, CTR_TDX_XFAM },
	};

	(void)state;
	assert_int_equal(sizeof rows / sizeof *rows, (size_t)CTR_SNP_VALUES + CTR_TDX_VALUES);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		for (int off = -1; off <= 1; off++) {
			size_t n = rows[i].n + (size_t)off;
			ctr_auto_buf struct ctr_buf b = { 0 };
			struct ctr_appraisal a;
			const struct ctr_want *w;

			ctr_buf_addf(&b, "{\"expect_%s\": \"%0*d07\"}", rows[i].name,
				     (int)(2 * n) - 2, 0);
			if (off) {
				T_FAILS(load(b.p, &a, e), CTR_FORMAT, "json.hex");
				ctr_appraisal_free(&a);
				continue;
			}
			a = loaded(b.p);
			w = rows[i].snp >= 0 ? &a.snp.expect[rows[i].snp]
					     : &a.tdx.expect[rows[i].tdx];
			assert_int_equal(w->what, CTR_WANT_EQUAL);
			assert_int_equal(w->v[n - 1], 7);
			assert_int_equal(ctr_appraisal_pins(&a, CTR_TEE_SNP),
					 rows[i].snp == CTR_SNP_MEASUREMENT);
			assert_int_equal(ctr_appraisal_pins(&a, CTR_TEE_TDX),
					 rows[i].tdx == CTR_TDX_MRTD);
			ctr_appraisal_free(&a);
		}
	}
}

static void snp_members(void **state)
{
	struct ctr_appraisal a =
		loaded("{\"allow_debug\": true, \"allow_migration_agent\": true, "
		       "\"permit_provisional\": true, \"vmpl\": 3,"
		       "\"min_tcb\": {\"bl\": 1, \"tee\": 2, \"snp\": 3, \"ucode\": 4, \"fmc\": "
		       "5}, \"min_launch_tcb\": {\"ucode\": 255},"
		       "\"min_guest_svn\": 4294967295, \"min_version\": \"1.55\", \"min_build\": "
		       "255, \"min_policy_abi\": \"255.0\","
		       "\"allow_smt\": false, \"policy_require\": \"0x100000\", "
		       "\"platform_require\": 5, \"platform_forbid\": \"0xFFFFFFFFFFFFFFF0\","
		       "\"require_launch_mit\": 1, \"require_current_mit\": \"0x2\", "
		       "\"require_id_block\": true, \"require_author_key\": true}");
	const struct ctr_snp_policy *p = &a.snp;

	(void)state;
	assert_true(p->allow_debug && a.tdx.allow_debug && p->allow_migration_agent &&
		    p->permit_provisional);
	assert_int_equal(p->vmpl, 3);
	for (int i = 0; i < CTR_TCB_N; i++)
		assert_int_equal(p->min_tcb[i], i + 1);
	assert_int_equal(p->min_launch_tcb[CTR_TCB_MICROCODE], 255);
	assert_int_equal(p->min_launch_tcb[CTR_TCB_SNP], CTR_MIN_NONE);
	assert_int_equal(p->min_guest_svn, UINT32_MAX);
	assert_int_equal(p->min_major << 16 | p->min_minor << 8 | p->min_build,
			 1 << 16 | 55 << 8 | 255);
	assert_int_equal(p->abi_major << 8 | p->abi_minor, 255 << 8);
	assert_int_equal(p->policy_forbid, CTR_SNP_POLICY_SMT);
	assert_int_equal(p->policy_require, 0x100000);
	assert_int_equal(p->platform_require, 5);
	assert_true(p->platform_forbid == UINT64_C(0xfffffffffffffff0));
	assert_int_equal(p->launch_mit, 1);
	assert_int_equal(p->current_mit, 2);
	assert_true(p->require_id_block && p->require_author_key);
	ctr_appraisal_free(&a);
	a = loaded("{\"allow_smt\": true}");
	assert_int_equal(a.snp.policy_forbid, 0);
	ctr_appraisal_free(&a);
}

static void tdx_members(void **state)
{
	struct ctr_appraisal a =
		loaded("{\"accept_status\": [\"SWHardeningNeeded\", \"OutOfDate\"], "
		       "\"refuse_advisories\": [\"A\", \"B\"],"
		       "\"min_tcb_eval\": 17, \"min_tee_tcb_svn\": "
		       "\"000102030405060708090a0b0c0d0e0f\", \"allow_migratable\": false,"
		       "\"require_sept_ve_disable\": true, \"refuse_service_td\": true, "
		       "\"require_memory_integrity\": true,"
		       "\"require_smt_disabled\": true, \"require_static_platform\": true}");
	const struct ctr_tdx_policy *p = &a.tdx;

	(void)state;
	assert_int_equal(p->accept_status, 1u << CTR_TCB_SW_HARDENING | 1u << CTR_TCB_OUT_OF_DATE);
	assert_int_equal(p->n_refuse_advisories, 2);
	T_STR(p->refuse_advisories[1], "B");
	assert_int_equal(p->min_tcb_eval, 17);
	assert_int_equal(p->min_tee_tcb_svn[15], 15);
	assert_true(!p->allow_migratable && p->require_sept_ve_disable && p->refuse_service_td);
	assert_true(p->memory_integrity && p->smt_disabled && p->static_platform);
	ctr_appraisal_free(&a);
}

static void key_lists(void **state)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct ctr_appraisal a;

	(void)state;
	ctr_buf_addf(&b,
		     "{\"trusted_id_keys\": [\"%096d\", \"%096d\"], \"trusted_author_keys\": "
		     "[\"%096d\"]}",
		     1, 2, 3);
	a = loaded(b.p);
	assert_int_equal(a.snp.id_keys.n, 2);
	assert_int_equal(a.snp.id_keys.v[1][47], 2);
	assert_int_equal(a.snp.author_keys.n, 1);
	assert_true(
		ctr_appraisal_pins(&a, CTR_TEE_SNP)); /* who signs the launch says which guest */
	ctr_appraisal_free(&a);
}

static void refusals(void **state)
{
	static const struct {
		const char *json, *id;
	} rows[] = {
		{ "[]", "json.type" },
		{ "{\"expect_measurment\": \"00\"}", "json.unknown" },
		{ "{\"vmpl\": 0, \"vmpl\": 1}", "json.duplicate" },
		{ "{\"vmpl\": 4}", "json.range" },
		{ "{\"vmpl\": -1}", "json.range" },
		{ "{\"vmpl\": \"0\"}", "json.type" },
		{ "{\"allow_debug\": 1}", "json.type" },
		{ "{\"allow_debug\": null}", "json.type" },
		{ "{\"allow_smt\": \"no\"}", "json.type" },
		{ "{\"expect_measurement\": null}", "json.type" },
		{ "{\"min_tcb\": {\"spl4\": 1}}", "json.unknown" },
		{ "{\"min_tcb\": {\"snp\": 256}}", "json.range" },
		{ "{\"min_tcb\": []}", "json.type" },
		{ "{\"min_launch_tcb\": {\"snp\": \"1\"}}", "json.type" },
		{ "{\"min_guest_svn\": 4294967296}", "json.range" },
		{ "{\"min_tcb_eval\": 1.5}", "json.range" },
		{ "{\"min_build\": 256}", "json.range" },
		{ "{\"min_version\": \"1\"}", "appraisal.value" },
		{ "{\"min_version\": \"1.\"}", "appraisal.value" },
		{ "{\"min_version\": \"1.2.3\"}", "appraisal.value" },
		{ "{\"min_version\": \"1.256\"}", "appraisal.value" },
		{ "{\"min_version\": \"-1.2\"}", "appraisal.value" },
		{ "{\"min_version\": \" 1.2\"}", "appraisal.value" },
		{ "{\"min_policy_abi\": 1.2}", "json.type" },
		{ "{\"policy_require\": \"20\"}", "appraisal.value" },
		{ "{\"policy_require\": \"0x\"}", "appraisal.value" },
		{ "{\"policy_require\": \"0xg\"}", "appraisal.value" },
		{ "{\"policy_require\": \"0x00000000000000001\"}", "appraisal.value" },
		{ "{\"platform_require\": -1}", "json.range" },
		{ "{\"platform_forbid\": true}", "json.type" },
		{ "{\"trusted_id_keys\": []}", "appraisal.value" },
		{ "{\"trusted_id_keys\": [\"00\"]}", "json.hex" },
		{ "{\"trusted_author_keys\": \"00\"}", "json.type" },
		{ "{\"accept_status\": [\"Revoked\"]}", "appraisal.value" },
		{ "{\"accept_status\": [\"NotSupported\"]}", "appraisal.value" },
		{ "{\"accept_status\": [\"uptodate\"]}", "appraisal.value" },
		{ "{\"accept_status\": [\"\"]}", "appraisal.value" },
		{ "{\"accept_status\": \"UpToDate\"}", "json.type" },
		{ "{\"refuse_advisories\": [1]}", "json.type" },
		{ "{\"min_tee_tcb_svn\": \"00\"}", "json.hex" },
	};
	struct ctr_appraisal a;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ctr_err e = { 0 };

		if (load(rows[i].json, &a, &e) == 0)
			fail_msg("%s: accepted", rows[i].json);
		if (e.code != CTR_FORMAT || strcmp(e.id, rows[i].id) != 0)
			fail_msg("%s: %s", rows[i].json, e.id);
		ctr_appraisal_free(&a);
	}
	ctr_appraisal_init(&a);
	T_FAILS(ctr_appraisal_load("/nonexistent", &a, e), CTR_ENV, "open");
}

/* A set that leaves nothing open: measurement 11…, TCB 4 0 24 219. */
static struct ctr_snp_ref set(void)
{
	struct ctr_snp_ref r = { .product = CTR_MILAN,
				 .tcb = { 4, 0, 24, 219, -1 },
				 .measurement = { .known = true },
				 .policy = { true, CTR_SNP_POLICY_SMT | 0x137 },
				 .platform_info = { true, 0x24 } };

	memset(r.measurement.v, 0x11, 48);
	return r;
}

static void a_set_as_a_policy(void **state)
{
	struct ctr_appraisal base = loaded(
				     "{\"min_tcb\": {\"bl\": 7, \"snp\": 3}, \"min_launch_tcb\": "
				     "{\"snp\": 9}, \"platform_require\": 2,"
				     "\"allow_debug\": true, \"allow_migration_agent\": true, "
				     "\"require_launch_mit\": 4}"),
			     a;
	struct ctr_snp_ref r = set();

	(void)state;
	r.mitigation = 3;
	T_OK(ctr_appraisal_snp_ref(&base, &r, &a, e));
	assert_true(a.snp.has_product && a.snp.product == CTR_MILAN && a.snp.vmpl == 0);
	assert_int_equal(a.snp.expect[CTR_SNP_MEASUREMENT].what, CTR_WANT_EQUAL);
	T_MEM(a.snp.expect[CTR_SNP_MEASUREMENT].v, r.measurement.v, 48);
	/* of two minima the greater one */
	assert_int_equal(a.snp.min_tcb[CTR_TCB_BOOTLOADER], 7);
	assert_int_equal(a.snp.min_tcb[CTR_TCB_SNP], 24);
	assert_int_equal(a.snp.min_tcb[CTR_TCB_FMC], CTR_MIN_NONE); /* Milan has none */
	assert_int_equal(a.snp.min_launch_tcb[CTR_TCB_SNP], 9);
	/* what protects must be there, what permits must not; both demands hold */
	assert_int_equal(a.snp.platform_require, 2 | 0x24);
	assert_int_equal(a.snp.platform_forbid, 0x83);
	assert_int_equal(a.snp.policy_forbid, 1 << 21);
	assert_int_equal(a.snp.abi_major << 8 | a.snp.abi_minor, 0x137);
	assert_int_equal(a.snp.launch_mit, 7);
	assert_int_equal(a.snp.current_mit, 3);
	/* only the manifest's own words allow these */
	assert_false(a.snp.allow_debug || a.snp.allow_migration_agent);
	ctr_appraisal_free(&a);
	r.policy.v |= CTR_SNP_POLICY_DEBUG | CTR_SNP_POLICY_MIGRATE_MA;
	T_OK(ctr_appraisal_snp_ref(&base, &r, &a, e));
	assert_true(a.snp.allow_debug && a.snp.allow_migration_agent);
	ctr_appraisal_free(&a);
	ctr_appraisal_free(&base);
}

/* null is unknown, and unknown matches nothing: not even together with somebody who knows. */
static void unknown_never_matches(void **state)
{
	struct ctr_appraisal base = loaded("{\"min_tcb\": {\"snp\": 24}, \"allow_debug\": true, "
					   "\"policy_require\": 1}"),
			     a;
	struct ctr_snp_ref r = set();

	(void)state;
	r.measurement.known = r.policy.known = r.platform_info.known = false;
	r.tcb[CTR_TCB_SNP] = -1;
	T_OK(ctr_appraisal_snp_ref(&base, &r, &a, e));
	assert_int_equal(a.snp.expect[CTR_SNP_MEASUREMENT].what, CTR_WANT_UNKNOWN);
	assert_int_equal(a.snp.min_tcb[CTR_TCB_SNP], CTR_MIN_UNKNOWN);
	assert_true(a.snp.policy_unknown && a.snp.platform_unknown);
	assert_false(a.snp.allow_debug);
	ctr_appraisal_free(&a);
	/* a base that wants another measurement makes the set impossible */
	base.snp.expect[CTR_SNP_MEASUREMENT].what = CTR_WANT_EQUAL;
	r = set();
	T_OK(ctr_appraisal_snp_ref(&base, &r, &a, e));
	assert_int_equal(a.snp.expect[CTR_SNP_MEASUREMENT].what, CTR_WANT_UNKNOWN);
	ctr_appraisal_free(&a);
	ctr_appraisal_free(&base);
}

static void a_set_of_tdx(void **state)
{
	struct ctr_appraisal base = loaded("{\"allow_debug\": true, \"allow_migratable\": true, "
					   "\"min_tcb_eval\": 5, \"refuse_advisories\": [\"A\"]}"),
			     a;
	uint8_t piid[1][16] = { { 7 } };
	struct ctr_tdx_ref r = {
		.mrtd = { .known = true, .v = { 1 } },
		.mrseam = { .known = true },
		.xfam = { .known = true },
		.rtmr = { { .known = true }, { .known = true }, { .known = true, .v = { 2 } } },
		.piids = piid,
		.n_piids = 1,
		.smt_disabled = true,
		.min_tcb_eval = 18
	};

	(void)state;
	T_OK(ctr_appraisal_tdx_ref(&base, &r, &a, e));
	assert_false(a.tdx.allow_debug || a.tdx.allow_migratable);
	assert_true(a.tdx.refuse_service_td && a.tdx.smt_disabled && !a.tdx.static_platform &&
		    !a.tdx.memory_integrity);
	assert_int_equal(a.tdx.min_tcb_eval, 18);
	assert_int_equal(a.tdx.expect[CTR_TDX_MRTD].v[0], 1);
	assert_int_equal(a.tdx.expect[CTR_TDX_RTMR2].v[0], 2);
	assert_int_equal(a.tdx.expect[CTR_TDX_RTMR3].what, CTR_WANT_UNKNOWN);
	assert_int_equal(a.tdx.n_piids, 1);
	assert_int_equal(a.tdx.piids[0][0], 7);
	assert_ptr_not_equal(a.tdx.refuse_advisories[0], base.tdx.refuse_advisories[0]);
	T_STR(a.tdx.refuse_advisories[0], "A");
	ctr_appraisal_free(&a);
	base.tdx.min_tcb_eval = 20;
	T_OK(ctr_appraisal_tdx_ref(&base, &r, &a, e));
	assert_int_equal(a.tdx.min_tcb_eval, 20);
	ctr_appraisal_free(&a);
	ctr_appraisal_free(&base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),	     cmocka_unit_test(values),
		cmocka_unit_test(snp_members),	     cmocka_unit_test(tdx_members),
		cmocka_unit_test(key_lists),	     cmocka_unit_test(refusals),
		cmocka_unit_test(a_set_as_a_policy), cmocka_unit_test(unknown_never_matches),
		cmocka_unit_test(a_set_of_tdx),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
