/* The policies of a transition as one blob: what is built is read, and each thing done to it is
 * refused. */
#include <string.h>

#include "policies.h"
#include "t.h"

static const char *const text[] = { "the policy of web", "", "the policy of db", "x" };
#define N (sizeof text / sizeof *text)

static struct ctr_policy v[N];
static struct ctr_buf blob;

static int begin(void **s)
{
	(void)s;
	for (size_t i = 0; i < N; i++) {
		v[i].text = (struct ctr_bytes){ text[i], strlen(text[i]) };
		T_OK(ctr_hash(CTR_SHA256, text[i], strlen(text[i]), v[i].hash, e));
	}
	T_OK(ctr_policies_build(v, N, &blob, e));
	for (size_t i = 0; i < N; i++)
		v[i].text = (struct ctr_bytes){ 0 };
	return 0;
}

static int end(void **s)
{
	(void)s;
	ctr_buf_free(&blob);
	return 0;
}

static void comes_back(void **s)
{
	size_t bytes = 0;

	(void)s;
	T_OK(ctr_policies_parse(blob.p, blob.n, v, N, e));
	for (size_t i = 0; i < N; i++) {
		uint8_t is[CTR_SHA256_SIZE];

		T_OK(ctr_hash(CTR_SHA256, v[i].text.p, v[i].text.n, is, e));
		T_MEM(is, v[i].hash, sizeof is);
		assert_true(i == 0 || ctr_sha256_order(&v[i - 1], &v[i]) < 0);
		bytes += v[i].text.n;
	}
	assert_int_equal(blob.n, strlen("ctr-policies-v1\n") + 4 * N + bytes);
}

/* The same bytes whatever the order they are given in: two Coordinators write the same blob. */
static void one_order(void **s)
{
	ctr_auto_buf struct ctr_buf again = { 0 };
	struct ctr_policy back[N];

	(void)s;
	T_OK(ctr_policies_parse(blob.p, blob.n, v, N, e));
	for (size_t i = 0; i < N; i++)
		back[i] = v[N - 1 - i];
	T_OK(ctr_policies_build(back, N, &again, e));
	assert_int_equal(again.n, blob.n);
	T_MEM(again.p, blob.p, blob.n);
}

static void changed(void **s)
{
	(void)s;
	for (size_t bit = 0; bit < 8 * blob.n; bit++) {
		blob.p[bit / 8] ^= (char)(1 << bit % 8);
		T_FAILS(ctr_policies_parse(blob.p, blob.n, v, N, e), CTR_FORMAT, "store.policies");
		blob.p[bit / 8] ^= (char)(1 << bit % 8);
	}
	for (size_t n = 0; n < blob.n; n++)
		T_FAILS(ctr_policies_parse(blob.p, n, v, N, e), CTR_FORMAT, "store.policies");
}

static void not_those_named(void **s)
{
	ctr_auto_buf struct ctr_buf none = { 0 };

	(void)s;
	/* one more than the manifest names, one less, another order */
	T_FAILS(ctr_policies_parse(blob.p, blob.n, v, N - 1, e), CTR_FORMAT, "store.policies");
	T_FAILS(ctr_policies_parse(blob.p, blob.n, v + 1, N - 1, e), CTR_FORMAT, "store.policies");
	T_OK(ctr_policies_build(v + 1, N - 1, &none, e));
	T_FAILS(ctr_policies_parse(none.p, none.n, v, N, e), CTR_FORMAT, "store.policies");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(comes_back, begin, end),
		cmocka_unit_test_setup_teardown(one_order, begin, end),
		cmocka_unit_test_setup_teardown(changed, begin, end),
		cmocka_unit_test_setup_teardown(not_those_named, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
