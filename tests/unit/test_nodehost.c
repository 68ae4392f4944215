/* tools/ctr-node-install: what the kernel says of the CPU, and what the SEV firmware says. */
/* needs: tools/ctr-node-install/hostcpu.c tools/ctr-node-install/sevstatus.c */
#include "t.h"

#include <errno.h>
#include <sys/ioctl.h>

#include "tools/ctr-node-install/hostcpu.h"
#include "tools/ctr-node-install/sevstatus.h"

#define CPU                                                                                        \
	"processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 1\n"              \
	"model name\t: AMD EPYC 7763\nflags\t\t: fpu sev sev_snp\n"

static int parse(const char *s, struct host_cpu *c, struct ctr_err *e)
{
	return host_cpu_parse(s, strlen(s), c, e);
}

static void cpu(void **s)
{
	static const char text[] = CPU "\nprocessor\t: 1\nvendor_id\t: Other\nflags\t\t: sme\n";
	struct host_cpu c;

	(void)s;
	T_OK(parse(text, &c, e));
	T_STR(c.vendor, "AuthenticAMD");
	assert_int_equal(c.family, 25);
	assert_int_equal(c.model, 1);
	assert_true(host_cpu_has(&c, "sev_snp") && host_cpu_has(&c, "fpu"));
	assert_false(host_cpu_has(&c, "sme") || host_cpu_has(&c, "sev_") || host_cpu_has(&c, ""));
}

static void cpu_refused(void **s)
{
	static const char *const bad[] = {
		"",
		"processor : 0\nBogoMIPS : 100.00\nFeatures : fp asimd\n",
		"vendor_id : AuthenticAMD\ncpu family : 25\nmodel : 1\n",
		"vendor_id : AuthenticAMD\ncpu family : -1\nmodel : 1\nflags : a\n",
		"vendor_id : AuthenticAMD\ncpu family : 25\nmodel : 1x\nflags : a\n",
		"vendor_id : AuthenticAMD\ncpu family : 99999\nmodel : 1\nflags : a\n",
		"vendor_id : AVeryLongVendorOfAll\ncpu family : 25\nmodel : 1\nflags : a\n",
		"vendor_id : \nvendor_id : A\x7f\ncpu family : 25\nmodel : 1\nflags : a\n",
		"vendor_id : AuthenticAMD\n\ncpu family : 25\nmodel : 1\nflags : a\n",
	};

	(void)s;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct host_cpu c;

		T_FAILS(parse(bad[i], &c, e), CTR_FORMAT, "cpuinfo");
	}
}

static const uint8_t good[SEV_STATUS_SIZE] = {
	1, 55, 1, 1, 21, 0, 0, 0,    5, 0, 0, 0, 3, 0, 0, 0,
	4, 0,  0, 0, 0,	 0, 8, 0xd1, 3, 0, 0, 0, 0, 0, 7, 0xd0,
};

static void status(void **s)
{
	struct sev_status st;
	uint8_t b[SEV_STATUS_SIZE + 1] = { 0 };

	(void)s;
	T_OK(sev_status_parse(good, sizeof good, &st, e));
	assert_true(st.major == 1 && st.minor == 55 && st.build == 21 && st.state == 1 && st.rmp);
	assert_true(st.mask_chip_id && !st.mask_chip_key && st.vlek && st.guests == 3);
	T_MEM(st.current_tcb, good + 16, 8);
	T_MEM(st.reported_tcb, good + 24, 8);
	for (size_t n = 0; n < sizeof good; n++)
		T_FAILS(sev_status_parse(good, n, &st, e), CTR_FORMAT, "sev.status");
	memcpy(b, good, sizeof good);
	T_FAILS(sev_status_parse(b, sizeof b, &st, e), CTR_FORMAT, "sev.status");
	b[2] = 2;
	T_FAILS(sev_status_parse(b, sizeof good, &st, e), CTR_FORMAT, "sev.status");
}

/* The kernel, played. */
static struct {
	int error;
	uint32_t firmware;
	unsigned long request;
	uint32_t command;
} kernel;

static int ask(int fd, unsigned long request, uintptr_t arg)
{
	uint8_t *issue = (uint8_t *)arg;
	uint64_t at;

	assert_int_equal(fd, 7);
	kernel.request = request;
	memcpy(&kernel.command, issue, 4);
	memcpy(&at, issue + 4, 8);
	memcpy(issue + 12, &kernel.firmware, 4);
	errno = kernel.error;
	if (!kernel.error)
		memcpy((void *)(uintptr_t)at, good, sizeof good);
	return kernel.error ? -1 : 0;
}

static const struct host_io io = { ask };

static int get(int error, uint32_t firmware, struct ctr_err *e)
{
	struct sev_status st;

	kernel.error = error;
	kernel.firmware = firmware;
	return sev_status_get(&io, 7, &st, e);
}

static void device(void **s)
{
	struct ctr_err why = { 0 };

	(void)s;
	T_OK(get(0, 0, e));
	assert_int_equal(kernel.request, 0xc0105300);
	assert_int_equal(kernel.command, 9);
	T_FAILS(get(EINVAL, 0, e), CTR_ENV, "sev.status");
	T_FAILS(get(ENOTTY, 0, e), CTR_ENV, "sev.status");
	T_FAILS(get(EPERM, 0, e), CTR_ENV, "sev.status");
	T_FAILS(get(EIO, UINT32_MAX, e), CTR_ENV, "sev.status");
	assert_int_equal(get(EIO, 0x20, &why), -1);
	assert_non_null(strstr(why.msg, "error 0x20"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpu),
		cmocka_unit_test(cpu_refused),
		cmocka_unit_test(status),
		cmocka_unit_test(device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
