/* needs: tests/unit/tdxpki.c */
#include "tdx_level.h"
#include "tdx_pck.h"
#include "tdx_tcb.h"

#include "t.h"
#include "tdxpki.h"

/* The extension. */

static int parse_ext(const struct ctr_buf *b, struct ctr_err *e)
{
	struct ctr_pck p;
	struct ctr_rd r;

	ctr_rd_init(&r, b->p, b->n);
	return ctr_pck_parse(r, &p, e);
}

static void pck_fields(void **state)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct ctr_pck p;
	struct ctr_rd r;

	(void)state;
	pki_sgx_extension(&b);
	ctr_rd_init(&r, b.p, b.n);
	T_OK(ctr_pck_parse(r, &p, e));
	assert_int_equal(p.ppid[15], 0xaa);
	assert_int_equal(p.piid[15], 0xbb);
	assert_int_equal(p.comp[0], 5);
	assert_int_equal(p.comp[15], 200); /* two bytes in DER */
	assert_int_equal(p.pcesvn, 13);
	T_MEM(p.pceid, "\x00\x01", 2);
	T_MEM(p.fmspc, "\x20\xb0\x6f\x07\x00\x00", 6);
	T_MEM(p.cpusvn, p.comp, 16);
	assert_int_equal(p.sgx_type, CTR_SGX_SCALABLE);
	assert_true(p.has_piid && p.has_dynamic && p.has_cached && p.has_smt);
	assert_true(p.dynamic_platform && !p.cached_keys && p.smt_enabled);
}

/* Cut at every length, and with a byte behind it. */
static void pck_truncation(void **state)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	size_t whole;

	(void)state;
	pki_sgx_extension(&b);
	whole = b.n;
	for (b.n = 0; b.n < whole; b.n++)
		T_FAILS(parse_ext(&b, e), CTR_FORMAT, "pck.encoding");
	ctr_buf_addc(&b, 0);
	T_FAILS(parse_ext(&b, e), CTR_FORMAT, "pck.encoding");
}

/* A list of members { OID …1.13.1.ARC, OCTET STRING of n zeros }. */
static void list(struct ctr_buf *out, const uint8_t (*m)[2], size_t n)
{
	static const uint8_t zero[32];
	ctr_auto_buf struct ctr_buf all = { 0 };

	for (size_t i = 0; i < n; i++) {
		uint8_t oid[10] = { 0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01, m[i][0] };
		ctr_auto_buf struct ctr_buf one = { 0 };

		pki_der(&one, 6, oid, sizeof oid);
		pki_der(&one, 4, zero, m[i][1]);
		pki_der(&all, 0x30, one.p, one.n);
	}
	pki_der(out, 0x30, all.p ? all.p : "", all.n);
}

static void pck_refused(void **state)
{
	static const struct {
		uint8_t m[2][2];
		size_t n;
		const char *id;
	} cases[] = {
		{ { { 0 } }, 0, "pck.missing" },
		{ { { 1, 16 } }, 1, "pck.missing" },
		{ { { 1, 15 } }, 1, "pck.encoding" },
		{ { { 1, 17 } }, 1, "pck.encoding" },
		{ { { 4, 5 } }, 1, "pck.encoding" },
		{ { { 2, 16 } }, 1, "pck.encoding" },
		{ { { 5, 1 } }, 1, "pck.encoding" },
		{ { { 1, 16 }, { 1, 16 } }, 2, "pck.duplicate" },
		{ { { 8, 16 } }, 1, "pck.unknown" },
		{ { { 0, 16 } }, 1, "pck.unknown" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ctr_auto_buf struct ctr_buf b = { 0 };

		list(&b, cases[i].m, cases[i].n);
		T_FAILS(parse_ext(&b, e), CTR_FORMAT, cases[i].id);
	}
}

/* The texts: made here, each part replaceable. */

#define Z48                                                                                        \
	"\"00000000000000000000000000000000000000000000000000000000000000000000000000000000000000" \
	"0000000000\""
#define SIG64                                                                                      \
	"\"00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF00112233445566778899aa" \
	"bbccddeeff"                                                                               \
	"00112233445566778899aabbccddeeff\""
#define SVN(n) "{\"svn\":" #n "}"
#define COMP                                                                                       \
	SVN(1)                                                                                     \
	"," SVN(2) "," SVN(0) "," SVN(0) "," SVN(0) "," SVN(0) "," SVN(0) "," SVN(0) "," SVN(      \
		0) "," SVN(0) "," SVN(0) "," SVN(0) "," SVN(0) "," SVN(0) "," SVN(0) "," SVN(255)
#define MODULE                                                                                     \
	"\"mrsigner\":" Z48                                                                        \
	",\"attributes\":\"0000000000000000\",\"attributesMask\":\"ffffFFFFffffFFFF\""
#define LEVEL(tcb)                                                                                 \
	"{\"tcb\":{" tcb "},\"tcbDate\":\"2025-01-02T00:00:00Z\",\"tcbStatus\":\"OutOfDate\","     \
			 "\"advisoryIDs\":[\"INTEL-SA-1\"]}"
#define INFO                                                                                       \
	"{\"id\":\"TDX\",\"version\":3,\"issueDate\":\"2025-01-01T00:00:00Z\",\"nextUpdate\":"     \
	"\"2025-02-01T00:00:00Z\","                                                                \
	"\"fmspc\":\"00806F050000\",\"pceId\":\"0001\",\"tcbType\":0,\"tcbEvaluationDataNumber\":" \
	"17,\"tdxModule\":{" MODULE "},\"tdxModuleIdentities\":[{\"id\":\"TDX_0A\"," MODULE        \
	",\"tcbLevels\":[" LEVEL("\"isvsvn\":4") "]}],\"tcbLevels\":[" LEVEL(                      \
		"\"sgxtcbcomponents\":[" COMP "],\"pcesvn\":11,\"tdxtcbcomponents\":[" COMP        \
		"]") "]}"
#define IDENTITY                                                                                   \
	"{\"id\":\"TD_QE\",\"version\":2,\"issueDate\":\"2025-01-01T00:00:00Z\",\"nextUpdate\":"   \
	"\"2025-02-01T00:00:00Z\","                                                                \
	"\"tcbEvaluationDataNumber\":17,\"miscselect\":\"01020304\",\"miscselectMask\":"           \
	"\"FFFFFFFF\",\"attributes\":"                                                             \
	"\"11000000000000000000000000000000\",\"attributesMask\":"                                 \
	"\"FBFFFFFFFFFFFFFF0000000000000000\",\"mrsigner\":"                                       \
	"\"DC9E2A7C6F948F17474E34A7FC43ED030F7C1563F1BABDDF6340C82E0E54A8C5\",\"isvprodid\":2,"    \
	"\"tcbLevels\":[" LEVEL("\"isvsvn\":4") "]}"

static const char info[] = "{\"tcbInfo\":" INFO ",\"signature\":" SIG64 "}";
static const char identity[] = "{\"enclaveIdentity\":" IDENTITY ",\"signature\":" SIG64 "}";

static void info_fields(void **state)
{
	ctr_auto_tcb_info struct ctr_tcb_info t = { 0 };
	const struct ctr_tcb_level *l;

	(void)state;
	T_OK(ctr_tcb_info_parse(info, strlen(info), &t, e));
	assert_int_equal(t.head.text.left, strlen(INFO));
	T_MEM(t.head.text.p, INFO, strlen(INFO));
	assert_int_equal(t.head.signature[63], 0xff);
	assert_true(t.head.issued == 1735689600 && t.head.next == 1738368000);
	assert_int_equal(t.head.eval, 17);
	T_MEM(t.fmspc, "\x00\x80\x6f\x05\x00\x00", 6);
	T_MEM(t.pceid, "\x00\x01", 2);
	T_STR(t.module.id, "");
	assert_int_equal(t.module.attributes_mask[7], 0xff);
	assert_int_equal(t.n_modules, 1);
	T_STR(t.modules[0].id, "TDX_0A");
	assert_int_equal(t.modules[0].levels.v[0].svn, 4);
	assert_int_equal(t.levels.n, 1);
	l = &t.levels.v[0];
	assert_int_equal(l->svn, 11);
	assert_int_equal(l->sgx[1], 2);
	assert_int_equal(l->tdx[15], 255);
	assert_int_equal(l->status, CTR_TCB_OUT_OF_DATE);
	assert_true(l->date == 1735776000);
	assert_int_equal(l->advisories.n, 1);
	T_STR(l->advisories.v[0], "INTEL-SA-1");
}

static void identity_fields(void **state)
{
	ctr_auto_qe_identity struct ctr_qe_identity q = { 0 };

	(void)state;
	T_OK(ctr_qe_identity_parse(identity, strlen(identity), &q, e));
	T_MEM(q.head.text.p, IDENTITY, strlen(IDENTITY));
	T_MEM(q.miscselect, "\x01\x02\x03\x04", 4);
	assert_int_equal(q.attributes[0], 0x11);
	assert_int_equal(q.attributes_mask[0], 0xfb);
	assert_int_equal(q.mrsigner[0], 0xdc);
	assert_int_equal(q.isvprodid, 2);
	assert_int_equal(q.levels.n, 1);
}

/* `text` with the first `from` replaced. */
static void change(struct ctr_buf *b, const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);

	if (!at)
		fail_msg("no %s", from);
	ctr_buf_reset(b);
	ctr_buf_add(b, text, (size_t)(at - text));
	ctr_buf_adds(b, to);
	ctr_buf_adds(b, at + strlen(from));
}

struct edit {
	const char *from, *to, *id;
};

static const struct edit info_edits[] = {
	{ "\"TDX\"", "\"SGX\"", "tcb_info.type" },
	{ "\"version\":3", "\"version\":2", "tcb_info.type" },
	{ "\"tcbType\":0", "\"tcbType\":1", "tcb_info.type" },
	{ "\"tcbType\":0,", "", "json.missing" },
	{ "2025-01-01T00:00:00Z", "soon", "time" },
	{ "2025-02-01T00:00:00Z", "2025-02-30T00:00:00Z", "time" },
	{ "2025-01-02T00:00:00Z", "2025-01-02", "time" },
	{ "00806F050000", "00806F0500", "json.hex" },
	{ "\"0001\"", "\"00zz\"", "json.hex" },
	{ "\"fmspc\":\"00806F050000\",", "", "json.missing" },
	{ "\"tcbEvaluationDataNumber\":17", "\"tcbEvaluationDataNumber\":-1", "json.range" },
	{ "\"OutOfDate\"", "\"Shiny\"", "tcb.status" },
	{ "\"OutOfDate\"", "\"TDRelaunchAdvised\"", "tcb.status" }, /* no level says that */
	{ "\"OutOfDate\"", "\"\"", "tcb.status" },
	{ "\"OutOfDate\"", "\"NotSupported\"", "tcb.status" },
	{ "INTEL-SA-1", "", "tcb.advisory" },
	{ "INTEL-SA-1", "intel", "tcb.advisory" },
	{ "INTEL-SA-1", "INTEL-SA-00000000000000000000000", "tcb.advisory" },
	{ SVN(1) ",", "", "tcb.count" },
	{ SVN(1) ",", SVN(1) "," SVN(1) ",", "tcb.count" },
	{ SVN(255), SVN(256), "json.range" },
	{ SVN(255), "255", "json.type" },
	{ "\"pcesvn\":11", "\"pcesvn\":65536", "json.range" },
	{ "\"pcesvn\":11", "\"pcesvn\":1.5", "json.range" },
	{ "\"TDX_0A\"", "\"TDX_0000A\"", "tcb.text" },
	{ "\"tdxModule\"", "\"other\"", "json.missing" },
	{ "\"tcbInfo\"", "\"tcbInf0\"", "tcb.text" },
	{ "\"tcbInfo\"", "\"tcb\\u0049nfo\"", "tcb.text" },
	{ "\"tcbInfo\"", "\"enclaveIdentity\"", "tcb.text" },
	{ "\"signature\"", "\"sig\"", "json.missing" },
	{ "\"0011", "\"11", "json.hex" },
	{ "{\"tcbInfo\"", "{\"tcbInfo\":{},\"tcbInfo\"", "json.duplicate" },
	{ "\"version\":3", "\"version\":3,\"version\":3", "json.duplicate" },
};

static void info_refused(void **state)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct ctr_tcb_info t;

	(void)state;
	for (size_t i = 0; i < sizeof info_edits / sizeof *info_edits; i++) {
		change(&b, info, info_edits[i].from, info_edits[i].to);
		T_FAILS(ctr_tcb_info_parse(b.p, b.n, &t, e), CTR_FORMAT, info_edits[i].id);
		assert_null(t.levels.v);
		assert_null(t.modules);
	}
	T_FAILS(ctr_tcb_info_parse("[]", 2, &t, e), CTR_FORMAT, "json.type");
	T_FAILS(ctr_tcb_info_parse(identity, strlen(identity), &t, e), CTR_FORMAT, "tcb.text");
}

static void identity_refused(void **state)
{
	static const struct edit edits[] = {
		{ "\"TD_QE\"", "\"QE\"", "qe_identity.type" },
		{ "\"version\":2", "\"version\":1", "qe_identity.type" },
		{ "\"01020304\"", "\"010203\"", "json.hex" },
		{ "\"isvprodid\":2", "\"isvprodid\":65536", "json.range" },
		{ "\"isvprodid\":2,", "", "json.missing" },
		{ "\"tcbLevels\"", "\"levels\"", "json.missing" },
		{ "\"OutOfDate\"", "\"outofdate\"", "tcb.status" },
		{ "\"isvsvn\":4", "\"isvsvn\":\"4\"", "json.type" },
	};
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct ctr_qe_identity q;

	(void)state;
	for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
		change(&b, identity, edits[i].from, edits[i].to);
		T_FAILS(ctr_qe_identity_parse(b.p, b.n, &q, e), CTR_FORMAT, edits[i].id);
		assert_null(q.levels.v);
	}
	T_FAILS(ctr_qe_identity_parse(info, strlen(info), &q, e), CTR_FORMAT, "tcb.text");
}

/* More items than a list may have. */
static void limits(void **state)
{
	ctr_auto_buf struct ctr_buf many = { 0 }, b = { 0 };
	struct ctr_qe_identity q;

	(void)state;
	for (int i = 0; i < CTR_TCB_LEVELS_MAX; i++)
		ctr_buf_adds(&many, LEVEL("\"isvsvn\":1") ",");
	ctr_buf_adds(&many, LEVEL("\"isvsvn\":4"));
	change(&b, identity, LEVEL("\"isvsvn\":4"), many.p);
	T_FAILS(ctr_qe_identity_parse(b.p, b.n, &q, e), CTR_FORMAT, "tcb.count");
	ctr_buf_reset(&many);
	for (int i = 0; i < CTR_ADVISORIES_MAX; i++)
		ctr_buf_adds(&many, "\"A\",");
	ctr_buf_adds(&many, "\"INTEL-SA-1\"");
	change(&b, identity, "\"INTEL-SA-1\"", many.p);
	T_FAILS(ctr_qe_identity_parse(b.p, b.n, &q, e), CTR_FORMAT, "tcb.count");
	ctr_buf_reset(&b);
	ctr_buf_adds(&b, identity);
	while (b.n <= CTR_TCB_TEXT_MAX)
		ctr_buf_adds(&b,
			     "                                                                ");
	T_FAILS(ctr_qe_identity_parse(b.p, b.n, &q, e), CTR_FORMAT, "tcb.size");
}

/* What is signed is found by the structure of the text, not by the first bytes that look like it.
 */
static void cut_exactly(void **state)
{
	static const char *const around[][2] = {
		{ "{\"signature\":" SIG64 ",\"tcbInfo\":", "}" },
		{ " {\t\"tcbInfo\" \r\n:  ", "  , \"signature\":" SIG64 " }\n" },
		{ "{\"note\":\"\\\"tcbInfo\\\":{}\",\"tcbInfo\":", ",\"signature\":" SIG64 "}" },
		{ "{\"note\":{\"tcbInfo\":{}},\"tcbInfo\":", ",\"signature\":" SIG64 "}" },
		{ "{\"list\":[{\"tcbInfo\":{}},\"tcbInfo\",\"}\"],\"tcbInfo\":",
		  ",\"signature\":" SIG64 "}" },
		{ "{\"x\":\"tcbInfo\",\"tcbInfo\":", ",\"signature\":" SIG64 "}" },
		{ "{\"x\\\\\":\"}\\\\\",\"tcbInfo\":",
		  ",\"signature\":" SIG64 ",\"more\":{\"a\":\"}\"}}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof around / sizeof *around; i++) {
		ctr_auto_tcb_info struct ctr_tcb_info t = { 0 };
		ctr_auto_buf struct ctr_buf b = { 0 };

		ctr_buf_addf(&b, "%s%s%s", around[i][0], INFO, around[i][1]);
		T_OK(ctr_tcb_info_parse(b.p, b.n, &t, e));
		assert_int_equal(t.head.text.left, strlen(INFO));
		T_MEM(t.head.text.p, INFO, strlen(INFO));
		assert_int_equal(t.head.text.at, strlen(around[i][0]));
	}
}

/* Braces and quotes in strings of the inner object do not end it. */
static void cut_past_strings(void **state)
{
	ctr_auto_tcb_info struct ctr_tcb_info t = { 0 };
	ctr_auto_buf struct ctr_buf b = { 0 };

	(void)state;
	change(&b, info, "\"id\":\"TDX\"",
	       "\"id\":\"TDX\",\"n\":\"}\\\"}\\\\\",\"m\":{\"}\":[{}]}");
	T_OK(ctr_tcb_info_parse(b.p, b.n, &t, e));
	assert_int_equal(t.head.text.left,
			 b.n - strlen("{\"tcbInfo\":") - strlen(",\"signature\":" SIG64 "}"));
}

static void cut_everywhere(const char *p, size_t n, bool qe)
{
	struct ctr_tcb_info t;
	struct ctr_qe_identity q;

	for (size_t i = 0; i < n; i++) {
		char *part = malloc(i ? i : 1);

		assert_non_null(part);
		memcpy(part, p, i);
		if (qe)
			T_FAILS(ctr_qe_identity_parse(part, i, &q, e), CTR_FORMAT, "json.syntax");
		else
			T_FAILS(ctr_tcb_info_parse(part, i, &t, e), CTR_FORMAT, "json.syntax");
		free(part);
	}
}

static void truncation(void **state)
{
	(void)state;
	cut_everywhere(info, strlen(info), false);
	cut_everywhere(identity, strlen(identity), true);
}

static void truncation_of_real_texts(void **state)
{
	static const char *const names[] = { "tcb_info", "qe_identity" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char path[128];
		ctr_auto_buf struct ctr_buf b = { 0 };

		snprintf(path, sizeof path,
			 "attestation/vectors/tdx/real/collateral/2025-06-b0c0/%s.json", names[i]);
		b = t_file(t_shared(path));
		while (b.n && b.p[b.n - 1] != '}')
			b.n--;
		cut_everywhere(b.p, b.n, i == 1);
	}
}

/* Levels. */

static const struct ctr_tcb_level *level_for(uint8_t version, uint8_t low, uint16_t pcesvn,
					     uint8_t last)
{
	static struct ctr_tcb_level v[2] = { { .sgx = { 5 }, .tdx = { 3, 0, 4 }, .svn = 13 },
					     { .sgx = { 4 }, .tdx = { 2, 0, 3 }, .svn = 11 } };
	const struct ctr_tcb_levels l = { v, 2 };
	struct ctr_pck p = { .comp = { 5 }, .pcesvn = pcesvn };
	const uint8_t svn[16] = { low, version, 4, [15] = 0 };

	v[0].sgx[15] = v[1].sgx[15] = last;
	return ctr_tcb_platform_level(&l, &p, svn);
}

static void levels(void **state)
{
	(void)state;
	assert_int_equal(level_for(0, 3, 13, 0)->svn, 13);
	assert_int_equal(level_for(0, 2, 13, 0)->svn, 11);
	assert_null(level_for(0, 1, 13, 0));
	assert_int_equal(level_for(1, 0, 13, 0)->svn, 13); /* the module has its own list */
	assert_int_equal(level_for(1, 0, 12, 0)->svn, 11);
	assert_null(level_for(1, 0, 10, 0));
	assert_null(level_for(1, 0, 13, 1)); /* the sixteenth component counts */
}

static void modules(void **state)
{
	struct ctr_tdx_module m[2] = { { .id = "TDX_01" }, { .id = "TDX_0A" } };
	struct ctr_tcb_info t = { .modules = m, .n_modules = 2 };

	(void)state;
	assert_ptr_equal(ctr_tdx_module_of(&t, (const uint8_t[16]){ 9, 0 }), &t.module);
	assert_ptr_equal(ctr_tdx_module_of(&t, (const uint8_t[16]){ 9, 1 }), &m[0]);
	assert_ptr_equal(ctr_tdx_module_of(&t, (const uint8_t[16]){ 9, 10 }), &m[1]);
	assert_null(ctr_tdx_module_of(&t, (const uint8_t[16]){ 9, 2 }));
}

static void merging(void **state)
{
	enum { U = CTR_TCB_UP_TO_DATE, S, C, CS, O, OC, R, N = CTR_TCB_NOT_SUPPORTED };
	static const int cases[][3] = { { U, U, U },   { U, O, O }, { S, O, O },   { C, O, OC },
					{ CS, O, OC }, { O, O, O }, { OC, O, OC }, { R, O, R },
					{ U, R, R },   { O, R, R }, { R, U, R },   { U, C, U },
					{ U, S, U },   { S, U, S }, { C, OC, OC }, { U, N, N },
					{ N, U, N },   { R, N, N } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(ctr_tcb_merge((enum ctr_tcb_status)cases[i][0],
					       (enum ctr_tcb_status)cases[i][1]),
				 cases[i][2]);
}

static void joining(void **state)
{
	char a[][CTR_ADVISORY_MAX] = { "A", "B" }, b[][CTR_ADVISORY_MAX] = { "B", "C", "C" };
	const struct ctr_advisories x = { a, 2 }, y = { b, 3 };
	struct ctr_advisories all = { 0 };

	(void)state;
	T_OK(ctr_advisories_join(&all, &x, e));
	T_OK(ctr_advisories_join(&all, &y, e));
	T_OK(ctr_advisories_join(&all, &(struct ctr_advisories){ 0 }, e));
	assert_int_equal(all.n, 3);
	T_STR(all.v[2], "C");
	ctr_advisories_free(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pck_fields),	    cmocka_unit_test(pck_truncation),
		cmocka_unit_test(pck_refused),	    cmocka_unit_test(info_fields),
		cmocka_unit_test(identity_fields),  cmocka_unit_test(info_refused),
		cmocka_unit_test(identity_refused), cmocka_unit_test(limits),
		cmocka_unit_test(cut_exactly),	    cmocka_unit_test(cut_past_strings),
		cmocka_unit_test(truncation),	    cmocka_unit_test(truncation_of_real_texts),
		cmocka_unit_test(levels),	    cmocka_unit_test(modules),
		cmocka_unit_test(merging),	    cmocka_unit_test(joining),
	};

	return cmocka_run_group_tests_name("tdx_tcb", tests, NULL, NULL);
}
