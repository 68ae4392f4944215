/* The parts of ctr-initdata, in a guest whose kernel is played. */
/* needs: tools/ctr-initdata/disk.c tools/ctr-initdata/doc.c tools/ctr-initdata/report.c tools/ctr-initdata/hash.c tests/sim/mkimage.c tests/sim/lib/pki.c tests/sim/lib/kernel.c */
#include <errno.h>
#include <sys/stat.h>

#include "../sim/lib/kernel.h"
#include "../sim/mkimage.h"
#include "enc.h"
#include "t.h"
#include "tools/ctr-initdata/disk.h"
#include "tools/ctr-initdata/report.h"

#define DOCUMENT "version = '0.1.0'\nalgorithm = 'sha256'\n[data]\n'policy.rego' = 'package a'\n"

static char *dir, nothing[512];

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
	mk_rmdir(dir);
	return 0;
}

/* --- hash.c, FIPS 180-4 (the examples that NIST gives with it) --- */

static void digest(enum ctr_hash_alg alg, const char *text, size_t n, const char *want)
{
	ctr_auto_hasher struct ctr_hasher *h = NULL, *twin = NULL;
	uint8_t found[CTR_HASH_MAX], again[CTR_HASH_MAX], expected[CTR_HASH_MAX];
	size_t size = ctr_hash_size(alg);

	T_OK(ctr_hex_parse(want, strlen(want), expected, size, e));
	T_OK(ctr_hash(alg, text, n, found, e));
	T_MEM(found, expected, size);
	/* in pieces, continued by a copy, and anew */
	T_OK(ctr_hasher_new(alg, &h, e));
	for (size_t i = 0; i < n / 2; i++)
		T_OK(ctr_hasher_add(h, text + i, 1, e));
	T_OK(ctr_hasher_copy(h, &twin, e));
	T_OK(ctr_hasher_add(twin, text + n / 2, n - n / 2, e));
	T_OK(ctr_hasher_end(twin, again, e));
	T_MEM(again, expected, size);
	T_OK(ctr_hasher_restart(h, e));
	T_OK(ctr_hasher_add(h, text, n, e));
	T_OK(ctr_hasher_end(h, again, e));
	T_MEM(again, expected, size);
}

static void digests(void **s)
{
	static const char two[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	static const char four[] = "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
				   "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";
	static char many[1000000];

	(void)s;
	memset(many, 'a', sizeof many);
	digest(CTR_SHA256, "", 0,
	       "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	digest(CTR_SHA256, "abc", 3,
	       "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	digest(CTR_SHA256, two, 56,
	       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	digest(CTR_SHA256, many, sizeof many,
	       "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	digest(CTR_SHA384, "abc", 3,
	       "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
	       "8086072ba1e7cc2358baeca134c825a7");
	digest(CTR_SHA384, four, 112,
	       "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712"
	       "fcc7c71a557e2db966c3e9fa91746039");
	digest(CTR_SHA384, many, sizeof many,
	       "9d0e1809716474cb086e834e310a4a1ced149e9c00f248527972cec5704c2a5b"
	       "07b8b3dc38ecc4ebae97ddd87f3d8985");
	digest(CTR_SHA512, "abc", 3,
	       "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	       "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
	digest(CTR_SHA512, four, 112,
	       "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
	       "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909");
}

/* --- report.c --- */

static int get(const char *spec, struct report *r, struct ctr_err *e)
{
	return report_get(spec, &kernel_io, r, e);
}

static void snp_report(void **s)
{
	struct report r;

	(void)s;
	T_OK(get("auto", &r, e));
	T_STR(r.field, "HOSTDATA");
	assert_int_equal(r.n, DOC_SNP);
	T_OK(get("configfs-tsm,vmpl=1", &r, e));
	kernel.no_mkdir = ENOENT;
	kernel_io.sev_guest = "/dev/null";
	T_OK(get("auto", &r, e));
	T_STR(r.field, "HOSTDATA");
	kernel.other_data = true;
	T_FAILS(get("sev-guest", &r, e), CTR_ENV, "platform.report-data");
}

static void each_report_is_fresh(void **s)
{
	uint8_t first[CTR_REPORT_DATA];
	struct report r;

	(void)s;
	T_OK(get("configfs-tsm", &r, e));
	memcpy(first, kernel.asked, sizeof first);
	T_OK(get("configfs-tsm", &r, e));
	assert_memory_not_equal(first, kernel.asked, sizeof first);
}

static void td_report(void **s)
{
	struct report r;

	(void)s;
	/* in a TD the device goes first: no host has a hand in what it gives */
	kernel.provider = "tdx_guest\n";
	kernel_io.tdx_guest = "/dev/null";
	T_OK(get("auto", &r, e));
	T_STR(r.field, "MRCONFIGID");
	assert_int_equal(r.n, DOC_TDX);
	T_OK(get("tdx-guest", &r, e));
	assert_int_equal(kernel.nmade, 0);
	kernel.error = EIO;
	T_FAILS(get("tdx-guest", &r, e), CTR_ENV, "platform.io");
}

static int other_kind(int fd, unsigned long number, void *arg)
{
	(void)fd;
	(void)number;
	memset(arg, 0, 1088); /* type 0: SGX */
	return 0;
}

static int other_data(int fd, unsigned long number, void *arg)
{
	(void)fd;
	(void)number;
	memset(arg, 0x81, 1088);
	return 0;
}

static void not_the_report_of_this_td(void **s)
{
	struct ctr_platform_io io = kernel_io;
	struct report r;

	(void)s;
	io.tdx_guest = "/dev/null";
	io.ioctl = other_kind;
	T_FAILS(report_get("tdx-guest", &io, &r, e), CTR_FORMAT, "report.tdreport");
	io.ioctl = other_data;
	T_FAILS(report_get("tdx-guest", &io, &r, e), CTR_ENV, "report.data");
}

/* The host makes quotes, and nobody here checks their signature. */
static void quotes_are_refused(void **s)
{
	struct report r;

	(void)s;
	kernel.provider = "tdx_guest\n";
	T_FAILS(get("configfs-tsm", &r, e), CTR_ENV, "report.quote");
	T_FAILS(get("auto", &r, e), CTR_ENV, "report.quote");
}

/* --- disk.c --- */

static void put_disk(const char *name, const char *toml)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	T_OK(disk_make(toml, strlen(toml), &b, e));
	kernel_write(dir, name, b.p, b.n);
}

static int find(bool files, struct ctr_buf *path, struct ctr_buf *toml, struct ctr_err *e)
{
	struct disk_search d = { .dir = dir, .files = files };
	ctr_auto_buf struct ctr_buf b = { 0 };

	ctr_buf_free(path);
	ctr_buf_free(toml);
	return disk_find(&d, path, &b, e) < 0 ? -1 : disk_parse(b.p, b.n, toml, e);
}

static void the_one_disk(void **s)
{
	ctr_auto_buf struct ctr_buf path = { 0 }, toml = { 0 };

	(void)s;
	kernel_write(dir, "vda", "a root file system", 18);
	kernel_write(dir, "vdb", "short", 5);
	kernel_write(dir, "sda", "", 0);
	T_FAILS(find(true, &path, &toml, e), CTR_ENV, "disk.none");
	put_disk("vdc", DOCUMENT);
	T_OK(find(true, &path, &toml, e));
	T_STR(toml.p, DOCUMENT);
	assert_non_null(strstr(path.p, "/vdc"));
	/* other names are none of the agent's */
	put_disk("nvme0n1", DOCUMENT);
	put_disk("xvdc", DOCUMENT);
	T_OK(find(true, &path, &toml, e));
}

static void two_disks(void **s)
{
	ctr_auto_buf struct ctr_buf path = { 0 }, toml = { 0 };

	(void)s;
	put_disk("vdc", DOCUMENT);
	put_disk("sdz", DOCUMENT "'aa.toml' = ''\n");
	T_FAILS(find(true, &path, &toml, e), CTR_FORMAT, "disk.many");
	/* the same bytes, too: the agent may find either */
	put_disk("sdz", DOCUMENT);
	T_FAILS(find(true, &path, &toml, e), CTR_FORMAT, "disk.many");
	kernel_write(dir, "sdz", "initdata", 8);
	T_FAILS(find(true, &path, &toml, e), CTR_FORMAT, "disk.many");
}

static void only_block_devices(void **s)
{
	ctr_auto_buf struct ctr_buf path = { 0 }, toml = { 0 };
	char fifo[512];

	(void)s;
	put_disk("vdc", DOCUMENT);
	T_FAILS(find(false, &path, &toml, e), CTR_ENV, "disk.none");
	/* would wait for a writer */
	snprintf(fifo, sizeof fifo, "%s/vdd", dir);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	T_OK(find(true, &path, &toml, e));
}

#define T(name) cmocka_unit_test_setup_teardown(name, up, down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(digests),	 T(snp_report),		T(each_report_is_fresh),
		T(td_report),	 T(two_disks),		T(quotes_are_refused),
		T(the_one_disk), T(only_block_devices), T(not_the_report_of_this_td),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
