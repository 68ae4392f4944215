/* needs: tools/ctr-attest-verify/ccel.c tests/sim/guest.c */
#include "t.h"

#include "../../tools/ctr-attest-verify/ccel.h"
#include "../sim/guest.h"

/* The Spec ID event, announcing SHA-256 and SHA-384. */
static void header(struct ctr_buf *b)
{
	guest_le(b, 1, 4);
	guest_le(b, 3, 4);
	ctr_buf_add(b, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
	guest_le(b, 16 + 8 + 4 + 8 + 1 + 2, 4);
	ctr_buf_add(b, "Spec ID Event03", 16);
	guest_le(b, 0x02000200, 8);
	guest_le(b, 2, 4);
	guest_le(b, 0xb, 2);
	guest_le(b, 32, 2);
	guest_le(b, 0xc, 2);
	guest_le(b, 48, 2);
	guest_le(b, 2, 1);
	guest_le(b, 0, 2);
}
#define HEADER 71

/* An event with both digests, the second that of its data. */
static void event(struct ctr_buf *b, uint32_t index, uint32_t type, const char *data)
{
	uint8_t digest[48];

	T_OK(ctr_hash(CTR_SHA384, data, strlen(data), digest, e));
	guest_le(b, index, 4);
	guest_le(b, type, 4);
	guest_le(b, 2, 4);
	guest_le(b, 0xb, 2);
	ctr_buf_add(b, digest, 32);
	guest_le(b, 0xc, 2);
	ctr_buf_add(b, digest, 48);
	guest_le(b, strlen(data), 4);
	ctr_buf_adds(b, data);
}
#define EVENT(data) (12 + 34 + 50 + 4 + sizeof(data) - 1) /* bytes */

static void sample(struct ctr_buf *b)
{
	header(b);
	event(b, 1, 0x80000001, "SecureBoot");
	event(b, 0, 3, "a note");
	event(b, 2, 0x80000007, "Exit Boot Services Invocation");
	event(b, 4, 0xd, "application");
}

static void once(const char *data, uint8_t out[48])
{
	uint8_t b[96] = { 0 };

	T_OK(ctr_hash(CTR_SHA384, data, strlen(data), b + 48, e));
	T_OK(ctr_hash(CTR_SHA384, b, sizeof b, out, e));
}

static void replay(void **s)
{
	static const uint8_t zero[48];
	ctr_auto_buf struct ctr_buf b = { 0 };
	auto_ccel struct ccel log = { 0 };
	uint8_t want[48];

	(void)s;
	sample(&b);
	T_OK(ccel_replay(b.p, b.n, &log, e));
	assert_int_equal(log.n, 4);
	assert_int_equal(log.used, b.n);
	once("SecureBoot", want);
	T_MEM(log.rtmr[0], want, 48);
	once("Exit Boot Services Invocation", want);
	T_MEM(log.rtmr[1], want, 48);
	T_MEM(log.rtmr[2], zero, 48);
	once("application", want);
	T_MEM(log.rtmr[3], want, 48);
	assert_true(log.events[0].extended && log.events[0].bound && log.events[1].bound);
	assert_false(log.events[1].extended);
	T_STR(ccel_type(log.events[2].type), "EV_EFI_ACTION");
	assert_null(ccel_type(0x77));
}

static void ends(const void *filler, size_t n)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	auto_ccel struct ccel log = { 0 };
	size_t used;

	sample(&b);
	used = b.n;
	ctr_buf_add(&b, filler, n);
	T_OK(ccel_replay(b.p, b.n, &log, e));
	assert_int_equal(log.used, used);
}

static void the_end_of_a_log(void **s)
{
	static const char ff[64] = { [0 ... 63] = (char)0xff }, zero[64];

	(void)s;
	for (size_t n = 0; n <= 64; n++) {
		ends(ff, n);
		ends(zero, n);
	}
}

static void data_that_the_digest_does_not_cover(void **s)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	auto_ccel struct ccel log = { 0 };

	(void)s;
	sample(&b);
	b.p[HEADER + EVENT("SecureBoot") - 1] ^= 1;
	T_OK(ccel_replay(b.p, b.n, &log, e));
	assert_false(log.events[0].bound);
	assert_true(log.events[0].extended);
}

/* Changes n bytes at `at` to v, and expects this refusal. */
static void bad(size_t at, uint64_t v, size_t n, const char *id)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	auto_ccel struct ccel log = { 0 };

	sample(&b);
	guest_put(&b, at, v, n);
	T_FAILS(ccel_replay(b.p, b.n, &log, e), CTR_FORMAT, id);
}

static void refusals(void **s)
{
	const size_t last = HEADER + EVENT("SecureBoot") + EVENT("a note") +
			    EVENT("Exit Boot Services Invocation");

	(void)s;
	bad(0, 5, 4, "eventlog.header");
	bad(4, 4, 4, "eventlog.header");   /* type */
	bad(27, 1, 1, "eventlog.header");  /* digest */
	bad(28, 38, 4, "eventlog.header"); /* size */
	bad(28, 0xffffffff, 4, "eventlog.header");
	bad(32, 'X', 1, "eventlog.header"); /* signature */
	bad(56, 0, 4, "eventlog.header");   /* algorithms */
	bad(56, 3, 4, "eventlog.header");
	bad(56, 17, 4, "eventlog.header");
	bad(56, 0xffffffff, 4, "eventlog.header");
	bad(60, 0xc, 2, "eventlog.header"); /* one twice */
	bad(62, 20, 2, "eventlog.header");  /* size of SHA-256 */
	bad(64, 0xd, 2, "eventlog.header"); /* no SHA-384 */
	bad(66, 32, 2, "eventlog.header");
	bad(68, 3, 1, "eventlog.header");	 /* vendor's data */
	bad(HEADER, 5, 4, "eventlog.event");	 /* register */
	bad(HEADER, 0, 4, "eventlog.event");	 /* MRTD */
	bad(HEADER + 8, 3, 4, "eventlog.event"); /* digests */
	bad(HEADER + 8, 1, 4, "eventlog.event"); /* then without SHA-384 */
	bad(HEADER + 8, 0, 4, "eventlog.event");
	bad(HEADER + 12, 0x4, 2, "eventlog.event"); /* not announced */
	bad(HEADER + 12, 0xc, 2, "eventlog.event");
	bad(last + 96, 12, 4, "eventlog.event"); /* data */
	bad(last + 96, 0xffffffff, 4, "eventlog.event");
}

static void every_cut(void **s)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	const size_t first = HEADER + EVENT("SecureBoot"), second = first + EVENT("a note"),
		     third = second + EVENT("Exit Boot Services Invocation");

	(void)s;
	sample(&b);
	for (size_t n = 0; n < b.n; n++) {
		auto_ccel struct ccel log = { 0 };

		if (n < HEADER) {
			T_FAILS(ccel_replay(b.p, n, &log, e), CTR_FORMAT, "eventlog.header");
		} else if (n == HEADER || n == first || n == second || n == third ||
			   (n > first && n < first + 8)) { /* an index of 0, cut: reads as filler */
			struct ctr_err e = { 0 };

			assert_true(ccel_replay(b.p, n, &log, &e) == 0 ||
				    strcmp(e.id, "eventlog.event") == 0);
		} else {
			T_FAILS(ccel_replay(b.p, n, &log, e), CTR_FORMAT, "eventlog.event");
		}
	}
}

static void a_quote(struct ctr_buf *b, unsigned version)
{
	guest_le(b, version, 2);
	guest_le(b, 2, 2);
	guest_le(b, 0x81, 4);
	guest_pattern(b, 40);
	if (version == 5) {
		guest_le(b, 3, 2);
		guest_le(b, 648, 4);
	}
	guest_pattern(b, version == 5 ? 648 : 584);
}

static void bad_quote(unsigned version, size_t at, uint64_t v, size_t n)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	uint8_t rtmr[CCEL_RTMRS][CCEL_DIGEST];

	a_quote(&b, version);
	guest_put(&b, at, v, n);
	T_FAILS(ccel_quote(b.p, b.n, rtmr, e), CTR_FORMAT, "eventlog.quote");
}

static void quotes(void **s)
{
	uint8_t rtmr[CCEL_RTMRS][CCEL_DIGEST];

	(void)s;
	for (unsigned version = 4; version <= 5; version++) {
		ctr_auto_buf struct ctr_buf b = { 0 };

		a_quote(&b, version);
		T_OK(ccel_quote(b.p, b.n, rtmr, e));
		T_MEM(rtmr, b.p + (version == 5 ? 54 : 48) + 328, sizeof rtmr);
		for (size_t n = 0; n < b.n; n++)
			T_FAILS(ccel_quote(b.p, n, rtmr, e), CTR_FORMAT, "eventlog.quote");
	}
	bad_quote(4, 0, 3, 2);
	bad_quote(4, 4, 0, 4);
	bad_quote(5, 48, 1, 2);
	bad_quote(5, 50, 584, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replay),
		cmocka_unit_test(the_end_of_a_log),
		cmocka_unit_test(data_that_the_digest_does_not_cover),
		cmocka_unit_test(refusals),
		cmocka_unit_test(every_cut),
		cmocka_unit_test(quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
