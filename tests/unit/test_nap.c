/* needs: tools/ctr-coordinatord/nap.c */
/* The pauses of ctr-coordinatord's threads. */
#include "t.h"
#include "tools/ctr-coordinatord/nap.h"

#include <time.h>

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void rests_as_long_as_it_is_told(void **s)
{
	uint64_t begin = now_ms();
	struct nap n;

	(void)s;
	nap_init(&n);
	/* across a second's end, too */
	for (int i = 0; i < 3; i++)
		assert_true(nap_rest(&n, 400));
	assert_in_range(now_ms() - begin, 1195, 60000);
	nap_free(&n);
}

static void a_wake_ends_one_rest(void **s)
{
	uint64_t begin = now_ms();
	struct nap n;

	(void)s;
	nap_init(&n);
	/* also one that came before */
	nap_wake(&n);
	nap_wake(&n);
	assert_true(nap_rest(&n, 60000));
	assert_in_range(now_ms() - begin, 0, 30000);
	begin = now_ms();
	assert_true(nap_rest(&n, 50));
	assert_in_range(now_ms() - begin, 45, 30000);
	nap_free(&n);
}

static void *ends(void *n)
{
	nap_stop(n);
	return NULL;
}

static void the_end_ends_all(void **s)
{
	uint64_t begin = now_ms();
	struct nap n;
	pthread_t t;

	(void)s;
	nap_init(&n);
	assert_false(atomic_load(&n.cut));
	assert_int_equal(pthread_create(&t, NULL, ends, &n), 0);
	assert_false(nap_rest(&n, 60000));
	assert_false(nap_rest(&n, 60000));
	assert_true(atomic_load(&n.cut));
	assert_in_range(now_ms() - begin, 0, 30000);
	pthread_join(t, NULL);
	nap_free(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rests_as_long_as_it_is_told),
		cmocka_unit_test(a_wake_ends_one_rest),
		cmocka_unit_test(the_end_ends_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
