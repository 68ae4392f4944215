/* The client of the Kubernetes API: what it reads, and what it says of what it cannot use. How it
 * asks is tested with a server, tests/bats/coordinator-kube.bats. */
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "hstore_kube.h"
#include "t.h"

static int parse(const char *text, struct ctr_kube_map *m, struct ctr_err *e)
{
	return ctr_kube_map_parse(text, strlen(text), m, e);
}

static void reads(void **s)
{
	ctr_auto_kube_map struct ctr_kube_map m = { 0 };
	ctr_auto_kube_map struct ctr_kube_map none = { 0 };

	(void)s;
	T_OK(parse("{\"kind\":\"ConfigMap\",\"x\":1,\"metadata\":{\"resourceVersion\":\"12\",\"y\":"
		   "[]},"
		   "\"immutable\":true,\"data\":{\"size\":\"70\"},\"binaryData\":{\"bytes\":"
		   "\"YWJj\"}}",
		   &m, e));
	assert_string_equal(m.version, "12");
	assert_true(m.immutable && m.size == 70 && m.bytes.n == 3);
	T_MEM(m.bytes.p, "abc", 3);
	T_OK(parse("{\"kind\":\"ConfigMap\",\"metadata\":{},\"data\":{\"size\":\"0\"},"
		   "\"binaryData\":{}}",
		   &none, e));
	assert_true(none.bytes.n == 0 && !none.immutable && !*none.version);
}

#define MAP(version, size, bytes)                                                                  \
	"{\"kind\":\"ConfigMap\",\"metadata\":{\"resourceVersion\":" version                       \
	"},\"data\":{\"size\":" size "},\"binaryData\":{\"bytes\":" bytes "}}"

static void refuses(void **s)
{
	static const struct {
		const char *text, *id;
	} bad[] = {
		{ "", "json.syntax" },
		{ "[]", "json.type" },
		{ "{}", "json.missing" },
		{ "{\"kind\":\"Secret\",\"metadata\":{},\"data\":{},\"binaryData\":{}}",
		  "kube.object" },
		{ "{\"kind\":\"ConfigMap\",\"data\":{},\"binaryData\":{}}", "json.missing" },
		{ "{\"kind\":\"ConfigMap\",\"metadata\":{},\"binaryData\":{}}", "json.missing" },
		{ MAP("\"\"", "\"1\"", "\"YQ==\""), "kube.object" },
		{ MAP("\"1&x=2\"", "\"1\"", "\"YQ==\""), "kube.object" },
		{ MAP("7", "\"1\"", "\"YQ==\""), "json.type" },
		{ MAP("\"1\"", "1", "\"YQ==\""), "json.type" },
		{ MAP("\"1\"", "\"\"", "\"YQ==\""), "kube.object" },
		{ MAP("\"1\"", "\"01\"", "\"YQ==\""), "kube.object" },
		{ MAP("\"1\"", "\"-1\"", "\"YQ==\""), "kube.object" },
		{ MAP("\"1\"", "\"12345678901\"", "\"YQ==\""), "kube.object" },
		{ MAP("\"1\"", "\"1\"", "null"), "json.type" },
		{ MAP("\"1\"", "\"1\"", "\"YQ=\""), "base64" },
		{ MAP("\"1\"", "\"1\"", "[]"), "json.type" },
	};

	(void)s;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct ctr_kube_map m = { 0 };

		T_FAILS(parse(bad[i].text, &m, e), CTR_FORMAT, bad[i].id);
		assert_true(!m.bytes.p && m.size == 0 && !*m.version);
	}
}

static void larger_than_a_map(void **s)
{
	static uint8_t bytes[CTR_KUBE_BYTES + 1];
	struct ctr_kube_map big = { .size = sizeof bytes }, m = { 0 };
	ctr_auto_buf struct ctr_buf text = { 0 };

	(void)s;
	ctr_buf_add(&big.bytes, bytes, sizeof bytes);
	T_OK(ctr_kube_map_print("n", "a", &big, &text, e));
	T_FAILS(ctr_kube_map_parse(text.p, text.n, &m, e), CTR_FORMAT, "limit");
	ctr_kube_map_free(&big);
}

static void accounts(void **s)
{
	char dir[] = "/tmp/ctr-test-XXXXXX", file[64];
	struct ctr_kube_opts o = { .host = "127.0.0.1", .port = "1", .dir = dir };
	struct ctr_hstore *store = NULL;
	struct ctr_kube_map m = { 0 };
	struct ctr_kube *k = NULL;
	bool found;

	(void)s;
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof file, "%s/namespace", dir);
	T_FAILS(ctr_kube_new(&o, &k, e), CTR_ENV, "kube.namespace");
	T_OK(ctr_file_write(file, "a/../b", 6, 0600, e));
	T_FAILS(ctr_kube_new(&o, &k, e), CTR_ENV, "kube.namespace");
	T_OK(ctr_file_write(file, "ns\n", 3, 0600, e));
	T_FAILS(ctr_hstore_kube(&o, "", &store, e), CTR_USAGE, "store.spec");
	T_FAILS(ctr_hstore_kube(&o, "a.b", &store, e), CTR_USAGE, "store.spec");
	T_FAILS(ctr_hstore_kube(&o, "-a", &store, e), CTR_USAGE, "store.spec");
	o.port = NULL;
	T_FAILS(ctr_kube_new(&o, &k, e), CTR_ENV, "kube.environment");
	o.port = "1";
	T_OK(ctr_kube_new(&o, &k, e));
	T_FAILS(ctr_kube_get(k, "x", &m, &found, e), CTR_ENV, "kube.token");
	ctr_kube_free(k);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(refuses),
		cmocka_unit_test(larger_than_a_map),
		cmocka_unit_test(accounts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
