/*
 * What becomes of a device, on files: device mapper, mkfs and mount are played, so that each step
 * can fail, or be the last one before the power goes.
 */
/* needs: tools/ctr-initializer/volume.c tools/ctr-initializer/volume_look.c tools/ctr-initializer/luks.c tools/ctr-initializer/luks_lib.c tools/ctr-initializer/luks_check.c */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "t.h"
#include "tools/ctr-initializer/guard.h"
#include "tools/ctr-initializer/luks.h"
#include "tools/ctr-initializer/volume.h"

#define SIZE ((off_t)64 << 20)

static char dir[] = "/tmp/ctr-volume-XXXXXX";
static char device[64], out[64], at[64], seed[128];

/* What was asked of the machine, and what it refuses. */
static struct {
	bool active, ours, wiped;
	unsigned opened, closed, mkfs, mounted;
	bool no_open, no_mkfs, no_mount;
	struct ctr_secret key; /* of the last opening */
	unsigned long flags;
} m;

int luks_open(struct luks *l, const char *name, const struct ctr_secret *key, bool wipe,
	      struct ctr_err *e)
{
	(void)l;
	(void)name;
	if (m.no_open)
		return ctr_fail(e, CTR_ENV, "luks.open", "as the test wants it");
	m.opened++;
	m.wiped = wipe;
	ctr_secret_free(&m.key);
	if (ctr_secret_new(&m.key, key->n, e) < 0)
		return -1;
	memcpy(m.key.p, key->p, key->n);
	return 0;
}

int luks_close(const char *name, struct ctr_err *e)
{
	(void)name;
	(void)e;
	m.closed++;
	return 0;
}

bool luks_active(const struct luks *l, const char *name, bool *ours)
{
	(void)l;
	(void)name;
	*ours = m.ours;
	return m.active;
}

int guard_exec(const char *const argv[], unsigned seconds, struct ctr_err *e)
{
	(void)seconds;
	T_STR(argv[0], "mkfs.ext4");
	if (m.no_mkfs)
		return ctr_fail(e, CTR_NO, "exec", "exit status 1");
	m.mkfs++;
	return 0;
}

int mount(const char *what, const char *where, const char *type, unsigned long flags,
	  const void *data)
{
	(void)data;
	T_STR(what, "/dev/mapper/db");
	T_STR(where, at);
	T_STR(type, "ext4");
	m.flags = flags;
	m.mounted += !m.no_mount;
	errno = EPERM;
	return m.no_mount ? -1 : 0;
}

static void blank(void)
{
	int fd = open(device, O_RDWR | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, SIZE), 0);
	close(fd);
}

static void secret(char c)
{
	char hex[129] = "";

	memset(hex, c, 128);
	T_OK(ctr_file_write(seed, hex, 128, 0600, e));
}

static int start(void **s)
{
	char sub[96];

	(void)s;
	if (!mkdtemp(dir))
		return -1;
	snprintf(device, sizeof device, "%s/device", dir);
	snprintf(out, sizeof out, "%s/contrast", dir);
	snprintf(at, sizeof at, "%s/mnt", dir);
	snprintf(sub, sizeof sub, "%s/secrets", out);
	snprintf(seed, sizeof seed, "%s/workload-secret-seed", sub);
	T_OK(ctr_mkdirs(sub, 0700, e));
	return 0;
}

static int each(void **s)
{
	(void)s;
	ctr_secret_free(&m.key);
	memset(&m, 0, sizeof m);
	blank();
	secret('a');
	return 0;
}

static int end(void **s)
{
	char cmd[96];

	(void)s;
	ctr_secret_free(&m.key);
	snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
	return system(cmd);
}

static struct ctr_log quiet = { .tool = "test", .level = CTR_QUIET };

static struct volume volume(void)
{
	return (struct volume){
		.device = device, .mount = at, .name = "db", .output = out, .log = &quiet
	};
}

static void made_once_then_opened(void **s)
{
	struct volume v = volume();
	struct ctr_secret first;

	(void)s;
	T_OK(volume_run(&v, e));
	assert_true(m.opened == 1 && m.mkfs == 1 && m.mounted == 1 && !m.wiped);
	assert_true((m.flags & (MS_NOSUID | MS_NODEV)) == (MS_NOSUID | MS_NODEV));
	first = m.key;
	m.key = (struct ctr_secret){ 0 };
	T_OK(volume_run(&v, e));
	assert_true(m.opened == 2 && m.mkfs == 1 && m.mounted == 2);
	assert_true(ctr_secret_same(&first, &m.key));
	/* lesson: what is ours is never made anew, whatever the option */
	v.format = true;
	T_OK(volume_run(&v, e));
	assert_int_equal(m.mkfs, 1);
	v.format = false;
	v.existing = true;
	T_OK(volume_run(&v, e));
	ctr_secret_free(&first);
}

static void what_is_mapped_is_not_mapped_again(void **s)
{
	struct volume v = volume();

	(void)s;
	T_OK(volume_run(&v, e));
	m.active = m.ours = true;
	T_OK(volume_run(&v, e));
	assert_int_equal(m.opened, 1);
	m.ours = false;
	T_FAILS(volume_run(&v, e), CTR_ENV, "volume.name");
}

static void each_format_has_its_key(void **s)
{
	struct volume v = volume();
	struct ctr_secret first;

	(void)s;
	T_OK(volume_run(&v, e));
	first = m.key;
	m.key = (struct ctr_secret){ 0 };
	blank();
	T_OK(volume_run(&v, e));
	assert_false(ctr_secret_same(&first, &m.key));
	ctr_secret_free(&first);
}

static void another_secret_or_name_does_not_open(void **s)
{
	struct volume v = volume();

	(void)s;
	T_OK(volume_run(&v, e));
	secret('b');
	T_FAILS(volume_run(&v, e), CTR_NO, "luks.key");
	secret('a');
	v.name = "log"; /* two volumes exchanged by the host */
	T_FAILS(volume_run(&v, e), CTR_NO, "luks.key");
	v.name = "db";
	v.integrity = true;
	T_FAILS(volume_run(&v, e), CTR_NO, "luks.header");
	v.integrity = false;
	assert_int_equal(m.opened, 1);
	secret('b');
	v.format = true; /* destroys, as it says */
	T_OK(volume_run(&v, e));
	assert_int_equal(m.mkfs, 2);
}

static void foreign_content_is_left_alone(void **s)
{
	struct volume v = volume();
	ctr_auto_fd int fd = open(device, O_RDWR);

	(void)s;
	assert_int_equal(pwrite(fd, "\x53\xef", 2, 0x438), 2);
	T_FAILS(volume_run(&v, e), CTR_NO, "volume.foreign");
	v.existing = true;
	T_FAILS(volume_run(&v, e), CTR_NO, "volume.empty");
	v.existing = false;
	assert_int_equal(m.opened, 0);
	v.format = true;
	T_OK(volume_run(&v, e));
	assert_int_equal(m.mkfs, 1);
	blank();
	v.format = false;
	v.existing = true;
	T_FAILS(volume_run(&v, e), CTR_NO, "volume.empty");
}

/* Until all is done the device does not look like a volume, and the next run begins again. */
static void a_failure_in_between_is_made_good(void **s)
{
	struct volume v = volume();

	(void)s;
	m.no_open = true;
	T_FAILS(volume_run(&v, e), CTR_ENV, "luks.open");
	m.no_open = false;
	m.no_mkfs = true;
	T_FAILS(volume_run(&v, e), CTR_ENV, "volume.mkfs");
	assert_int_equal(m.closed, 1);
	m.no_mkfs = false;
	m.no_mount = true;
	T_FAILS(volume_run(&v, e), CTR_ENV, "volume.mount");
	assert_int_equal(m.mkfs, 1);
	m.no_mount = false;
	T_OK(volume_run(&v, e));
	assert_int_equal(m.mkfs, 1);
}

static void secret_must_be_there(void **s)
{
	struct volume v = volume();

	(void)s;
	T_OK(ctr_file_write(seed, "xy", 2, 0600, e));
	T_FAILS(volume_run(&v, e), CTR_FORMAT, "hex");
	assert_int_equal(unlink(seed), 0);
	T_FAILS(volume_run(&v, e), CTR_ENV, "open");
	assert_int_equal(m.opened, 0);
}

/* Between the check and the opening the host writes another header: the copy is what is opened. */
static void lesson_header_is_a_copy(void **s)
{
	ctr_auto_secret struct ctr_secret sec = { 0 }, key = { 0 };
	ctr_auto_buf struct ctr_buf h = { 0 }, again = { 0 };
	ctr_auto_fd int fd = open(device, O_RDWR);
	struct volume v = volume();
	enum volume_kind kind;
	auto_luks struct luks *l = NULL;

	(void)s;
	T_OK(volume_run(&v, e));
	T_OK(volume_look(device, &kind, &h, e));
	assert_int_equal(kind, VOLUME_LUKS2);
	T_OK(luks_load(device, false, h.p, &l, e));
	for (off_t i = 0; i < (off_t)LUKS_HEADER; i += 16)
		assert_int_equal(pwrite(fd, "cipher_null-ecb", 16, i), 16);
	T_OK(volume_secret(out, &sec, e));
	T_OK(volume_key(&sec, "db", luks_uuid(l), 64, &key, e));
	T_OK(luks_verify(l, &key, e));
	T_OK(luks_header(l, &again, e));
	T_MEM(h.p, again.p, h.n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(made_once_then_opened, each),
		cmocka_unit_test_setup(what_is_mapped_is_not_mapped_again, each),
		cmocka_unit_test_setup(each_format_has_its_key, each),
		cmocka_unit_test_setup(another_secret_or_name_does_not_open, each),
		cmocka_unit_test_setup(foreign_content_is_left_alone, each),
		cmocka_unit_test_setup(a_failure_in_between_is_made_good, each),
		cmocka_unit_test_setup(secret_must_be_there, each),
		cmocka_unit_test_setup(lesson_header_is_a_copy, each),
	};

	return cmocka_run_group_tests(tests, start, end);
}
