/* needs: tools/ctr-policygen/passwd.c */
#include "t.h"

#include "../../tools/ctr-policygen/passwd.h"
#include "cleanup.h"

static struct accounts *parse(const char *passwd, const char *group)
{
	struct accounts *a;

	T_OK(accounts_parse(passwd, strlen(passwd), group, strlen(group), &a, e));
	return a;
}

static void finds_by_name_and_id(void **s)
{
	struct accounts *a = parse("root:x:0:0:root:/root:/bin/sh\n"
				   "redis:x:999:998::/data:/bin/false\n"
				   "second:x:999:5::/:\n"
				   "redis:x:1:1::/:\n",
				   "root:x:0:\nwheel:x:10:root,redis\n");

	(void)s;
	assert_int_equal(a->n_users, 4);
	assert_int_equal(accounts_by_name(a, "redis")->uid, 999);
	assert_int_equal(accounts_by_name(a, "redis")->gid, 998);
	T_STR(accounts_by_name(a, "redis")->home, "/data");
	assert_int_equal(accounts_by_uid(a, 999)->gid, 998); /* the first line with the id */
	assert_null(accounts_by_name(a, "redi"));
	assert_null(accounts_by_uid(a, 7));
	assert_int_equal(accounts_group(a, "wheel")->gid, 10);
	assert_null(accounts_group(a, "whee"));
	accounts_free(a);
}

static void is_as_lenient_as_the_runtime(void **s)
{
	struct accounts *a = parse(
		"  spaced:x:5:6  \r\n\n \t \nshort\nbad:x:1x:-2:::\nbig:x:99999999999999999999:+3\n"
		"#note:x:4:4\nmany:x:8:9:g:/h:/s:more:still\nlast:x:7:7",
		"g:x\n:x:3:a\n");

	(void)s;
	assert_int_equal(a->n_users, 7);
	assert_int_equal(accounts_by_name(a, "spaced")->gid, 6);
	assert_int_equal(accounts_by_name(a, "short")->uid, 0);
	T_STR(accounts_by_name(a, "short")->home, "");
	assert_int_equal(accounts_by_name(a, "bad")->uid, 0);
	assert_int_equal(accounts_by_name(a, "bad")->gid, -2);
	assert_true(accounts_by_name(a, "big")->uid == INT64_MAX);
	assert_int_equal(accounts_by_name(a, "big")->gid, 3);
	assert_int_equal(accounts_by_name(a, "#note")->uid, 4);
	T_STR(accounts_by_name(a, "many")->home, "/h");
	assert_int_equal(accounts_by_name(a, "last")->uid, 7);
	assert_int_equal(a->n_groups, 2);
	assert_int_equal(accounts_group(a, "g")->gid, 0);
	accounts_free(a);
}

static int collect(void *ctx, int64_t gid, struct ctr_err *e)
{
	char *text = ctx;

	if (gid == 13)
		return ctr_fail(e, CTR_FORMAT, "unlucky", "thirteen");
	snprintf(text + strlen(text), 64 - strlen(text), "%lld ", (long long)gid);
	return 0;
}

static void lists_memberships_as_containerd_does(void **s)
{
	struct accounts *a = parse(
		"",
		"u:x:1:u,v\nx:x:2:a,u\ny:x:3:uu,u2\nz:x:4:u\nx2:x:2:u,u\nw:x:13:v\nempty:x:5:\n");
	char text[64] = "";

	(void)s;
	T_OK(accounts_groups_of(a, "u", collect, text,
				e)); /* a group of the user's own name is left out */
	T_STR(text, "2 4 2 ");
	text[0] = '\0';
	T_OK(accounts_groups_of(a, "", collect, text, e));
	T_STR(text, "");
	T_FAILS(accounts_groups_of(a, "v", collect, text, e), CTR_FORMAT, "unlucky");
	accounts_free(a);
}

static void absent_files_are_empty(void **s)
{
	struct accounts *a;

	(void)s;
	T_OK(accounts_parse(NULL, 0, NULL, 0, &a, e));
	assert_null(accounts_by_uid(a, 0));
	assert_null(accounts_by_name(a, ""));
	accounts_free(a);
}

static void refuses(void **s)
{
	struct accounts *a;
	size_t n = ((size_t)1 << 20) + 1;
	char *lines = malloc(n);

	(void)s;
	assert_non_null(lines);
	memset(lines, '\n', n);
	T_FAILS(accounts_parse("a\0b", 3, NULL, 0, &a, e), CTR_FORMAT, "image.passwd");
	T_FAILS(accounts_parse(NULL, 0, "a\0", 2, &a, e), CTR_FORMAT, "image.passwd");
	T_FAILS(accounts_parse(lines, n, NULL, 0, &a, e), CTR_FORMAT, "image.passwd");
	T_FAILS(accounts_parse(NULL, 0, lines, n, &a, e), CTR_FORMAT, "image.passwd");
	assert_null(a);
	free(lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_by_name_and_id),
		cmocka_unit_test(is_as_lenient_as_the_runtime),
		cmocka_unit_test(lists_memberships_as_containerd_does),
		cmocka_unit_test(absent_files_are_empty),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
