#include "t.h"
#include "yaml_int.h"

/* One edit: at a path such as "/spec/0/x", by a letter. */
struct op {
	char what; /* s: set, S: set_string, i: insert, r: replace; 0 ends the list */
	const char *path, *key; /* key: a number for i */
	const char *value;
};

struct edit {
	const char *in, *out;
	struct op ops[6];
};

static const struct ctr_yaml_node *at_path(const struct ctr_yaml *y, const char *path)
{
	const struct ctr_yaml_node *n = ctr_yaml_root(y);
	char step[64];
	int len;

	while (n && sscanf(path, "/%63[^/]%n", step, &len) == 1) {
		n = ctr_yaml_is(n, CTR_YAML_SEQ) ? ctr_yaml_at(n, strtoul(step, NULL, 10), NULL)
						 : ctr_yaml_get(n, step);
		path += len;
	}
	return n;
}

static int apply(struct ctr_yaml *y, const struct op *op, struct ctr_err *e)
{
	const struct ctr_yaml_node *n = at_path(y, op->path);

	switch (op->what) {
	case 's':
		return ctr_yaml_set(y, n, op->key, op->value, e);
	case 'S':
		return ctr_yaml_set_string(y, n, op->key, op->value, e);
	case 'i':
		return ctr_yaml_insert(y, n, strtoul(op->key, NULL, 10), op->value, e);
	default:
		return ctr_yaml_replace(y, n, op->value, e);
	}
}

static void check_edit(const struct edit *t, bool twice)
{
	ctr_auto_yaml struct ctr_yaml *y = NULL, *z = NULL;
	ctr_auto_buf struct ctr_buf b = { 0 }, again = { 0 };

	T_OK(ctr_yaml_parse("f.yaml", 1, t->in, strlen(t->in), &y, e));
	for (const struct op *op = t->ops; op->what; op++) {
		T_OK(apply(y, op, e));
		twice &= op->what != 'i';
	}
	T_OK(ctr_yaml_emit(y, &b, e));
	T_STR(ctr_buf_str(&b), t->out);
	/* what comes out reads as the tree that went in */
	T_OK(ctr_yaml_parse("f.yaml", 1, b.p, b.n, &z, e));
	assert_true(ctr_yaml_same(ctr_yaml_root(y), ctr_yaml_root(z)));
	if (!twice)
		return;
	/* and a second run changes nothing */
	for (const struct op *op = t->ops; op->what; op++)
		if (strcmp(t->in, t->out) != 0)
			T_OK(apply(z, op, e));
	T_OK(ctr_yaml_emit(z, &again, e));
	T_STR(again.p, t->out);
}

static void check_edits(const struct edit *t, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_edit(&t[i], true);
}
#define CHECK(table) check_edits(table, sizeof table / sizeof *table)

static void block_mappings(void **s)
{
	static const struct edit t[] = {
		/* at the end, whatever follows */
		{ "a: 1\n", "a: 1\nk: v\n", { { 's', "", "k", "v" } } },
		{ "a: 1", "a: 1\nk: v\n", { { 's', "", "k", "v" } } },
		{ "a: 1 # c\n", "a: 1 # c\nk: v\n", { { 's', "", "k", "v" } } },
		{ "---\na: 1\n...\n", "---\na: 1\nk: v\n...\n", { { 's', "", "k", "v" } } },
		{ "--- # d\na: 1\n\n# tail\n", "--- # d\na: 1\nk: v\n\n# tail\n",
		  { { 's', "", "k", "v" } } },
		{ "m:\n  a: 1\n  # deep\n# shallow\nz: 2\n",
		  "m:\n  a: 1\n  k: v\n  # deep\n# shallow\nz: 2\n", { { 's', "/m", "k", "v" } } },
		{ "m:\n    a:\n        b: 1\n", "m:\n    a:\n        b: 1\n        k: v\n    l: w\no: x\n",
		  { { 's', "", "o", "x" }, { 's', "/m/a", "k", "v" }, { 's', "/m", "l", "w" } } },
		{ "m: &m\n  a: 1\nz: 2\n", "m: &m\n  a: 1\n  k: v\nz: 2\n", { { 's', "/m", "k", "v" } } },
		{ "m: !!map # c\n  &k a: 1\n", "m: !!map # c\n  &k a: 1\n  k: v\n",
		  { { 's', "/m", "k", "v" } } },
		{ "? a\n: 1\n? b\n", "? a\n: 1\n? b\nk: v\n", { { 's', "", "k", "v" } } },
		{ "\"a\": 1\n'b': 2\n", "\"a\": 1\n'b': 2\nk: v\n", { { 's', "", "k", "v" } } },
		{ "- a: 1\n  b: 2\n- c: 3\n", "- a: 1\n  b: 2\n  k: v\n- c: 3\n  k: w\n",
		  { { 's', "/1", "k", "w" }, { 's', "/0", "k", "v" } } },
		{ "- - a: 1\n", "- - a: 1\n    k: v\n", { { 's', "/0/0", "k", "v" } } },
		{ "-   a: 1\n", "-   a: 1\n    k: v\n", { { 's', "/0", "k", "v" } } },
		{ "\xc3\xa9: \xe2\x82\xac\nz: \xf0\x9f\x98\x80 # \xc3\xa9\n",
		  "\xc3\xa9: \xe2\x82\xac\nz: \xf0\x9f\x98\x80 # \xc3\xa9\nk: v\n",
		  { { 's', "", "k", "v" } } },
		{ "\xef\xbb\xbf" "a: 1\n", "\xef\xbb\xbf" "a: 1\nk: v\n", { { 's', "", "k", "v" } } },
		{ "a: 1\xc2\x85" "b: 2\xc2\x85", "a: 1\xc2\x85" "b: 2\xc2\x85" "k: v\n",
		  { { 's', "", "k", "v" } } },
		{ "a:\r\n  b: 1\r\nc: 2\r\n", "a:\r\n  b: 1\r\n  k:\r\n    x: 1\r\n    y: 2\r\nc: 2\r\n",
		  { { 's', "/a", "k", "x: 1\ny: 2\n" } } },
		{ "a: 1\t# tab\n", "a: 1\t# tab\nk: v\n", { { 's', "", "k", "v" } } },
		/* unusual keys */
		{ "a: 1\n", "a: 1\n\"k: x\": v\nx.io/y-z: w\n\"true\": u\n\"1\": t\n",
		  { { 's', "", "k: x", "v" }, { 's', "", "x.io/y-z", "w" }, { 's', "", "true", "u" },
		    { 's', "", "1", "t" } } },
	};

	(void)s;
	CHECK(t);
}

static void last_values_of_every_shape(void **s)
{
	static const struct edit t[] = {
		{ "m:\n  a: |\n    x\n\n\nz: 1\n", "m:\n  a: |\n    x\n  k: v\n\n\nz: 1\n",
		  { { 's', "/m", "k", "v" } } },
		{ "m:\n  a: |+\n    x\n\n\nz: 1\n", "m:\n  a: |+\n    x\n\n\n  k: v\nz: 1\n",
		  { { 's', "/m", "k", "v" } } },
		{ "a: >-\n  x\n  y\n", "a: >-\n  x\n  y\nk: v\n", { { 's', "", "k", "v" } } },
		{ "a: |2\n   x\n     \n", "a: |2\n   x\n     \nk: v\n", { { 's', "", "k", "v" } } },
		{ "a: |\n  x\n# c\n", "a: |\n  x\nk: v\n# c\n", { { 's', "", "k", "v" } } },
		/* without a line break at the end the value has none: it must not get one */
		{ "a: |\n  x", "a: |-\n  x\nk: v\n", { { 's', "", "k", "v" } } },
		{ "a: |+ # c\n  x", "a: |- # c\n  x\nk: v\n", { { 's', "", "k", "v" } } },
		{ "a: |-\n  x", "a: |-\n  x\nk: v\n", { { 's', "", "k", "v" } } },
		{ "m:\n  a: >2\n    x", "m:\n  a: >-2\n    x\n  k: v\nl: w\n",
		  { { 's', "/m", "k", "v" }, { 's', "", "l", "w" } } },
		{ "a: |\n  x\n ", "a: |\n  x\nk: v\n ", { { 's', "", "k", "v" } } },
		{ "a: |", "a: |\nk: v\n", { { 's', "", "k", "v" } } },
		{ "a: x\n  y\n\n  z # c\nb:\n", "a: x\n  y\n\n  z # c\nb:\nk: v\n",
		  { { 's', "", "k", "v" } } },
		{ "m:\n  a: \"x\n\n   y\"\nz: 1\n", "m:\n  a: \"x\n\n   y\"\n  k: v\nz: 1\n",
		  { { 's', "/m", "k", "v" } } },
		{ "m:\n  a: [\n    x\n  ] # c\nz: 1\n", "m:\n  a: [\n    x\n  ] # c\n  k: v\nz: 1\n",
		  { { 's', "/m", "k", "v" } } },
		{ "m:\n  a:\nz: 1\n", "m:\n  a:\n  k: v\nz: 1\n", { { 's', "/m", "k", "v" } } },
		{ "m:\n  a: &x\nz: *x\n", "m:\n  a: &x\n  k: v\nz: *x\n", { { 's', "/m", "k", "v" } } },
		{ "m:\n  a:\n  - x\n  -\nz: 1\n", "m:\n  a:\n  - x\n  -\n  k: v\nz: 1\n",
		  { { 's', "/m", "k", "v" } } },
		{ "b: &x 1\nm:\n  a: *x\n", "b: &x 1\nm:\n  a: *x\n  k: v\n",
		  { { 's', "/m", "k", "v" } } },
	};

	(void)s;
	CHECK(t);
}

static void values_replaced(void **s)
{
	static const struct edit t[] = {
		{ "a: 1 # c\nb: 2\n", "a: v # c\nb: 2\n", { { 's', "", "a", "v" } } },
		{ "a:    'x'   # c\n", "a:    v   # c\n", { { 's', "", "a", "v" } } },
		{ "a:\nb: 2\n", "a: v\nb: 2\n", { { 's', "", "a", "v" } } },
		{ "a: # c\nb: 2\n", "a: v # c\nb: 2\n", { { 's', "", "a", "v" } } },
		{ "a: ~\nb: 2\n", "a: \"5\"\nb: 2\n", { { 's', "", "a", "\"5\"" } } },
		{ "a:", "a: v", { { 's', "", "a", "v" } } },
		{ "m:\n  a:\nz: 1\n", "m:\n  a:\n    k: v\nz: 1\n", { { 's', "/m", "a", "k: v" } } },
		{ "m:\n  a: # c\n  # d\nz: 1\n", "m:\n  a: # c\n    k: v\n  # d\nz: 1\n",
		  { { 's', "/m", "a", "k: v" } } },
		{ "a: ~ # c\nz: 1\n", "a: # c\n  k: v\nz: 1\n", { { 's', "", "a", "k: v" } } },
		{ "a: {} # c\nz: 1\n", "a: # c\n  k: v\nz: 1\n", { { 's', "", "a", "k: v" } } },
		{ "a:", "a:\n  k: v\n", { { 's', "", "a", "k: v" } } },
		{ "a:\n  b: 1\n  c: 2 # c\nz: 1\n", "a: v\nz: 1\n", { { 's', "", "a", "v" } } },
		{ "a:\n  b: 1\n  c: 2\nz: 1\n", "a:\n  x: y\nz: 1\n", { { 's', "", "a", "x: y" } } },
		{ "a:\n- b\n- c\nz: 1\n", "a:\n- x\nz: 1\n", { { 's', "", "a", "- x" } } },
		{ "a:\n  - b\n  - c", "a: []", { { 's', "", "a", "[]" } } },
		{ "a:\r\n  - b", "a: []", { { 's', "", "a", "[]" } } },
		{ "a: |\n  x\n  y\n\nz: 1\n", "a: v\n\nz: 1\n", { { 's', "", "a", "v" } } },
		{ "a: |\n  x\n  y\n\nz: 1\n", "a:\n  k: v\n\nz: 1\n", { { 's', "", "a", "k: v" } } },
		{ "a: x\n  y # c\nz: 1\n", "a: v # c\nz: 1\n", { { 's', "", "a", "v" } } },
		{ "a:\n  x\n  y # c\nz: 1\n", "a: v\nz: 1\n", { { 's', "", "a", "v" } } },
		{ "a: [\n  x\n] # c\nz: 1\n", "a: v # c\nz: 1\n", { { 's', "", "a", "v" } } },
		{ "a: &x 1\nz: 1\n", "a: v\nz: 1\n", { { 's', "", "a", "v" } } },
		{ "a: &x\n  b: 1\nz: 1\n", "a: v\nz: 1\n", { { 's', "", "a", "v" } } },
		{ "b: &x 1\na: *x\n", "b: &x 1\na: v\n", { { 's', "", "a", "v" } } },
		{ "? a\n: 1\n? b\n: - x\n", "? a\n: v\n? b\n: []\n",
		  { { 's', "", "a", "v" }, { 's', "", "b", "[]" } } },
		/* equal values are no edits, however they are written */
		{ "a: 'x'\nb: [1, 0x10]\nc:   ~\n", "a: 'x'\nb: [1, 0x10]\nc:   ~\n",
		  { { 's', "", "a", "x" }, { 's', "", "b", "- 1\n- 16" }, { 's', "", "c", "null" } } },
		/* the last one counts; back to the text's value is no edit */
		{ "a: 1\n", "a: 3\nk: w\n", { { 's', "", "a", "2" }, { 's', "", "k", "v" },
					       { 's', "", "a", "3" }, { 's', "", "k", "w" } } },
		/* a block scalar or lines of text as a value */
		{ "m:\n  a: 1\n", "m:\n  a: 1\n  k: \"x\\ny\\n\"\n", { { 's', "/m", "k", "|\n  x\n  y\n" } } },
		{ "m:\n  a: 1\n", "m:\n  a: 1\n  k:\n    s: |\n      x\n\n      y\n    t: 1\n",
		  { { 's', "/m", "k", "s: |\n  x\n\n  y\nt: 1\n" } } },
		{ "m:\n  a: 1", "m:\n  a: 1\n  k: {x: [1, 'y']}\n", { { 's', "/m", "k", "{x: [1, 'y']}" } } },
	};

	(void)s;
	CHECK(t);
}

static void block_sequences(void **s)
{
	static const struct edit t[] = {
		{ "a:\n- x\n- y\n", "a:\n- 0\n- x\n- 1\n- y\n- 2\n",
		  { { 'i', "/a", "2", "2" }, { 'i', "/a", "1", "1" }, { 'i', "/a", "0", "0" } } },
		{ "a:\n  - x\nz: 1\n", "a:\n  - x\n  - k: v\n    l: w\nz: 1\n",
		  { { 'i', "/a", "1", "k: v\nl: w\n" } } },
		{ "a:\n    -   x: 1\n", "a:\n    -   k: v\n        l: w\n    -   x: 1\n",
		  { { 'i', "/a", "0", "k: v\nl: w\n" } } },
		/* comments above the first item stay with it */
		{ "a: # c\n\n# d\n  # e\n  - x\n", "a: # c\n  - k: v\n\n# d\n  # e\n  - x\n",
		  { { 'i', "/a", "0", "k: v" } } },
		{ "# head\n- x\n", "# head\n- 0\n- x\n", { { 'i', "", "0", "0" } } },
		{ "- - a\n  - b\n- c\n", "- - 0\n  - a\n  - 1\n  - b\n  - 2\n- 3\n- c\n",
		  { { 'i', "/0", "0", "0" }, { 'i', "/0", "2", "1" }, { 'i', "/0", "4", "2" },
		    { 'i', "", "1", "3" } } },
		{ "- a: 1\n  # c\n\n# d\n- b\n", "- a: 1\n  k: v\n- 0\n  # c\n\n# d\n- b\n",
		  { { 'i', "", "1", "0" }, { 's', "/0", "k", "v" } } },
		{ "a:\n- |\n  x\n\n- y", "a:\n- |\n  x\n- 0\n\n- y\n- 1\n",
		  { { 'i', "/a", "1", "0" }, { 'i', "/a", "3", "1" } } },
		{ "a: &x\n- b\n", "a: &x\n- 0\n- b\n", { { 'i', "/a", "0", "0" } } },
		{ "a:\n-\n- b\n", "a:\n-\n- 0\n- b\n", { { 'i', "/a", "1", "0" } } },
		{ "a:\r\n- b\r\n", "a:\r\n- k: v\r\n  l: w\r\n- b\r\n",
		  { { 'i', "/a", "0", "k: v\nl: w\n" } } },
		{ "a:\n- b\n", "a:\n- b\n- - 1\n  - 2\n- \"\"\n", { { 'i', "/a", "1", "- 1\n- 2\n" },
						 { 'i', "/a", "2", "\"\"" } } },
		{ "a:\n- b\n", "a:\n- b\n-\n  # c\n  k: v\n", { { 'i', "/a", "1", "# c\nk: v\n" } } },
		{ "\xef\xbb\xbf- b\n", "\xef\xbb\xbf- 0\n- b\n", { { 'i', "", "0", "0" } } },
		/* empty ones */
		{ "m:\n  a: []\n  b: [ ] # c\nz: 1\n",
		  "m:\n  a:\n    - 1\n    - k: v\n      l: w\n  b: # c\n    - 2\nz: 1\n",
		  { { 'i', "/m/a", "0", "k: v\nl: w\n" }, { 'i', "/m/a", "0", "1" },
		    { 'i', "/m/b", "0", "2" } } },
		{ "c:\n- x\na: []\n", "c:\n- x\na:\n- 1\n", { { 'i', "/a", "0", "1" } } },
		{ "m:\n    x: 1\na: {}\n", "m:\n    x: 1\na:\n    k: v\n    l: w\n",
		  { { 's', "/a", "k", "v" }, { 's', "/a", "l", "w" } } },
		{ "a: &x {}\nb: *x\n", "a: &x\n  k: v\nb: *x\n", { { 's', "/a", "k", "v" } } },
		{ "a: [ # c\n]\n", "a: [1 # c\n]\n", { { 'i', "/a", "0", "1" } } },
		{ "a:\n  {}\n", "a:\n  {k: v}\n", { { 's', "/a", "k", "v" } } },
		{ "- []\n- {}\n", "- [1]\n- {k: v}\n", { { 'i', "/0", "0", "1" }, { 's', "/1", "k", "v" } } },
	};

	(void)s;
	CHECK(t);
}

static void flow_style(void **s)
{
	static const struct edit t[] = {
		{ "{a: 1}\n", "{a: 1, k: v}\n", { { 's', "", "k", "v" } } },
		{ "{a: 1, }\n", "{a: 1, k: v, }\n", { { 's', "", "k", "v" } } },
		{ "{a, b: , \"c\":1}\n", "{a: x, b: y , \"c\":1, k: v}\n",
		  { { 's', "", "a", "x" }, { 's', "", "b", "y" }, { 's', "", "k", "v" } } },
		{ "m: {a: [x, y], b: {}}\n", "m: {a: [0, x, 1, y, 2], b: {k: v}}\n",
		  { { 'i', "/m/a", "2", "2" }, { 'i', "/m/a", "1", "1" }, { 'i', "/m/a", "0", "0" },
		    { 's', "/m/b", "k", "v" } } },
		{ "m: {\n  a: 1, # c\n  b: 2 # d\n  # e\n}\n", "m: {\n  a: 1, # c\n  b: 2, # d\n  k: v\n  # e\n}\n",
		  { { 's', "/m", "k", "v" } } },
		{ "m: {\n  a: 1,\n  b: 2,\n}\n", "m: {\n  a: 1,\n  b: 2,\n  k: v,\n  l: {\n    x: [\n      1\n    ]\n  },\n}\n",
		  { { 's', "/m", "k", "v" }, { 's', "/m", "l", "x: [1]" } } },
		{ "[\n  a,\n  b\n]\n", "[\n  0,\n  a,\n  b,\n  1\n]\n",
		  { { 'i', "", "2", "1" }, { 'i', "", "0", "0" } } },
		{ "[a: 1, b: 2]\n", "[a: v, b: 2, {k: v}]\n",
		  { { 's', "/0", "a", "v" }, { 'i', "", "2", "k: v" } } },
		{ "--- {a: 1}\n", "--- {a: 1, k: [x, y]}\n", { { 's', "", "k", "- x\n- y\n" } } },
		{ "m: {a: &x 1, b: *x}\n", "m: {a: &x 1, b: v}\n", { { 's', "/m", "b", "v" } } },
		{ "{a: {x: 1}, b: [1]}\n", "{a: 5, b: null}\n", { { 's', "", "a", "5" }, { 's', "", "b", "~" } } },
		{ "{a: 1}\n", "{a: 1, k: \"a:b\", l: \"x, y\", m: '{'}\n",
		  { { 's', "", "k", "a:b" }, { 's', "", "l", "x, y" }, { 's', "", "m", "'{'" } } },
	};

	(void)s;
	CHECK(t);
}

static void json(void **s)
{
	static const struct edit t[] = {
		{ "{\"a\":1}", "{\"a\":1,\"k\":{\"x\":[1,\"p\"]},\"l\":16}",
		  { { 's', "", "k", "x:\n- 1\n- p\n" }, { 's', "", "l", "0x10" } } },
		{ "{\"a\": 1}\n", "{\"a\": 1, \"k\": \"v\"}\n", { { 's', "", "k", "v" } } },
		{ "{\n  \"a\": 1\n}\n", "{\n  \"a\": 1,\n  \"k\": {\n    \"x\": [\n      true,\n      null\n    ]\n  }\n}\n",
		  { { 's', "", "k", "x: [yes, ~]" } } },
		{ "{\n\t\"a\": {},\n\t\"b\": []\n}\n",
		  "{\n\t\"a\": {\n\t\t\"k\": \"v\"\n\t},\n\t\"b\": [\n\t\t{\n\t\t\t\"x\": 1\n\t\t}\n\t]\n}\n",
		  { { 's', "/a", "k", "v" }, { 'i', "/b", "0", "x: 1" } } },
		{ "{\r\n    \"a\": \"b\"\r\n}\r\n", "{\r\n    \"a\": \"b\",\r\n    \"k\": \"v\"\r\n}\r\n",
		  { { 's', "", "k", "v" } } },
		{ "[{\"a\":\"x\"},{\"a\":\"y\"}]", "[0,{\"a\":\"x\",\"k\":\"v\"},{\"a\":\"z\"}]",
		  { { 'r', "/1/a", NULL, "z" }, { 'i', "", "0", "0" }, { 's', "/1", "k", "v" } } },
		{ "{\"a\":\"\\ud83d\\ude00\",\"b\":\"c\"}", "{\"a\":\"\\ud83d\\ude00\",\"b\":\"\\\"\xf0\x9f\x98\x80\\n\"}",
		  { { 'r', "/b", NULL, "\"\xf0\x9f\x98\x80\n" } } },
		{ "{\"a\":[]}", "{\"a\":[1,2]}", { { 'i', "/a", "0", "2" }, { 'i', "/a", "0", "1" } } },
		/* JSON within YAML */
		{ "m: {\"a\": 1}\n", "m: {\"a\": 1, \"k\": \"v\"}\n", { { 's', "/m", "k", "v" } } },
	};

	(void)s;
	CHECK(t);
}

static void scalars_replaced(void **s)
{
	static const struct edit t[] = {
		{ "a: x:1 # c\n", "a: x:1@sha256:0 # c\n", { { 'r', "/a", NULL, "x:1@sha256:0" } } },
		{ "a: 'x'\n", "a: 'it''s'\n", { { 'r', "/a", NULL, "it's" } } },
		{ "a: 'x'\n", "a: \"\\n\"\n", { { 'r', "/a", NULL, "\n" } } },
		{ "a: \"x\"\n", "a: \"p\"\n", { { 'r', "/a", NULL, "p" } } },
		{ "a: x\n", "a: \"12\"\n", { { 'r', "/a", NULL, "12" } } },
		{ "a: x\n", "a: \"yes\"\n", { { 'r', "/a", NULL, "yes" } } },
		{ "a: x\n", "a: \"\"\n", { { 'r', "/a", NULL, "" } } },
		{ "a: x\n", "a: \"# c: d\"\n", { { 'r', "/a", NULL, "# c: d" } } },
		{ "a:\nb: 1\n", "a: p\nb: 1\n", { { 'r', "/a", NULL, "p" } } },
		{ "- x\n-\n", "- x\n- p\n", { { 'r', "/1", NULL, "p" } } },
		{ "a: >-\n  x\n  y\nb: 1\n", "a: z\nb: 1\n", { { 'r', "/a", NULL, "z" } } },
		{ "a: |\n  x\n\nb: 1\n", "a: \"z\\n\"\n\nb: 1\n", { { 'r', "/a", NULL, "z\n" } } },
		{ "a: x\n  y\nb: 1\n", "a: z\nb: 1\n", { { 'r', "/a", NULL, "z" } } },
		{ "a: &x v\nb: *x\n", "a: &x w\nb: *x\n", { { 'r', "/b", NULL, "w" }, { 'r', "/a", NULL, "w" } } },
		{ "a: !!str 5\n", "a: !!str \"6\"\n", { { 'r', "/a", NULL, "6" } } },
		{ "{a: x}\n", "{a: \"y:1\"}\n", { { 'r', "/a", NULL, "y:1" } } },
		{ "a: 5\n", "a: \"5\"\n", { { 'r', "/a", NULL, "5" } } },
		{ "a: x", "a: p", { { 'r', "/a", NULL, "p" } } },
	};

	(void)s;
	CHECK(t);
}

static void strings_set(void **s)
{
	static const struct edit t[] = {
		{ "a: 1\n", "a: 1\nk: H4sIAAAA+/9x==\n", { { 'S', "", "k", "H4sIAAAA+/9x==" } } },
		{ "a: 1\n", "a: 1\nk: \"4sIAAAA+/9x==\"\n", { { 'S', "", "k", "4sIAAAA+/9x==" } } },
		{ "a: 1\n", "a: 1\nk: \"a\\tb \\u0007\\u0085\\u2028\\ufeff\xc3\xa9\"\n",
		  { { 'S', "", "k", "a\tb \a\xc2\x85\xe2\x80\xa8\xef\xbb\xbf\xc3\xa9" } } },
		{ "a: 1\n", "a: 1\nk: \"null\"\nl: \" x\"\nm: \"x \"\no: \"x: y\"\n",
		  { { 'S', "", "k", "null" }, { 'S', "", "l", " x" }, { 'S', "", "m", "x " },
		    { 'S', "", "o", "x: y" } } },
		{ "{\"a\":1}", "{\"a\":1,\"k\":\"x\"}", { { 'S', "", "k", "x" } } },
		{ "a: 1\n", "a: 1\nk: w\n", { { 'S', "", "k", "v" }, { 'S', "", "k", "w" } } },
	};

	(void)s;
	CHECK(t);
}

static void edits_within_edits(void **s)
{
	static const struct edit t[] = {
		{ "a: 1\n", "a: 1\nm:\n  k: v\n  l: w\n", { { 's', "", "m", "k: v" }, { 's', "/m", "l", "w" } } },
		{ "a: 1\n", "a: 1\nm: {k: v, l: {x: z}}\n",
		  { { 's', "", "m", "{k: v}" }, { 's', "/m", "l", "x: y" }, { 'r', "/m/l/x", NULL, "z" } } },
		{ "a: 1\n", "a: 1\nm: {k: v}\n", { { 's', "", "m", "{}" }, { 's', "/m", "k", "v" } } },
		{ "a: 1\n", "a: 1\nm:\n  x:\n  - 0\n  - i: k\n    j: 2\n",
		  { { 's', "", "m", "x:\n- i: k\n" }, { 's', "/m/x/0", "j", "2" }, { 'i', "/m/x", "0", "0" } } },
		{ "{\"a\": 1}", "{\"a\": 1, \"m\": {\"k\": {\"l\": \"x\"}}}",
		  { { 's', "", "m", "k: {}" }, { 's', "/m/k", "l", "x" } } },
		{ "a: 1\n", "a: 1\nm: z\n", { { 's', "", "m", "x" }, { 'r', "/m", NULL, "z" } } },
		{ "a:\n  b: 1\n", "a: 2\n", { { 's', "/a", "c", "1" }, { 's', "", "a", "2" } } },
	};

	(void)s;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++)
		check_edit(&t[i], false);
}

static void edits_through_aliases(void **s)
{
	static const struct edit t[] = {
		{ "a: &a\n  x: 1\nb: *a\n", "a: &a\n  x: 1\n  k: v\nb: *a\n",
		  { { 's', "/b", "k", "v" }, { 's', "/a", "k", "v" } } },
		{ "a: &a {x: 1}\nb:\n  <<: *a\n", "a: &a {x: 1}\nb:\n  <<: *a\n  x: 2\n",
		  { { 's', "/b", "x", "2" } } },
		{ "a: &a {x: {}}\nb:\n  <<: *a\n", "a: &a {x: {k: v}}\nb:\n  <<: *a\n",
		  { { 's', "/b/x", "k", "v" }, { 's', "/a/x", "k", "v" } } },
		{ "a: &a\n- 1\nb: *a\n", "a: &a\n- 0\n- 1\nb: *a\n",
		  { { 'i', "/b", "0", "0" }, { 'i', "/a", "0", "0" } } },
	};
	static const struct {
		const char *in, *id;
		struct op ops[2];
	} bad[] = {
		{ "a: &a\n  x: 1\nb: *a\n", "yaml.shared", { { 's', "/b", "k", "v" }, { 's', "/a", "k", "w" } } },
		{ "a: &a\n- 1\nb: *a\n", "yaml.shared", { { 'i', "/b", "0", "0" }, { 'i', "/a", "0", "9" } } },
		{ "a: &a x\nb: *a\n", "yaml.shared", { { 'r', "/b", NULL, "v" }, { 'r', "/a", NULL, "w" } } },
		{ "a: &a\n  x: 1\nb: *a\n", "yaml.shared", { { 's', "/b", "k", "v" }, { 's', "", "a", "1" } } },
		{ "b: 1\nm: [&a x, *a]\n", "yaml.shared", { { 's', "", "b", "v" }, { 's', "", "m", "1" } } },
		{ "a: &a {x: 1}\nb:\n  q: 1\n  <<: *a\n", "yaml.merge", { { 's', "/b", "z", "v" }, { 's', "/a", "q", "1" } } },
		{ "a: 1\n", "yaml.type", { { 's', "", "k", "v" }, { 's', "/a", "q", "1" } } },
		{ "a: 1\n", "yaml.type", { { 's', "", "k", "v" }, { 'i', "/a", "0", "1" } } },
		{ "a: []\n", "yaml.type", { { 's', "", "k", "v" }, { 'r', "/a", "0", "1" } } },
		{ "a: !!binary aGk=\n", "yaml.type", { { 's', "", "k", "v" }, { 'r', "/a", "0", "1" } } },
		{ "a: !!int 1\n", "yaml.edit", { { 's', "", "k", "v" }, { 'r', "/a", "0", "1" } } },
		{ "a: []\n", "yaml.edit", { { 's', "", "k", "v" }, { 'i', "/a", "1", "1" } } },
		{ "a: 1\n", "yaml.edit", { { 's', "", "k", "v" }, { 's', "", "l", "" } } },
		{ "a: 1\n", "yaml.edit", { { 's', "", "k", "v" }, { 's', "", "l", "&x 1" } } },
		{ "a: 1\n", "yaml.edit", { { 's', "", "k", "v" }, { 's', "", "l", "---\n1" } } },
		{ "a: 1\n", "yaml.edit", { { 's', "", "k", "v" }, { 's', "", "l", "x: 1\n...\n" } } },
		{ "a: 1\n", "yaml.edit", { { 's', "", "k", "v" }, { 's', "", "l", "  x: 1\n" } } },
		{ "a: 1\n", "yaml.syntax", { { 's', "", "k", "v" }, { 's', "", "l", "[" } } },
	};

	(void)s;
	CHECK(t);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ctr_auto_yaml struct ctr_yaml *y = NULL;

		T_OK(ctr_yaml_parse("f.yaml", 1, bad[i].in, strlen(bad[i].in), &y, e));
		T_OK(apply(y, &bad[i].ops[0], e));
		T_FAILS(apply(y, &bad[i].ops[1], e), CTR_FORMAT, bad[i].id);
	}
}

/* Where the text cannot take the edit: refused with the place, and no text at all. */
static void unsafe_places(void **s)
{
	static const struct edit t[] = {
		{ "[a: 1]\n", NULL, { { 's', "/0", "k", "v" } } },
		{ "? a\n? b\n: 1\n", NULL, { { 's', "", "a", "v" } } },
		{ "? a\n? b\n: 1\n", NULL, { { 'r', "/a", NULL, "v" } } },
		{ "{\"a\":1}", NULL, { { 's', "", "k", ".inf" } } },
	};

	(void)s;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		ctr_auto_yaml struct ctr_yaml *y = NULL;
		ctr_auto_buf struct ctr_buf b = { 0 };
		struct ctr_err err = { 0 };

		T_OK(ctr_yaml_parse("f.yaml", 7, t[i].in, strlen(t[i].in), &y, e));
		T_OK(apply(y, t[i].ops, e));
		T_FAILS(ctr_yaml_emit(y, &b, e), CTR_FORMAT, "yaml.edit");
		assert_int_equal(b.n, 0);
		assert_int_equal(ctr_yaml_emit(y, &b, &err), -1);
		assert_true(err.line >= 7);
	}
}

static void untouched_documents_are_copied(void **s)
{
	static const char text[] = "\xef\xbb\xbf%YAML 1.1\n--- # \t \n\n{ \"a\"  :1 ,}\r\n...\n\n";
	ctr_auto_yaml struct ctr_yaml *y = NULL;
	ctr_auto_buf struct ctr_buf b = { 0 };

	(void)s;
	T_OK(ctr_yaml_parse("f.yaml", 1, text, strlen(text), &y, e));
	assert_false(ctr_yaml_edited(y));
	T_OK(ctr_yaml_set(y, ctr_yaml_root(y), "a", "1", e));
	assert_false(ctr_yaml_edited(y));
	ctr_buf_adds(&b, "x");
	T_OK(ctr_yaml_emit(y, &b, e));
	T_STR(b.p + 1, text);
	T_OK(ctr_yaml_set(y, ctr_yaml_root(y), "a", "2", e));
	assert_true(ctr_yaml_edited(y));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(block_mappings),
		cmocka_unit_test(last_values_of_every_shape),
		cmocka_unit_test(values_replaced),
		cmocka_unit_test(block_sequences),
		cmocka_unit_test(flow_style),
		cmocka_unit_test(json),
		cmocka_unit_test(scalars_replaced),
		cmocka_unit_test(strings_set),
		cmocka_unit_test(edits_within_edits),
		cmocka_unit_test(edits_through_aliases),
		cmocka_unit_test(unsafe_places),
		cmocka_unit_test(untouched_documents_are_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
