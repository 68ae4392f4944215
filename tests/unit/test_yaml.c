#include "t.h"
#include "yaml_int.h"

#include <dirent.h>
#include <unistd.h>

static struct ctr_yaml *doc(const char *text)
{
	struct ctr_yaml *y;

	T_OK(ctr_yaml_parse("f.yaml", 1, text, strlen(text), &y, e));
	return y;
}

#define T_DOC(y, text) ctr_auto_yaml struct ctr_yaml *y = doc(text)

static void refused(const char *text, size_t n, const char *id, unsigned line, unsigned col)
{
	struct ctr_yaml *y = NULL;
	struct ctr_err err = { 0 };

	T_FAILS(ctr_yaml_parse("f.yaml", 1, text, n, &y, e), CTR_FORMAT, id);
	assert_null(y);
	assert_int_equal(ctr_yaml_parse("f.yaml", 1, text, n, &y, &err), -1);
	T_STR(err.where, "f.yaml");
	if (err.line != line || err.col != col)
		fail_msg("%.40s: at %u:%u, not %u:%u (%s)", text, err.line, err.col, line, col, err.msg);
}

static void tree_and_positions(void **s)
{
	const struct ctr_yaml_node *r, *n;
	const char *key;
	size_t len;

	(void)s;
	T_DOC(y, "# c\na: 1\nb:\n  - x\n  - {k: 'it''s'}\n  -\n? c\n? d\n: e\nf: |\n  t\n");
	r = ctr_yaml_root(y);
	assert_true(ctr_yaml_is(r, CTR_YAML_MAP));
	assert_int_equal(ctr_yaml_count(r), 5);
	n = ctr_yaml_get(r, "b");
	assert_true(ctr_yaml_is(n, CTR_YAML_SEQ));
	assert_int_equal(ctr_yaml_line(n), 4);
	assert_int_equal(ctr_yaml_col(n), 3);
	n = ctr_yaml_at(n, 1, &key);
	assert_null(key);
	n = ctr_yaml_at(n, 0, &key);
	T_STR(key, "k");
	T_STR(ctr_yaml_text(n, &len), "it's");
	assert_int_equal(len, 4);
	assert_int_equal(ctr_yaml_line(n), 5);
	assert_int_equal(ctr_yaml_col(n), 9);
	assert_true(ctr_yaml_null(ctr_yaml_at(ctr_yaml_get(r, "b"), 2, NULL)));
	assert_true(ctr_yaml_null(ctr_yaml_get(r, "c")));
	assert_non_null(ctr_yaml_get(r, "c"));
	T_STR(ctr_yaml_text(ctr_yaml_get(r, "d"), NULL), "e");
	T_STR(ctr_yaml_text(ctr_yaml_get(r, "f"), NULL), "t\n");
	assert_null(ctr_yaml_get(r, "g"));
	assert_null(ctr_yaml_at(r, 5, &key));
	assert_null(key);
	/* getters take NULL */
	assert_null(ctr_yaml_get(NULL, "x"));
	assert_int_equal(ctr_yaml_count(NULL), 0);
	assert_null(ctr_yaml_at(NULL, 0, NULL));
	assert_null(ctr_yaml_text(NULL, NULL));
	assert_true(ctr_yaml_null(NULL));
	assert_false(ctr_yaml_is(NULL, CTR_YAML_SCALAR));
	assert_null(ctr_yaml_text(r, NULL));
}

static void empty_documents_have_no_root(void **s)
{
	static const char *const empty[] = { "", "\n", "# only a comment\n", "---\n", "--- # c\n...\n",
					     "%YAML 1.1\n---\n", "\xef\xbb\xbf" };

	(void)s;
	for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
		T_DOC(y, empty[i]);
		assert_null(ctr_yaml_root(y));
	}
	T_DOC(y, "~");
	assert_non_null(ctr_yaml_root(y));
}

static void marks_are_bytes(void **s)
{
	/* a BOM, CRLF, wide characters and the line breaks that libyaml counts as one character */
	static const char *const texts[] = {
		("\xef\xbb\xbf" "k\xc3\xa9: \xf0\x9f\x98\x80\r\nz: {a: here}\r\n"),
		"k: \xe2\x82\xac # \xc3\xa9\nz:\n- \"\xc3\xa9\"\n- {a: here}\n",
		"k: a\xc2\x85z: {a: here}\xe2\x80\xa8",
		"\"\\ud83d\\ude00\": 1",
		"{\"p\":\"\\ud83d\\ude00 \\\\ud83d \\uD83D\\uDE00\",\"z\":{\"a\":\"here\"}}",
	};

	(void)s;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		const struct ctr_yaml_node *n;

		if (i == 3) {
			refused(texts[i], strlen(texts[i]), "yaml.syntax", 1, 4);
			continue;
		}
		T_DOC(y, texts[i]);
		n = ctr_yaml_get(ctr_yaml_root(y), "z");
		n = n->kind == CTR_YAML_SEQ ? ctr_yaml_at(n, 1, NULL) : n;
		n = ctr_yaml_get(n, "a");
		assert_non_null(n);
		T_STR(ctr_yaml_text(n, NULL), "here");
		assert_non_null(strstr(y->text + n->at, "here"));
		assert_true(strstr(y->text, "here") - (y->text + n->at) <= 1);
		assert_true(n->end - n->at <= 6);
	}
	T_DOC(y, texts[4]);
	T_STR(ctr_yaml_text(ctr_yaml_get(ctr_yaml_root(y), "p"), NULL),
	      "\xf0\x9f\x98\x80 \\ud83d \xf0\x9f\x98\x80");
	T_DOC(l, texts[1]);
	assert_int_equal(ctr_yaml_line(ctr_yaml_get(ctr_yaml_root(l), "z")), 3);
}

static void json_is_taken(void **s)
{
	(void)s;
	T_DOC(y, "{\t\"a\":\t1,\n\t\"b\": [\n\t\t\"\\/\\u00e9\\n\"\n\t]\n}\n");
	T_STR(ctr_yaml_text(ctr_yaml_at(ctr_yaml_get(ctr_yaml_root(y), "b"), 0, NULL), NULL),
	      "/\xc3\xa9\n");
	refused("{\"a\": \"\\ud83d\"}", 15, "yaml.syntax", 1, 10);
	refused("{\"a\": \"\\ude00\\ud83d\"}", 21, "yaml.syntax", 1, 10);
}

static void broken_input_is_refused(void **s)
{
	static const struct {
		const char *text, *id;
		unsigned line, col;
	} cases[] = {
		{ "a: [1,\nb: 2\n", "yaml.syntax", 3, 1 },
		{ "a: b: c\n", "yaml.syntax", 1, 5 },
		{ "a: \x01\n", "yaml.syntax", 1, 4 },
		{ "\ta: b\n", "yaml.syntax", 1, 1 },
		{ "--- a: b\n", "yaml.syntax", 1, 6 },
		{ "\xc3\xa9: 1\nb: \xff\n", "yaml.utf8", 2, 4 },
		{ "a: \xed\xa0\x80\n", "yaml.utf8", 1, 4 },
		{ "a: 1\nb: 2\na: 3\n", "yaml.duplicate", 3, 1 },
		{ "{a: {b: 1, \"b\": 2}}", "yaml.duplicate", 1, 12 },
		{ "1: a\n\"1\": b\n", "yaml.duplicate", 2, 1 },
		{ "yes: a\ntrue: b\n", "yaml.duplicate", 2, 1 },
		{ "<<: {a: 1}\n<<: {b: 2}\n", "yaml.duplicate", 2, 1 },
		{ "? [a]\n: b\n", "yaml.key", 1, 3 },
		{ "{a: 1}: b\n", "yaml.key", 1, 1 },
		{ "?\n: b\n", "yaml.key", 1, 2 },
		{ "~: b\n", "yaml.key", 1, 1 },
		{ "\"a\\0b\": b\n", "yaml.key", 1, 1 },
		{ "1.50: b\n", "yaml.key", 1, 1 },
		{ "99999999999999999999: b\n", "yaml.key", 1, 1 },
		{ "!!binary aa: b\n", "yaml.key", 1, 10 },
		{ "a: *x\n", "yaml.alias", 1, 4 },
		{ "a: &x\n  b: *x\n", "yaml.alias", 2, 6 },
		{ "a: &x [1, [*x]]\n", "yaml.alias", 1, 12 },
		{ "a: 1\n---\nb: 2\n", "yaml.document", 2, 1 },
		{ "a: 1\n...\n---\nb: 2\n", "yaml.document", 3, 1 },
		{ "a: 1\n<<: {a: 2}\n", "yaml.merge", 2, 1 },
		{ "<<: [1]\n", "yaml.merge", 1, 5 },
		{ "<<: x\n", "yaml.merge", 1, 5 },
		{ "x: &s [{a: 1}]\ny:\n  <<: *s\n", "yaml.merge", 3, 7 },
	};

	(void)s;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		refused(cases[i].text, strlen(cases[i].text), cases[i].id, cases[i].line, cases[i].col);
	refused("a: \0\n", 5, "yaml.syntax", 1, 4);
}

static void aliases_and_merge_keys(void **s)
{
	const struct ctr_yaml_node *r, *m;
	const char *key;

	(void)s;
	T_DOC(y, "a: &a {x: 1, w: 2}\n"
		 "b: &b {w: 3, z: 4}\n"
		 "c: *a\n"
		 "d:\n  <<: [*a, *b]\n  z: 5\n"
		 "e:\n  <<: *b\n"
		 "\"<<\": no merge\n"
		 "f: {<<: {q: 1}}\n");
	r = ctr_yaml_root(y);
	assert_ptr_equal(ctr_yaml_get(r, "a"), ctr_yaml_get(r, "c"));
	assert_int_equal(ctr_yaml_line(ctr_yaml_get(r, "c")), 1);
	m = ctr_yaml_get(r, "d");
	assert_int_equal(ctr_yaml_count(m), 3);
	T_STR(ctr_yaml_text(ctr_yaml_at(m, 0, &key), NULL), "5");
	T_STR(key, "z");
	T_STR(ctr_yaml_text(ctr_yaml_get(m, "w"), NULL), "2");
	T_STR(ctr_yaml_text(ctr_yaml_get(m, "x"), NULL), "1");
	assert_null(ctr_yaml_get(m, "<<"));
	T_STR(ctr_yaml_text(ctr_yaml_get(ctr_yaml_get(r, "e"), "w"), NULL), "3");
	T_STR(ctr_yaml_text(ctr_yaml_get(r, "<<"), NULL), "no merge");
	T_STR(ctr_yaml_text(ctr_yaml_get(ctr_yaml_get(r, "f"), "q"), NULL), "1");
	/* an anchor may be used again: the nearest one before the alias counts */
	T_DOC(z, "a: &x 1\nb: *x\nc: &x 2\nd: *x\n");
	T_STR(ctr_yaml_text(ctr_yaml_get(ctr_yaml_root(z), "b"), NULL), "1");
	T_STR(ctr_yaml_text(ctr_yaml_get(ctr_yaml_root(z), "d"), NULL), "2");
}

static void alias_bombs_are_stopped(void **s)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	(void)s;
	ctr_buf_adds(&b, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 60; i++) {
		ctr_buf_addf(&b, "a%d: &a%d [", i, i);
		for (int j = 0; j < 10; j++)
			ctr_buf_addf(&b, "*a%d%s", i - 1, j < 9 ? ", " : "]\n");
	}
	refused(b.p, b.n, "yaml.alias", 7, 10);
	/* the same by merge keys, and by depth */
	ctr_buf_reset(&b);
	ctr_buf_adds(&b, "a0: &a0 {x: 1}\n");
	for (int i = 1; i < 70; i++)
		ctr_buf_addf(&b, "a%d: &a%d {x: *a%d}\n", i, i, i - 1);
	refused(b.p, b.n, "yaml.depth", 64, 15);
}

static void nested(struct ctr_buf *b, int depth)
{
	ctr_buf_reset(b);
	for (int i = 0; i < depth; i++)
		ctr_buf_addc(b, '[');
	for (int i = 0; i < depth; i++)
		ctr_buf_addc(b, ']');
}

static void limits(void **s)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	ctr_auto_yaml struct ctr_yaml *y = NULL;
	struct ctr_yaml *z = NULL;

	(void)s;
	nested(&b, CTR_YAML_DEPTH);
	T_OK(ctr_yaml_parse("f", 1, b.p, b.n, &y, e));
	nested(&b, CTR_YAML_DEPTH + 1);
	refused(b.p, b.n, "yaml.depth", 1, 65);
	nested(&b, 20000);
	refused(b.p, b.n, "yaml.depth", 1, 65);
	T_FAILS(ctr_yaml_parse("f", 1, "", CTR_YAML_MAX + 1, &z, e), CTR_FORMAT, "limit");
	ctr_buf_reset(&b);
	ctr_buf_addc(&b, '[');
	for (int i = 0; i <= CTR_YAML_NODES; i++)
		ctr_buf_adds(&b, "x,");
	refused(b.p, b.n, "limit", 1, 2 * CTR_YAML_NODES + 2);
}

static void large_mappings(void **s)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	ctr_auto_yaml struct ctr_yaml *y = NULL;

	(void)s;
	for (int i = 0; i < 100000; i++)
		ctr_buf_addf(&b, "k%d: &a%d v\n", i, i);
	T_OK(ctr_yaml_parse("f", 1, b.p, b.n, &y, e));
	assert_int_equal(ctr_yaml_count(ctr_yaml_root(y)), 100000);
	ctr_buf_adds(&b, "k77: again\n");
	refused(b.p, b.n, "yaml.duplicate", 100001, 1);
}

static void typing(void **s)
{
	static const struct {
		const char *text;
		enum ctr_yaml_type type;
	} cases[] = {
		{ "~", CTR_YAML_NULL },	    { "null", CTR_YAML_NULL },	 { "NULL", CTR_YAML_NULL },
		{ "nUll", CTR_YAML_STR },   { "''", CTR_YAML_STR },	 { "!!str", CTR_YAML_STR },
		{ "true", CTR_YAML_BOOL },  { "Yes", CTR_YAML_BOOL },	 { "off", CTR_YAML_BOOL },
		{ "n", CTR_YAML_BOOL },	    { "\"on\"", CTR_YAML_STR },	 { "tRue", CTR_YAML_STR },
		{ "0", CTR_YAML_INT },	    { "-12", CTR_YAML_INT },	 { "+7", CTR_YAML_INT },
		{ "010", CTR_YAML_INT },    { "0o7", CTR_YAML_INT },	 { "0x1F", CTR_YAML_INT },
		{ "0b101", CTR_YAML_INT },  { "1_000", CTR_YAML_INT },	 { "-0x10", CTR_YAML_INT },
		{ "99999999999999999999", CTR_YAML_INT },
		{ "0x", CTR_YAML_STR },	    { "0b2", CTR_YAML_STR },	 { "1x", CTR_YAML_STR },
		{ "08", CTR_YAML_FLOAT },   { "1.5", CTR_YAML_FLOAT },	 { "-.5e3", CTR_YAML_FLOAT },
		{ "1e3", CTR_YAML_FLOAT },  { ".inf", CTR_YAML_FLOAT },	 { "-.INF", CTR_YAML_FLOAT },
		{ ".NaN", CTR_YAML_FLOAT }, { "1.", CTR_YAML_FLOAT },	 { ".", CTR_YAML_STR },
		{ "1e999", CTR_YAML_STR },  { "1e", CTR_YAML_STR },	 { "+", CTR_YAML_STR },
		{ "1.2.3", CTR_YAML_STR },  { "2001-12-14", CTR_YAML_STR }, { "=", CTR_YAML_STR },
		{ "12:30:45", CTR_YAML_STR }, { "100m", CTR_YAML_STR }, { "!!str 5", CTR_YAML_STR },
		{ "!!int '5'", CTR_YAML_INT }, { "!!float 5", CTR_YAML_FLOAT },
		{ "! 5", CTR_YAML_STR },    { "\xc3\xa9", CTR_YAML_STR },
	};

	(void)s;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[64];

		snprintf(text, sizeof text, "v: %s\n", cases[i].text);
		T_DOC(y, text);
		if (ctr_yaml_type(ctr_yaml_get(ctr_yaml_root(y), "v")) != cases[i].type)
			fail_msg("%s", cases[i].text);
	}
}

static void keys_are_named_as_kubernetes_does(void **s)
{
	const struct ctr_yaml_node *r;

	(void)s;
	T_DOC(z, "on: 1\n0x10: 2\n'0x10': 3\n1.5: 4\n'off': 5\n!!str 7: 6\n");
	r = ctr_yaml_root(z);
	T_STR(ctr_yaml_text(ctr_yaml_get(r, "true"), NULL), "1");
	T_STR(ctr_yaml_text(ctr_yaml_get(r, "16"), NULL), "2");
	T_STR(ctr_yaml_text(ctr_yaml_get(r, "0x10"), NULL), "3");
	T_STR(ctr_yaml_text(ctr_yaml_get(r, "1.5"), NULL), "4");
	T_STR(ctr_yaml_text(ctr_yaml_get(r, "off"), NULL), "5");
	T_STR(ctr_yaml_text(ctr_yaml_get(r, "7"), NULL), "6");
}

static void typed_members(void **s)
{
	const struct ctr_yaml_node *r, *n;
	const char *v;
	bool b;
	int64_t i;

	(void)s;
	T_DOC(y, "s: text\ni: 0x1f\nb: No\nm: {}\nl: []\nz: ~\nq: '5'\nnul: \"a\\0b\"\n"
		 "wide: 99999999999999999999\nbin: !!binary aGk=\nodd: !x {a: 1}\nint: !!int abc\n");
	r = ctr_yaml_root(y);
	T_OK(ctr_yaml_str(y, r, "s", &v, e));
	T_STR(v, "text");
	T_OK(ctr_yaml_str(y, r, "absent", &v, e));
	assert_null(v);
	T_OK(ctr_yaml_str(y, r, "z", &v, e));
	assert_null(v);
	T_OK(ctr_yaml_str(y, NULL, "z", &v, e));
	assert_null(v);
	T_FAILS(ctr_yaml_str(y, r, "i", &v, e), CTR_FORMAT, "yaml.type");
	T_FAILS(ctr_yaml_str(y, r, "m", &v, e), CTR_FORMAT, "yaml.type");
	T_FAILS(ctr_yaml_str(y, r, "nul", &v, e), CTR_FORMAT, "yaml.type");
	T_FAILS(ctr_yaml_str(y, r, "bin", &v, e), CTR_FORMAT, "yaml.type");
	T_FAILS(ctr_yaml_str(y, r, "int", &v, e), CTR_FORMAT, "yaml.type");
	T_FAILS(ctr_yaml_str(y, ctr_yaml_get(r, "l"), "a", &v, e), CTR_FORMAT, "yaml.type");
	T_FAILS(ctr_yaml_str(y, ctr_yaml_get(r, "odd"), "a", &v, e), CTR_FORMAT, "yaml.type");
	T_OK(ctr_yaml_int(y, r, "i", 0, 31, 7, &i, e));
	assert_int_equal(i, 31);
	T_OK(ctr_yaml_int(y, r, "absent", 0, 31, 7, &i, e));
	assert_int_equal(i, 7);
	T_FAILS(ctr_yaml_int(y, r, "i", 0, 30, 7, &i, e), CTR_FORMAT, "yaml.range");
	T_FAILS(ctr_yaml_int(y, r, "wide", 0, INT64_MAX, 7, &i, e), CTR_FORMAT, "yaml.range");
	T_FAILS(ctr_yaml_int(y, r, "q", 0, 9, 7, &i, e), CTR_FORMAT, "yaml.type");
	T_OK(ctr_yaml_bool(y, r, "b", true, &b, e));
	assert_false(b);
	T_OK(ctr_yaml_bool(y, r, "absent", true, &b, e));
	assert_true(b);
	T_FAILS(ctr_yaml_bool(y, r, "s", true, &b, e), CTR_FORMAT, "yaml.type");
	T_OK(ctr_yaml_map(y, r, "m", &n, e));
	assert_non_null(n);
	T_FAILS(ctr_yaml_map(y, r, "l", &n, e), CTR_FORMAT, "yaml.type");
	T_FAILS(ctr_yaml_map(y, r, "odd", &n, e), CTR_FORMAT, "yaml.type");
	assert_null(n);
	T_OK(ctr_yaml_seq(y, r, "l", &n, e));
	assert_non_null(n);
	T_FAILS(ctr_yaml_seq(y, r, "m", &n, e), CTR_FORMAT, "yaml.type");
}

static void failures_name_the_place(void **s)
{
	struct ctr_err err = { 0 };
	const char *v;

	(void)s;
	T_DOC(y, "# \xc3\xa9\n{\xc3\xa9: {a: 12}}\n");
	assert_int_equal(ctr_yaml_str(y, ctr_yaml_at(ctr_yaml_root(y), 0, NULL), "a", &v, &err), -1);
	T_STR(err.where, "f.yaml");
	assert_int_equal(err.line, 2);
	assert_int_equal(err.col, 9);
	T_STR(err.msg, "'a' is a number (expected a string)");
	T_STR(err.fix, "put it in quotes");
	err = (struct ctr_err){ 0 };
	assert_int_equal(ctr_yaml_fail(y, NULL, &err, "x", "y"), -1);
	T_STR(err.where, "f.yaml");
	assert_int_equal(err.line, 1);
}

static void real_pods_are_read(void **s)
{
	char path[600];
	struct dirent *d;
	size_t n = 0;
	DIR *dir;
	char base[512];

	(void)s;
	snprintf(base, sizeof base, "%s", t_shared("kata/policy-cases"));
	dir = opendir(base);
	assert_non_null(dir);
	while ((d = readdir(dir))) {
		ctr_auto_buf struct ctr_buf b = { 0 };
		size_t len = 0, at = 0;
		unsigned lines;

		snprintf(path, sizeof path, "%s/%.60s/pod.yaml", base, d->d_name);
		if (d->d_name[0] == '.' || access(path, R_OK) < 0)
			continue;
		b = t_file(path);
		for (; at < b.n; at += len) {
			ctr_auto_yaml struct ctr_yaml *y = NULL;

			ctr_yaml_split(b.p + at, b.n - at, true, &len, &lines);
			assert_true(len > 0);
			T_OK(ctr_yaml_parse(path, 1, b.p + at, len, &y, e));
			if (ctr_yaml_root(y))
				n += ctr_yaml_get(ctr_yaml_root(y), "kind") != NULL;
		}
	}
	closedir(dir);
	assert_true(n > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tree_and_positions),
		cmocka_unit_test(empty_documents_have_no_root),
		cmocka_unit_test(marks_are_bytes),
		cmocka_unit_test(json_is_taken),
		cmocka_unit_test(broken_input_is_refused),
		cmocka_unit_test(aliases_and_merge_keys),
		cmocka_unit_test(alias_bombs_are_stopped),
		cmocka_unit_test(limits),
		cmocka_unit_test(large_mappings),
		cmocka_unit_test(typing),
		cmocka_unit_test(keys_are_named_as_kubernetes_does),
		cmocka_unit_test(typed_members),
		cmocka_unit_test(failures_name_the_place),
		cmocka_unit_test(real_pods_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
