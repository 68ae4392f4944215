/* needs: tools/ctr-coordinatord/nonces.c */
#include <pthread.h>
#include <stdatomic.h>

#include "t.h"
#include "tools/ctr-coordinatord/nonces.h"

#define THEN ((time_t)1000 * NONCE_SECONDS)

static struct nonces *fresh(void)
{
	struct nonces *n = NULL;

	T_OK(nonces_new(&n, e));
	return n;
}

static void one_is_good_once(void **s)
{
	struct nonces *n = fresh();
	uint8_t a[CTR_NONCE_SIZE], b[CTR_NONCE_SIZE];

	(void)s;
	T_OK(nonces_make(n, THEN, a, e));
	T_OK(nonces_make(n, THEN, b, e));
	assert_memory_not_equal(a, b, sizeof a);
	T_OK(nonces_check(n, THEN, a, e));
	T_OK(nonces_use(n, THEN, a, e));
	T_FAILS(nonces_use(n, THEN, a, e), CTR_NO, "nonce.used");
	T_OK(nonces_use(n, THEN, b, e));
	nonces_free(n);
}

static void another_is_not_ours(void **s)
{
	struct nonces *n = fresh(), *other = fresh();
	uint8_t a[CTR_NONCE_SIZE];

	(void)s;
	T_OK(nonces_make(other, THEN, a, e));
	T_FAILS(nonces_check(n, THEN, a, e), CTR_NO, "nonce.unknown");
	T_OK(nonces_make(n, THEN, a, e));
	for (size_t i = 0; i < sizeof a; i++) {
		a[i] ^= 1;
		T_FAILS(nonces_check(n, THEN, a, e), CTR_NO, "nonce.unknown");
		a[i] ^= 1;
	}
	T_OK(nonces_check(n, THEN, a, e));
	memset(a, 0, sizeof a);
	T_FAILS(nonces_check(n, THEN, a, e), CTR_NO, "nonce.unknown");
	nonces_free(n);
	nonces_free(other);
}

static void an_old_one_is_refused(void **s)
{
	struct nonces *n = fresh();
	uint8_t a[CTR_NONCE_SIZE];

	(void)s;
	T_OK(nonces_make(n, THEN, a, e));
	T_OK(nonces_check(n, THEN + NONCE_SECONDS - 1, a, e));
	T_FAILS(nonces_check(n, THEN + NONCE_SECONDS, a, e), CTR_NO, "nonce.old");
	T_FAILS(nonces_check(n, THEN - 1, a, e), CTR_NO, "nonce.old");
	nonces_free(n);
}

/* Wherever the period turns between: a second use is one as long as the nonce would be taken. */
static void a_used_one_is_known_while_it_is_young(void **s)
{
	(void)s;
	for (time_t made = THEN; made <= THEN + NONCE_SECONDS; made += 7) {
		for (time_t used = made; used < made + NONCE_SECONDS; used += 11) {
			struct nonces *n = fresh();
			uint8_t a[CTR_NONCE_SIZE];

			T_OK(nonces_make(n, made, a, e));
			T_OK(nonces_use(n, used, a, e));
			T_FAILS(nonces_use(n, made + NONCE_SECONDS - 1, a, e), CTR_NO,
				"nonce.used");
			nonces_free(n);
		}
	}
}

/* A thread that read the clock earlier comes later. */
static void a_clock_that_seems_to_go_back_forgets_nothing(void **s)
{
	struct nonces *n = fresh();
	uint8_t a[CTR_NONCE_SIZE], b[CTR_NONCE_SIZE];

	(void)s;
	T_OK(nonces_make(n, THEN - 1, a, e));
	T_OK(nonces_make(n, THEN - 1, b, e));
	T_OK(nonces_use(n, THEN, a, e));
	T_OK(nonces_use(n, THEN - 1, b, e));
	T_FAILS(nonces_use(n, THEN, a, e), CTR_NO, "nonce.used");
	T_FAILS(nonces_use(n, THEN, b, e), CTR_NO, "nonce.used");
	nonces_free(n);
}

static void their_number_is_bounded(void **s)
{
	struct nonces *n = fresh();
	uint8_t a[CTR_NONCE_SIZE] = { 0 }, first[CTR_NONCE_SIZE] = { 0 };

	(void)s;
	for (int i = 0; i < NONCES_USED; i++) {
		T_OK(nonces_make(n, THEN, i ? a : first, e));
		T_OK(nonces_use(n, THEN, i ? a : first, e));
	}
	T_OK(nonces_make(n, THEN, a, e));
	T_FAILS(nonces_use(n, THEN, a, e), CTR_ENV, "nonce.many");
	T_FAILS(nonces_use(n, THEN, first, e), CTR_NO, "nonce.used");
	T_OK(nonces_use(n, THEN + NONCE_SECONDS, a, e));
	nonces_free(n);
}

struct race {
	struct nonces *n;
	const uint8_t *nonce;
	atomic_int won;
};

static void *racer(void *ctx)
{
	struct race *r = ctx;

	if (nonces_use(r->n, THEN, r->nonce, NULL) == 0)
		atomic_fetch_add(&r->won, 1);
	return NULL;
}

static void exactly_one_of_many_wins(void **s)
{
	(void)s;
	for (int i = 0; i < 50; i++) {
		uint8_t a[CTR_NONCE_SIZE];
		struct race r = { .n = fresh(), .nonce = a };
		pthread_t t[8];

		T_OK(nonces_make(r.n, THEN, a, e));
		for (size_t k = 0; k < 8; k++)
			assert_int_equal(pthread_create(&t[k], NULL, racer, &r), 0);
		for (size_t k = 0; k < 8; k++)
			pthread_join(t[k], NULL);
		assert_int_equal(atomic_load(&r.won), 1);
		nonces_free(r.n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_is_good_once),
		cmocka_unit_test(another_is_not_ours),
		cmocka_unit_test(an_old_one_is_refused),
		cmocka_unit_test(a_used_one_is_known_while_it_is_young),
		cmocka_unit_test(a_clock_that_seems_to_go_back_forgets_nothing),
		cmocka_unit_test(their_number_is_bounded),
		cmocka_unit_test(exactly_one_of_many_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
