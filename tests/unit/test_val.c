/* needs: tools/ctr-policygen/val.c tools/ctr-policygen/arena.c */
/* needs: tools/ctr-policygen/quantity.c tools/ctr-policygen/regodata.c */
#include "t.h"

#include "tools/ctr-policygen/quantity.h"
#include "tools/ctr-policygen/regodata.h"
#include "tools/ctr-policygen/val.h"

static const struct val *look(void *ctx, const char *name, size_t n)
{
	static const struct val text = { .text = "v@lue" }, pattern = { .pattern = "[a-z]+" };

	(void)ctx;
	if (n == 1 && *name == 'T')
		return &text;
	return n == 1 && *name == 'P' ? &pattern : NULL;
}

static void expands_in_one_pass(void **s)
{
	static const struct {
		const char *in, *text, *pattern;
	} cases[] = {
		{ "", "", NULL },
		{ "a$(T)b", "av@lueb", NULL },
		{ "$$(T)", "$(T)", NULL },
		{ "$$$(T)", "$v@lue", NULL },
		{ "$(T", "$(T", NULL },
		{ "$T $", "$T $", NULL },
		{ "$(none)", "$(none)", NULL },
		{ "$()", "$()", NULL },
		{ "a.$(P)", NULL, "a\\.[a-z]+" },
		{ "$(P)$(T)", NULL, "[a-z]+v\\x40lue" },
		{ "$(DB_SERVICE_HOST)", NULL,
		  "(([0-9]{1,3}(\\.[0-9]{1,3}){3}|[0-9a-f:]{2,39})|\\$\\(DB_SERVICE_HOST\\))" },
		{ "$(DB_SERVICE_PORT_HTTP)", NULL, "([0-9]{1,5}|\\$\\(DB_SERVICE_PORT_HTTP\\))" },
		{ "$(db_SERVICE_HOST)", "$(db_SERVICE_HOST)", NULL },
	};
	arena_auto struct arena a = { 0 };

	(void)s;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct val v;

		T_OK(val_expand(&a, cases[i].in, look, NULL, &v, e));
		assert_int_equal(!v.text, !cases[i].text);
		T_STR(v.text ? v.text : v.pattern, cases[i].text ? cases[i].text : cases[i].pattern);
	}
}

static void escapes_what_means_something(void **s)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	(void)s;
	val_escape(&b, "a.b*c\\d@e%f{g}", 14);
	T_STR(b.p, "a\\.b\\*c\\\\d\\x40e\\x25f\\{g\\}");
}

static void divides_quantities(void **s)
{
	static const struct {
		const char *value, *divisor;
		uint64_t want;
	} good[] = {
		{ "1500m", "1", 2 },	{ "1Gi", "1Mi", 1024 }, { "0.1", "1m", 100 },	{ "1e3", "1", 1000 },
		{ "1.5Gi", "1Gi", 2 },	{ "0", "1", 0 },	{ "1n", "1", 1 },	{ "7E", "1E", 7 },
		{ "0.0000000001", "1n", 1 }, { "5k", "1000", 5 },
	};
	static const char *const bad[] = { "", "x", "1x", "1.2.3", "-1", "1e", "1Kii", ".", "99999999999999999999E" };
	uint64_t n;

	(void)s;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		T_OK(quantity_divide(good[i].value, good[i].divisor, &n, e));
		assert_int_equal(n, good[i].want);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		T_FAILS(quantity_divide(bad[i], "1", &n, e), CTR_FORMAT, "quantity");
	T_FAILS(quantity_divide("1", "0", &n, e), CTR_FORMAT, "quantity");
	T_FAILS(quantity_count("1.5", &n, e), CTR_FORMAT, "quantity");
	T_FAILS(quantity_count("65", &n, e), CTR_FORMAT, "quantity");
}

/* The longest line of b. */
static size_t longest(const struct ctr_buf *b)
{
	size_t max = 0;

	for (const char *p = b->p; *p;) {
		size_t n = strcspn(p, "\n");

		max = n > max ? n : max;
		p += n + (p[n] == '\n');
	}
	return max;
}

static void lines_stay_below_the_limit(void **s)
{
	static const char *const pieces[] = { "x", "\"", "\\", "\x01", "\xc3\xa9", "\xf0\x9f\x98\x80", "\n" };
	ctr_auto_buf struct ctr_buf b = { 0 }, big = { 0 };
	struct rego r;

	(void)s;
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		for (size_t n = 1; n < 3000; n = n * 3 + 1) {
			ctr_buf_reset(&big);
			for (size_t k = 0; k < n; k++)
				ctr_buf_adds(&big, pieces[i]);
			ctr_buf_reset(&b);
			rego_init(&r, &b);
			rego_open(&r, '{');
			for (int k = 0; k < 20; k++) {
				rego_key(&r, "key");
				rego_string(&r, ctr_buf_str(&big));
			}
			rego_close(&r, '}');
			assert_true(longest(&b) < REGO_LINE);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expands_in_one_pass), cmocka_unit_test(escapes_what_means_something),
		cmocka_unit_test(divides_quantities), cmocka_unit_test(lines_stay_below_the_limit),
	};

	return cmocka_run_group_tests_name("val", tests, NULL, NULL);
}
