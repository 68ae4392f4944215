#include "checks.h"
#include "enc.h"
#include "err.h"
#include "file.h"
#include "hash.h"
#include "json.h"
#include "rd.h"
#include "t.h"
#include "tool.h"
#include "utf8.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void err_keeps_the_first(void **s)
{
	struct ctr_err e = { 0 };

	(void)s;
	assert_int_equal(ctr_fail(&e, CTR_FORMAT, "a", "one\n\x01%s", "\xff"), -1);
	ctr_fail(&e, CTR_ENV, "b", "two");
	ctr_err_at(&e, "f", 3, 4);
	ctr_err_at(&e, "g", 5, 6);
	ctr_wrap(&e, "ctx");
	assert_int_equal(e.code, CTR_FORMAT);
	T_STR(e.msg, "ctx: one\\x0a\\x01\\xff");
	T_STR(e.where, "f");
	assert_int_equal(e.line, 3);
}

static void rd_checks_bounds(void **s)
{
	uint8_t d[] = { 1, 2, 3, 4, 5, 0, 0, 0, 9 };
	struct ctr_rd r, sub;
	uint64_t v8;
	uint16_t v2;

	(void)s;
	ctr_rd_init(&r, d, sizeof d);
	assert_int_equal(ctr_rd_le16(&r, &v2), 0);
	assert_int_equal(v2, 0x0201);
	assert_int_equal(ctr_rd_le64(&r, &v8), -1);
	assert_int_equal(v8, 0);
	assert_int_equal(ctr_rd_take(&r, 2, &sub), 0);
	assert_int_equal(ctr_rd_end(&sub), -1);
	assert_int_equal(ctr_rd_sub_le32(&r, 4, &sub), -1);
	ctr_rd_init(&r, NULL, 0);
	assert_int_equal(ctr_rd_end(&r), 0);
	assert_int_equal(ctr_rd_take(&r, SIZE_MAX, &sub), -1);
	ctr_rd_init(&r, d + 5, 4);
	assert_int_equal(ctr_rd_zeros(&r, 4), -1);
}

static void buf_has_a_ceiling(void **s)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	(void)s;
	ctr_buf_init(&b, 5);
	ctr_buf_adds(&b, "abcde");
	T_OK(ctr_buf_ok(&b, "x", e));
	ctr_buf_addc(&b, 'f');
	T_FAILS(ctr_buf_ok(&b, "x", e), CTR_FORMAT, "limit");
	T_STR(b.p, "abcde");
}

static void pem_lines(void **s)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	static const char bytes[49] = { 0 };

	(void)s;
	ctr_pem_add(&b, "X", bytes, 48);
	T_STR(ctr_buf_str(&b), "-----BEGIN X-----\n"
			       "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
			       "-----END X-----\n");
	ctr_buf_reset(&b);
	ctr_pem_add(&b, "X Y", bytes, 49);
	T_STR(ctr_buf_str(&b), "-----BEGIN X Y-----\n"
			       "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
			       "AA==\n-----END X Y-----\n");
}

static void base64_is_strict(void **s)
{
	static const char *const bad[] = { "YQ", "YQ=", "YR==", "YWI", "YWJ=", "Y Q=", "====", "YQ==YQ==", "YQ-_" };
	ctr_auto_buf struct ctr_buf b = { 0 };

	(void)s;
	ctr_base64_add(&b, "any carnal pleas", 16);
	T_STR(b.p, "YW55IGNhcm5hbCBwbGVhcw==");
	ctr_buf_reset(&b);
	T_OK(ctr_base64_parse("YWI=", 4, &b, e));
	T_STR(b.p, "ab");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		T_FAILS(ctr_base64_parse(bad[i], strlen(bad[i]), &b, e), CTR_FORMAT, "base64");
}

static void hex_is_strict(void **s)
{
	uint8_t d[2];

	(void)s;
	T_OK(ctr_hex_parse("aB01", 4, d, 2, e));
	assert_int_equal(d[0], 0xab);
	T_FAILS(ctr_hex_parse("aB0", 3, d, 2, e), CTR_FORMAT, "hex");
	T_FAILS(ctr_hex_parse("aB0g", 4, d, 2, e), CTR_FORMAT, "hex");
}

static void sha256_known_answer(void **s)
{
	uint8_t d[32];
	ctr_auto_buf struct ctr_buf b = { 0 };

	(void)s;
	T_OK(ctr_hash(CTR_SHA256, "abc", 3, d, e));
	ctr_hex_add(&b, d, 32);
	T_STR(b.p, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void json_refuses(void **s)
{
	static const struct { const char *text, *id; } bad[] = {
		{ "{\"a\":1,\"a\":2}", "json.duplicate" }, { "{\"a\":{\"b\":1,\"b\":2}}", "json.duplicate" },
		{ "", "json.syntax" }, { "{} x", "json.syntax" }, { "[1,]", "json.syntax" },
		{ "{\"a\" 1}", "json.syntax" }, { "01", "json.syntax" }, { "[-]", "json.syntax" },
		{ "\"\\u0000\"", "json.syntax" }, { "\"\\ud800\"", "json.utf8" },
		{ "\"\\ud800\\u0041\"", "json.utf8" }, { "\"\xff\"", "json.utf8" },
		{ "\"\x01\"", "json.syntax" }, { "\"a", "json.syntax" }, { "'a'", "json.syntax" },
		{ "nul", "json.syntax" }, { "[1e]", "json.syntax" }, { "{a:1}", "json.syntax" },
		{ "[1e999]", "json.syntax" }, { "-1e999", "json.syntax" },
	};
	struct ctr_json *j;
	char deep[200];

	(void)s;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		T_FAILS(ctr_json_parse("t", bad[i].text, strlen(bad[i].text), &j, e), CTR_FORMAT, bad[i].id);
	memset(deep, '[', sizeof deep);
	T_FAILS(ctr_json_parse("t", deep, sizeof deep, &j, e), CTR_FORMAT, "json.depth");
}

static void json_names_the_path(void **s)
{
	const char *t = "{\"a\":[{\"b\":\"x\"}]}";
	ctr_auto_json struct ctr_json *j = NULL;
	struct ctr_err why = { 0 };
	struct ctr_jval r, a, i, b;
	uint64_t n;

	(void)s;
	T_OK(ctr_json_parse("t", t, strlen(t), &j, e));
	r = ctr_jroot(j);
	a = ctr_jget(&r, "a");
	i = ctr_jfirst(&a);
	b = ctr_jget(&i, "b");
	assert_int_equal(ctr_juint(&b, 10, &n, &why), -1);
	T_STR(why.where, "$.a[0].b");
	T_STR(why.id, "json.type");
}

static void json_prints_and_sorts(void **s)
{
	const char *t = "{\"b\":[1,2.5,true,null],\"a\":{\"x\":\"q\\\"\\n\\u00e9\"},\"c\":[],\"d\":{}}";
	ctr_auto_json struct ctr_json *j = NULL;
	ctr_auto_buf struct ctr_buf b = { 0 };

	(void)s;
	T_OK(ctr_json_parse("t", t, strlen(t), &j, e));
	ctr_json_sort(j);
	T_OK(ctr_json_print(j, 0, &b, e));
	T_STR(b.p, "{\"a\":{\"x\":\"q\\\"\\n\xc3\xa9\"},\"b\":[1,2.5,true,null],\"c\":[],\"d\":{}}");
	ctr_buf_reset(&b);
	ctr_json_remove(j, "a");
	ctr_json_remove(j, "b");
	T_OK(ctr_json_print(j, 2, &b, e));
	T_STR(b.p, "{\n  \"c\": [],\n  \"d\": {}\n}");
}

static void file_write_is_atomic_and_has_its_mode(void **s)
{
	char dir[] = "/tmp/ctr-test-XXXXXX", path[64];
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct stat st;
	mode_t old = umask(077);

	(void)s;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/f", dir);
	T_OK(ctr_file_write(path, "one", 3, 0644, e));
	T_OK(ctr_file_write(path, "two", 3, 0640, e));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	T_OK(ctr_file_read(path, 3, &b, e));
	T_STR(b.p, "two");
	T_FAILS(ctr_file_read(path, 2, &b, e), CTR_FORMAT, "limit");
	T_FAILS(ctr_file_write("/nonexistent/x", "", 0, 0600, e), CTR_ENV, "write");
	unlink(path);
	assert_int_equal(rmdir(dir), 0); /* no temporary file was left */
	umask(old);
}

static void spool_survives_its_threshold(void **s)
{
	ctr_auto_spool struct ctr_spool sp;
	ctr_auto_buf struct ctr_buf b = { 0 };
	char piece[1000];

	(void)s;
	ctr_spool_init(&sp);
	for (int i = 0; i < 2000; i++) {
		memset(piece, 'a' + i % 26, sizeof piece);
		T_OK(ctr_spool_add(&sp, piece, sizeof piece, e));
	}
	T_OK(ctr_spool_read(&sp, 1999000, 1000, &b, e));
	assert_int_equal(b.p[0], 'a' + 1999 % 26);
	T_FAILS(ctr_spool_read(&sp, 1999001, 1000, &b, e), CTR_ENV, "spool");
}

static void numbers_are_whole(void **s)
{
	uint64_t v;

	(void)s;
	T_OK(ctr_number("18446744073709551615", "n", 0, UINT64_MAX, &v, e));
	T_FAILS(ctr_number("18446744073709551616", "n", 0, UINT64_MAX, &v, e), CTR_USAGE, "number");
	T_FAILS(ctr_number("", "n", 0, 9, &v, e), CTR_USAGE, "number");
	T_FAILS(ctr_number("+1", "n", 0, 9, &v, e), CTR_USAGE, "number");
	T_FAILS(ctr_number("10", "n", 0, 9, &v, e), CTR_USAGE, "number");
}

static void utf8_is_well_formed(void **s)
{
	(void)s;
	assert_true(ctr_utf8_valid("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 10));
	assert_false(ctr_utf8_valid("\xc0\x80", 2));
	assert_false(ctr_utf8_valid("\xed\xa0\x80", 3));
	assert_false(ctr_utf8_valid("\xf4\x90\x80\x80", 4));
	assert_false(ctr_utf8_valid("\xe2\x82", 2));
}

/* A verdict that no set of reference values fits says of each check whose it was. */
static void checks_keep_their_set(void **s)
{
	ctr_auto_checks struct ctr_checks all = { 0 }, one = { .set = 2 };

	(void)s;
	ctr_check(&one, "a", false, "x", "y", NULL);
	ctr_check_skip(&one, "b", "not asked for");
	ctr_checks_append(&all, &one);
	ctr_check(&all, "c", true, NULL, NULL, NULL);
	assert_int_equal(all.n, 3);
	assert_int_equal(all.v[0].set, 2);
	assert_int_equal(all.v[1].set, 2);
	assert_int_equal(all.v[2].set, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(err_keeps_the_first), cmocka_unit_test(rd_checks_bounds),
		cmocka_unit_test(buf_has_a_ceiling), cmocka_unit_test(base64_is_strict),
		cmocka_unit_test(pem_lines),
		cmocka_unit_test(hex_is_strict), cmocka_unit_test(sha256_known_answer),
		cmocka_unit_test(json_refuses), cmocka_unit_test(json_names_the_path),
		cmocka_unit_test(json_prints_and_sorts),
		cmocka_unit_test(file_write_is_atomic_and_has_its_mode),
		cmocka_unit_test(spool_survives_its_threshold), cmocka_unit_test(numbers_are_whole),
		cmocka_unit_test(utf8_is_well_formed), cmocka_unit_test(checks_keep_their_set),
	};

	return cmocka_run_group_tests_name("core", tests, NULL, NULL);
}
