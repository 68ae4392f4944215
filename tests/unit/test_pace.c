/* When ctr-initializer comes again. */
#include "t.h"
#include "pace.h"

static void renews_after_two_thirds_less_a_tenth(void **s)
{
	(void)s;
	assert_int_equal(ctr_pace_renewal(1000, 4000, 1000, 0), 2000);
	assert_int_equal(ctr_pace_renewal(1000, 4000, 1500, 0), 1500);
	for (unsigned r = 0; r < 5000; r += 7) {
		uint64_t due = ctr_pace_renewal(1000, 4000, 1000, r);

		assert_true(due > 1700 && due <= 2000);
	}
	assert_int_equal(ctr_pace_renewal(1000, 4000, 2999, 0), 1);
	assert_int_equal(ctr_pace_renewal(1000, 4000, 3000, 0), 0);
	assert_int_equal(ctr_pace_renewal(1000, 4000, 5000, 0), 0);
}

/* A host that sets the clock, and certificates that make no sense, lead to a renewal, never to
 * none. */
static void renews_when_times_make_no_sense(void **s)
{
	(void)s;
	assert_int_equal(ctr_pace_renewal(1000, 4000, 999, 0), 0);
	assert_int_equal(ctr_pace_renewal(4000, 1000, 4000, 3), 0);
	assert_int_equal(ctr_pace_renewal(1000, 1000, 1000, 3), 0);
	assert_int_equal(ctr_pace_renewal(1000, 1003, 1000, 99), 2);
}

static void pauses_grow_up_to_a_minute(void **s)
{
	unsigned limit = 500;

	(void)s;
	for (unsigned n = 0; n < 40; n++) {
		assert_int_equal(ctr_pace_retry(n, 0), limit / 2);
		for (unsigned r = 0; r < 100000; r += 997)
			assert_in_range(ctr_pace_retry(n, r), limit / 2, limit);
		limit = limit * 2 < 60000 ? limit * 2 : 60000;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(renews_after_two_thirds_less_a_tenth),
		cmocka_unit_test(renews_when_times_make_no_sense),
		cmocka_unit_test(pauses_grow_up_to_a_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
