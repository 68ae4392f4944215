#include "enc.h"
#include "gzip.h"
#include "initdata.h"
#include "t.h"
#include "toml.h"

#define TOML_HEAD "version = \"0.1.0\"\nalgorithm = \"sha256\"\n\n[data]\n"

static int parse(const char *toml, struct ctr_policy *p, struct ctr_err *e)
{
	return ctr_initdata_parse(toml, strlen(toml), p, e);
}

static void check_toml(const char *toml, const char *rego)
{
	ctr_auto_policy struct ctr_policy p = { 0 };

	T_OK(parse(toml, &p, e));
	T_STR(p.rego.p, rego);
}

static void refuse_toml(const char *toml, const char *id)
{
	ctr_auto_policy struct ctr_policy p = { 0 };

	T_FAILS(parse(toml, &p, e), CTR_FORMAT, id);
}

static void toml_forms(void **s)
{
	(void)s;
	check_toml(TOML_HEAD "\"policy.rego\" = '''\npackage a\n'''\n", "package a\n");
	check_toml(TOML_HEAD "\"policy.rego\" = '''package a'''", "package a");
	check_toml(TOML_HEAD "'policy.rego' = 'one \"line\" \\n' # c\n", "one \"line\" \\n");
	check_toml(TOML_HEAD "\"policy.rego\" = \"a\\tb\\u00e9\\U0001F600\\\\\"\n",
		   "a\tb\xc3\xa9\xf0\x9f\x98\x80\\");
	check_toml(TOML_HEAD "\"policy.rego\" = \"\"\"\na \\\n   \n  b\"\"\"\n", "a b");
	check_toml(TOML_HEAD "\"policy.rego\" = '''a'''''\n", "a''");
	check_toml(TOML_HEAD "\"policy.rego\" = \"\"\"a\"\"\"\"\"\n", "a\"\"");
	check_toml(TOML_HEAD "\"policy.rego\" = '''a''b'c'''\n", "a''b'c");
	check_toml("# c\r\nversion = '0.1.0'\r\n\talgorithm='sha256'\r\n[ 'data' ] # d\r\n"
		   "\"aa.toml\" = \"x\"\r\n\"policy.rego\"=\"y\"\r\n",
		   "y");
}

static void toml_refusals(void **s)
{
	static const char *const bad[] = {
		TOML_HEAD "policy.rego = 'x'\n",	     /* dotted key */
		TOML_HEAD "\"policy.rego\" = x\n",	     /* bare value */
		TOML_HEAD "\"policy.rego\" = ['x']\n",	     /* array */
		TOML_HEAD "\"policy.rego\" = 1\n",	     /* number */
		TOML_HEAD "\"policy.rego\" = 'x' y\n",	     /* more on the line */
		TOML_HEAD "\"policy.rego\" = 'x\n",	     /* no end */
		TOML_HEAD "\"policy.rego\" = '''x\n",	     /* no end */
		TOML_HEAD "\"policy.rego\" = '''x''''''\n",  /* six quotes */
		TOML_HEAD "\"policy.rego\" = \"\\q\"\n",     /* escape */
		TOML_HEAD "\"policy.rego\" = \"\\u00\"\n",   /* digits */
		TOML_HEAD "\"policy.rego\" = \"\\ud800\"\n", /* surrogate */
		TOML_HEAD "\"policy.rego\" = \"\\u0000\"\n", /* NUL */
		TOML_HEAD "\"policy.rego\" = \"\\\nx\"\n",   /* joined line in one-line string */
		TOML_HEAD "\"policy.rego\" = '''a\r\nb'''\n", /* CR: readers differ */
		TOML_HEAD "\"policy.rego\" = 'a\x01'\n",
		TOML_HEAD "\"policy.rego\" = '\xff'\n",
		TOML_HEAD "\"policy.rego\" = 'x'\n\"policy.rego\" = 'y'\n",
		TOML_HEAD "\"policy.rego\" = 'x'\n'policy.rego' = 'y'\n",
		TOML_HEAD "\"policy.rego\" = 'x'\n\"policy\\u002erego\" = 'y'\n",
		TOML_HEAD "\"policy.rego\" = 'x'\n[data]\n",
		TOML_HEAD "\"policy.rego\" = 'x'\n[[data]]\n",
		TOML_HEAD "\"policy.rego\" = 'x'\n[data.x]\n",
		TOML_HEAD "\"policy.rego\" = 'x'\n[other]\na = 'b'\n",
		TOML_HEAD "'''policy.rego''' = 'x'\n",
		TOML_HEAD "\"\" = 'x'\n",
		TOML_HEAD "= 'x'\n",
		TOML_HEAD "# \x01\n",
		TOML_HEAD "# x\ry\n",
		"data = 'x'\n" TOML_HEAD "\"policy.rego\" = 'x'\n",
		"extra = 'x'\n" TOML_HEAD "\"policy.rego\" = 'x'\n",
		"version = \"0.1.0\"\nalgorithm = \"sha256\"\ndata = { 'policy.rego' = 'x' }\n",
	};

	(void)s;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		refuse_toml(bad[i], "initdata.toml");
}

static void document_refusals(void **s)
{
	(void)s;
	refuse_toml("algorithm = 'sha256'\n[data]\n'policy.rego' = 'x'\n", "initdata.version");
	refuse_toml("version = '0.2.0'\n" TOML_HEAD, "initdata.version");
	refuse_toml("version = '0.1.0'\n[data]\n'policy.rego' = 'x'\n", "initdata.algorithm");
	refuse_toml("version = '0.1.0'\nalgorithm = 'sha512'\n[data]\n'policy.rego' = 'x'\n",
		    "initdata.algorithm");
	refuse_toml("version = '0.1.0'\nalgorithm = 'sha256'\n", "initdata.policy");
	refuse_toml(TOML_HEAD "'policy.rego' = ''\n", "initdata.policy");
	refuse_toml("'policy.rego' = 'x'\n", "initdata.toml");
	refuse_toml("", "initdata.version");
}

static void toml_has_few_keys(void **s)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	(void)s;
	ctr_buf_adds(&b, TOML_HEAD);
	for (int i = 0; i < 100; i++)
		ctr_buf_addf(&b, "k%d = 'x'\n", i);
	refuse_toml(b.p, "initdata.toml");
}

static void error_names_the_line(void **s)
{
	ctr_auto_policy struct ctr_policy p = { 0 };
	struct ctr_err err = { 0 };

	(void)s;
	assert_int_equal(parse(TOML_HEAD "'policy.rego' = '''\na\nb\n'''\nx\n", &p, &err), -1);
	assert_non_null(strstr(err.msg, "line 9"));
}

/* Packs, reads back, and compares everything. */
static void round_trip(const char *rego, size_t n)
{
	ctr_auto_buf struct ctr_buf toml = { 0 }, ann = { 0 };
	ctr_auto_policy struct ctr_policy p = { 0 };
	uint8_t d[32];

	T_OK(ctr_initdata_build(rego, n, &toml, e));
	T_OK(ctr_initdata_pack(toml.p, toml.n, &ann, e));
	T_OK(ctr_policy_read(CTR_FORM_INITDATA, ann.p, ann.n, &p, e));
	assert_int_equal(p.rego.n, n);
	T_MEM(p.rego.p, rego, n);
	T_STR(p.measured.p, toml.p);
	T_OK(ctr_hash(CTR_SHA256, toml.p, toml.n, d, e));
	T_MEM(p.digest, d, 32);
}

static void build_round_trips(void **s)
{
	static const char *const text[] = {
		"package agent_policy\n", "x", "\n", "\n\nx\n\n", "a'b''c", "ends with '", "'''", "'",
		"a\"\"\"b\\c", "tab\tcr\r\nlf\n", "\x01\x7f", "\xc3\xa9\xf0\x9f\x98\x80", "'''\"\"\"\\\n\\",
		"'''  \\\n   x",
	};

	(void)s;
	for (size_t i = 0; i < sizeof text / sizeof *text; i++)
		round_trip(text[i], strlen(text[i]));
}

static void build_refusals(void **s)
{
	ctr_auto_buf struct ctr_buf b = { 0 }, big = { 0 };

	(void)s;
	T_FAILS(ctr_initdata_build("", 0, &b, e), CTR_FORMAT, "initdata.policy");
	T_FAILS(ctr_initdata_build("a\0b", 3, &b, e), CTR_FORMAT, "initdata.policy");
	T_FAILS(ctr_initdata_build("\xff", 1, &b, e), CTR_FORMAT, "initdata.policy");
	assert_non_null(ctr_buf_room(&big, CTR_INITDATA_MAX + 1));
	memset(big.p, 'x', CTR_INITDATA_MAX + 1);
	ctr_buf_commit(&big, CTR_INITDATA_MAX + 1);
	T_FAILS(ctr_initdata_build(big.p, big.n, &b, e), CTR_FORMAT, "limit");
	T_FAILS(ctr_initdata_build(big.p, big.n - 1, &b, e), CTR_FORMAT, "limit");
}

/* Text with enough repetition and noise that matches cross every place. */
static struct ctr_buf sample(size_t n)
{
	struct ctr_buf b = { 0 };
	uint32_t x = 1;

	while (b.n < n) {
		x = x * 1664525 + 1013904223;
		ctr_buf_addf(&b, "rule_%u { input.a[%u] == \"%08x\" }\n", x >> 28, x >> 20 & 7, x & 0xff0f);
	}
	return b;
}

static void packer_changes_nothing(void **s)
{
	ctr_auto_buf struct ctr_buf text = sample(100000);
	static const size_t cut[] = { 0, 1, 255, 257, 258, 4096, 32767, 32768, 65535, 70001, 99999 };

	(void)s;
	for (size_t i = 0; i < sizeof cut / sizeof *cut; i++) {
		ctr_auto_packer struct ctr_initdata_packer *p = NULL;
		ctr_auto_buf struct ctr_buf toml = { 0 }, want = { 0 }, got = { 0 };
		uint8_t d1[32], d2[32];

		T_OK(ctr_initdata_packer_new(text.p, cut[i], &p, e));
		T_OK(ctr_initdata_build(text.p, text.n, &toml, e));
		T_OK(ctr_initdata_pack(toml.p, toml.n, &want, e));
		T_OK(ctr_hash(CTR_SHA256, toml.p, toml.n, d1, e));
		for (int twice = 0; twice < 2; twice++) {
			ctr_buf_reset(&got);
			T_OK(ctr_initdata_packer_pack(p, text.p + cut[i], text.n - cut[i], &got, d2, e));
			T_STR(got.p, want.p);
			T_MEM(d1, d2, 32);
		}
	}
}

static void packer_with_quotes(void **s)
{
	static const struct {
		const char *head, *rest;
	} c[] = { { "a'", "''b" }, { "a", "b'''" }, { "a'''", "b" }, { "a''", "'" }, { "a\r", "b" },
		  { "", "x'" }, { "a", "" } };

	(void)s;
	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		ctr_auto_packer struct ctr_initdata_packer *p = NULL;
		ctr_auto_buf struct ctr_buf got = { 0 }, toml = { 0 }, want = { 0 }, text = { 0 };
		uint8_t d[32];

		ctr_buf_addf(&text, "%s%s", c[i].head, c[i].rest);
		T_OK(ctr_initdata_packer_new(c[i].head, strlen(c[i].head), &p, e));
		T_OK(ctr_initdata_packer_pack(p, c[i].rest, strlen(c[i].rest), &got, d, e));
		T_OK(ctr_initdata_build(text.p, text.n, &toml, e));
		T_OK(ctr_initdata_pack(toml.p, toml.n, &want, e));
		T_STR(got.p, want.p);
	}
}

static void packer_refuses(void **s)
{
	ctr_auto_packer struct ctr_initdata_packer *p = NULL;
	ctr_auto_buf struct ctr_buf got = { 0 };
	uint8_t d[32];

	(void)s;
	T_OK(ctr_initdata_packer_new("", 0, &p, e));
	T_FAILS(ctr_initdata_packer_pack(p, "", 0, &got, d, e), CTR_FORMAT, "initdata.policy");
	T_FAILS(ctr_initdata_packer_pack(p, "\xff", 1, &got, d, e), CTR_FORMAT, "initdata.policy");
}

static int read_gz(const void *gz, size_t n, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	ctr_auto_policy struct ctr_policy p = { 0 };

	ctr_base64_add(&b, gz, n);
	return ctr_policy_read(CTR_FORM_INITDATA, ctr_buf_str(&b), b.n, &p, e);
}

static struct ctr_buf gz(const char *text, size_t n)
{
	ctr_auto_gzip struct ctr_gzip *g = NULL;
	struct ctr_buf b = { 0 };

	T_OK(ctr_gzip_new(&g, e));
	T_OK(ctr_gzip_add(g, text, n, e));
	T_OK(ctr_gzip_end(g, &b, e));
	return b;
}

static void gzip_refusals(void **s)
{
	static const char doc[] = TOML_HEAD "'policy.rego' = 'x'\n";
	ctr_auto_buf struct ctr_buf one = gz(doc, sizeof doc - 1), two = { 0 }, zero = { 0 };

	(void)s;
	T_OK(read_gz(one.p, one.n, e));
	for (size_t n = 0; n < one.n; n++)
		T_FAILS(read_gz(one.p, n, e), CTR_FORMAT, "initdata.gzip");
	ctr_buf_add(&two, one.p, one.n);
	ctr_buf_addc(&two, '\0');
	T_FAILS(read_gz(two.p, two.n, e), CTR_FORMAT, "initdata.gzip"); /* trailing byte */
	two.n = one.n;
	ctr_buf_add(&two, one.p, one.n);
	T_FAILS(read_gz(two.p, two.n, e), CTR_FORMAT, "initdata.gzip"); /* second member */
	two.n = one.n;
	two.p[two.n - 5] ^= 1;
	T_FAILS(read_gz(two.p, two.n, e), CTR_FORMAT, "initdata.gzip"); /* its length */
	/* a bomb: 17 MiB of zeros in 17 kB */
	assert_non_null(ctr_buf_room(&zero, CTR_INITDATA_MAX + (1 << 20)));
	memset(zero.p, ' ', CTR_INITDATA_MAX + (1 << 20));
	ctr_buf_commit(&zero, CTR_INITDATA_MAX + (1 << 20));
	ctr_buf_free(&two);
	two = gz(zero.p, zero.n);
	T_FAILS(read_gz(two.p, two.n, e), CTR_FORMAT, "initdata.gzip");
}

/* Readers of the same annotation must agree: no bit may change without being noticed or measured. */
static void every_bit_counts(void **s)
{
	static const char doc[] = TOML_HEAD "'policy.rego' = '''\npackage a\n'''\n";
	ctr_auto_buf struct ctr_buf good = gz(doc, sizeof doc - 1);
	uint8_t want[32];

	(void)s;
	T_OK(ctr_hash(CTR_SHA256, doc, sizeof doc - 1, want, e));
	for (size_t bit = 0; bit < good.n * 8; bit++) {
		ctr_auto_policy struct ctr_policy p = { 0 };
		ctr_auto_buf struct ctr_buf b = { 0 };
		struct ctr_err err = { 0 };

		good.p[bit / 8] = (char)(good.p[bit / 8] ^ 1 << bit % 8);
		ctr_base64_add(&b, good.p, good.n);
		if (ctr_policy_read(CTR_FORM_INITDATA, b.p, b.n, &p, &err) == 0)
			T_MEM(p.digest, want, 32);
		good.p[bit / 8] = (char)(good.p[bit / 8] ^ 1 << bit % 8);
	}
}

static void base64_refusals(void **s)
{
	ctr_auto_policy struct ctr_policy p = { 0 };

	(void)s;
	T_FAILS(ctr_policy_read(CTR_FORM_INITDATA, "H4s", 3, &p, e), CTR_FORMAT, "initdata.base64");
	T_FAILS(ctr_policy_read(CTR_FORM_POLICY, "YQ==\n", 5, &p, e), CTR_FORMAT, "initdata.base64");
}

static void policy_form(void **s)
{
	ctr_auto_policy struct ctr_policy p = { 0 }, q = { 0 };
	uint8_t d[32];

	(void)s;
	T_OK(ctr_policy_read(CTR_FORM_POLICY, "cGFja2FnZSBh", 12, &p, e));
	T_STR(p.rego.p, "package a");
	T_OK(ctr_hash(CTR_SHA256, "package a", 9, d, e));
	T_MEM(p.digest, d, 32);
	T_FAILS(ctr_policy_read(CTR_FORM_POLICY, "", 0, &q, e), CTR_FORMAT, "initdata.policy");
	T_FAILS(ctr_policy_read(CTR_FORM_POLICY, "/w==", 4, &q, e), CTR_FORMAT, "initdata.policy");
	T_FAILS(ctr_policy_read(CTR_FORM_POLICY, "YQBi", 4, &q, e), CTR_FORMAT, "initdata.policy");
}

static void header_is_fixed(void **s)
{
	ctr_auto_buf struct ctr_buf b = gz("x", 1);
	static const uint8_t head[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255 };

	(void)s;
	T_MEM(b.p, head, sizeof head);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(toml_forms),
		cmocka_unit_test(toml_refusals),
		cmocka_unit_test(document_refusals),
		cmocka_unit_test(toml_has_few_keys),
		cmocka_unit_test(error_names_the_line),
		cmocka_unit_test(build_round_trips),
		cmocka_unit_test(build_refusals),
		cmocka_unit_test(packer_changes_nothing),
		cmocka_unit_test(packer_with_quotes),
		cmocka_unit_test(packer_refuses),
		cmocka_unit_test(gzip_refusals),
		cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(base64_refusals),
		cmocka_unit_test(policy_form),
		cmocka_unit_test(header_is_fixed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
