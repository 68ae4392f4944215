#include "der.h"
#include "der_write.h"
#include "t.h"

/* One element given as bytes. */
#define RD(...)                                                                                    \
	static const uint8_t bytes[] = { __VA_ARGS__ };                                            \
	struct ctr_rd r;                                                                           \
	ctr_rd_init(&r, bytes, sizeof bytes)

#define UINT_IS(want, max, ...)                                                                    \
	do {                                                                                       \
		RD(__VA_ARGS__);                                                                   \
		uint64_t v;                                                                        \
		assert_int_equal(ctr_der_uint(&r, max, &v), 0);                                    \
		assert_true(v == (want));                                                          \
		assert_int_equal(ctr_rd_end(&r), 0);                                               \
	} while (0)

#define NO_UINT(max, ...)                                                                          \
	do {                                                                                       \
		RD(__VA_ARGS__);                                                                   \
		uint64_t v = 7;                                                                    \
		assert_int_equal(ctr_der_uint(&r, max, &v), -1);                                   \
		assert_true(v == 0);                                                               \
	} while (0)

static void integers(void **state)
{
	(void)state;
	UINT_IS(0, 255, 2, 1, 0);
	UINT_IS(127, 255, 2, 1, 0x7f);
	UINT_IS(128, 255, 2, 2, 0, 0x80);
	UINT_IS(255, 255, 2, 2, 0, 0xff);
	UINT_IS(65535, 65535, 2, 3, 0, 0xff, 0xff);
	UINT_IS(UINT64_MAX, UINT64_MAX, 2, 9, 0, 255, 255, 255, 255, 255, 255, 255, 255);
}

static void integers_refused(void **state)
{
	(void)state;
	NO_UINT(255, 2, 2, 1, 0);    /* above max */
	NO_UINT(255, 2, 1, 0x80);    /* negative */
	NO_UINT(255, 2, 2, 0, 0x7f); /* a zero too many */
	NO_UINT(255, 2, 2, 0, 0);    /* the same */
	NO_UINT(255, 2, 0);	     /* no content */
	NO_UINT(255, 2, 2, 0);	     /* cut short */
	NO_UINT(255, 2, 0x81, 1, 5); /* length in a longer form than needed */
	NO_UINT(255, 10, 1, 5);	     /* ENUMERATED */
	NO_UINT(UINT64_MAX, 2, 9, 1, 0, 0, 0, 0, 0, 0, 0, 0);	    /* 2^64 */
	NO_UINT(UINT64_MAX, 2, 10, 0, 255, 1, 1, 1, 1, 1, 1, 1, 1); /* longer */
}

static void lengths(void **state)
{
	uint8_t big[3 + 200] = { 4, 0x81, 200 }, dst[200];
	struct ctr_rd r, sub;

	(void)state;
	memset(big + 3, 5, 200);
	ctr_rd_init(&r, big, sizeof big);
	assert_int_equal(ctr_der_octets(&r, dst, 200), 0);
	T_MEM(dst, big + 3, 200);
	ctr_rd_init(&r, big, sizeof big);
	assert_int_equal(ctr_der_octets(&r, dst, 199), -1);
	assert_int_equal(dst[0], 0);
	for (size_t n = 0; n < sizeof big; n++) {
		ctr_rd_init(&r, big, n);
		assert_int_equal(ctr_der_tlv(&r, CTR_DER_OCTETS, &sub), -1);
		assert_int_equal(sub.left, 0);
	}
}

static void forms_of_lengths(void **state)
{
	static const uint8_t bad[][6] = {
		{ 4, 0x80, 0, 0 },	       /* indefinite */
		{ 4, 0x82, 0, 1, 9 },	       /* zero in front */
		{ 4, 0x84, 0, 0, 0, 1 },       /* too many bytes */
		{ 4, 0x83, 0xff, 0xff, 0xff }, /* more than there is */
		{ 4, 0xff },
	};
	struct ctr_rd r, sub;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ctr_rd_init(&r, bad[i], sizeof bad[i]);
		assert_int_equal(ctr_der_tlv(&r, 4, &sub), -1);
	}
}

static void booleans(void **state)
{
	static const struct {
		uint8_t b[4];
		int rc;
		bool v;
	} cases[] = { { { 1, 1, 0 }, 0, false },
		      { { 1, 1, 0xff }, 0, true },
		      { { 1, 1, 1 }, -1, false },
		      { { 1, 0 }, -1, false },
		      { { 1, 2, 0, 0 }, -1, false } };
	struct ctr_rd r;
	bool v;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ctr_rd_init(&r, cases[i].b, 4);
		assert_int_equal(ctr_der_bool(&r, &v), cases[i].rc);
		assert_int_equal(v, cases[i].v);
	}
}

static void text(void **state)
{
	char s[6];

	(void)state;
	{
		RD(0x16, 5, 'M', 'i', 'l', 'a', 'n');
		assert_int_equal(ctr_der_ia5(&r, s, sizeof s), 0);
		T_STR(s, "Milan");
		ctr_rd_init(&r, bytes, sizeof bytes);
		assert_int_equal(ctr_der_ia5(&r, s, 5), -1);
		T_STR(s, "");
	}
	{
		RD(0x16, 2, 'a', 0);
		assert_int_equal(ctr_der_ia5(&r, s, sizeof s), -1);
	}
	{
		RD(0x0c, 1, 'a'); /* UTF8String */
		assert_int_equal(ctr_der_ia5(&r, s, sizeof s), -1);
	}
}

static void oids(void **state)
{
	static const uint8_t arc[] = { 0x2a, 0x86, 0x48 };
	struct ctr_rd sub;

	(void)state;
	{
		RD(6, 4, 0x2a, 0x86, 0x48, 5);
		assert_int_equal(ctr_der_tlv(&r, CTR_DER_OID, &sub), 0);
		assert_int_equal(ctr_der_oid_below(&sub, arc, sizeof arc), 5);
		assert_int_equal(ctr_der_oid_below(&sub, bytes + 2, 4), -1);
		assert_true(ctr_der_oid_is(&sub, bytes + 2, 4));
		assert_false(ctr_der_oid_is(&sub, arc, sizeof arc));
	}
	{
		RD(0x2a, 0x86, 0x48, 0x81);
		assert_int_equal(ctr_der_oid_below(&r, arc, sizeof arc), -1);
		ctr_rd_init(&r, NULL, 0);
		assert_int_equal(ctr_der_oid_below(&r, arc, sizeof arc), -1);
		assert_true(sizeof bytes > 0);
	}
}

/* What is written can be read, with the shortest length each time. */
static void written(void **state)
{
	static const size_t sizes[] = { 0, 1, 0x7f, 0x80, 0xff, 0x100, 0xfffb, 0xffff };
	ctr_auto_buf struct ctr_buf big = { 0 };

	(void)state;
	for (size_t i = 0; i < 0x10000; i++)
		ctr_buf_addc(&big, 'x');
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		ctr_auto_buf struct ctr_buf b = { 0 };
		struct ctr_rd r, in, sub;
		size_t at = ctr_der_open(&b, CTR_DER_SEQUENCE);

		if (sizes[i] < 0xfffc) {
			ctr_der_put(&b, CTR_DER_OCTETS, big.p, sizes[i]);
			ctr_der_close(&b, at);
		} else {
			ctr_buf_reset(&b);
			ctr_der_put(&b, CTR_DER_OCTETS, big.p, sizes[i]);
		}
		T_OK(ctr_buf_ok(&b, "element", e));
		ctr_rd_init(&r, b.p, b.n);
		in = r;
		if (sizes[i] < 0xfffc)
			assert_int_equal(ctr_der_tlv(&r, CTR_DER_SEQUENCE, &in), 0);
		assert_int_equal(ctr_der_tlv(&in, CTR_DER_OCTETS, &sub), 0);
		assert_int_equal(sub.left, sizes[i]);
		T_MEM(sub.p, big.p, sizes[i]);
		assert_int_equal(ctr_rd_end(&in), 0);
	}
	{
		ctr_auto_buf struct ctr_buf b = { 0 };

		ctr_der_put(&b, CTR_DER_OCTETS, big.p, big.n);
		T_FAILS(ctr_buf_ok(&b, "element", e), CTR_FORMAT, "limit");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers), cmocka_unit_test(integers_refused),
		cmocka_unit_test(lengths),  cmocka_unit_test(forms_of_lengths),
		cmocka_unit_test(booleans), cmocka_unit_test(text),
		cmocka_unit_test(oids),	    cmocka_unit_test(written),
	};

	return cmocka_run_group_tests_name("der", tests, NULL, NULL);
}
