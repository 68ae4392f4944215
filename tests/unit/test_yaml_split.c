#include "t.h"
#include "yaml_int.h"

#include <time.h>

/* The pieces of a stream, with ^ between them. */
static void split(const char *text, size_t n, struct ctr_buf *b)
{
	size_t at = 0, len;
	unsigned lines;

	ctr_buf_reset(b);
	for (; at < n; at += len) {
		size_t lf = 0;

		ctr_yaml_split(text + at, n - at, true, &len, &lines);
		assert_true(len > 0 && len <= n - at);
		for (size_t i = at; i < at + len; i++)
			lf += text[i] == '\n';
		assert_int_equal(lines, lf);
		if (at)
			ctr_buf_addc(b, '^');
		ctr_buf_add(b, text + at, len);
	}
}

static const char *const streams[] = {
	"a: 1\n",
	"a: 1\n^---\nb: 2\n",
	"---\na: 1\n^---\nb: 2\n",
	"# head\n\n---\na: 1\n# tail\n^--- # x\nb: 2\n",
	"--- {a: 1}\n^--- |\n  text\n^---\n",
	"a: 1\n...\n^b: 2\n",
	"a: 1\n...\n...\n^---\nb: 2\n",
	"%YAML 1.1\n---\na: 1\n...\n^%TAG ! x\n---\nb: 2\n",
	"a: |\n  ---\n  --- x\n ---\n^---\nb: '---'\n",
	"a: ---x\n----: 1\n---x: 2\n",
	"a: 1\r\n^---\r\nb: 2\r\n^--- \r\n",
	("a: 1\xc2\x85^---\xe2\x80\xa8" "b: 2\n"),
	"a: 1\r^---\rb: 2\r",
	"\xef\xbb\xbf---\na: 1\n^---\nb: 2",
	"{\"a\": \"}{\\\"}{\"}\n^{\"b\": [1]}\n^[2]\n",
	"{\"a\":1}^{\"b\":2}^[3]^{\"c\":{}}",
	"{\n  \"a\": 1\n}\n^\n{\n}\n^---\n[]\n",
	"{a: 'x''}{', b: it's, c: a \" b}\n^{d: 1}\n",
	"{a: 1} # }{\n",
	"{a: [1, # }\n2]}\n^{b: 1}\n",
	"{a: \"broken\n^---\nb: 2\n",
	"---\n^---\n^---\n",
	"\n\n",
	"--- |\n a\n...\n",
};

static void join(const char *pieces, struct ctr_buf *b)
{
	ctr_buf_reset(b);
	for (const char *p = pieces; *p; p++)
		if (*p != '^')
			ctr_buf_addc(b, *p);
}

static void pieces(void **s)
{
	ctr_auto_buf struct ctr_buf in = { 0 }, out = { 0 };

	(void)s;
	for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
		join(streams[i], &in);
		split(in.p, in.n, &out);
		T_STR(out.p, streams[i]);
	}
}

/* However the stream arrives, each piece is the same, and none is given too early. */
static void works_incrementally(void **s)
{
	ctr_auto_buf struct ctr_buf in = { 0 };

	(void)s;
	for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
		size_t whole, len;
		unsigned lines;

		join(streams[i], &in);
		ctr_yaml_split(in.p, in.n, true, &whole, &lines);
		for (size_t k = 0; k <= in.n; k++) {
			ctr_yaml_split(in.p, k, false, &len, &lines);
			if (len != 0 && len != whole)
				fail_msg("%s: %zu of %zu give %zu, not %zu", in.p, k, in.n, len, whole);
			if (len != 0)
				assert_true(len <= k);
		}
	}
}

static void pieces_are_documents(void **s)
{
	ctr_auto_buf struct ctr_buf in = { 0 };
	size_t at = 0, len, docs = 0;
	unsigned line = 1, lines;

	(void)s;
	for (int i = 0; i < 50; i++)
		ctr_buf_addf(&in, "%s# %d\n---\nn: %d\ns: |\n  x\n\n%s", i % 3 ? "" : "...\n", i, i,
			     i % 5 ? "" : "...\n");
	for (at = 4; at < in.n; at += len, line += lines, docs++) {
		ctr_auto_yaml struct ctr_yaml *y = NULL;

		ctr_yaml_split(in.p + at, in.n - at, true, &len, &lines);
		T_OK(ctr_yaml_parse("s", line, in.p + at, len, &y, e));
		if (docs < 50 && ctr_yaml_root(y))
			assert_string_equal(strstr(in.p + at, "n: ") ? "n" : "", "n");
	}
	assert_true(docs >= 50);
}

/* Were it not linear, the suite's time would run out. */
static void time_is_linear(void **s)
{
	ctr_auto_buf struct ctr_buf in = { 0 };
	int n = getenv("VALGRIND") && *getenv("VALGRIND") ? 40000 : 4000000;
	unsigned lines;
	size_t len;

	(void)s;
	for (int i = 0; i < n; i++)
		ctr_buf_adds(&in, i ? "[\n" : "{}\n\n");
	ctr_yaml_split(in.p, in.n, true, &len, &lines);
	assert_in_range(len, 1, in.n);
	ctr_yaml_split(in.p + len, in.n - len, true, &len, &lines);
	assert_in_range(lines, (unsigned)n / 2, UINT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces),
		cmocka_unit_test(works_incrementally),
		cmocka_unit_test(pieces_are_documents),
		cmocka_unit_test(time_is_linear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
