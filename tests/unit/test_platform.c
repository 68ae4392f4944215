/* needs: tests/sim/mkimage.c tests/sim/lib/pki.c tests/sim/lib/kernel.c */
#include "platform.h"

#include <dirent.h>
#include <errno.h>

#include "../sim/lib/kernel.h"
#include "../sim/lib/pki.h"
#include "../sim/mkimage.h"
#include "t.h"

static const uint8_t data[CTR_REPORT_DATA] = "what the report is asked for";

static char *dir, nothing[512]; /* a directory, and a path below it where nothing is */

static int up(void **s)
{
	(void)s;
	kernel = (struct kernel){ .provider = "sev_guest\n",
				  .size = CTR_SNP_SIZE,
				  .generation = "0\n" };
	dir = mk_tmpdir();
	snprintf(nothing, sizeof nothing, "%s/nothing", dir);
	kernel_io.tsm = dir;
	kernel_io.sev_guest = kernel_io.tdx_guest = nothing;
	return 0;
}

static int down(void **s)
{
	(void)s;
	ctr_buf_free(&kernel.aux);
	mk_rmdir(dir);
	return 0;
}

/* Opens, asks, closes. */
static int issue(const char *spec, struct ctr_evidence *ev, struct ctr_err *e)
{
	ctr_auto_platform struct ctr_platform *p = NULL;

	return ctr_platform_open(spec, &kernel_io, &p, e) < 0 ? -1
							      : ctr_platform_issue(p, data, ev, e);
}

static int fails(const char *spec, struct ctr_err *e)
{
	ctr_auto_evidence struct ctr_evidence ev = { 0 };

	return issue(spec, &ev, e);
}

static void check_snp(const struct ctr_evidence *ev)
{
	ctr_auto_sim_values struct ctr_sim_values l = { 0 };
	uint8_t report[CTR_SNP_SIZE];

	T_OK(ctr_sim_snp(&l, data, report, e));
	assert_int_equal(ev->tee, CTR_TEE_SNP);
	assert_int_equal(ev->item[CTR_REPORT].n, CTR_SNP_SIZE);
	T_MEM(ev->item[CTR_REPORT].p, report, CTR_SNP_SIZE);
}

static void check_gone(void)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	PKI_MUST(d);
	for (const struct dirent *x; (x = readdir(d));)
		n += x->d_name[0] != '.';
	closedir(d);
	assert_int_equal(n, 0);
	assert_int_equal(kernel.nmade, kernel.nremoved);
}

/* A certificate and the table that holds it as VCEK. */
static void make_table(struct ctr_buf *cert)
{
	static const char *const base[] = { "O", "Test", NULL };
	static const uint8_t vcek[16] = { 0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64,
					  0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd };
	struct pki_cert c = { .base = base, .cn = "Test", .from = 0, .until = 1000, .pathlen = -1 };
	struct pki_ca self = { .key = EVP_EC_gen("P-256"), .alg = PKI_ECDSA_SHA256 };
	X509 *x = pki_new(&c, self.key, &self);
	uint8_t entry[48] = { 0 };

	pki_sign(x, &self);
	pki_der(x, cert);
	memcpy(entry, vcek, 16);
	kernel_put(entry + 16, 4, 48);
	kernel_put(entry + 20, 4, cert->n);
	ctr_buf_add(&kernel.aux, entry, sizeof entry);
	ctr_buf_add(&kernel.aux, cert->p, cert->n);
	X509_free(x);
	EVP_PKEY_free(self.key);
}

static void tsm_snp(void **s)
{
	ctr_auto_evidence struct ctr_evidence ev = { 0 };
	ctr_auto_buf struct ctr_buf cert = { 0 };

	(void)s;
	make_table(&cert);
	T_OK(issue("configfs-tsm", &ev, e));
	check_snp(&ev);
	assert_int_equal(ev.item[CTR_VCEK].n, cert.n);
	T_MEM(ev.item[CTR_VCEK].p, cert.p, cert.n);
	check_gone();
	/* of its own, and nothing to guess */
	assert_int_equal(kernel.nmade, 2);
	assert_string_not_equal(kernel.made[0], kernel.made[1]);
	assert_true(strlen(strrchr(kernel.made[0], '/')) >= 32);
	T_STR(kernel.privlevel, "");
}

static void tsm_without_certificates(void **s)
{
	ctr_auto_evidence struct ctr_evidence empty = { 0 }, absent = { 0 };

	(void)s;
	T_OK(issue("configfs-tsm,vmpl=2", &empty, e));
	check_snp(&empty);
	T_STR(kernel.privlevel, "2");
	kernel.no_aux = true;
	T_OK(issue("configfs-tsm", &absent, e));
	check_snp(&absent);
	for (int i = CTR_REPORT + 1; i < CTR_ITEMS; i++)
		assert_true(empty.item[i].n == 0 && absent.item[i].n == 0);
	check_gone();
}

static void tsm_tdx(void **s)
{
	ctr_auto_evidence struct ctr_evidence ev = { 0 };

	(void)s;
	kernel.provider = "tdx_guest\n";
	T_OK(issue("configfs-tsm", &ev, e));
	assert_int_equal(ev.tee, CTR_TEE_TDX);
	assert_int_equal(ev.item[CTR_REPORT].n, 48 + 584);
	T_MEM(ev.item[CTR_REPORT].p + 48 + 520, data, CTR_REPORT_DATA);
	check_gone();
}

static void tsm_races(void **s)
{
	ctr_auto_evidence struct ctr_evidence ev = { 0 }, busy = { 0 }, early = { 0 }, lost = { 0 },
					      late = { 0 };

	(void)s;
	kernel.races = 2;
	T_OK(issue("configfs-tsm", &ev, e));
	check_snp(&ev);
	assert_int_equal(kernel.nmade, 1 + 3);
	check_gone();
	kernel.busy = 3;
	T_OK(issue("configfs-tsm", &busy, e));
	check_snp(&busy);
	assert_int_equal(kernel.nmade, 4 + 1 + 4);
	check_gone();
	kernel.early = 1;
	T_OK(issue("configfs-tsm,vmpl=1", &early, e));
	check_snp(&early);
	assert_int_equal(kernel.nmade, 9 + 1 + 2);
	kernel.lost = 1;
	T_OK(issue("configfs-tsm", &lost, e));
	check_snp(&lost);
	assert_int_equal(kernel.nmade, 12 + 1 + 2);
	kernel.generation = "4294967290\n";
	T_OK(issue("configfs-tsm", &late, e));
	check_snp(&late);
	kernel.races = 1000;
	T_FAILS(fails("configfs-tsm", e), CTR_ENV, "platform.race");
	kernel.races = 0;
	kernel.busy = 1000;
	T_FAILS(fails("configfs-tsm", e), CTR_ENV, "platform.race");
	check_gone();
}

static void tsm_failures(void **s)
{
	(void)s;
	kernel.provider = "arm_cca_guest\n";
	T_FAILS(fails("configfs-tsm", e), CTR_ENV, "platform.provider");
	kernel.provider = "";
	T_FAILS(fails("configfs-tsm", e), CTR_ENV, "platform.provider");
	kernel.provider = "sev_guest\n";
	kernel.no_mkdir = ENXIO;
	T_FAILS(fails("configfs-tsm", e), CTR_ENV, "platform.provider");
	kernel.no_mkdir = EACCES;
	T_FAILS(fails("configfs-tsm", e), CTR_ENV, "platform.open");
	kernel.no_mkdir = 0;
	kernel.refuse = EINVAL;
	T_FAILS(fails("configfs-tsm,vmpl=0", e), CTR_ENV, "platform.io");
	kernel.short_write = true;
	T_FAILS(fails("configfs-tsm", e), CTR_ENV, "platform.io");
	kernel.short_write = false;
	kernel.generation = "none\n";
	T_FAILS(fails("configfs-tsm", e), CTR_ENV, "platform.io");
	kernel.generation = "\n";
	T_FAILS(fails("configfs-tsm", e), CTR_ENV, "platform.io");
	kernel.generation = "0\n";
	kernel.aux_is_dir = true;
	T_FAILS(fails("configfs-tsm", e), CTR_ENV, "read");
	kernel.aux_is_dir = false;
	kernel.other_data = true;
	T_FAILS(fails("configfs-tsm", e), CTR_ENV, "platform.report-data");
	kernel.provider = "tdx_guest\n";
	T_FAILS(fails("configfs-tsm", e), CTR_ENV, "platform.report-data");
	kernel.other_data = false;
	kernel.report_size = 20;
	T_FAILS(fails("configfs-tsm", e), CTR_FORMAT, "platform.report");
	kernel.report_size = 48 + 520 + 63;
	T_FAILS(fails("configfs-tsm", e), CTR_FORMAT, "platform.report");
	kernel.provider = "sev_guest\n";
	kernel.report_size = CTR_SNP_SIZE + 1;
	T_FAILS(fails("configfs-tsm", e), CTR_FORMAT, "platform.report");
	kernel.report_size = 32769;
	T_FAILS(fails("configfs-tsm", e), CTR_FORMAT, "limit");
	kernel.report_size = 0;
	ctr_buf_adds(&kernel.aux, "no table");
	T_FAILS(fails("configfs-tsm", e), CTR_FORMAT, "cert-table");
	check_gone();
	kernel_io.tsm = kernel_io.sev_guest;
	T_FAILS(fails("configfs-tsm", e), CTR_ENV, "platform.open");
}

static void sev(void **s)
{
	ctr_auto_evidence struct ctr_evidence ev = { 0 }, none = { 0 }, old = { 0 };
	ctr_auto_buf struct ctr_buf cert = { 0 };

	(void)s;
	kernel_io.sev_guest = "/dev/null";
	T_OK(issue("sev-guest", &none, e));
	check_snp(&none);
	assert_int_equal(none.item[CTR_VCEK].n, 0);
	assert_int_equal(kernel.vmpl, 0);
	make_table(&cert);
	kernel.need = 5 * 4096;
	kernel.vmm_busy = 2;
	kernel.interrupted = 1;
	T_OK(issue("sev-guest,vmpl=3", &ev, e));
	check_snp(&ev);
	assert_int_equal(ev.item[CTR_VCEK].n, cert.n);
	T_MEM(ev.item[CTR_VCEK].p, cert.p, cert.n);
	assert_int_equal(kernel.calls, 1 + 2 + 1 + 2);
	assert_int_equal(kernel.numbers[5], 0xc0205302);
	assert_int_equal(kernel.paused, 50 + 100);
	assert_int_equal(kernel.vmpl, 3);
	kernel.no_extended = true;
	T_OK(issue("sev-guest", &old, e));
	check_snp(&old);
	assert_int_equal(kernel.numbers[7], 0xc0205300);
}

static void sev_failures(void **s)
{
	(void)s;
	T_FAILS(fails("sev-guest", e), CTR_ENV, "platform.open");
	kernel_io.sev_guest = "/dev/null";
	kernel.vmm_busy = 1000;
	T_FAILS(fails("sev-guest", e), CTR_ENV, "platform.busy");
	assert_true(kernel.paused > 1000 && kernel.paused < 20000);
	kernel.vmm_busy = 0;
	kernel.exitinfo2 = 0x16;
	T_FAILS(fails("sev-guest", e), CTR_ENV, "platform.firmware");
	kernel.exitinfo2 = 0;
	kernel.error = EPERM;
	T_FAILS(fails("sev-guest", e), CTR_ENV, "platform.io");
	kernel.error = 0;
	kernel.status = 0x16;
	T_FAILS(fails("sev-guest", e), CTR_ENV, "platform.firmware");
	kernel.status = 0;
	kernel.size = CTR_SNP_SIZE - 1;
	T_FAILS(fails("sev-guest", e), CTR_FORMAT, "platform.report");
	kernel.size = 0xffffffff;
	T_FAILS(fails("sev-guest", e), CTR_FORMAT, "platform.report");
	kernel.size = CTR_SNP_SIZE;
	kernel.other_data = true;
	T_FAILS(fails("sev-guest", e), CTR_ENV, "platform.report-data");
	kernel.other_data = false;
	/* a host that asks for too much, or for half pages */
	kernel.need = 2 << 20;
	T_FAILS(fails("sev-guest", e), CTR_ENV, "platform.firmware");
	kernel.need = 4 * 4096 + 1;
	T_FAILS(fails("sev-guest", e), CTR_ENV, "platform.firmware");
}

static void tdx(void **s)
{
	ctr_auto_platform struct ctr_platform *p = NULL, *other = NULL;
	uint8_t report[CTR_TDREPORT_SIZE];

	(void)s;
	T_FAILS(fails("tdx-guest", e), CTR_ENV, "platform.open");
	kernel_io.tdx_guest = "/dev/null";
	T_FAILS(fails("tdx-guest", e), CTR_ENV, "platform.tdreport");
	T_OK(ctr_platform_open("tdx-guest", &kernel_io, &p, e));
	T_STR(ctr_platform_name(p), "tdx-guest");
	kernel.interrupted = 1;
	T_OK(ctr_platform_tdreport(p, data, report, e));
	assert_int_equal(report[0], 0x81);
	T_MEM(report + 0x80, data, CTR_REPORT_DATA);
	kernel.error = EIO;
	T_FAILS(ctr_platform_tdreport(p, data, report, e), CTR_ENV, "platform.io");
	assert_int_equal(report[0], 0);
	T_OK(ctr_platform_open("configfs-tsm", &kernel_io, &other, e));
	T_FAILS(ctr_platform_tdreport(other, data, report, e), CTR_USAGE, "platform.spec");
}

static const char *automatic(void)
{
	static char name[32];
	ctr_auto_platform struct ctr_platform *p = NULL;

	T_OK(ctr_platform_open("auto", &kernel_io, &p, e));
	snprintf(name, sizeof name, "%s", ctr_platform_name(p));
	return name;
}

static void automatic_choice(void **s)
{
	ctr_auto_platform struct ctr_platform *p = NULL;
	struct ctr_err e = { 0 };

	(void)s;
	kernel_io.sev_guest = "/dev/null";
	T_STR(automatic(), "configfs-tsm");
	kernel.no_mkdir = ENXIO;
	T_STR(automatic(), "sev-guest");
	kernel_io.tsm = "/a-tsm";
	kernel.no_mkdir = ENOENT;
	kernel_io.sev_guest = "/b-sev";
	kernel_io.tdx_guest = "/c-tdx";
	assert_int_equal(ctr_platform_open("auto", &kernel_io, &p, &e), -1);
	assert_int_equal(e.code, CTR_ENV);
	T_STR(e.id, "platform.none");
	assert_non_null(strstr(e.msg, "/a-tsm: No such file"));
	assert_non_null(strstr(e.msg, "/b-sev: No such file"));
	assert_non_null(strstr(e.msg, "/c-tdx: No such file"));
	kernel_io.tdx_guest = "/dev/null";
	e = (struct ctr_err){ 0 };
	assert_int_equal(ctr_platform_open("auto", &kernel_io, &p, &e), -1);
	T_STR(e.id, "platform.none");
	assert_non_null(strstr(e.msg, "/dev/null: gives only a TDREPORT"));
}

static void specs(void **s)
{
	static const char *const bad[] = { "",
					   "sev",
					   "sev-guest,",
					   "sev-guest,vmpl=",
					   "sev-guest,vmpl=4",
					   "sev-guest,vmpl=01",
					   "tdx-guest,vmpl=1",
					   "auto,vmpl=1",
					   "sim",
					   "configfs-tsm,x=1",
					   "AUTO",
					   "sev-guest,Vmpl=1" };

	(void)s;
	kernel_io.sev_guest = kernel_io.tdx_guest = "/dev/null";
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		T_FAILS(fails(bad[i], e), CTR_USAGE, "platform.spec");
	T_FAILS(fails("sim:", e), CTR_USAGE, "sim.dir");
	T_FAILS(fails("sim:/nowhere,a=b", e), CTR_USAGE, "sim.dir");
	assert_int_equal(kernel.nmade + kernel.calls, 0);
}

static void simulated(void **s)
{
	ctr_auto_evidence struct ctr_evidence ev = { 0 }, lie = { 0 };
	ctr_auto_buf struct ctr_buf spec = { 0 };
	ctr_auto_platform struct ctr_platform *p = NULL;
	uint8_t report[CTR_TDREPORT_SIZE];

	(void)s;
	EVP_PKEY_free(pki_key(dir, "vcek", "P-384"));
	kernel_write(dir, "snp.json", "{\"vmpl\": 2}", 11);
	ctr_buf_addf(&spec, "sim:%s", dir);
	T_OK(issue(spec.p, &ev, e));
	T_OK(ctr_platform_open(spec.p, NULL, &p, e));
	T_FAILS(ctr_platform_tdreport(p, data, report, e), CTR_USAGE, "platform.spec");
	assert_int_equal(ev.tee, CTR_TEE_SNP);
	assert_int_equal(ev.item[CTR_REPORT].n, CTR_SNP_SIZE);
	T_MEM(ev.item[CTR_REPORT].p + 0x50, data, CTR_REPORT_DATA);
	assert_int_equal(ev.item[CTR_REPORT].p[0x30], 2);
	assert_int_equal(ev.item[CTR_VCEK].n, 0);
	ctr_buf_adds(&spec, ",vmpl=3,report_data=ff");
	T_OK(issue(spec.p, &lie, e));
	assert_int_equal(lie.item[CTR_REPORT].p[0x30], 3);
	assert_int_equal((uint8_t)lie.item[CTR_REPORT].p[0x50], 0xff);
	ctr_buf_adds(&spec, ",nothing=3");
	T_FAILS(fails(spec.p, e), CTR_USAGE, "sim.field");
}

static void simulated_certificates(void **s)
{
	ctr_auto_evidence struct ctr_evidence ev = { 0 };
	ctr_auto_buf struct ctr_buf spec = { 0 }, cert = { 0 };

	(void)s;
	EVP_PKEY_free(pki_key(dir, "vlek", "P-384"));
	make_table(&cert);
	kernel_write(dir, "snp.json", "{}", 2);
	kernel_write(dir, "vlek.der", cert.p, cert.n);
	kernel_write(dir, "ark.der", cert.p, cert.n);
	ctr_buf_addf(&spec, "sim:%s", dir);
	T_OK(issue(spec.p, &ev, e));
	assert_int_equal(ev.item[CTR_VLEK].n, cert.n);
	T_MEM(ev.item[CTR_VLEK].p, cert.p, cert.n);
	T_MEM(ev.item[CTR_ARK].p, cert.p, cert.n);
	assert_int_equal(ev.item[CTR_VCEK].n + ev.item[CTR_ASK].n, 0);
}

static void simulated_tdx(void **s)
{
	ctr_auto_evidence struct ctr_evidence ev = { 0 };
	ctr_auto_buf struct ctr_buf spec = { 0 };
	ctr_auto_platform struct ctr_platform *p = NULL;
	uint8_t report[CTR_TDREPORT_SIZE];

	(void)s;
	EVP_PKEY_free(pki_key(dir, "att", "P-256"));
	EVP_PKEY_free(pki_key(dir, "pck", "P-256"));
	kernel_write(dir, "tdx.json", "{\"version\": 5}", 14);
	kernel_write(dir, "pck_chain.pem", "chain\n", 6);
	ctr_buf_addf(&spec, "sim:%s,mrconfigid=99", dir);
	T_OK(issue(spec.p, &ev, e));
	assert_int_equal(ev.tee, CTR_TEE_TDX);
	assert_int_equal(ev.item[CTR_REPORT].p[0], 5);
	assert_int_equal((uint8_t)ev.item[CTR_REPORT].p[54 + 184], 0x99);
	T_MEM(ev.item[CTR_REPORT].p + 54 + 520, data, CTR_REPORT_DATA);
	/* the same as a TDREPORT */
	T_OK(ctr_platform_open(spec.p, NULL, &p, e));
	assert_int_equal(ctr_platform_tee(p), CTR_TEE_TDX);
	T_OK(ctr_platform_tdreport(p, data, report, e));
	assert_int_equal(report[0], 0x81);
	T_MEM(report + 128, data, CTR_REPORT_DATA);
	assert_int_equal(report[512 + 64], 0x99);
}

#define T(name) cmocka_unit_test_setup_teardown(name, up, down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(tsm_snp),	     T(tsm_without_certificates),
		T(tsm_tdx),	     T(tsm_races),
		T(tsm_failures),     T(sev),
		T(sev_failures),     T(tdx),
		T(automatic_choice), T(specs),
		T(simulated),	     T(simulated_certificates),
		T(simulated_tdx),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
