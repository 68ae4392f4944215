#include "checks.h"
#include "t.h"

static void empty_is_no_yes(void **state)
{
	ctr_auto_checks struct ctr_checks cs = { 0 };

	(void)state;
	assert_false(ctr_checks_ok(&cs));
	assert_null(ctr_checks_failed(&cs));
	/* nor is one in which nothing was checked */
	ctr_check_skip(&cs, "a", "not asked for");
	assert_false(ctr_checks_ok(&cs));
	assert_int_equal(cs.v[0].result, CTR_SKIPPED);
	T_STR(cs.v[0].detail, "not asked for");
	ctr_check(&cs, "b", true, NULL, NULL, NULL);
	assert_true(ctr_checks_ok(&cs));
	cs.bad = true; /* memory ran out: who knows what is missing */
	assert_false(ctr_checks_ok(&cs));
}

static void one_failure_is_enough(void **state)
{
	ctr_auto_checks struct ctr_checks cs = { 0 };

	(void)state;
	for (int i = 0; i < 500; i++)
		ctr_check(&cs,
			  i == 250   ? "bad"
			  : i == 400 ? "worse"
				     : "good",
			  i != 250 && i != 400, "want", "have", "detail %d", i);
	assert_int_equal(cs.n, 500);
	assert_int_equal(cs.failed, 2);
	assert_false(ctr_checks_ok(&cs));
	T_STR(ctr_checks_failed(&cs)->name, "bad");
	T_STR(ctr_checks_failed(&cs)->expected, "want");
	T_STR(ctr_checks_failed(&cs)->found, "have");
	T_STR(ctr_checks_failed(&cs)->detail, "detail 250");
	T_STR(ctr_check_names[cs.v[400].result], "fail");
	T_STR(ctr_check_names[cs.v[0].result], "pass");
}

static void unknown_shows_what_was_found(void **state)
{
	ctr_auto_checks struct ctr_checks cs = { 0 };

	(void)state;
	ctr_check_unknown(&cs, "a", (const uint8_t *)"\xab\x00", 2);
	assert_int_equal(cs.failed, 1);
	T_STR(cs.v[0].expected, "unknown");
	T_STR(cs.v[0].found, "ab00");
}

static void texts_are_copied(void **state)
{
	ctr_auto_checks struct ctr_checks cs = { 0 };
	char want[] = "want", long_one[2000];

	(void)state;
	memset(long_one, 'x', sizeof long_one - 1);
	long_one[sizeof long_one - 1] = '\0';
	ctr_check(&cs, "a", false, want, long_one, "%s", long_one);
	want[0] = '!';
	T_STR(cs.v[0].expected, "want");
	assert_int_equal(strlen(cs.v[0].found), 1999);
	assert_int_equal(strlen(cs.v[0].detail), 511); /* cut, not broken */
	ctr_check(&cs, "b", false, NULL, NULL, NULL);
	T_STR(cs.v[1].expected, "");
	T_STR(cs.v[1].found, "");
	T_STR(cs.v[1].detail, "");
}

static void comparisons(void **state)
{
	ctr_auto_checks struct ctr_checks cs = { 0 };
	static const uint8_t a[3] = { 1, 2, 0xab }, b[3] = { 1, 2, 0xaa };

	(void)state;
	assert_true(ctr_check_bytes(&cs, "bytes", a, a, 3, NULL));
	assert_false(ctr_check_bytes(&cs, "bytes", a, b, 3, "why"));
	assert_true(ctr_check_bytes(&cs, "bytes", a, b, 2, NULL));
	T_STR(cs.v[1].expected, "0102ab");
	T_STR(cs.v[1].found, "0102aa");
	T_STR(cs.v[1].detail, "why");
	assert_true(ctr_check_least(&cs, "least", 7, 7, NULL));
	assert_true(ctr_check_least(&cs, "least", 7, UINT64_MAX, NULL));
	assert_false(ctr_check_least(&cs, "least", 7, 6, NULL));
	T_STR(cs.v[5].expected, "at least 7");
	T_STR(cs.v[5].found, "6");
	T_STR(cs.v[4].found, "18446744073709551615");
	assert_true(ctr_check_number(&cs, "number", 7, 7, NULL));
	assert_false(ctr_check_number(&cs, "number", 7, 8, NULL));
	assert_false(ctr_check_number(&cs, "number", 7, 6, NULL));
	assert_int_equal(cs.failed, 4);
}

static void appended(void **state)
{
	ctr_auto_checks struct ctr_checks all = { .set = 9 }, one = { .set = 2 },
					  bad = { .bad = true };

	(void)state;
	ctr_check(&one, "a", true, "1", "2", "3");
	ctr_check(&one, "b", false, "4", "5", "6");
	ctr_check_skip(&one, "c", "7");
	ctr_check(&all, "z", true, NULL, NULL, NULL);
	ctr_checks_append(&all, &one);
	ctr_check(&all, "y", true, NULL, NULL, NULL);
	assert_int_equal(all.n, 5);
	assert_int_equal(all.failed, 1);
	assert_int_equal(all.v[0].set, 9);
	for (size_t i = 1; i < 4; i++) {
		assert_int_equal(all.v[i].set, 2); /* of the set it was of */
		assert_int_equal(all.v[i].result, one.v[i - 1].result);
		T_STR(all.v[i].expected, one.v[i - 1].expected);
		T_STR(all.v[i].found, one.v[i - 1].found);
		T_STR(all.v[i].detail, one.v[i - 1].detail);
	}
	assert_int_equal(all.v[4].set, 9);
	T_STR(ctr_checks_failed(&all)->name, "b");
	ctr_checks_append(&all, &bad);
	assert_true(all.bad);
	ctr_checks_free(&all);
	assert_int_equal(all.n, 0);
	assert_null(all.v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_is_no_yes),
		cmocka_unit_test(one_failure_is_enough),
		cmocka_unit_test(unknown_shows_what_was_found),
		cmocka_unit_test(texts_are_copied),
		cmocka_unit_test(comparisons),
		cmocka_unit_test(appended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
