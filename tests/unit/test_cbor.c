#include "t.h"

#include "cbor.h"
#include "enc.h"

#define auto_cbor ctr_auto_cbor struct ctr_cbor

/* Bytes from hexadecimal digits, at the end of an allocation of their own so that a read beyond is
 * seen. */
struct bytes {
	uint8_t *p;
	size_t n;
};

static void bytes_free(struct bytes *b)
{
	free(b->p);
}
#define auto_bytes CTR_AUTO(bytes_free) struct bytes

static struct bytes hex(const char *s)
{
	struct bytes b = { malloc(strlen(s) / 2 + 1), strlen(s) / 2 };

	assert_non_null(b.p);
	T_OK(ctr_hex_parse(s, strlen(s), b.p, b.n, e));
	return b;
}

#define READS(text, depth)                                                                         \
	auto_bytes b = hex(text);                                                                  \
	auto_cbor *c = NULL;                                                                       \
	T_OK(ctr_cbor_parse(b.p, b.n, depth, &c, e));                                              \
	struct ctr_cval root = ctr_croot(c)

static void refused(const char *text, unsigned depth, const char *id)
{
	auto_bytes b = hex(text);
	auto_cbor *c = NULL;

	T_FAILS(ctr_cbor_parse(b.p, b.n, depth, &c, e), CTR_FORMAT, id);
	assert_null(c);
}

/* RFC 8949 appendix A, as far as it concerns us. */
static void numbers(void **state)
{
	static const struct {
		const char *text;
		int64_t n;
	} cases[] = {
		{ "00", 0 },
		{ "17", 23 },
		{ "1818", 24 },
		{ "1903e8", 1000 },
		{ "1a000f4240", 1000000 },
		{ "1b000000e8d4a51000", 1000000000000 },
		{ "20", -1 },
		{ "3903e7", -1000 },
		{ "1b7fffffffffffffff", INT64_MAX },
		{ "3b7fffffffffffffff", INT64_MIN },
		{ "1800", 0 },
		{ "1b0000000000000001", 1 },
		{ "390000", -1 }, /* not the shortest */
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t n;
		READS(cases[i].text, 0);

		T_OK(ctr_cint(&root, &n, e));
		assert_true(n == cases[i].n);
	}
}

static void numbers_beyond(void **state)
{
	uint64_t u;
	int64_t n;
	READS("1bffffffffffffffff", 0);
	auto_bytes low = hex("3bffffffffffffffff");
	auto_cbor *d = NULL;
	struct ctr_cval v;

	(void)state;
	T_OK(ctr_cuint(&root, UINT64_MAX, &u, e));
	assert_true(u == UINT64_MAX);
	T_FAILS(ctr_cuint(&root, UINT64_MAX - 1, &u, e), CTR_FORMAT, "cbor.range");
	T_FAILS(ctr_cint(&root, &n, e), CTR_FORMAT, "cbor.range");
	T_OK(ctr_cbor_parse(low.p, low.n, 0, &d, e));
	v = ctr_croot(d);
	T_FAILS(ctr_cint(&v, &n, e), CTR_FORMAT, "cbor.range");
	T_FAILS(ctr_cuint(&v, 1, &u, e), CTR_FORMAT, "cbor.type");
}

/* {1: [h'01', -2, true, null], "t": 18([]), h'aa': "ü"} */
#define SAMPLE "a30184410121f5f66174d28041aa62c3bc"

static void walks(void **state)
{
	static const char *const types = "\x02\x01\x07\x08";
	struct ctr_cval v, k, list;
	struct ctr_rd r;
	uint64_t tag;
	size_t i = 0;
	bool yes;
	READS(SAMPLE, 0);

	(void)state;
	T_OK(ctr_cmap(&root, e));
	assert_int_equal(ctr_ccount(&root), 3);
	list = ctr_cget_int(&root, 1);
	T_OK(ctr_carray(&list, e));
	for (v = ctr_cfirst(&list); v.there; v = ctr_cnext(&v), i++) {
		assert_int_equal(ctr_ctype(&v), types[i]);
		k = ctr_ckey(&v);
		assert_false(k.there);
	}
	assert_int_equal(i, 4);
	v = ctr_cfirst(&list);
	T_OK(ctr_cbytes(&v, 1, &r, e));
	assert_true(r.left == 1 && r.p[0] == 1);
	T_FAILS(ctr_cbytes(&v, 0, &r, e), CTR_FORMAT, "cbor.size");
	T_FAILS(ctr_ctext(&v, 9, &r, e), CTR_FORMAT, "cbor.type");
	v = ctr_cnext(&v);
	v = ctr_cnext(&v);
	T_OK(ctr_cbool(&v, &yes, e));
	assert_true(yes);
	v = ctr_cget(&root, "t");
	k = ctr_ckey(&v);
	assert_true(ctr_ctext_is(&k, "t") && !ctr_ctext_is(&k, "tt") && !ctr_ctext_is(&v, "t"));
	T_OK(ctr_ctag(&v, &tag, &list, e));
	assert_int_equal(tag, 18);
	assert_int_equal(ctr_ccount(&list), 0);
	assert_false(ctr_cfirst(&list).there);
	assert_false(ctr_cnext(&list).there);
	ctr_craw(&v, &r);
	assert_true(r.left == 2 && r.p[0] == 0xd2 && r.p[1] == 0x80);
	v = ctr_cnext(&v);
	T_OK(ctr_ctext(&v, 2, &r, e));
	T_MEM(r.p, "ü", 2);
	v = ctr_cnext(&v);
	assert_false(v.there);
}

static void path_is(const struct ctr_cval *v, const char *want)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	ctr_cpath(v, &b);
	T_STR(ctr_buf_str(&b), want);
}

static void paths(void **state)
{
	struct ctr_cval v, list;
	READS(SAMPLE, 0);

	(void)state;
	path_is(&root, "$");
	list = ctr_cget_int(&root, 1);
	path_is(&list, "$.1");
	v = ctr_cfirst(&list);
	path_is(&v, "$.1[0]");
	v = ctr_cnext(&v);
	path_is(&v, "$.1[1]");
	v = ctr_cget(&root, "t");
	path_is(&v, "$.t");
	v = ctr_cnext(&v);
	path_is(&v, "$.h'aa'");
	v = ctr_cget(&root, "gone");
	path_is(&v, "$.gone");
	v = ctr_cget_int(&list, -4);
	path_is(&v, "$.1.-4");
}

static void missing_and_unknown(void **state)
{
	static const char *const some[] = { "t", NULL }, *const all[] = { "a", "b", NULL };
	auto_bytes ab = hex("a2616101616202");
	auto_cbor *d = NULL;
	struct ctr_cval v;
	struct ctr_rd r;
	READS(SAMPLE, 0);

	(void)state;
	v = ctr_cget(&root, "tt");
	T_FAILS(ctr_ctext(&v, 9, &r, e), CTR_FORMAT, "cbor.missing");
	v = ctr_cget_int(&root, 2);
	T_FAILS(ctr_cmap(&v, e), CTR_FORMAT, "cbor.missing");
	T_FAILS(ctr_conly(&root, some, e), CTR_FORMAT, "cbor.unknown");
	T_OK(ctr_cbor_parse(ab.p, ab.n, 0, &d, e));
	v = ctr_croot(d);
	T_OK(ctr_conly(&v, all, e));
	T_FAILS(ctr_conly(&v, all + 1, e), CTR_FORMAT, "cbor.unknown");
}

static void refusals(void **state)
{
	static const struct {
		const char *text, *id;
	} cases[] = {
		{ "", "cbor.short" },
		{ "18", "cbor.short" },
		{ "1b00000000000000", "cbor.short" },
		{ "42aa", "cbor.short" },
		{ "8201", "cbor.short" },
		{ "a101", "cbor.short" },
		{ "c1", "cbor.short" },
		/* lengths that would wrap, or be allocated by a careless reader */
		{ "5bffffffffffffffff", "cbor.short" },
		{ "9bffffffffffffffff00", "cbor.short" },
		{ "bb8000000000000000", "cbor.short" },
		{ "bb800000000000000101020304", "cbor.short" },
		{ "ba7fffffff01020304", "cbor.short" },
		{ "0001", "cbor.trailing" },
		{ "f6f6", "cbor.trailing" },
		{ "5f4101ff", "cbor.indefinite" },
		{ "7fff", "cbor.indefinite" },
		{ "9fff", "cbor.indefinite" },
		{ "bfff", "cbor.indefinite" },
		{ "ff", "cbor.indefinite" },
		{ "1c", "cbor.reserved" },
		{ "3d", "cbor.reserved" },
		{ "fe", "cbor.reserved" },
		{ "f7", "cbor.simple" },
		{ "f0", "cbor.simple" },
		{ "f814", "cbor.simple" },
		{ "f93c00", "cbor.simple" },
		{ "fb3ff0000000000000", "cbor.simple" },
		{ "a1f500", "cbor.key" },
		{ "a18000", "cbor.key" },
		{ "a1c10000", "cbor.key" },
		{ "a201000100", "cbor.duplicate" },
		{ "a2010018010a", "cbor.duplicate" },
		{ "a3616101616202616103", "cbor.duplicate" },
		{ "a241aa0041aa01", "cbor.duplicate" },
		{ "a220002000", "cbor.duplicate" },
		{ "81a201000100", "cbor.duplicate" },
		{ "61ff", "cbor.utf8" },
		{ "63eda080", "cbor.utf8" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		refused(cases[i].text, 0, cases[i].id);
}

/* Keys that only look alike are not the same. */
static void keys_that_differ(void **state)
{
	READS("a601002000613100413100623131000200", 0);

	(void)state;
	(void)root;
}

static void depth(void **state)
{
	auto_bytes nine = hex("818181818181818180"), one = hex("8100");
	auto_cbor *c = NULL, *d = NULL;
	uint8_t deep[200];

	(void)state;
	refused("818181818181818180", 0, "cbor.depth");
	refused("c1c1c1c1c1c1c1c1c100", 0, "cbor.depth");
	T_OK(ctr_cbor_parse(nine.p, nine.n, 9, &c, e));
	T_OK(ctr_cbor_parse(one.p, one.n, 1, &d, e));
	refused("a1018100", 1, "cbor.depth");
	memset(deep, 0x81, sizeof deep);
	T_FAILS(ctr_cbor_parse(deep, sizeof deep, 1000, &(struct ctr_cbor *){ NULL }, e),
		CTR_FORMAT, "cbor.depth");
}

static void many_items(void **state)
{
	size_t n = CTR_CBOR_ITEMS + 5;
	struct bytes b = { calloc(1, n), n };
	auto_cbor *c = NULL, *d = NULL;

	(void)state;
	assert_non_null(b.p);
	b.p[0] = 0x9a; /* an array of zeros */
	b.p[2] = (CTR_CBOR_ITEMS >> 16) & 255;
	b.p[3] = (CTR_CBOR_ITEMS >> 8) & 255;
	b.p[4] = CTR_CBOR_ITEMS & 255;
	T_FAILS(ctr_cbor_parse(b.p, b.n, 0, &c, e), CTR_FORMAT, "cbor.items");
	b.p[4]--;
	T_OK(ctr_cbor_parse(b.p, b.n - 1, 0, &d, e));
	bytes_free(&b);
}

/* Every beginning of a document is refused as too short. */
static void truncation(void **state)
{
	auto_bytes all = hex(SAMPLE);

	(void)state;
	for (size_t n = 0; n < all.n; n++) {
		uint8_t *cut = malloc(n ? n : 1);
		auto_cbor *c = NULL;

		assert_non_null(cut);
		memcpy(cut, all.p, n);
		T_FAILS(ctr_cbor_parse(cut, n, 0, &c, e), CTR_FORMAT, "cbor.short");
		free(cut);
	}
}

static void writes(void **state)
{
	static const char want[] = "a3"
				   "01"
				   "84"
				   "4101"
				   "21"
				   "f5"
				   "f6"
				   "6174"
				   "d2"
				   "80"
				   "41aa"
				   "62c3bc";
	ctr_auto_buf struct ctr_buf b = { 0 }, h = { 0 };

	(void)state;
	ctr_cbor_map(&b, 3);
	ctr_cbor_uint(&b, 1);
	ctr_cbor_array(&b, 4);
	ctr_cbor_bytes(&b, "\x01", 1);
	ctr_cbor_int(&b, -2);
	ctr_cbor_bool(&b, true);
	ctr_cbor_null(&b);
	ctr_cbor_text(&b, "t");
	ctr_cbor_tag(&b, 18);
	ctr_cbor_array(&b, 0);
	ctr_cbor_bytes(&b, "\xaa", 1);
	ctr_cbor_text(&b, "ü");
	T_OK(ctr_buf_ok(&b, "CBOR", e));
	ctr_hex_add(&h, b.p, b.n);
	T_STR(ctr_buf_str(&h), want);
	ctr_buf_reset(&b);
	ctr_buf_reset(&h);
	ctr_cbor_int(&b, INT64_MIN);
	ctr_cbor_uint(&b, UINT64_MAX);
	ctr_cbor_tag(&b, 1668546817);
	ctr_cbor_int(&b, 24);
	ctr_hex_add(&h, b.p, b.n);
	T_STR(ctr_buf_str(&h), "3b7fffffffffffffff1bffffffffffffffffda637401011818");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(numbers_beyond),
		cmocka_unit_test(walks),
		cmocka_unit_test(paths),
		cmocka_unit_test(missing_and_unknown),
		cmocka_unit_test(refusals),
		cmocka_unit_test(keys_that_differ),
		cmocka_unit_test(depth),
		cmocka_unit_test(many_items),
		cmocka_unit_test(truncation),
		cmocka_unit_test(writes),
	};

	return cmocka_run_group_tests_name("cbor", tests, NULL, NULL);
}
