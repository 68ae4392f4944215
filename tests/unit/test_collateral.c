#include "t.h"

#include <sys/stat.h>
#include <unistd.h>

#include "ask.h"
#include "collateral.h"
#include "collateral_cache.h"
#include "file.h"
#include "json.h"

#define auto_ev ctr_auto_evidence struct ctr_evidence

static const uint8_t chip[64] = { 0x59, 0x79, [7] = 0xc1 };
static const struct ctr_snp_svn tcb = { { 4, 0, 24, 219, 7 } };

static void kds(void **state)
{
	static const uint8_t zero[64], full[64] = { [63] = 0xab };
	struct ctr_ask a;

	(void)state;
	T_OK(ctr_kds_vcek("http://h", CTR_TURIN, chip, &tcb, &a, e));
	T_STR(a.url, "http://h/vcek/v1/Turin/59790000000000c1?"
		     "fmcSPL=07&blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219");
	T_STR(a.v[0].name, "vcek-Turin-59790000000000c1-fmc07-bl04-tee00-snp24-ucode219.der");
	T_OK(ctr_kds_vcek("http://h", CTR_GENOA, full, &tcb, &a, e));
	assert_non_null(strstr(a.url, "0000ab?blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219"));
	T_OK(ctr_kds_vcek("http://h", CTR_MILAN, zero, &tcb, &a, e));
	T_STR(a.url, "");
	T_STR(a.why_id, "collateral.chip-id");
	T_OK(ctr_kds_vlek(CTR_MILAN, &tcb, &a, e));
	T_STR(a.url, "");
	T_STR(a.v[0].name, "vlek-Milan-bl04-tee00-snp24-ucode219.der");
	T_OK(ctr_kds_chain("http://h", CTR_MILAN, true, &a, e));
	T_STR(a.url, "http://h/vlek/v1/Milan/cert_chain");
	T_STR(a.v[0].name, "asvk-Milan.der");
	T_STR(a.v[1].name, "ark-Milan.der");
	T_OK(ctr_kds_crl("http://h", CTR_GENOA, false, &a, e));
	T_STR(a.url, "http://h/vcek/v1/Genoa/crl");
	T_STR(a.v[0].name, "crl-vcek-Genoa.der");
}

static void pcs(void **state)
{
	static const uint8_t fmspc[6] = { 0x90, 0xc0, 0x6f };
	struct ctr_ask a;

	(void)state;
	T_OK(ctr_pcs_tcb_info(CTR_PCS_URL, fmspc, &a, e));
	T_STR(a.url, CTR_PCS_URL "/tdx/certification/v4/tcb?fmspc=90c06f000000");
	T_STR(a.v[0].name, "tcb_info-90c06f000000.json");
	T_STR(a.v[1].name, "tcb_info_chain-90c06f000000.pem");
	T_OK(ctr_pcs_qe_identity(CTR_PCS_URL, &a, e));
	T_STR(a.url, CTR_PCS_URL "/tdx/certification/v4/qe/identity");
	T_OK(ctr_pcs_pck_crl(CTR_PCS_URL, true, &a, e));
	T_STR(a.url, CTR_PCS_URL "/sgx/certification/v4/pckcrl?ca=processor&encoding=der");
	T_STR(a.v[0].name, "pck_crl-processor.der");
	T_OK(ctr_pcs_root_crl(CTR_PCS_URL, NULL, &a, e));
	T_STR(a.url, CTR_ROOT_CRL_URL);
	T_OK(ctr_pcs_root_crl("http://pccs", NULL, &a, e));
	T_STR(a.url, "http://pccs/sgx/certification/v4/rootcacrl");
	T_OK(ctr_pcs_root_crl("http://pccs", "http://x/y", &a, e));
	T_STR(a.url, "http://x/y");
}

static void too_long(void **state)
{
	char base[CTR_ASK_URL];
	struct ctr_ask a;

	(void)state;
	memset(base, 'h', sizeof base);
	base[sizeof base - 1] = '\0';
	T_FAILS(ctr_kds_vcek(base, CTR_MILAN, chip, &tcb, &a, e), CTR_FORMAT, "collateral.url");
	T_FAILS(ctr_pcs_qe_identity(base, &a, e), CTR_FORMAT, "collateral.url");
}

static void plain_names(void **state)
{
	static const char *const want[CTR_ITEMS] = {
		"report.der",	    "vcek.der",
		"vlek.der",	    "ask.der",
		"ark.der",	    "crl.der",
		"tcb_info.json",    "tcb_info_chain.pem",
		"qe_identity.json", "qe_identity_chain.pem",
		"pck_crl.der",	    "pck_crl_chain.pem",
		"root_crl.der",
	};
	char name[CTR_ASK_NAME];

	(void)state;
	for (int i = 1; i < CTR_ITEMS; i++) {
		ctr_ask_plain_name(i, name);
		T_STR(name, want[i]);
	}
}

/* The URLs of real reports. */
static void reference(void **state)
{
	ctr_auto_json struct ctr_json *j = NULL;
	struct ctr_jval root, cases, v;
	char path[600], dir[512];
	size_t n = 0;

	(void)state;
	snprintf(dir, sizeof dir, "%s", t_shared("attestation/vectors"));
	snprintf(path, sizeof path, "%s/cases.json", dir);
	T_OK(ctr_json_load(path, CTR_JSON_MAX, &j, e));
	root = ctr_jroot(j);
	cases = ctr_jget(&root, "cases");
	for (struct ctr_jval c = ctr_jfirst(&cases); c.v; c = ctr_jnext(&c)) {
		struct ctr_jval expect = ctr_jget(&c, "expect"),
				decoded = ctr_jget(&expect, "decoded"), inputs;
		struct ctr_snp_report r;
		enum ctr_snp_product p;
		struct ctr_snp_svn svn;
		const char *want, *file;
		struct ctr_ask a;
		struct ctr_buf b;

		v = ctr_jget(&expect, "kds_cert_url");
		if (!v.v && decoded.v)
			v = ctr_jget(&decoded, "kds_cert_url");
		if (!v.v)
			continue;
		T_OK(ctr_jstring(&v, &want, e));
		inputs = ctr_jget(&c, "inputs");
		v = ctr_jget(&inputs, "report");
		T_OK(ctr_jstring(&v, &file, e));
		snprintf(path, sizeof path, "%s/%s", dir, file);
		b = t_file(path);
		T_OK(ctr_snp_parse((uint8_t *)b.p, b.n, &r, e));
		ctr_buf_free(&b);
		if (ctr_snp_signing_key(&r) != CTR_SNP_VCEK)
			continue;
		p = ctr_snp_cpuid_product(&r);
		p = p == CTR_PRODUCTS ? CTR_MILAN : p;
		T_OK(ctr_snp_svn(p, r.reported_tcb, &svn));
		T_OK(ctr_kds_vcek(CTR_KDS_URL, p, r.chip_id, &svn, &a, e));
		T_STR(a.url, want);
		n++;
	}
	assert_true(n >= 9);
}

static int tmp(void **state)
{
	char *dir = strdup("/tmp/ctr-collateral.XXXXXX");

	*state = dir;
	return dir && mkdtemp(dir) ? 0 : -1;
}

static int tmp_gone(void **state)
{
	char path[300];
	static const char *const names[] = { "a", "a.none", "a.lock", "b" };

	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "%s/%s", (char *)*state, names[i]);
		unlink(path);
	}
	rmdir(*state);
	free(*state);
	return 0;
}

static void cache(void **state)
{
	ctr_auto_buf struct ctr_buf in = { 0 }, out = { 0 }, big = { 0 };
	const char *dir = *state;
	time_t since;
	bool found;
	uint8_t *room;

	T_OK(ctr_ccache_open(dir, e));
	T_OK(ctr_ccache_get(dir, "a", &out, &since, &found, e));
	assert_false(found || ctr_ccache_none(dir, "a"));
	T_OK(ctr_ccache_set_none(dir, "a", e));
	assert_true(ctr_ccache_none(dir, "a"));
	ctr_buf_adds(&in, "text");
	T_OK(ctr_ccache_put(dir, "a", &in, e));
	assert_false(ctr_ccache_none(dir, "a"));
	T_OK(ctr_ccache_get(dir, "a", &out, &since, &found, e));
	assert_true(found && out.n == 4 && since > 0);
	/* nothing, too much, and what is no file are as good as absent */
	ctr_buf_reset(&in);
	T_OK(ctr_ccache_put(dir, "b", &in, e));
	T_OK(ctr_ccache_get(dir, "b", &out, &since, &found, e));
	assert_false(found);
	room = ctr_buf_room(&big, CTR_EVIDENCE_ITEM_MAX + 1);
	assert_non_null(room);
	memset(room, 'x', CTR_EVIDENCE_ITEM_MAX + 1);
	ctr_buf_commit(&big, CTR_EVIDENCE_ITEM_MAX + 1);
	T_OK(ctr_ccache_put(dir, "b", &big, e));
	T_OK(ctr_ccache_get(dir, "b", &out, &since, &found, e));
	assert_false(found);
	T_OK(ctr_ccache_get(dir, ".", &out, &since, &found, e));
	assert_false(found);
}

static void lock(void **state)
{
	const char *dir = *state;
	atomic_bool stop = true;
	int one, two;

	T_OK(ctr_ccache_lock(dir, "a", 1, NULL, &one, e));
	assert_true(one >= 0);
	T_OK(ctr_ccache_lock(dir, "a", 1, NULL, &two, e));
	assert_int_equal(two, -1);
	T_OK(ctr_ccache_lock(dir, "a", 1000, &stop, &two, e));
	assert_int_equal(two, -1);
	close(one);
	T_OK(ctr_ccache_lock(dir, "a", 1, NULL, &two, e));
	assert_true(two >= 0);
	close(two);
	T_FAILS(ctr_ccache_lock("/nowhere", "a", 1, NULL, &two, e), CTR_ENV, "cache.open");
}

static void owner(void **state)
{
	const char *dir = *state;

	assert_int_equal(chmod(dir, 0777), 0);
	T_FAILS(ctr_ccache_open(dir, e), CTR_ENV, "cache.owner");
	T_FAILS(ctr_dir_private("/nowhere", e), CTR_ENV, "cache.open");
	assert_int_equal(chmod(dir, 0700), 0);
}

/* Nothing lacks: neither directory, cache nor network is looked at. */
static void nothing_lacks(void **state)
{
	struct ctr_collateral_opts o = { .dir = "/none", .cache = "/proc/none" };
	struct ctr_collateral_needs n = { .crl = CTR_CRL_REQUIRED };
	auto_ev ev = { .tee = CTR_TEE_TDX };

	(void)state;
	for (int i = 0; i < CTR_ITEMS; i++)
		ctr_buf_adds(&ev.item[i], "x");
	T_OK(ctr_collateral_fill(&o, &n, &ev, e));
	ev.tee = CTR_TEE_SNP;
	T_FAILS(ctr_collateral_fill(&o, &n, &ev, e), CTR_FORMAT, "snp.length");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kds),
		cmocka_unit_test(pcs),
		cmocka_unit_test(too_long),
		cmocka_unit_test(plain_names),
		cmocka_unit_test(reference),
		cmocka_unit_test_setup_teardown(cache, tmp, tmp_gone),
		cmocka_unit_test_setup_teardown(lock, tmp, tmp_gone),
		cmocka_unit_test_setup_teardown(owner, tmp, tmp_gone),
		cmocka_unit_test(nothing_lacks),
	};

	return cmocka_run_group_tests_name("collateral", tests, NULL, NULL);
}
