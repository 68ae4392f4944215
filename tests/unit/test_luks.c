/* LUKS2 headers: what is written is taken, each other one is refused. On files: nothing is mapped.
 */
/* needs: tools/ctr-initializer/luks.c tools/ctr-initializer/luks_lib.c tools/ctr-initializer/luks_check.c tools/ctr-initializer/volume_look.c */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enc.h"
#include "file.h"
#include "hash.h"
#include "t.h"
#include "tools/ctr-initializer/luks.h"
#include "tools/ctr-initializer/luks_check.h"
#include "tools/ctr-initializer/mark.h"
#include "tools/ctr-initializer/volume.h"

#define UUID "01234567-89ab-4cde-8f01-23456789abcd"
#define KEY96                                                                                      \
	"d0ac6fba9fad3c8a271c3b4309b3ed593eb844c6c7ff48dcca9b915ca8030889"                         \
	"3b1203b2ebda63ebae0681e884f5f940ff6037399233b98b59ccbde1720c2b29"                         \
	"b8fc1abd9dca6fe25d0fae6c4f7cae4875784918000cdb5a423d97cbbea163f4"
#define SIZE ((off_t)64 << 20)

static char file[] = "/tmp/ctr-luks-XXXXXX";

static int start(void **s)
{
	int fd = mkstemp(file);

	(void)s;
	if (fd < 0 || ftruncate(fd, SIZE) < 0)
		return -1;
	return close(fd);
}

static int end(void **s)
{
	(void)s;
	return unlink(file);
}

static struct ctr_secret bytes(size_t n, int c)
{
	struct ctr_secret s;

	T_OK(ctr_secret_new(&s, n, e));
	memset(s.p, c, n);
	return s;
}

/* A sound header. */
static void header(struct ctr_buf *h, const struct ctr_secret *key)
{
	auto_luks struct luks *l = NULL;

	T_OK(luks_format(file, false, UUID, key, &l, e));
	T_OK(luks_header(l, h, e));
	T_STR(luks_uuid(l), UUID);
}

static void what_is_made_is_taken(void **s)
{
	ctr_auto_secret struct ctr_secret key = bytes(64, 1), other = bytes(64, 2);
	ctr_auto_buf struct ctr_buf h = { 0 };
	auto_luks struct luks *l = NULL;
	struct stat st;

	(void)s;
	header(&h, &key);
	assert_int_equal(h.n, LUKS_HEADER);
	T_OK(luks_load(file, false, h.p, &l, e));
	T_STR(luks_uuid(l), UUID);
	T_OK(luks_verify(l, &key, e));
	T_FAILS(luks_verify(l, &other, e), CTR_NO, "luks.key");
	/* the device itself was not touched */
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_blocks, 0);
	/* neither the key nor anything that opens to it is in the header */
	assert_null(memmem(h.p, h.n, key.p, 16));
}

static void cryptsetup_reads_it(void **s)
{
	ctr_auto_secret struct ctr_secret key = bytes(64, 1);
	ctr_auto_buf struct ctr_buf h = { 0 };
	ctr_auto_fd int fd = -1;
	char cmd[200];

	(void)s;
	header(&h, &key);
	fd = open(file, O_WRONLY);
	T_OK(ctr_fd_write(fd, file, h.p, h.n, e));
	snprintf(cmd, sizeof cmd, "PATH=$PATH:/sbin:/usr/sbin cryptsetup isLuks --type luks2 %s",
		 file);
	assert_int_equal(system(cmd), 0);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(ftruncate(fd, SIZE), 0);
}

static void refuses_damage(void **s)
{
	ctr_auto_secret struct ctr_secret key = bytes(64, 1);
	ctr_auto_buf struct ctr_buf h = { 0 }, zero = { 0 };
	struct luks *l;

	(void)s;
	header(&h, &key);
	for (size_t i = 0; i < LUKS_HEADER; i++)
		ctr_buf_addc(&zero, '\0');
	T_FAILS(luks_load(file, false, zero.p, &l, e), CTR_NO, "luks.header");
	T_FAILS(luks_load(file, true, h.p, &l, e), CTR_NO, "luks.header");
	/* both copies of the text */
	h.p[5000] ^= 1;
	h.p[5000 + LUKS_HEADER / 2] ^= 1;
	T_FAILS(luks_load(file, false, h.p, &l, e), CTR_NO, "luks.header");
}

/* Puts other text of the same length into both copies, with the checksum that belongs to it. */
static void forge(struct ctr_buf *h, const char *from, const char *to)
{
	size_t half = LUKS_HEADER / 2, n = strlen(from), csum = 448;

	assert_int_equal(strlen(to), n);
	for (char *p = h->p; p < h->p + h->n; p += half) {
		char *at = memmem(p, half, from, n);

		assert_non_null(at);
		memcpy(at, to, n);
		memset(p + csum, 0, 64);
		T_OK(ctr_hash(CTR_SHA256, p, half, (uint8_t *)p + csum, e));
	}
}

/* CVE-2025-71422: with that cipher the host reads and writes all data, and the key still fits. */
static void lesson_null_cipher_is_refused(void **s)
{
	ctr_auto_secret struct ctr_secret key = bytes(64, 1);
	ctr_auto_buf struct ctr_buf h = { 0 };
	struct ctr_err why = { 0 };
	struct luks *l;

	(void)s;
	header(&h, &key);
	forge(&h, "aes-xts-plain64", "aes-xts-plain64");
	T_OK(luks_load(file, false, h.p, &l, e));
	luks_free(l);
	forge(&h, "aes-xts-plain64", "cipher_null-ecb");
	assert_int_equal(luks_load(file, false, h.p, &l, &why), -1);
	T_STR(why.id, "luks.header");
	/* the library itself had nothing against it */
	assert_non_null(strstr(why.msg, "$.segments.0.encryption: \"cipher_null-ecb\""));
	h.n = 0;
	header(&h, &key);
	forge(&h, "\"sector_size\":4096", "\"sector_size\":1024");
	T_FAILS(luks_load(file, false, h.p, &l, e), CTR_NO, "luks.header");
}

/* --- the metadata --- */

static const char good[] =
	"{\"keyslots\":{},\"tokens\":{},\"segments\":{\"0\":{\"type\":\"crypt\",\"offset\":"
	"\"16777216\",\"size\":\"dynamic\",\"iv_tweak\":\"0\",\"encryption\":\"aes-xts-plain64\","
	"\"sector_size\":4096}},\"digests\":{\"0\":{\"type\":\"pbkdf2\",\"keyslots\":[],"
	"\"segments\":[\"0\"],\"hash\":\"sha256\",\"iterations\":1000,\"salt\":\"AA==\",\"digest\":"
	"\"AA==\"}},\"config\":{\"json_size\":\"12288\",\"keyslots_size\":\"16744448\"}}";
static const char with[] =
	"4096,\"integrity\":{\"type\":\"hmac(sha256)\",\"journal_encryption\":\"none\","
	"\"journal_integrity\":\"none\"}";

/* The good text with the first `from` replaced. */
static void change(const char *text, const char *from, const char *to, struct ctr_buf *out)
{
	const char *at = strstr(text, from);

	assert_non_null(at);
	ctr_buf_reset(out);
	ctr_buf_add(out, text, (size_t)(at - text));
	ctr_buf_adds(out, to);
	ctr_buf_adds(out, at + strlen(from));
}

static void refused(const char *from, const char *to)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	change(good, from, to, &b);
	T_FAILS(luks_check(b.p, b.n, false, e), CTR_NO, "luks.header");
}

static void lesson_refuses_each_other_header(void **s)
{
	(void)s;
	T_OK(luks_check(good, sizeof good - 1, false, e));
	/* CVE-2025-71422: another cipher, the null one above all */
	refused("aes-xts-plain64", "cipher_null-ecb");
	refused("aes-xts-plain64", "aes-xts-plain");
	refused("aes-xts-plain64", "aes-cbc-essiv:sha256");
	/* a segment that is not encrypted, a second one, none */
	refused("\"crypt\"", "\"linear\"");
	refused("\"segments\":{", "\"segments\":{\"1\":{\"type\":\"linear\"},");
	refused("\"segments\":{\"0\"", "\"segments\":{\"1\"");
	refused("16777216", "16781312");
	refused("\"dynamic\"", "\"4096\"");
	refused("\"iv_tweak\":\"0\"", "\"iv_tweak\":\"1\"");
	refused("4096", "512");
	refused("\"sector_size\"", "\"flags\":[\"backup-final\"],\"sector_size\"");
	refused("4096}", "4096,\"integrity\":{\"type\":\"none\"}}");
	/* key slots, bound or not, and tokens */
	refused("\"keyslots\":{}", "\"keyslots\":{\"0\":{\"type\":\"luks2\",\"key_size\":64}}");
	refused("\"tokens\":{}", "\"tokens\":{\"0\":{\"type\":\"x\",\"keyslots\":[]}}");
	refused("\"keyslots\":[]", "\"keyslots\":[\"0\"]");
	refused("[\"0\"]", "[]");
	refused("[\"0\"]", "[\"1\"]");
	refused("[\"0\"]", "[\"0\",\"1\"]");
	/* a digest of another kind, one that keeps the processor busy, two of them */
	refused("\"pbkdf2\"", "\"x\"");
	refused("sha256", "sha1");
	refused("\"iterations\":1000", "\"iterations\":1001");
	refused("\"iterations\":1000", "\"iterations\":\"1000\"");
	refused("\"digests\":{", "\"digests\":{\"1\":{},");
	/* activation flags, reencryption */
	refused("\"config\":{", "\"config\":{\"flags\":[\"allow-discards\"],");
	refused("\"config\":{",
		"\"config\":{\"requirements\":{\"mandatory\":[\"online-reencrypt\"]},");
	refused("\"config\"", "\"more\"");
	refused("{\"keyslots\":{},", "{");
	refused("\"tokens\":{},", "\"tokens\":[],");
	refused("}}", "}");
}

static void with_integrity_all_or_nothing(void **s)
{
	ctr_auto_buf struct ctr_buf a = { 0 }, b = { 0 };

	(void)s;
	change(good, "4096", with, &a);
	T_OK(luks_check(a.p, a.n, true, e));
	T_FAILS(luks_check(a.p, a.n, false, e), CTR_NO, "luks.header");
	T_FAILS(luks_check(good, sizeof good - 1, true, e), CTR_NO, "luks.header");
	change(a.p, "hmac(sha256)", "none", &b);
	T_FAILS(luks_check(b.p, b.n, true, e), CTR_NO, "luks.header");
	change(a.p, "hmac(sha256)", "crc32c", &b);
	T_FAILS(luks_check(b.p, b.n, true, e), CTR_NO, "luks.header");
	change(a.p, "\"none\"", "\"hmac(sha1)\"", &b);
	T_FAILS(luks_check(b.p, b.n, true, e), CTR_NO, "luks.header");
}

/* --- the device --- */

static enum volume_kind look(void)
{
	ctr_auto_buf struct ctr_buf h = { 0 };
	enum volume_kind kind;

	T_OK(volume_look(file, &kind, &h, e));
	assert_int_equal(h.n, LUKS_HEADER);
	return kind;
}

/* What the device is with these bytes there; it is zero before and after. */
static enum volume_kind with_bytes(off_t at, const void *p, size_t n)
{
	ctr_auto_fd int fd = open(file, O_WRONLY);
	enum volume_kind kind;

	assert_int_equal(pwrite(fd, p, n, at), n);
	kind = look();
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(ftruncate(fd, SIZE), 0);
	return kind;
}

static void tells_what_a_device_holds(void **s)
{
	static const char ext[] = "\x53\xef";

	(void)s;
	assert_int_equal(look(), VOLUME_EMPTY);
	assert_int_equal(with_bytes(0x438, ext, 2), VOLUME_FOREIGN);	      /* ext4 */
	assert_int_equal(with_bytes(510, "\x55\xaa", 2), VOLUME_FOREIGN);     /* partitions */
	assert_int_equal(with_bytes(0x10040, "_BHRfS_M", 8), VOLUME_FOREIGN); /* btrfs */
	assert_int_equal(with_bytes((1 << 20) - 1, "x", 1), VOLUME_FOREIGN);
	assert_int_equal(with_bytes(SIZE - 512, "EFI PART", 8), VOLUME_FOREIGN); /* spare GPT */
	assert_int_equal(with_bytes(SIZE - (1 << 20), "x", 1), VOLUME_FOREIGN);
	assert_int_equal(with_bytes(0, "LUKS\xba\xbe\0\1", 8), VOLUME_FOREIGN); /* version 1 */
	assert_int_equal(with_bytes(0, "LUKS\xba\xbe\0\2", 8), VOLUME_LUKS2);
	assert_int_equal(with_bytes(0, MARK, sizeof MARK), VOLUME_EMPTY);
	assert_int_equal(with_bytes(0, MARK, sizeof MARK - 2), VOLUME_FOREIGN);
}

static void refuses_sizes(void **s)
{
	ctr_auto_buf struct ctr_buf h = { 0 };
	enum volume_kind kind;

	(void)s;
	assert_int_equal(truncate(file, 2 * (off_t)LUKS_OFFSET - 4096), 0);
	T_FAILS(volume_look(file, &kind, &h, e), CTR_NO, "volume.size");
	assert_int_equal(truncate(file, SIZE + 512), 0);
	T_FAILS(volume_look(file, &kind, &h, e), CTR_NO, "volume.size");
	assert_int_equal(truncate(file, SIZE), 0);
	T_FAILS(volume_look("/nonexistent", &kind, &h, e), CTR_ENV, "open");
}

/* --- keys and names --- */

static void keys_differ_by_secret_name_and_uuid(void **s)
{
	ctr_auto_secret struct ctr_secret one = bytes(64, 1), two = bytes(64, 2);
	struct ctr_secret k[4];

	(void)s;
	T_OK(volume_key(&one, "db", UUID, 64, &k[0], e));
	T_OK(volume_key(&two, "db", UUID, 64, &k[1], e));
	T_OK(volume_key(&one, "log", UUID, 64, &k[2], e));
	T_OK(volume_key(&one, "db", "11234567-89ab-4cde-8f01-23456789abcd", 64, &k[3], e));
	for (size_t i = 0; i < 4; i++) {
		for (size_t j = 0; j < i; j++)
			assert_false(ctr_secret_same(&k[i], &k[j]));
	}
	for (size_t i = 0; i < 4; i++)
		ctr_secret_free(&k[i]);
}

/* Who changes the derivation locks everybody out. Computed with another implementation. */
static void key_is_this_one(void **s)
{
	ctr_auto_secret struct ctr_secret one = bytes(64, 1), key = { 0 };
	ctr_auto_buf struct ctr_buf hex = { 0 };

	(void)s;
	T_OK(volume_key(&one, "db", UUID, 96, &key, e));
	ctr_hex_add(&hex, key.p, key.n);
	T_STR(ctr_buf_str(&hex), KEY96);
}

static void names(void **s)
{
	char name[VOLUME_NAME_MAX + 1];
	static const char *const bad[] = { "", "/", "/.x", "/a b", "/\xc3\xa4", "/-x" };

	(void)s;
	assert_true(volume_name("/data/db", name));
	T_STR(name, "data-db");
	assert_true(volume_name("//srv//x.y/", name));
	T_STR(name, "srv-x.y");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(volume_name(bad[i], name));
	assert_false(volume_name(
		"/0123456789012345678901234567890123456789012345678901234567890123x", name));
	assert_true(volume_name("/012345678901234567890123456789012345678901234567890123456789012x",
				name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_made_is_taken),
		cmocka_unit_test(cryptsetup_reads_it),
		cmocka_unit_test(refuses_damage),
		cmocka_unit_test(lesson_null_cipher_is_refused),
		cmocka_unit_test(lesson_refuses_each_other_header),
		cmocka_unit_test(with_integrity_all_or_nothing),
		cmocka_unit_test(tells_what_a_device_holds),
		cmocka_unit_test(refuses_sizes),
		cmocka_unit_test(keys_differ_by_secret_name_and_uuid),
		cmocka_unit_test(key_is_this_one),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, start, end);
}
