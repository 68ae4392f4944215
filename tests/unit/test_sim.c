#include "sim.h"

#include "enc.h"
#include "json.h"
#include "rd.h"
#include "t.h"

static const uint8_t data[CTR_REPORT_DATA] = { 0xda, 0x7a };

static int mint_snp(const char *text, uint8_t *report, struct ctr_err *e)
{
	ctr_auto_sim_values struct ctr_sim_values l = { 0 };

	return ctr_sim_add_text(&l, text, strlen(text), e) < 0 ? -1
							       : ctr_sim_snp(&l, data, report, e);
}

static int mint_tdx(const char *text, struct ctr_buf *b, struct ctr_err *e)
{
	ctr_auto_sim_values struct ctr_sim_values l = { 0 };

	ctr_buf_reset(b);
	return ctr_sim_add_text(&l, text, strlen(text), e) < 0 ? -1
							       : ctr_sim_tdx_body(&l, data, b, e);
}

/* The bytes [at, at + n) of a report with these values, in hexadecimal. */
static void snp_has(const char *text, size_t at, const char *hex)
{
	uint8_t report[CTR_SNP_SIZE];
	ctr_auto_buf struct ctr_buf b = { 0 };

	T_OK(mint_snp(text, report, e));
	ctr_hex_add(&b, report + at, strlen(hex) / 2);
	T_STR(ctr_buf_str(&b), hex);
}

static void tdx_has(const char *text, size_t at, const char *hex)
{
	ctr_auto_buf struct ctr_buf quote = { 0 }, b = { 0 };

	T_OK(mint_tdx(text, &quote, e));
	assert_true(at + strlen(hex) / 2 <= quote.n);
	ctr_hex_add(&b, quote.p + at, strlen(hex) / 2);
	T_STR(ctr_buf_str(&b), hex);
}

static void snp_usual(void **s)
{
	(void)s;
	snp_has("", 0,
		"03000000"
		"00000000"
		"0000030000000000");
	snp_has("", 0x30,
		"00000000"
		"01000000"
		"04000000000018db");
	snp_has("", 0x50, "da7a00");
	snp_has("", 0x188, "190101");
	snp_has("product=Genoa", 0x180,
		"0a00000000001754"
		"191101");
	snp_has("product=Turin", 0, "05000000");
	snp_has("product=Turin", 0x180,
		"0101010400000051"
		"1a0201");
	snp_has("version=2", 0x188, "000000");
	snp_has("product=Turin,version=2", 0x188, "000000");
}

static void snp_values(void **s)
{
	(void)s;
	snp_has("policy=0x3001f", 8, "1f00030000000000");
	snp_has("policy=196608", 8, "0000030000000000");
	snp_has("policy=0xffffffffffffffff", 8, "ffffffffffffffff");
	snp_has("host_data=11FF", 0xc0, "11ff0000");
	snp_has("host_data=1111,host_data=22", 0xc0, "22000000");
	snp_has("host_data=", 0xc0, "00000000");
	snp_has("ucode=7", 0x1f0, "0400000000001807");
	snp_has("launch_tcb.ucode=7", 0x1f0, "0400000000001807");
	snp_has("launch_tcb.ucode=7", 0x38, "04000000000018db");
	snp_has("product=Turin,committed_tcb.fmc=9", 0x1e0, "0901010400000051");
	snp_has("reported_tcb=0102030405060708,bl=9", 0x180, "0902030405060708");
	snp_has("report_data=ee", 0x50, "ee00");
	snp_has("@0x18b=ff", 0x18a, "01ff00");
	snp_has("@671=fe", 671, "fe00");
	snp_has("@0=09000000", 0, "09000000");
}

static void snp_refusals(void **s)
{
	static const char *const values[] = {
		"policy=",
		"policy=0x",
		"policy=x",
		"policy=-1",
		"policy=+1",
		"policy= 1",
		"policy=1x",
		"policy=0x1g",
		"policy=18446744073709551616",
		"version=4294967296",
		"cpuid_step=256",
		"bl=256",
		"bl=0x100",
		"host_data=1",
		"host_data=gg",
		"host_data=0x11",
		"report_id_ma=ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"@672=00",
		"@671=0000",
		"@65536=00",
		"@x=00",
		"@=00",
		"@0=0",
		"version",
		"=1",
		"policy=1,,vmpl=0",
	};
	static const char *const fields[] = {
		"nothing=1",	  "product=Venice", "product=milan",   "fmc=1",
		"report_id.bl=1", "launch_tcb.=1",  "launch_tcb.xx=1", ".bl=1",
		"launch_tc.bl=1", "mrtd=00",
	};
	uint8_t report[CTR_SNP_SIZE];

	(void)s;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		T_FAILS(mint_snp(values[i], report, e), CTR_USAGE, "sim.value");
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		T_FAILS(mint_snp(fields[i], report, e), CTR_USAGE, "sim.field");
}

static void tdx_forms(void **s)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	(void)s;
	tdx_has("", 0, "04000200810000000000000093");
	T_OK(mint_tdx("", &b, e));
	assert_int_equal(b.n, 48 + 584);
	tdx_has("version=5", 0, "050002008100000000000000");
	tdx_has("version=5", 48,
		"0300"
		"88020000"
		"0b0104");
	T_OK(mint_tdx("version=5", &b, e));
	assert_int_equal(b.n, 54 + 648);
	tdx_has("version=5,body_type=2", 48,
		"0200"
		"48020000"
		"0b0104");
	T_OK(mint_tdx("version=5,body_type=2", &b, e));
	assert_int_equal(b.n, 54 + 584);
	tdx_has("", 48 + 520, "da7a00");
	tdx_has("version=5", 54 + 520, "da7a00");
	tdx_has("tdattributes=1", 48 + 120, "0100000000000000");
	tdx_has("mrconfigid=abcd", 48 + 184, "abcd0000");
	tdx_has("version=5,mrservicetd=abcd", 54 + 600, "abcd0000");
	tdx_has("@0x2e=77", 46, "7700");
}

static void tdx_refusals(void **s)
{
	static const char *const values[] = { "version=3",
					      "version=6",
					      "body_type=3",
					      "version=5,body_type=1",
					      "version=5,body_type=4",
					      "xfam=gg",
					      "mrtd=0",
					      "@632=00" };
	static const char *const fields[] = { "nothing=1", "host_data=00", "mrservicetd=00",
					      "tee_tcb_svn2=00",
					      "version=5,body_type=2,mrservicetd=00" };
	ctr_auto_buf struct ctr_buf b = { 0 };

	(void)s;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		T_FAILS(mint_tdx(values[i], &b, e), CTR_USAGE, "sim.value");
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		T_FAILS(mint_tdx(fields[i], &b, e), CTR_USAGE, "sim.field");
}

static int from_json(const char *text, struct ctr_sim_values *l, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	ctr_buf_adds(&b, text);
	return ctr_sim_add_json(l, "test", &b, e);
}

static void lists(void **s)
{
	ctr_auto_sim_values struct ctr_sim_values l = { 0 }, bad = { 0 };
	ctr_auto_buf struct ctr_buf big = { 0 };

	(void)s;
	T_OK(from_json("{\"a\": 1, \"b\": \"two\"}", &l, e));
	T_OK(ctr_sim_add_text(&l, "a=x=y", 5, e));
	T_STR(ctr_sim_last(&l, "a"), "x=y");
	T_STR(ctr_sim_last(&l, "b"), "two");
	assert_null(ctr_sim_last(&l, "c"));
	T_FAILS(from_json("[]", &bad, e), CTR_FORMAT, "json.type");
	T_FAILS(from_json("{\"a\": {}}", &bad, e), CTR_FORMAT, "json.type");
	T_FAILS(from_json("{\"a\": -1}", &bad, e), CTR_FORMAT, "json.range");
	T_FAILS(from_json("{\"a\": 1, \"a\": 2}", &bad, e), CTR_FORMAT, "json.duplicate");
	T_FAILS(from_json("{", &bad, e), CTR_FORMAT, "json.syntax");
	T_FAILS(from_json("{\"\": 1}", &bad, e), CTR_USAGE, "sim.value");
	while (l.n < CTR_SIM_VALUES)
		T_OK(ctr_sim_add(&l, "a", 1, "", 0, e));
	T_FAILS(ctr_sim_add(&l, "a", 1, "", 0, e), CTR_USAGE, "sim.value");
	while (big.n <= CTR_SIM_TEXT)
		ctr_buf_adds(&big, "xxxxxxxx");
	T_FAILS(ctr_sim_add(&bad, "a", 1, big.p, big.n, e), CTR_USAGE, "sim.value");
}

/* Real reports: each value as an independent reader decoded it, put together again. */

static void add(struct ctr_sim_values *l, const char *name, const char *value)
{
	T_OK(ctr_sim_add(l, name, strlen(name), value, strlen(value), e));
}

static const char *text_of(const struct ctr_jval *v)
{
	static char digits[32];
	const char *s = digits;
	uint64_t n;

	if (ctr_jtype(v) == CTR_JSON_NUMBER) {
		T_OK(ctr_juint(v, (uint64_t)1 << 53, &n, e));
		snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
	} else {
		T_OK(ctr_jstring(v, &s, e));
	}
	return s;
}

/* What is there in pieces: "1.55.29" and "190101". */
static void add_split(struct ctr_sim_values *l, const char *key, const char *text)
{
	static const char *const cpuid[] = { "cpuid_fam_id", "cpuid_mod_id", "cpuid_step" };
	static const char *const version[] = { "major", "minor", "build" };
	char name[64], part[16];

	for (size_t i = 0; i < 3; i++) {
		if (strcmp(key, "cpuid_fms") == 0) {
			snprintf(name, sizeof name, "%s", cpuid[i]);
			snprintf(part, sizeof part, "0x%.2s", text + 2 * i);
		} else {
			size_t n = strcspn(text, ".");

			snprintf(name, sizeof name, "%.*s_%s", (int)(strlen(key) - 4), key,
				 version[i]);
			snprintf(part, sizeof part, "%.*s", (int)n, text);
			text += n + (text[n] == '.');
		}
		add(l, name, part);
	}
}

static void add_decoded(struct ctr_sim_values *l, const struct ctr_jval *v)
{
	static const char *const other[][2] = { { "sig_algo", "signature_algo" },
						{ "launch_mit", "launch_mit_vector" },
						{ "current_mit", "current_mit_vector" },
						{ "seamattr", "seamattributes" },
						{ "tdattr", "tdattributes" },
						{ "reportdata", "report_data" } };
	const char *name = v->key;
	char path[64];

	for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
		if (strcmp(name, other[i][0]) == 0)
			name = other[i][1];
	}
	if (ctr_jtype(v) == CTR_JSON_OBJECT) {
		for (struct ctr_jval p = ctr_jfirst(v); p.v; p = ctr_jnext(&p)) {
			snprintf(path, sizeof path, "%s.%s", name, p.key);
			add(l, path, text_of(&p));
		}
	} else if (strcmp(name, "cpuid_fms") == 0 || strcmp(name, "current_ver") == 0 ||
		   strcmp(name, "committed_ver") == 0) {
		add_split(l, name, text_of(v));
	} else {
		add(l, name, text_of(v));
	}
}

static void remint_snp(const struct ctr_jval *c)
{
	ctr_auto_sim_values struct ctr_sim_values l = { 0 };
	struct ctr_jval inputs = ctr_jget(c, "inputs"), expect = ctr_jget(c, "expect");
	struct ctr_jval file = ctr_jget(&inputs, "report"), decoded = ctr_jget(&expect, "decoded");
	uint8_t report[CTR_SNP_SIZE];
	ctr_auto_buf struct ctr_buf real = { 0 };
	char path[256];

	snprintf(path, sizeof path, "attestation/vectors/%s", text_of(&file));
	real = t_file(t_shared(path));
	for (struct ctr_jval v = ctr_jfirst(&decoded); v.v; v = ctr_jnext(&v)) {
		if (ctr_jhas(&v)) /* version 2 has no CPUID */
			add_decoded(&l, &v);
	}
	T_OK(ctr_sim_snp(&l, data, report, e));
	assert_int_equal(real.n, CTR_SNP_SIZE);
	T_MEM(report, real.p, CTR_SNP_SIGNED);
}

/* "e702…" in the order of memory, as a number. */
static void add_memory(struct ctr_sim_values *l, const char *name, const char *hex)
{
	char number[19] = "0x";

	for (size_t i = 0; i < 8; i++) {
		number[2 + 2 * i] = hex[14 - 2 * i];
		number[3 + 2 * i] = hex[15 - 2 * i];
	}
	add(l, name, number);
}

static void remint_tdx(const struct ctr_jval *c)
{
	static const char *const parts[] = { "version",	      "tee_type",   "body_type",
					     "tee_tcb_svn",   "mrseam",	    "mrsignerseam",
					     "mrtd",	      "mrconfigid", "mrowner",
					     "mrownerconfig", "rtmr0",	    "rtmr1",
					     "rtmr2",	      "rtmr3",	    "reportdata",
					     "tee_tcb_svn2",  "mrservicetd" };
	ctr_auto_sim_values struct ctr_sim_values l = { 0 };
	struct ctr_jval inputs = ctr_jget(c, "inputs"), expect = ctr_jget(c, "expect");
	struct ctr_jval file = ctr_jget(&inputs, "quote"), decoded = ctr_jget(&expect, "decoded"),
			v;
	ctr_auto_buf struct ctr_buf real = { 0 }, user = { 0 }, quote = { 0 };
	char path[256];

	snprintf(path, sizeof path, "attestation/vectors/%s", text_of(&file));
	real = t_file(t_shared(path));
	assert_true(real.n > 48);
	ctr_hex_add(&user, real.p + 28, 20);
	add(&l, "user_data", user.p);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		v = ctr_jget(&decoded, parts[i]);
		if (ctr_jhas(&v))
			add_decoded(&l, &v);
	}
	v = ctr_jget(&decoded, "seamattr");
	add_memory(&l, "seamattributes", text_of(&v));
	v = ctr_jget(&decoded, "tdattr");
	add_memory(&l, "tdattributes", text_of(&v));
	v = ctr_jget(&decoded, "xfam");
	add_memory(&l, "xfam", text_of(&v));
	T_OK(ctr_sim_tdx_body(&l, data, &quote, e));
	assert_true(quote.n < real.n);
	T_MEM(quote.p, real.p, quote.n);
}

/* Mints every real case whose id begins so: how many there were. */
static size_t remint(const char *prefix, void (*fn)(const struct ctr_jval *))
{
	ctr_auto_json struct ctr_json *j = NULL;
	struct ctr_jval root, cases;
	size_t n = 0;

	T_OK(ctr_json_load(t_shared("attestation/vectors/cases.json"), CTR_JSON_MAX, &j, e));
	root = ctr_jroot(j);
	cases = ctr_jget(&root, "cases");
	for (struct ctr_jval c = ctr_jfirst(&cases); c.v; c = ctr_jnext(&c)) {
		struct ctr_jval id = ctr_jget(&c, "id");

		if (strncmp(text_of(&id), prefix, strlen(prefix)) == 0) {
			fn(&c);
			n++;
		}
	}
	return n;
}

static void real_snp(void **s)
{
	(void)s;
	assert_true(remint("snp-real-", remint_snp) >= 11);
}

static void real_tdx(void **s)
{
	(void)s;
	assert_true(remint("tdx-quote-v", remint_tdx) >= 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snp_usual),	cmocka_unit_test(snp_values),
		cmocka_unit_test(snp_refusals), cmocka_unit_test(tdx_forms),
		cmocka_unit_test(tdx_refusals), cmocka_unit_test(lists),
		cmocka_unit_test(real_snp),	cmocka_unit_test(real_tdx),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
