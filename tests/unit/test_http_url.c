#include "http_url.h"
#include "t.h"

static void reads_origins(void **s)
{
	static const struct { const char *url, *scheme, *host, *port; } t[] = {
		{ "https://Reg.Example/v2/", "https", "reg.example", "443" },
		{ "HTTP://reg.example:80", "http", "reg.example", "80" },
		{ "https://127.0.0.1:5000/x?y=z@w", "https", "127.0.0.1", "5000" },
		{ "https://[::1]:5000/", "https", "[::1]", "5000" },
	};
	struct ctr_http_origin o;

	(void)s;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		T_OK(ctr_http_origin(t[i].url, &o, e));
		T_STR(o.scheme, t[i].scheme);
		T_STR(o.host, t[i].host);
		T_STR(o.port, t[i].port);
	}
}

static void refuses_unfit_urls(void **s)
{
	static const char *const bad[] = {
		"", "reg.example", "//reg.example", "file:///etc/passwd", "ftp://reg.example/",
		"https://user:hunter2@reg.example/", "https://user@reg.example/", "https:///x",
		"https://reg.example/#frag", "https://reg.example\\@evil.example/", "https://a b/",
		"https://reg.example/\r\nX: y", "https://reg.example:99999/", "https://reg.example:x/",
		"javascript:alert(1)", "https:/reg.example/", "https:////reg.example/",
	};
	struct ctr_http_origin o;

	(void)s;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct ctr_err why = { 0 };

		T_FAILS(ctr_http_origin(bad[i], &o, e), CTR_FORMAT, "http.url");
		T_STR(o.host, "");
		if (ctr_http_origin(bad[i], &o, &why) == 0 || strstr(why.msg, "hunter"))
			fail_msg("told the password: %s", why.msg);
	}
}

static void compares_origins(void **s)
{
	static const struct { const char *a, *b; bool same; } t[] = {
		{ "https://r.example/a", "https://R.EXAMPLE:443/b", true },
		{ "https://r.example/", "http://r.example/", false },
		{ "https://r.example/", "https://r.example:5000/", false },
		{ "https://r.example/", "https://r.example./", false },
		{ "https://r.example/", "https://r.example.evil/", false },
		{ "https://r.example/", "https://evilr.example/", false },
		{ "http://127.0.0.1/", "http://localhost/", false },
	};
	const struct ctr_http_origin none = { "", "", "" };

	(void)s;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct ctr_http_origin a, b;

		T_OK(ctr_http_origin(t[i].a, &a, e));
		T_OK(ctr_http_origin(t[i].b, &b, e));
		assert_int_equal(ctr_http_same_origin(&a, &b), t[i].same);
	}
	assert_false(ctr_http_same_origin(&none, &none));
}

static void quotes(void **s)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	(void)s;
	ctr_http_quote(&b, "aZ09-._~ &=/?:%\xc3\xa9");
	T_STR(b.p, "aZ09-._~%20%26%3D%2F%3F%3A%25%C3%A9");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_origins), cmocka_unit_test(refuses_unfit_urls),
		cmocka_unit_test(compares_origins), cmocka_unit_test(quotes),
	};

	return cmocka_run_group_tests_name("http_url", tests, NULL, NULL);
}
