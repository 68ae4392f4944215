/* needs: tools/ctr-manifest/patch.c */
#include "../../tools/ctr-manifest/patch.h"
#include "t.h"

static int apply(const char *doc, const char *patch, struct ctr_buf *out, bool *holds,
		 struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *d = NULL, *p = NULL;
	struct ctr_jval ops;

	if (ctr_json_parse("doc", doc, strlen(doc), &d, e) < 0 ||
	    ctr_json_parse("patch", patch, strlen(patch), &p, e) < 0)
		return -1;
	ops = ctr_jroot(p);
	if (patch_apply(&d, &ops, holds, e) < 0)
		return -1;
	return ctr_json_print(d, 0, out, e);
}

static bool same(const char *a, const char *b)
{
	ctr_auto_json struct ctr_json *x = NULL, *y = NULL;

	T_OK(ctr_json_parse("a", a, strlen(a), &x, e));
	T_OK(ctr_json_parse("b", b, strlen(b), &y, e));
	return ctr_json_equal(x, y);
}

static void gives(const char *doc, const char *patch, const char *want)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	bool holds = false;

	T_OK(apply(doc, patch, &b, &holds, e));
	assert_true(holds);
	if (!same(ctr_buf_str(&b), want))
		fail_msg("%s: %s", patch, ctr_buf_str(&b));
}

static void not_for(const char *doc, const char *patch)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	bool holds = false;

	T_OK(apply(doc, patch, &b, &holds, e));
	assert_false(holds);
	assert_true(same(ctr_buf_str(&b), doc));
}

static void fails(const char *doc, const char *patch, const char *id)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	bool holds = false;

	T_FAILS(apply(doc, patch, &b, &holds, e), CTR_FORMAT, id);
}

/* The examples of RFC 6902, appendix A, by their numbers. */
static void rfc_6902_appendix(void **s)
{
	(void)s;
	gives("{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\"}]",
	      "{\"baz\":\"qux\",\"foo\":\"bar\"}"); /* A.1 */
	gives("{\"foo\":[\"bar\",\"baz\"]}", "[{\"op\":\"add\",\"path\":\"/foo/1\",\"value\":\"qux\"}]",
	      "{\"foo\":[\"bar\",\"qux\",\"baz\"]}"); /* A.2 */
	gives("{\"baz\":\"qux\",\"foo\":\"bar\"}", "[{\"op\":\"remove\",\"path\":\"/baz\"}]",
	      "{\"foo\":\"bar\"}"); /* A.3 */
	gives("{\"foo\":[\"bar\",\"qux\",\"baz\"]}", "[{\"op\":\"remove\",\"path\":\"/foo/1\"}]",
	      "{\"foo\":[\"bar\",\"baz\"]}"); /* A.4 */
	gives("{\"baz\":\"qux\",\"foo\":\"bar\"}", "[{\"op\":\"replace\",\"path\":\"/baz\",\"value\":\"boo\"}]",
	      "{\"baz\":\"boo\",\"foo\":\"bar\"}"); /* A.5 */
	gives("{\"foo\":{\"bar\":\"baz\",\"waldo\":\"fred\"},\"qux\":{\"corge\":\"grault\"}}",
	      "[{\"op\":\"move\",\"from\":\"/foo/waldo\",\"path\":\"/qux/thud\"}]",
	      "{\"foo\":{\"bar\":\"baz\"},\"qux\":{\"corge\":\"grault\",\"thud\":\"fred\"}}"); /* A.6 */
	gives("{\"foo\":[\"all\",\"grass\",\"cows\",\"eat\"]}",
	      "[{\"op\":\"move\",\"from\":\"/foo/1\",\"path\":\"/foo/3\"}]",
	      "{\"foo\":[\"all\",\"cows\",\"eat\",\"grass\"]}"); /* A.7 */
	gives("{\"baz\":\"qux\",\"foo\":[\"a\",2,\"c\"]}",
	      "[{\"op\":\"test\",\"path\":\"/baz\",\"value\":\"qux\"},{\"op\":\"test\",\"path\":\"/foo/1\",\"value\":2}]",
	      "{\"baz\":\"qux\",\"foo\":[\"a\",2,\"c\"]}"); /* A.8 */
	not_for("{\"baz\":\"qux\"}", "[{\"op\":\"test\",\"path\":\"/baz\",\"value\":\"bar\"}]"); /* A.9 */
	gives("{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/child\",\"value\":{\"grandchild\":{}}}]",
	      "{\"foo\":\"bar\",\"child\":{\"grandchild\":{}}}"); /* A.10 */
	gives("{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\",\"xyz\":123}]",
	      "{\"foo\":\"bar\",\"baz\":\"qux\"}"); /* A.11 */
	fails("{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz/bat\",\"value\":\"qux\"}]",
	      "patch.target"); /* A.12 */
	fails("{}", "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\",\"op\":\"remove\"}]",
	      "json.duplicate"); /* A.13 */
	gives("{\"/\":9,\"~1\":10}", "[{\"op\":\"test\",\"path\":\"/~01\",\"value\":10}]",
	      "{\"/\":9,\"~1\":10}"); /* A.14 */
	not_for("{\"/\":9,\"~1\":10}", "[{\"op\":\"test\",\"path\":\"/~01\",\"value\":\"10\"}]"); /* A.15 */
	gives("{\"foo\":[\"bar\"]}", "[{\"op\":\"add\",\"path\":\"/foo/-\",\"value\":[\"abc\",\"def\"]}]",
	      "{\"foo\":[\"bar\",[\"abc\",\"def\"]]}"); /* A.16 */
}

static void edges(void **s)
{
	(void)s;
	gives("{}", "[]", "{}");
	gives("{\"a\":1}", "[{\"op\":\"add\",\"path\":\"\",\"value\":[1]}]", "[1]");
	gives("{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"\",\"value\":null}]", "null");
	gives("{\"a\":[1]}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"\"}]", "[1]");
	gives("{\"a\":[1]}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"\"}]", "[1]");
	gives("{\"a\":[1]}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a\"}]", "{\"a\":[1]}");
	gives("{\"\":{\"\":1}}", "[{\"op\":\"replace\",\"path\":\"//\",\"value\":2}]", "{\"\":{\"\":2}}");
	gives("[0,1,2]", "[{\"op\":\"replace\",\"path\":\"/2\",\"value\":5}]", "[0,1,5]");
	gives("[0,1]", "[{\"op\":\"add\",\"path\":\"/2\",\"value\":2}]", "[0,1,2]");
	gives("{\"a\":null}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":null}]", "{\"a\":null}");
	gives("{\"a\":{\"x\":1,\"y\":2}}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":{\"y\":2,\"x\":1}}]",
	      "{\"a\":{\"x\":1,\"y\":2}}");
	/* nothing of a patch whose later test fails stays */
	not_for("{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":2},{\"op\":\"test\",\"path\":\"/a\",\"value\":1}]");
	not_for("{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/b\",\"value\":1},{\"op\":\"remove\",\"path\":\"/b\"}]");
	not_for("[1]", "[{\"op\":\"test\",\"path\":\"/-\",\"value\":1}]");
}

static void refusals(void **s)
{
	(void)s;
	fails("{}", "{}", "json.type");
	fails("{}", "[1]", "json.type");
	fails("{}", "[{\"path\":\"/a\",\"value\":1}]", "json.missing");
	fails("{}", "[{\"op\":\"add\",\"value\":1}]", "json.missing");
	fails("{}", "[{\"op\":\"add\",\"path\":\"/a\"}]", "patch.form");
	fails("{}", "[{\"op\":\"test\",\"path\":\"/a\"}]", "patch.form");
	fails("{}", "[{\"op\":\"move\",\"path\":\"/a\"}]", "json.missing");
	fails("{}", "[{\"op\":\"Add\",\"path\":\"/a\",\"value\":1}]", "patch.form");
	fails("{}", "[{\"op\":\"add\",\"path\":\"a\",\"value\":1}]", "patch.pointer");
	fails("{}", "[{\"op\":\"add\",\"path\":\"/a~2\",\"value\":1}]", "patch.pointer");
	fails("{}", "[{\"op\":\"test\",\"path\":\"/x/a~\",\"value\":1}]", "patch.pointer");
	fails("{}", "[{\"op\":\"remove\",\"path\":\"\"}]", "patch.target");
	fails("{}", "[{\"op\":\"remove\",\"path\":\"/a\"}]", "patch.target");
	fails("{}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":1}]", "patch.target");
	fails("{}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"}]", "patch.target");
	fails("{\"a\":{}}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b\"}]", "patch.target");
	fails("[1]", "[{\"op\":\"add\",\"path\":\"/2\",\"value\":1}]", "patch.target");
	fails("[1]", "[{\"op\":\"add\",\"path\":\"/00\",\"value\":1}]", "patch.target");
	fails("[1]", "[{\"op\":\"add\",\"path\":\"/1e0\",\"value\":1}]", "patch.target");
	fails("[1]", "[{\"op\":\"add\",\"path\":\"/-1\",\"value\":1}]", "patch.target");
	fails("[1]", "[{\"op\":\"remove\",\"path\":\"/-\"}]", "patch.target");
	fails("[1]", "[{\"op\":\"remove\",\"path\":\"/99999999999999999999\"}]", "patch.target");
	fails("1", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":1}]", "patch.target");
}

static void growth_is_bounded(void **s)
{
	ctr_auto_buf struct ctr_buf b = { 0 }, many = { 0 };

	(void)s;
	ctr_buf_adds(&b, "[{\"op\":\"test\",\"path\":\"\",\"value\":{\"a\":[1]}}");
	for (int i = 0; i < 60; i++)
		ctr_buf_adds(&b, ",{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/-\"}");
	ctr_buf_addc(&b, ']');
	fails("{\"a\":[1]}", ctr_buf_str(&b), "limit");
	ctr_buf_adds(&many, "[{\"op\":\"test\",\"path\":\"\",\"value\":1}");
	for (int i = 0; i < 1000; i++)
		ctr_buf_adds(&many, ",{\"op\":\"test\",\"path\":\"\",\"value\":1}");
	ctr_buf_addc(&many, ']');
	fails("1", ctr_buf_str(&many), "limit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc_6902_appendix),
		cmocka_unit_test(edges),
		cmocka_unit_test(refusals),
		cmocka_unit_test(growth_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
