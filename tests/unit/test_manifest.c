#include "enc.h"
#include "manifest.h"
#include "t.h"

#include <time.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#define H1 "1111111111111111111111111111111111111111111111111111111111111111"
#define H2 "22222222222222222222222222222222222222222222222222222222222222aa"
#define M48 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static int parse(const char *text, struct ctr_manifest *m, struct ctr_err *e)
{
	return ctr_manifest_parse("m.json", text, strlen(text), m, e);
}

/* Parses, prints, and compares with the canonical text; that parses to itself. */
static void canonical(const char *text, const char *want)
{
	ctr_auto_buf struct ctr_buf b = { 0 }, again = { 0 };
	ctr_auto_manifest struct ctr_manifest m = { 0 }, n = { 0 };

	T_OK(parse(text, &m, e));
	T_OK(ctr_manifest_print(&m, &b, e));
	if (want)
		T_STR(b.p, want);
	T_OK(parse(b.p, &n, e));
	T_OK(ctr_manifest_print(&n, &again, e));
	T_STR(again.p, b.p);
}

static const char snp_text[] =
	"{\n"
	"  \"Policies\": {\n"
	"    \"" H1 "\": {\n"
	"      \"SANs\": [\n"
	"        \"web\",\n"
	"        \"*\"\n"
	"      ],\n"
	"      \"WorkloadSecretID\": \"apps/v1/Deployment/default/web\"\n"
	"    },\n"
	"    \"" H2 "\": {\n"
	"      \"SANs\": [],\n"
	"      \"Role\": \"coordinator\"\n"
	"    }\n"
	"  },\n"
	"  \"ReferenceValues\": {\n"
	"    \"snp\": [\n"
	"      {\n"
	"        \"ProductName\": \"Milan\",\n"
	"        \"TrustedMeasurement\": \"" M48 "\",\n"
	"        \"MinimumTCB\": {\n"
	"          \"BootloaderVersion\": 3,\n"
	"          \"TEEVersion\": 0,\n"
	"          \"SNPVersion\": 23,\n"
	"          \"MicrocodeVersion\": null\n"
	"        },\n"
	"        \"GuestPolicy\": {\n"
	"          \"ABIMinor\": 31,\n"
	"          \"ABIMajor\": 0,\n"
	"          \"SMT\": true,\n"
	"          \"MigrateMA\": false,\n"
	"          \"Debug\": false,\n"
	"          \"SingleSocket\": false,\n"
	"          \"CXLAllowed\": false,\n"
	"          \"MemAES256XTS\": false,\n"
	"          \"RAPLDis\": false,\n"
	"          \"CipherTextHidingDRAM\": false,\n"
	"          \"PageSwapDisable\": true\n"
	"        },\n"
	"        \"PlatformInfo\": null,\n"
	"        \"AllowedChipIDs\": []\n"
	"      }\n"
	"    ]\n"
	"  },\n"
	"  \"WorkloadOwnerKeyDigests\": [\n"
	"    \"" H1 "\"\n"
	"  ],\n"
	"  \"SeedshareOwnerPubKeys\": []\n"
	"}\n";

static void prints_canonically(void **s)
{
	(void)s;
	canonical(snp_text, snp_text);
	/* order, case, spelling and blanks of the input do not matter */
	canonical("{\"WorkloadOwnerKeyDigest\":\"" H1 "\",\"SeedshareOwnerKeys\":null,\"ReferenceValues\":{\"tdx\":null,"
		  "\"snp\":[{\"GuestPolicy\":{\"SMT\":true,\"ABIMinor\":31,\"PageSwapDisable\":true},"
		  "\"MinimumTCB\":{\"SNPVersion\":23,\"BootloaderVersion\":3,\"TEEVersion\":0},"
		  "\"TrustedMeasurement\":\"" M48 "\",\"ProductName\":\"Milan\",\"Platform\":\"\"}]},"
		  "\"Policies\":{\"22222222222222222222222222222222222222222222222222222222222222AA\":"
		  "{\"Role\":\"coordinator\",\"SANs\":null},\"" H1
		  "\":{\"SANs\":[\"web\",\"*\",\"web\"],\"WorkloadSecretID\":\"apps/v1/Deployment/default/web\"}}}",
		  snp_text);
	canonical("{}", "{\n  \"Policies\": {},\n  \"ReferenceValues\": {},\n  \"WorkloadOwnerKeyDigests\": [],\n"
			"  \"SeedshareOwnerPubKeys\": []\n}\n");
}

static void reads_what_it_says(void **s)
{
	ctr_auto_manifest struct ctr_manifest m = { 0 };

	(void)s;
	T_OK(parse("{\"ReferenceValues\":{\"tdx\":[{\"Platform\":\"p\",\"MrTd\":\"" M48 "\",\"MrSeam\":\"\","
		   "\"Rtmrs\":[\"" M48 "\",null,\"" M48 "\",\"" M48 "\"],\"Xfam\":\"e71a060000000000\","
		   "\"AllowedPIIDs\":[\"000102030405060708090a0b0c0d0e0f\"],\"MemoryIntegrity\":true,"
		   "\"SMTDisabled\":true,\"StaticPlatform\":true,\"MinTCBEvaluationDataNumber\":17}],"
		   "\"snp\":[{\"ProductName\":\"Turin\",\"MinimumTCB\":{\"FMCVersion\":1},"
		   "\"PlatformInfo\":{\"TIOEnabled\":true,\"IOMMUWriteSafe\":true},"
		   "\"MinimumMitigationVector\":11,\"AllowedChipIDs\":[\"" M48 "00112233445566778899aabbccddeeff\"]}]}}",
		   &m, e));
	assert_int_equal(m.n_tdx, 1);
	assert_true(m.tdx[0].mrtd.known);
	assert_int_equal(m.tdx[0].mrtd.v[1], 0x23);
	assert_false(m.tdx[0].mrseam.known);
	assert_false(m.tdx[0].rtmr[1].known);
	assert_int_equal(m.tdx[0].xfam.v[0], 0xe7);
	assert_int_equal(m.tdx[0].n_piids, 1);
	assert_int_equal(m.tdx[0].piids[0][15], 15);
	assert_true(m.tdx[0].memory_integrity && m.tdx[0].smt_disabled && m.tdx[0].static_platform);
	assert_int_equal(m.tdx[0].min_tcb_eval, 17);
	assert_int_equal(m.n_snp, 1);
	assert_int_equal(m.snp[0].product, CTR_TURIN);
	assert_false(m.snp[0].measurement.known);
	assert_false(m.snp[0].policy.known);
	assert_int_equal(m.snp[0].tcb[CTR_TCB_FMC], 1);
	assert_int_equal(m.snp[0].tcb[CTR_TCB_SNP], -1);
	assert_int_equal(m.snp[0].platform_info.v, 0xc0);
	assert_int_equal(m.snp[0].mitigation, 11);
	assert_int_equal(m.snp[0].chips[0][63], 0xff);
}

static void refused(const char *text, const char *id, const char *path)
{
	ctr_auto_manifest struct ctr_manifest m = { 0 };
	struct ctr_err err = { 0 };

	T_FAILS(parse(text, &m, e), CTR_FORMAT, id);
	ctr_manifest_free(&m);
	assert_int_equal(parse(text, &m, &err), -1);
	if (path)
		T_STR(err.where, path);
}

#define POLICY(body) "{\"Policies\":{\"" H1 "\":" body "}}"
#define SNP(body) "{\"ReferenceValues\":{\"snp\":[{\"ProductName\":\"Milan\"" body "}]}}"
#define TDX(body) "{\"ReferenceValues\":{\"tdx\":[{" body "}]}}"

static void names_the_path(void **s)
{
	(void)s;
	refused("[]", "json.type", "$");
	refused("{\"policies\":{}}", "json.unknown", "$.policies");
	refused("{\"Policies\":{},\"Policies\":{}}", "json.duplicate", NULL);
	refused("{} x", "json.syntax", "m.json");
	refused("{\"Policies\":{\"12\":{}}}", "manifest.hash", "$.Policies.12");
	refused("{\"Policies\":{\"" H1 "\":{},\"" H2 "\":{},\"22222222222222222222222222222222222222222222222222222222222222AA\":{}}}",
		"manifest.duplicate", NULL);
	refused(POLICY("[]"), "json.type", "$.Policies." H1);
	refused(POLICY("{\"SAN\":[]}"), "json.unknown", "$.Policies." H1 ".SAN");
	refused(POLICY("{\"SANs\":[\"a\",\"-a\"]}"), "manifest.san", "$.Policies." H1 ".SANs[1]");
	refused(POLICY("{\"SANs\":\"a\"}"), "json.type", "$.Policies." H1 ".SANs");
	refused(POLICY("{\"Role\":\"Coordinator\"}"), "manifest.role", "$.Policies." H1 ".Role");
	refused(POLICY("{\"WorkloadSecretID\":1}"), "json.type", "$.Policies." H1 ".WorkloadSecretID");
	refused("{\"ReferenceValues\":{\"SNP\":[]}}", "json.unknown", "$.ReferenceValues.SNP");
	refused("{\"ReferenceValues\":{\"snp\":[{}]}}", "json.missing",
		"$.ReferenceValues.snp[0].ProductName");
	refused("{\"ReferenceValues\":{\"snp\":[{\"ProductName\":\"Rome\"}]}}", "manifest.product",
		"$.ReferenceValues.snp[0].ProductName");
	refused(SNP(",\"TrustedMeasurement\":\"00\""), "json.hex",
		"$.ReferenceValues.snp[0].TrustedMeasurement");
	refused(SNP(",\"APEIP\":\"0080b004\""), "json.unknown", "$.ReferenceValues.snp[0].APEIP");
	refused(SNP(",\"MinimumTCB\":{\"SNPVersion\":256}"), "json.range",
		"$.ReferenceValues.snp[0].MinimumTCB.SNPVersion");
	refused(SNP(",\"MinimumTCB\":{\"SNPVersion\":-1}"), "json.range", NULL);
	refused(SNP(",\"MinimumTCB\":{\"SNPVersion\":1.5}"), "json.range", NULL);
	refused(SNP(",\"MinimumTCB\":{\"SnpVersion\":1}"), "json.unknown", NULL);
	refused(SNP(",\"MinimumTCB\":{\"FMCVersion\":1}"), "manifest.product",
		"$.ReferenceValues.snp[0].MinimumTCB.FMCVersion");
	refused(SNP(",\"GuestPolicy\":{\"debug\":false}"), "json.unknown", NULL);
	refused(SNP(",\"GuestPolicy\":{\"Debug\":0}"), "json.type",
		"$.ReferenceValues.snp[0].GuestPolicy.Debug");
	refused(SNP(",\"GuestPolicy\":{\"ABIMajor\":256}"), "json.range", NULL);
	refused(SNP(",\"PlatformInfo\":{\"SMT\":true}"), "json.unknown", NULL);
	refused(SNP(",\"AllowedChipIDs\":[\"00\"]"), "json.hex",
		"$.ReferenceValues.snp[0].AllowedChipIDs[0]");
	refused(TDX("\"MrTd\":\"" M48 "00\""), "json.hex", "$.ReferenceValues.tdx[0].MrTd");
	refused(TDX("\"Rtmrs\":[]"), "manifest.count", "$.ReferenceValues.tdx[0].Rtmrs");
	refused(TDX("\"Rtrms\":[]"), "json.unknown", NULL);
	refused(TDX("\"Rtmrs\":[null,null,null,\"00\"]"), "json.hex",
		"$.ReferenceValues.tdx[0].Rtmrs[3]");
	refused(TDX("\"AllowedPIIDs\":[1]"), "json.type", "$.ReferenceValues.tdx[0].AllowedPIIDs[0]");
	refused(TDX("\"MemoryIntegrity\":\"true\""), "json.type", NULL);
	refused("{\"WorkloadOwnerKeyDigests\":[\"00\"]}", "json.hex", "$.WorkloadOwnerKeyDigests[0]");
	refused("{\"WorkloadOwnerKeyDigests\":[],\"WorkloadOwnerKeyDigest\":\"" H1 "\"}",
		"manifest.duplicate", "$.WorkloadOwnerKeyDigest");
	refused("{\"SeedshareOwnerPubKeys\":[],\"SeedshareOwnerKeys\":[]}", "manifest.duplicate",
		"$.SeedshareOwnerKeys");
	refused("{\"SeedshareOwnerPubKeys\":[\"00\"]}", "key.rsa", "$.SeedshareOwnerPubKeys[0]");
	refused("{\"SeedshareOwnerPubKeys\":[\"0\"]}", "json.hex", "$.SeedshareOwnerPubKeys[0]");
}

static void counts_are_bounded(void **s)
{
	ctr_auto_buf struct ctr_buf b = { 0 }, d = { 0 };

	(void)s;
	ctr_buf_adds(&b, "{\"Policies\":{\"" H1 "\":{\"SANs\":[");
	for (int i = 0; i < CTR_SANS_MAX + 1; i++)
		ctr_buf_addf(&b, "%s\"h%d\"", i ? "," : "", i);
	ctr_buf_adds(&b, "]}}}");
	refused(b.p, "manifest.count", "$.Policies." H1 ".SANs");
	ctr_buf_adds(&d, "{\"Policies\":{\"" H1 "\":{\"WorkloadSecretID\":\"");
	for (int i = 0; i < CTR_SECRET_ID_MAX + 1; i++)
		ctr_buf_addc(&d, 'x');
	ctr_buf_adds(&d, "\"}}}");
	refused(d.p, "manifest.secret-id", "$.Policies." H1 ".WorkloadSecretID");
}

static void san_kinds(void **s)
{
	static const struct {
		const char *s;
		enum ctr_san kind;
	} c[] = {
		{ "web", CTR_SAN_DNS }, { "*", CTR_SAN_DNS }, { "*.a.b", CTR_SAN_DNS },
		{ "a-1.B2.c", CTR_SAN_DNS }, { "1web", CTR_SAN_DNS }, { "a.1b", CTR_SAN_DNS },
		{ "10.0.0.1", CTR_SAN_IP }, { "::1", CTR_SAN_IP }, { "2001:db8::1", CTR_SAN_IP },
		{ "spiffe://acme.com/a", CTR_SAN_URI }, { "urn:a:b", CTR_SAN_URI },
		{ "", CTR_SAN_NONE }, { "**", CTR_SAN_NONE }, { "a.*", CTR_SAN_NONE },
		{ "*a", CTR_SAN_NONE }, { "*.", CTR_SAN_NONE }, { "a.", CTR_SAN_NONE },
		{ ".a", CTR_SAN_NONE }, { "a..b", CTR_SAN_NONE }, { "a_b", CTR_SAN_NONE },
		{ "a b", CTR_SAN_NONE }, { "a\n", CTR_SAN_NONE }, { "a,DNS:b", CTR_SAN_NONE },
		{ "10.0.0.256", CTR_SAN_NONE }, { "10.0.0.01", CTR_SAN_NONE }, { "1.2", CTR_SAN_NONE },
		{ "2001:DB8::1", CTR_SAN_NONE }, { "2001:db8:0::1", CTR_SAN_NONE },
		{ "host:80", CTR_SAN_NONE }, { "http://", CTR_SAN_NONE }, { "://a", CTR_SAN_NONE },
		{ "http://a b", CTR_SAN_NONE }, { "http://a\xc3\xa9", CTR_SAN_NONE },
		{ "a123456789012345678901234567890123456789012345678901234567890123", CTR_SAN_NONE },
	};

	(void)s;
	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		if (ctr_san_kind(c[i].s) != c[i].kind)
			fail_msg("%s: %d", c[i].s, (int)ctr_san_kind(c[i].s));
	}
}

static struct ctr_buf rsa_der(unsigned bits, unsigned long exponent)
{
	struct ctr_buf b = { 0 };
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BIGNUM *exp = BN_new();
	EVP_PKEY *key = NULL;
	uint8_t *der = NULL;
	int n;

	BN_set_word(exp, exponent);
	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits), 1);
	assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, exp), 1);
	assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
	n = i2d_PublicKey(key, &der);
	assert_true(n > 0);
	ctr_buf_add(&b, der, (size_t)n);
	OPENSSL_free(der);
	EVP_PKEY_free(key);
	EVP_PKEY_CTX_free(ctx);
	BN_free(exp);
	return b;
}

static void seedshare_keys(void **s)
{
	ctr_auto_buf struct ctr_buf good = rsa_der(2048, 65537), small = rsa_der(1024, 65537),
				    three = rsa_der(2048, 3);
	ctr_auto_manifest struct ctr_manifest m = { 0 };

	(void)s;
	T_OK(ctr_manifest_add_seedshare(&m, (uint8_t *)good.p, good.n, e));
	T_OK(ctr_manifest_add_seedshare(&m, (uint8_t *)good.p, good.n, e));
	assert_int_equal(m.n_seedshare, 1);
	assert_int_equal(m.seedshare[0].bits, 2048);
	T_FAILS(ctr_manifest_add_seedshare(&m, (uint8_t *)small.p, small.n, e), CTR_FORMAT, "key.rsa");
	T_FAILS(ctr_manifest_add_seedshare(&m, (uint8_t *)three.p, three.n, e), CTR_FORMAT, "key.rsa");
	T_FAILS(ctr_manifest_add_seedshare(&m, NULL, 0, e), CTR_FORMAT, "key.rsa");
	for (size_t n = 0; n < good.n; n++)
		T_FAILS(ctr_manifest_add_seedshare(&m, (uint8_t *)good.p, n, e), CTR_FORMAT, "key.rsa");
	ctr_buf_addc(&good, '\0');
	T_FAILS(ctr_manifest_add_seedshare(&m, (uint8_t *)good.p, good.n, e), CTR_FORMAT, "key.rsa");
}

/* Load of 100,000 policies is linear and a look-up does not search. */
static void many_policies(void **s)
{
	ctr_auto_buf struct ctr_buf b = { 0 }, again = { 0 };
	ctr_auto_manifest struct ctr_manifest m = { 0 };
	uint8_t hash[32];
	struct timespec t0, t1;

	(void)s;
	ctr_buf_adds(&b, "{\"Policies\":{");
	for (unsigned i = 0; i < 100000; i++) {
		T_OK(ctr_hash(CTR_SHA256, &i, sizeof i, hash, e));
		ctr_buf_adds(&b, i ? ",\"" : "\"");
		ctr_hex_add(&b, hash, sizeof hash);
		ctr_buf_addf(&b, "\":{\"SANs\":[\"web-%u\",\"*\"],\"WorkloadSecretID\":\"apps/v1/Deployment/ns/web-%u\"}", i, i);
	}
	ctr_buf_adds(&b, "}}");
	clock_gettime(CLOCK_MONOTONIC, &t0);
	T_OK(ctr_manifest_parse("m", b.p, b.n, &m, e));
	clock_gettime(CLOCK_MONOTONIC, &t1);
	print_message("loaded in %.3f s\n", (double)(t1.tv_sec - t0.tv_sec) + (double)(t1.tv_nsec - t0.tv_nsec) / 1e9);
	for (unsigned i = 0; i < 100000; i++) {
		char want[32];
		struct ctr_manifest_policy *p;

		T_OK(ctr_hash(CTR_SHA256, &i, sizeof i, hash, e));
		p = ctr_manifest_find(&m, hash);
		assert_non_null(p);
		snprintf(want, sizeof want, "web-%u", i);
		T_STR(p->sans[0], want);
		hash[31] ^= 1;
		assert_null(ctr_manifest_find(&m, hash));
	}
	T_OK(ctr_manifest_print(&m, &again, e));
}

static void empty_finds_nothing(void **s)
{
	ctr_auto_manifest struct ctr_manifest m = { 0 };
	uint8_t hash[32] = { 0 };

	(void)s;
	assert_null(ctr_manifest_find(&m, hash));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_canonically), cmocka_unit_test(reads_what_it_says),
		cmocka_unit_test(names_the_path),     cmocka_unit_test(counts_are_bounded),
		cmocka_unit_test(san_kinds),	      cmocka_unit_test(seedshare_keys),
		cmocka_unit_test(many_policies),      cmocka_unit_test(empty_finds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
