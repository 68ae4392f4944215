/* needs: tools/ctr-manifest/setting.c */
/* What an owner sends, and what is made of the answer. */
#include "tools/ctr-manifest/setting.h"

#include "json_b64.h"
#include "t.h"

static void member(const struct ctr_jval *root, const char *key, const char *want)
{
	struct ctr_jval v = ctr_jget(root, key);
	ctr_auto_buf struct ctr_buf b = { 0 };

	T_OK(ctr_jbase64(&v, &b, e));
	T_STR(ctr_buf_str(&b), want);
}

static struct ctr_buf text(const char *s)
{
	struct ctr_buf b = { 0 };

	ctr_buf_adds(&b, s);
	return b;
}

static struct ctr_json *sent(const char *spki, const char *sig, size_t n_policies)
{
	static const uint8_t previous[CTR_SHA256_SIZE] = "................................";
	struct ctr_buf policies[2] = { text("policy one"), text("policy two") };
	struct ctr_blobs blobs = { policies, n_policies };
	ctr_auto_buf struct ctr_buf manifest = text("{\"the\": \"manifest\"}"), key = text(spki),
				    signature = text(sig), out = { 0 };
	struct setting s = { &manifest, &blobs, previous, &key, &signature };
	struct ctr_json *json;

	T_OK(setting_print(&s, &out, e));
	T_OK(ctr_json_parse("sent", out.p, out.n, &json, e));
	ctr_buf_free(&policies[0]);
	ctr_buf_free(&policies[1]);
	return json;
}

static void sends_all_of_it(void **state)
{
	ctr_auto_json struct ctr_json *json = sent("a key", "a signature", 2);
	struct ctr_jval root = ctr_jroot(json), list = ctr_jget(&root, "policies"),
			signatures = ctr_jget(&root, "signatures"), one = ctr_jfirst(&signatures),
			policy = ctr_jfirst(&list);
	const char *s;

	(void)state;
	assert_int_equal(ctr_jcount(&root), 4);
	member(&root, "manifest", "{\"the\": \"manifest\"}");
	member(&root, "previous_transition_hash", "................................");
	assert_int_equal(ctr_jcount(&list), 2);
	T_OK(ctr_jstring(&policy, &s, e));
	T_STR(s, "cG9saWN5IG9uZQ==");
	assert_int_equal(ctr_jcount(&signatures), 1);
	member(&one, "key", "a key");
	member(&one, "signature", "a signature");
}

static void sends_no_empty_signature(void **state)
{
	ctr_auto_json struct ctr_json *json = sent("", "", 0);
	struct ctr_jval root = ctr_jroot(json), list = ctr_jget(&root, "policies");

	(void)state;
	assert_int_equal(ctr_jcount(&root), 3);
	assert_int_equal(ctr_jcount(&list), 0);
	assert_null(ctr_jget(&root, "signatures").v);
}

#define T32 "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\""
#define PARSE(s) setting_answer_parse("a", s, strlen(s), &a, e)
#define SAYS(s, want)                                                                              \
	do {                                                                                       \
		struct setting_answer a = { 0 };                                                   \
		T_FAILS(PARSE(s), CTR_FORMAT, want);                                               \
		setting_answer_free(&a);                                                           \
	} while (0)

static void reads_an_answer(void **state)
{
	static const char first[] = "{\"version\":\"v1\",\"root_ca\":\"cg==\",\"mesh_ca\":\"bQ==\","
				    "\"transition_hash\":" T32 ",\"seed_shares_doc\":\"e30=\"}";
	struct setting_answer a = { 0 }, b = { 0 };

	(void)state;
	T_OK(PARSE("{\"version\":\"v1\",\"root_ca\":\"cg==\",\"mesh_ca\":\"bQ==\","
		   "\"transition_hash\":" T32 "}"));
	T_STR(a.root_ca.p, "r");
	T_STR(a.mesh_ca.p, "m");
	assert_int_equal(a.seed_shares.n, 0);
	T_OK(setting_answer_parse("a", first, sizeof first - 1, &b, e));
	T_STR(b.seed_shares.p, "{}");
	setting_answer_free(&a);
	setting_answer_free(&b);
}

static void refuses_other_answers(void **state)
{
	(void)state;
	SAYS("{", "json.syntax");
	SAYS("[]", "json.type");
	SAYS("{}", "json.missing");
	SAYS("{\"version\":\"v2\"}", "answer.version");
	SAYS("{\"version\":1}", "json.type");
	SAYS("{\"version\":\"v1\",\"more\":1}", "json.unknown");
	SAYS("{\"version\":\"v1\",\"root_ca\":\"\"}", "answer.size");
	SAYS("{\"version\":\"v1\",\"root_ca\":\"cg\"}", "base64");
	SAYS("{\"version\":\"v1\",\"root_ca\":\"cg==\"}", "json.missing");
	SAYS("{\"version\":\"v1\",\"root_ca\":\"cg==\",\"mesh_ca\":\"bQ==\","
	     "\"transition_hash\":\"AA==\"}",
	     "answer.size");
}

static void a_recovery_says_nothing_else(void **state)
{
	(void)state;
	T_OK(recover_answer_parse("a", "{\"version\":\"v1\"}\n", 17, e));
	T_FAILS(recover_answer_parse("a", "{\"version\":\"v2\"}", 16, e), CTR_FORMAT,
		"answer.version");
	T_FAILS(recover_answer_parse("a", "{\"version\":\"v1\",\"x\":1}", 22, e), CTR_FORMAT,
		"json.unknown");
	T_FAILS(recover_answer_parse("a", "{}", 2, e), CTR_FORMAT, "json.missing");
	T_FAILS(recover_answer_parse("a", "", 0, e), CTR_FORMAT, "json.syntax");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends_all_of_it),
		cmocka_unit_test(sends_no_empty_signature),
		cmocka_unit_test(reads_an_answer),
		cmocka_unit_test(refuses_other_answers),
		cmocka_unit_test(a_recovery_says_nothing_else),
	};

	return cmocka_run_group_tests_name("setting", tests, NULL, NULL);
}
