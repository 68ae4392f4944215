/* needs: tools/ctr-policygen/pattern.c tools/ctr-policygen/path.c tools/ctr-policygen/arena.c */
#include "t.h"

#include "tools/ctr-policygen/path.h"
#include "tools/ctr-policygen/pattern.h"

static void takes_tight_patterns(void **s)
{
	static const char *const good[] = {
		"x",
		"[a-z]{1,8}",
		"(true|false)",
		"[^,]{1,3}x",
		"[]a-]+",
		"[^]]x",
		"[[:alpha:]_]*",
		"a\\.b\\-\\{\\}",
		"https?://[-a-z0-9.]+(:[0-9]{1,5})?",
		"[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]{10,400}){2}",
		".{1,64}",
		"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
		"user@example.com",
		"100%",
	};

	(void)s;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		T_OK(pattern_check(good[i], e));
}

static void rejects_patterns_that_take_everything(void **s)
{
	static const char *const all[] = {
		"",	      ".*",
		".+",	      ".*.*",
		"(.*)",	      ".{0,}",
		".{1,}",      "(.|x)*",
		"a|.*",	      "[^x]*",
		"[^,]*",      "[^\"' ]+",
		"[^@]+",      ".*$",
		"^.*",	      "[!-~]*",
		"[ -~]+",     "[^[:cntrl:]]*",
		".?.*",	      ".*x?",
		"()|.+",      "x*.*",
		"(a*|.*)*b?", ".{600}",
		".{1,600}",   "[[:graph:]]{2,}",
	};

	(void)s;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		T_FAILS(pattern_check(all[i], e), CTR_FORMAT, "settings.pattern");
}

static void rejects_what_the_engine_reads_in_another_way(void **s)
{
	static const char *const bad[] = {
		"[\\s\\S]*",
		"\\d+",
		"\\S",
		"a\\",
		"(?s:x)",
		"(?i)x",
		"(?:x)",
		"[a&&b]",
		"[a--b]",
		"[a~~b]",
		"[[:^alpha:]]",
		"[[.a.]]",
		"[[=a=]]",
		"[[:nothing:]]",
		"[a[b]]",
		"[a",
		"[]",
		"(a",
		"a)",
		"a)|(.*",
		"a{",
		"a{,3}",
		"a{x}",
		"{{n}}",
		"a}",
		"a{99999}",
		"a{2,1}",
		"*a",
		"(a{500}){500}",
		"((a{99}){99}){99}",
		"a{99}{99}{99}",
		"x\ny",
		"x\n",
		"\xc3\xa9",
		"\x7f",
		"a\tb",
		"\\<a\\>",
		"(a)\\1",
		"a*?",
		"a++",
		"a{2}{3}",
		"a|*",
		"x+++++++++++++++++++++++++++++++++++++",
		"((((((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+",
	};
	char long_one[PATTERN_MAX + 2];

	(void)s;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		T_FAILS(pattern_check(bad[i], e), CTR_FORMAT, "settings.pattern");
	memset(long_one, 'x', sizeof long_one);
	long_one[PATTERN_MAX + 1] = '\0';
	T_FAILS(pattern_check(long_one, e), CTR_FORMAT, "settings.pattern");
	T_OK(pattern_check(long_one + 1, e));
}

static void signs_of_the_rules_are_escaped(void **s)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	(void)s;
	pattern_add(&b, "[@%]x@");
	T_STR(ctr_buf_str(&b), "[\\x40\\x25]x\\x40");
}

static void cleans_paths(void **s)
{
	static const struct {
		const char *in, *out; /* NULL: none */
	} cases[] = {
		{ "/", "/" },
		{ "//", "/" },
		{ "/a", "/a" },
		{ "//a//b/", "/a/b" },
		{ "/a/.", NULL },
		{ "/..", NULL },
		{ "/a/../b", NULL },
		{ "/./a", NULL },
		{ "/a/..", NULL },
		{ "a", NULL },
		{ "", NULL },
		{ "/...", "/..." },
		{ "/.a/b..", "/.a/b.." },
	};
	arena_auto struct arena a = { 0 };

	(void)s;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *out = path_clean(&a, cases[i].in);
		bool same = out && strcmp(out, cases[i].in) == 0 && strcmp(out, "/") != 0;

		if (!out || !cases[i].out)
			assert_true(!out && !cases[i].out);
		else
			T_STR(out, cases[i].out);
		assert_int_equal(path_is_clean(cases[i].in), same);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_tight_patterns),
		cmocka_unit_test(rejects_patterns_that_take_everything),
		cmocka_unit_test(rejects_what_the_engine_reads_in_another_way),
		cmocka_unit_test(signs_of_the_rules_are_escaped),
		cmocka_unit_test(cleans_paths),
	};

	return cmocka_run_group_tests_name("pattern", tests, NULL, NULL);
}
