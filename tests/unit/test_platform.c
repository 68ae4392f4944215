/* needs: tests/sim/mkimage.c tests/sim/lib/pki.c */
#include "platform.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "../sim/lib/pki.h"
#include "../sim/mkimage.h"
#include "crypto.h"
#include "file.h"
#include "t.h"

#define TRIES 64

static const uint8_t data[CTR_REPORT_DATA] = "what the report is asked for";

/* The kernel and the firmware behind it, played; reset before each test. */
static struct fake {
	struct ctr_buf dir, paths[4]; /* temporary directory; what io points to */
	const char *provider;
	int no_mkdir;		 /* errno of mkdir */
	int busy;		 /* writes that find the counter about to wrap */
	int races;		 /* requests that another writer gets into */
	int refuse;		 /* errno of writing privlevel */
	bool short_write, other_data, no_aux, aux_is_dir;
	size_t report_size;	 /* that outblob is cut or filled to, 0: as it is */
	struct ctr_buf aux;
	char made[TRIES][300]; /* directories, in order */
	size_t nmade, nremoved;
	char privlevel[8];
	pthread_t writer;
	bool writing;
	char writer_dir[300];
	uint8_t asked[CTR_REPORT_DATA];
	/* ioctl */
	unsigned long numbers[TRIES];
	size_t calls;
	int vmm_busy, interrupted, error; /* calls that fail; errno of all others */
	uint64_t exitinfo2;
	uint32_t status, size, need, vmpl;
	bool no_extended;
	unsigned paused;
} f;

static void write_in(const char *dir, const char *name, const void *p, size_t n)
{
	char path[512];
	int fd;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	PKI_MUST(fd >= 0 && write(fd, p, n) == (ssize_t)n);
	close(fd);
}

static void bump(const char *dir)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	char path[512], text[16];
	struct ctr_err e = { 0 };

	snprintf(path, sizeof path, "%s/generation", dir);
	PKI_MUST(ctr_file_read(path, 16, &b, &e) == 0);
	snprintf(text, sizeof text, "%d\n", atoi(ctr_buf_str(&b)) + 1);
	write_in(dir, "generation", text, strlen(text));
}

static int fake_mkdir(const char *path, mode_t mode)
{
	char aux[512];

	if (f.no_mkdir) {
		errno = f.no_mkdir;
		return -1;
	}
	if (mkdir(path, mode) < 0)
		return -1;
	PKI_MUST(f.nmade < TRIES);
	snprintf(f.made[f.nmade++], sizeof f.made[0], "%s", path);
	write_in(path, "provider", f.provider, strlen(f.provider));
	write_in(path, "generation", "0\n", 2);
	write_in(path, "inblob", "", 0);
	write_in(path, "privlevel", "", 0);
	write_in(path, "outblob", "", 0);
	snprintf(aux, sizeof aux, "%s/auxblob", path);
	if (f.aux_is_dir)
		PKI_MUST(mkdir(aux, 0700) == 0);
	else if (!f.no_aux)
		write_in(path, "auxblob", ctr_buf_str(&f.aux), f.aux.n);
	return 0;
}

/* As configfs: the attributes go with the directory. */
static int fake_rmdir(const char *path)
{
	char *name = strdup(path);

	if (f.writing)
		pthread_join(f.writer, NULL);
	f.writing = false;
	f.nremoved++;
	mk_rmdir(name);
	return 0;
}

static void answer(struct ctr_buf *b)
{
	ctr_auto_sim_values struct ctr_sim_values l = { 0 };
	uint8_t report[CTR_SNP_SIZE];
	struct ctr_err e = { 0 };

	if (f.other_data)
		f.asked[63] ^= 1;
	if (strncmp(f.provider, "tdx", 3) == 0) {
		PKI_MUST(ctr_sim_tdx_body(&l, f.asked, b, &e) == 0);
	} else {
		PKI_MUST(ctr_sim_snp(&l, f.asked, report, &e) == 0);
		ctr_buf_add(b, report, sizeof report);
	}
	while (f.report_size > b->n)
		ctr_buf_addc(b, 0);
	if (f.report_size)
		b->n = f.report_size;
}

/* Another writer: between the reading of outblob and the second look at generation. */
static void *interfere(void *ctx)
{
	const char *dir = ctx;
	ctr_auto_buf struct ctr_buf b = { 0 };
	char path[512];
	int fd;

	answer(&b);
	snprintf(path, sizeof path, "%s/outblob", dir);
	fd = open(path, O_WRONLY); /* until the reader is there */
	PKI_MUST(fd >= 0 && write(fd, b.p, b.n) == (ssize_t)b.n);
	bump(dir);
	close(fd); /* lets the reader go on */
	return NULL;
}

static void respond(const char *dir)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	char path[512];

	if (f.races > 0) {
		f.races--;
		snprintf(path, sizeof path, "%s/outblob", dir);
		PKI_MUST(unlink(path) == 0 && mkfifo(path, 0600) == 0);
		snprintf(f.writer_dir, sizeof f.writer_dir, "%s", dir);
		PKI_MUST(pthread_create(&f.writer, NULL, interfere, f.writer_dir) == 0);
		f.writing = true;
		return;
	}
	answer(&b);
	write_in(dir, "outblob", b.p, b.n);
}

static ssize_t fake_write(int fd, const void *p, size_t n)
{
	char link[64], path[512] = "", *name;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	PKI_MUST(readlink(link, path, sizeof path - 1) > 0);
	name = strrchr(path, '/');
	*name++ = '\0';
	if (f.busy > 0) {
		f.busy--;
		errno = EBUSY;
		return -1;
	}
	bump(path);
	if (strcmp(name, "privlevel") == 0) {
		errno = f.refuse;
		memcpy(f.privlevel, p, n < sizeof f.privlevel ? n : sizeof f.privlevel - 1);
		return f.refuse ? -1 : (ssize_t)n;
	}
	assert_string_equal(name, "inblob");
	if (f.short_write)
		return 10;
	assert_int_equal(n, CTR_REPORT_DATA);
	memcpy(f.asked, p, n);
	respond(path);
	return (ssize_t)n;
}

static uint64_t le(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | p[n];
	return v;
}

static uint8_t *at(const uint8_t *p)
{
	return (uint8_t *)(uintptr_t)le(p, 8);
}

static void put(uint8_t *p, size_t n, uint64_t v)
{
	for (; n > 0; n--, v >>= 8)
		*p++ = (uint8_t)v;
}

/* Writes MSG_REPORT_RSP. */
static void firmware(const uint8_t *request, uint8_t *response)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	memcpy(f.asked, request, CTR_REPORT_DATA);
	f.vmpl = (uint32_t)le(request + 64, 4);
	answer(&b);
	put(response, 4, f.status);
	put(response + 4, 4, f.size);
	memcpy(response + 32, b.p, b.n);
}

static int sev_ioctl(unsigned long number, uint8_t *q)
{
	uint8_t *request = at(q + 8);
	bool extended = number == 0xc0205302;

	assert_int_equal(q[0], 1);
	if (extended && f.no_extended) {
		errno = ENOTTY;
		return -1;
	}
	if (f.error || f.exitinfo2) {
		put(q + 24, 8, f.exitinfo2);
		errno = f.error ? f.error : EIO;
		return -1;
	}
	if (extended && le(request + 104, 4) < f.need) {
		put(request + 104, 4, f.need);
		put(q + 24, 8, (uint64_t)1 << 32);
		errno = EIO;
		return -1;
	}
	if (extended && f.aux.n)
		memcpy(at(request + 96), f.aux.p, f.aux.n);
	firmware(request, at(q + 16));
	return 0;
}

static int fake_ioctl(int fd, unsigned long number, void *arg)
{
	uint8_t *q = arg;

	assert_true(fd >= 0);
	f.numbers[f.calls++ % TRIES] = number;
	if (f.interrupted > 0) {
		f.interrupted--;
		errno = EINTR;
		return -1;
	}
	if (f.vmm_busy > 0) {
		f.vmm_busy--;
		put(q + 24, 8, (uint64_t)2 << 32);
		errno = EIO;
		return -1;
	}
	if (number == 0xc0205300 || number == 0xc0205302)
		return sev_ioctl(number, q);
	assert_int_equal(number, 0xc4405401);
	if (f.error) {
		errno = f.error;
		return -1;
	}
	q[64] = 0x81;
	memcpy(q + 64 + 0x80, q, CTR_REPORT_DATA);
	return 0;
}

static void fake_pause(unsigned ms)
{
	f.paused += ms;
}

static struct ctr_platform_io io = {
	.mkdir = fake_mkdir, .rmdir = fake_rmdir, .write = fake_write, .ioctl = fake_ioctl, .pause = fake_pause,
};

static int up(void **s)
{
	(void)s;
	f = (struct fake){ .provider = "sev_guest\n", .size = CTR_SNP_SIZE };
	f.dir.p = mk_tmpdir();
	f.dir.n = strlen(f.dir.p);
	ctr_buf_addf(&f.paths[0], "%s/nothing", f.dir.p);
	io.tsm = f.dir.p;
	io.sev_guest = io.tdx_guest = f.paths[0].p;
	return 0;
}

static int down(void **s)
{
	(void)s;
	ctr_buf_free(&f.paths[0]);
	ctr_buf_free(&f.aux);
	mk_rmdir(f.dir.p);
	return 0;
}

/* Opens, asks, closes. */
static int issue(const char *spec, struct ctr_evidence *ev, struct ctr_err *e)
{
	ctr_auto_platform struct ctr_platform *p = NULL;

	return ctr_platform_open(spec, &io, &p, e) < 0 ? -1 : ctr_platform_issue(p, data, ev, e);
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
	DIR *d = opendir(f.dir.p);
	size_t n = 0;

	PKI_MUST(d);
	for (const struct dirent *x; (x = readdir(d));)
		n += x->d_name[0] != '.';
	closedir(d);
	assert_int_equal(n, 0);
	assert_int_equal(f.nmade, f.nremoved);
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
	put(entry + 16, 4, 48);
	put(entry + 20, 4, cert->n);
	ctr_buf_add(&f.aux, entry, sizeof entry);
	ctr_buf_add(&f.aux, cert->p, cert->n);
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
	assert_int_equal(f.nmade, 2);
	assert_string_not_equal(f.made[0], f.made[1]);
	assert_true(strlen(strrchr(f.made[0], '/')) >= 32);
	T_STR(f.privlevel, "");
}

static void tsm_without_certificates(void **s)
{
	ctr_auto_evidence struct ctr_evidence empty = { 0 }, absent = { 0 };

	(void)s;
	T_OK(issue("configfs-tsm,vmpl=2", &empty, e));
	check_snp(&empty);
	T_STR(f.privlevel, "2");
	f.no_aux = true;
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
	f.provider = "tdx_guest\n";
	T_OK(issue("configfs-tsm", &ev, e));
	assert_int_equal(ev.tee, CTR_TEE_TDX);
	assert_int_equal(ev.item[CTR_REPORT].n, 48 + 584);
	T_MEM(ev.item[CTR_REPORT].p + 48 + 520, data, CTR_REPORT_DATA);
	check_gone();
}

static void tsm_races(void **s)
{
	ctr_auto_evidence struct ctr_evidence ev = { 0 }, busy = { 0 };

	(void)s;
	f.races = 2;
	T_OK(issue("configfs-tsm", &ev, e));
	check_snp(&ev);
	assert_int_equal(f.nmade, 1 + 3);
	check_gone();
	f.busy = 3;
	T_OK(issue("configfs-tsm", &busy, e));
	check_snp(&busy);
	assert_int_equal(f.nmade, 4 + 1 + 4);
	f.races = 1000;
	T_FAILS(fails("configfs-tsm", e), CTR_ENV, "platform.race");
	f.races = 0;
	f.busy = 1000;
	T_FAILS(fails("configfs-tsm", e), CTR_ENV, "platform.race");
	check_gone();
}

static void tsm_failures(void **s)
{
	(void)s;
	f.provider = "arm_cca_guest\n";
	T_FAILS(fails("configfs-tsm", e), CTR_ENV, "platform.provider");
	f.provider = "";
	T_FAILS(fails("configfs-tsm", e), CTR_ENV, "platform.provider");
	f.provider = "sev_guest\n";
	f.no_mkdir = ENXIO;
	T_FAILS(fails("configfs-tsm", e), CTR_ENV, "platform.provider");
	f.no_mkdir = EACCES;
	T_FAILS(fails("configfs-tsm", e), CTR_ENV, "platform.open");
	f.no_mkdir = 0;
	f.refuse = EINVAL;
	T_FAILS(fails("configfs-tsm,vmpl=0", e), CTR_ENV, "platform.io");
	f.short_write = true;
	T_FAILS(fails("configfs-tsm", e), CTR_ENV, "platform.io");
	f.short_write = false;
	f.aux_is_dir = true;
	T_FAILS(fails("configfs-tsm", e), CTR_ENV, "read");
	f.aux_is_dir = false;
	f.other_data = true;
	T_FAILS(fails("configfs-tsm", e), CTR_ENV, "platform.report-data");
	f.provider = "tdx_guest\n";
	T_FAILS(fails("configfs-tsm", e), CTR_ENV, "platform.report-data");
	f.other_data = false;
	f.report_size = 20;
	T_FAILS(fails("configfs-tsm", e), CTR_FORMAT, "platform.report");
	f.report_size = 48 + 520 + 63;
	T_FAILS(fails("configfs-tsm", e), CTR_FORMAT, "platform.report");
	f.provider = "sev_guest\n";
	f.report_size = CTR_SNP_SIZE + 1;
	T_FAILS(fails("configfs-tsm", e), CTR_FORMAT, "platform.report");
	f.report_size = 32769;
	T_FAILS(fails("configfs-tsm", e), CTR_FORMAT, "limit");
	f.report_size = 0;
	ctr_buf_adds(&f.aux, "no table");
	T_FAILS(fails("configfs-tsm", e), CTR_FORMAT, "cert-table");
	check_gone();
	io.tsm = io.sev_guest;
	T_FAILS(fails("configfs-tsm", e), CTR_ENV, "platform.open");
}

static void sev(void **s)
{
	ctr_auto_evidence struct ctr_evidence ev = { 0 }, none = { 0 }, old = { 0 };
	ctr_auto_buf struct ctr_buf cert = { 0 };

	(void)s;
	io.sev_guest = "/dev/null";
	T_OK(issue("sev-guest", &none, e));
	check_snp(&none);
	assert_int_equal(none.item[CTR_VCEK].n, 0);
	assert_int_equal(f.vmpl, 0);
	make_table(&cert);
	f.need = 5 * 4096;
	f.vmm_busy = 2;
	f.interrupted = 1;
	T_OK(issue("sev-guest,vmpl=3", &ev, e));
	check_snp(&ev);
	assert_int_equal(ev.item[CTR_VCEK].n, cert.n);
	T_MEM(ev.item[CTR_VCEK].p, cert.p, cert.n);
	assert_int_equal(f.calls, 1 + 2 + 1 + 2);
	assert_int_equal(f.numbers[5], 0xc0205302);
	assert_int_equal(f.paused, 50 + 100);
	assert_int_equal(f.vmpl, 3);
	f.no_extended = true;
	T_OK(issue("sev-guest", &old, e));
	check_snp(&old);
	assert_int_equal(f.numbers[7], 0xc0205300);
}

static void sev_failures(void **s)
{
	(void)s;
	T_FAILS(fails("sev-guest", e), CTR_ENV, "platform.open");
	io.sev_guest = "/dev/null";
	f.vmm_busy = 1000;
	T_FAILS(fails("sev-guest", e), CTR_ENV, "platform.busy");
	assert_true(f.paused > 1000 && f.paused < 20000);
	f.vmm_busy = 0;
	f.exitinfo2 = 0x16;
	T_FAILS(fails("sev-guest", e), CTR_ENV, "platform.firmware");
	f.exitinfo2 = 0;
	f.error = EPERM;
	T_FAILS(fails("sev-guest", e), CTR_ENV, "platform.io");
	f.error = 0;
	f.status = 0x16;
	T_FAILS(fails("sev-guest", e), CTR_ENV, "platform.firmware");
	f.status = 0;
	f.size = CTR_SNP_SIZE - 1;
	T_FAILS(fails("sev-guest", e), CTR_FORMAT, "platform.report");
	f.size = 0xffffffff;
	T_FAILS(fails("sev-guest", e), CTR_FORMAT, "platform.report");
	f.size = CTR_SNP_SIZE;
	f.other_data = true;
	T_FAILS(fails("sev-guest", e), CTR_ENV, "platform.report-data");
	f.other_data = false;
	/* a host that asks for too much, or for half pages */
	f.need = 2 << 20;
	T_FAILS(fails("sev-guest", e), CTR_ENV, "platform.firmware");
	f.need = 4 * 4096 + 1;
	T_FAILS(fails("sev-guest", e), CTR_ENV, "platform.firmware");
}

static void tdx(void **s)
{
	ctr_auto_platform struct ctr_platform *p = NULL, *other = NULL;
	uint8_t report[CTR_TDREPORT_SIZE];

	(void)s;
	T_FAILS(fails("tdx-guest", e), CTR_ENV, "platform.open");
	io.tdx_guest = "/dev/null";
	T_FAILS(fails("tdx-guest", e), CTR_ENV, "platform.tdreport");
	T_OK(ctr_platform_open("tdx-guest", &io, &p, e));
	T_STR(ctr_platform_name(p), "tdx-guest");
	f.interrupted = 1;
	T_OK(ctr_platform_tdreport(p, data, report, e));
	assert_int_equal(report[0], 0x81);
	T_MEM(report + 0x80, data, CTR_REPORT_DATA);
	f.error = EIO;
	T_FAILS(ctr_platform_tdreport(p, data, report, e), CTR_ENV, "platform.io");
	assert_int_equal(report[0], 0);
	T_OK(ctr_platform_open("configfs-tsm", &io, &other, e));
	T_FAILS(ctr_platform_tdreport(other, data, report, e), CTR_USAGE, "platform.spec");
}

static const char *automatic(void)
{
	static char name[32];
	ctr_auto_platform struct ctr_platform *p = NULL;

	T_OK(ctr_platform_open("auto", &io, &p, e));
	snprintf(name, sizeof name, "%s", ctr_platform_name(p));
	return name;
}

static void automatic_choice(void **s)
{
	ctr_auto_platform struct ctr_platform *p = NULL;
	struct ctr_err e = { 0 };

	(void)s;
	io.sev_guest = "/dev/null";
	T_STR(automatic(), "configfs-tsm");
	f.no_mkdir = ENXIO;
	T_STR(automatic(), "sev-guest");
	io.tsm = "/a-tsm";
	f.no_mkdir = ENOENT;
	io.sev_guest = "/b-sev";
	io.tdx_guest = "/c-tdx";
	assert_int_equal(ctr_platform_open("auto", &io, &p, &e), -1);
	assert_int_equal(e.code, CTR_ENV);
	T_STR(e.id, "platform.none");
	assert_non_null(strstr(e.msg, "/a-tsm: No such file"));
	assert_non_null(strstr(e.msg, "/b-sev: No such file"));
	assert_non_null(strstr(e.msg, "/c-tdx: No such file"));
	io.tdx_guest = "/dev/null";
	e = (struct ctr_err){ 0 };
	assert_int_equal(ctr_platform_open("auto", &io, &p, &e), -1);
	T_STR(e.id, "platform.none");
	assert_non_null(strstr(e.msg, "/dev/null: gives only a TDREPORT"));
}

static void specs(void **s)
{
	static const char *const bad[] = { "", "sev", "sev-guest,", "sev-guest,vmpl=", "sev-guest,vmpl=4", "sev-guest,vmpl=01",
					   "tdx-guest,vmpl=1", "auto,vmpl=1", "sim", "configfs-tsm,x=1", "AUTO", "sev-guest,Vmpl=1" };

	(void)s;
	io.sev_guest = io.tdx_guest = "/dev/null";
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		T_FAILS(fails(bad[i], e), CTR_USAGE, "platform.spec");
	T_FAILS(fails("sim:", e), CTR_USAGE, "sim.dir");
	T_FAILS(fails("sim:/nowhere,a=b", e), CTR_USAGE, "sim.dir");
	assert_int_equal(f.nmade + f.calls, 0);
}

static void simulated(void **s)
{
	ctr_auto_evidence struct ctr_evidence ev = { 0 }, lie = { 0 };
	ctr_auto_buf struct ctr_buf spec = { 0 };

	(void)s;
	EVP_PKEY_free(pki_key(f.dir.p, "vcek", "P-384"));
	write_in(f.dir.p, "snp.json", "{\"vmpl\": 2}", 11);
	ctr_buf_addf(&spec, "sim:%s", f.dir.p);
	T_OK(issue(spec.p, &ev, e));
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
	EVP_PKEY_free(pki_key(f.dir.p, "vlek", "P-384"));
	make_table(&cert);
	write_in(f.dir.p, "snp.json", "{}", 2);
	write_in(f.dir.p, "vlek.der", cert.p, cert.n);
	write_in(f.dir.p, "ark.der", cert.p, cert.n);
	ctr_buf_addf(&spec, "sim:%s", f.dir.p);
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

	(void)s;
	EVP_PKEY_free(pki_key(f.dir.p, "att", "P-256"));
	EVP_PKEY_free(pki_key(f.dir.p, "pck", "P-256"));
	write_in(f.dir.p, "tdx.json", "{\"version\": 5}", 14);
	write_in(f.dir.p, "pck_chain.pem", "chain\n", 6);
	ctr_buf_addf(&spec, "sim:%s,mrconfigid=99", f.dir.p);
	T_OK(issue(spec.p, &ev, e));
	assert_int_equal(ev.tee, CTR_TEE_TDX);
	assert_int_equal(ev.item[CTR_REPORT].p[0], 5);
	assert_int_equal((uint8_t)ev.item[CTR_REPORT].p[54 + 184], 0x99);
	T_MEM(ev.item[CTR_REPORT].p + 54 + 520, data, CTR_REPORT_DATA);
}

#define T(name) cmocka_unit_test_setup_teardown(name, up, down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(tsm_snp), T(tsm_without_certificates), T(tsm_tdx), T(tsm_races), T(tsm_failures), T(sev), T(sev_failures),
		T(tdx), T(automatic_choice), T(specs), T(simulated), T(simulated_certificates), T(simulated_tdx),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
