/* lib/http_parse.c: what is accepted, and each refusal for its own reason; lib/problem.c. */
#include "http_parse.h"
#include "json.h"
#include "problem.h"
#include "t.h"

static char bytes[65536];

static int head(const char *text, size_t n, struct ctr_http_head *h, struct ctr_err *e)
{
	memcpy(bytes, text, n);
	assert_int_equal(ctr_http_head_end(bytes, n, 0), n);
	return ctr_http_head_parse(bytes, n, h, e);
}

static void reads(void **state)
{
	struct ctr_http_head h;
	const char *t =
		"\r\nPOST http://x:1/a/%2f?q=1?2 HTTP/1.1\r\nhost: x\r\nAUTHORIZATION:\t k v \r\n"
		"Content-Type: application/json\r\nTransfer-Encoding: Chunked\r\n"
		"Expect: 100-Continue\r\nX: \xc3\xa9\r\n\r\n";

	(void)state;
	T_OK(head(t, strlen(t), &h, e));
	T_STR(h.method, "POST");
	T_STR(h.path, "/a/%2f");
	T_STR(h.query, "q=1?2");
	T_STR(h.authorization, "k v");
	T_STR(h.content_type, "application/json");
	assert_true(h.chunked && h.expects && h.keep && !h.has_length);
	t = "GET / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 12\r\n\r\n";
	T_OK(head(t, strlen(t), &h, e));
	assert_true(!h.keep && !h.expects && h.has_length && h.length == 12);
	t = "GET / HTTP/1.0\r\nConnection: x, Keep-Alive\r\n\r\n";
	T_OK(head(t, strlen(t), &h, e));
	assert_true(h.keep);
	t = "GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive,close\r\n\r\n";
	T_OK(head(t, strlen(t), &h, e));
	assert_false(h.keep);
}

static const struct {
	const char *text;
	size_t n; /* 0: strlen */
	const char *id;
	unsigned status;
} refusals[] = {
#define H " HTTP/1.1\r\nHost: x\r\n"
	{ "garbage\r\n\r\n", 0, "http.line", 400 },
	{ "G(T /" H "\r\n", 0, "http.line", 400 },
	{ "GET / FTP/1.1\r\n\r\n", 0, "http.line", 400 },
	{ "GET /\nHost: x\r\n\r\n", 0, "http.line", 400 },
	{ "G\0T /" H "\r\n", 27, "http.line", 400 },
	{ "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 0, "http.version", 505 },
	{ "GET / HTTP/1.10\r\nHost: x\r\n\r\n", 0, "http.version", 505 },
	{ "GET *" H "\r\n", 0, "http.target", 400 },
	{ "GET http://x" H "\r\n", 0, "http.target", 400 },
	{ "GET /a#b" H "\r\n", 0, "http.target", 400 },
	{ "GET /\xc3\xa9" H "\r\n", 0, "http.target", 400 },
	{ "GET / HTTP/1.1\r\n\r\n", 0, "http.host", 400 },
	{ "GET /" H "Host: x\r\n\r\n", 0, "http.duplicate", 400 },
	{ "GET /" H "A: 1\r\n folded\r\n\r\n", 0, "http.header", 400 },
	{ "GET /" H "A : 1\r\n\r\n", 0, "http.header", 400 },
	{ "GET /" H "A: \0\r\n\r\n", 33, "http.header", 400 },
	{ "GET /" H "A: 1\rB: 2\r\n\r\n", 0, "http.header", 400 },
	{ "GET /" H "A: 1\nB: 2\r\n\r\n", 0, "http.header", 400 },
	{ "GET /" H "nothing\r\n\r\n", 0, "http.header", 400 },
	{ "GET /" H "Content-Length: +1\r\n\r\n", 0, "http.length", 400 },
	{ "GET /" H "Content-Length: 1, 1\r\n\r\n", 0, "http.length", 400 },
	{ "GET /" H "Content-Length:\r\n\r\n", 0, "http.length", 400 },
	{ "GET /" H "Content-Length: 9999999999999999\r\n\r\n", 0, "http.length", 400 },
	{ "GET /" H "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 0, "http.duplicate", 400 },
	{ "GET /" H "Authorization: a\r\nAuthorization: b\r\n\r\n", 0, "http.duplicate", 400 },
	{ "GET /" H "Content-Type: a\r\nContent-Type: b\r\n\r\n", 0, "http.duplicate", 400 },
	{ "GET /" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 0,
	  "http.duplicate", 400 },
	{ "GET /" H "Transfer-Encoding: gzip, chunked\r\n\r\n", 0, "http.coding", 501 },
	{ "GET /" H "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 0, "http.framing",
	  400 },
	{ "GET /" H "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 0, "http.framing",
	  400 },
	{ "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 0, "http.framing", 400 },
	{ "GET /" H "Expect: tea\r\n\r\n", 0, "http.expect", 417 },
};

static void refuses(void **state)
{
	struct ctr_http_head h;

	(void)state;
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		size_t n = refusals[i].n ? refusals[i].n : strlen(refusals[i].text);
		struct ctr_err err = { 0 };

		T_FAILS(head(refusals[i].text, n, &h, e), CTR_FORMAT, refusals[i].id);
		assert_int_equal(head(refusals[i].text, n, &h, &err), -1);
		assert_int_equal(ctr_http_status(&err), refusals[i].status);
	}
}

static void counts_headers(void **state)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct ctr_http_head h;

	(void)state;
	ctr_buf_adds(&b, "GET /" H);
	for (int i = 1; i < CTR_HTTP_HEADERS; i++)
		ctr_buf_adds(&b, "A: 1\r\n");
	ctr_buf_adds(&b, "\r\n");
	T_OK(head(b.p, b.n, &h, e));
	b.n -= 2;
	ctr_buf_adds(&b, "A: 1\r\n\r\n");
	T_FAILS(head(b.p, b.n, &h, e), CTR_FORMAT, "http.headers");
}

static int unchunk(const char *text, struct ctr_buf *out, size_t *used, struct ctr_err *e)
{
	struct ctr_http_chunks c = { 0 };
	struct ctr_rd r, data;

	ctr_rd_init(&r, text, strlen(text));
	do {
		if (ctr_http_chunk(&c, &r, &data, e) < 0)
			return -1;
		ctr_buf_add(out, data.p, data.left);
	} while (data.left);
	*used = r.at;
	return c.state == CTR_CHUNK_DONE ? 0 : ctr_fail(e, CTR_ENV, "more", "more is needed");
}

static void chunks(void **state)
{
	ctr_auto_buf struct ctr_buf b = { 0 }, line = { 0 }, trailers = { 0 };
	size_t used;

	(void)state;
	T_OK(unchunk("5;a=\"b\"\r\nhello\r\n00b\r\n, my world!\r\n0\r\nT: 1\r\n\r\nGET", &b, &used,
		     e));
	T_STR(ctr_buf_str(&b), "hello, my world!");
	assert_int_equal(used, 45);
	T_FAILS(unchunk("5\r\nhel", &b, &used, e), CTR_ENV, "more");
	T_FAILS(unchunk("5\r\nhelloX\r\n0\r\n\r\n", &b, &used, e), CTR_FORMAT, "http.chunk");
	T_FAILS(unchunk("\r\n", &b, &used, e), CTR_FORMAT, "http.chunk");
	T_FAILS(unchunk("-1\r\n", &b, &used, e), CTR_FORMAT, "http.chunk");
	T_FAILS(unchunk("0x5\r\nhello\r\n", &b, &used, e), CTR_FORMAT, "http.chunk");
	T_FAILS(unchunk("5\nhello\n", &b, &used, e), CTR_FORMAT, "http.chunk");
	T_FAILS(unchunk("ffffffffffffffff\r\n", &b, &used, e), CTR_FORMAT, "http.chunk");
	ctr_buf_adds(&line, "5;");
	for (int i = 0; i < CTR_HTTP_CHUNK_EXT; i++)
		ctr_buf_addc(&line, 'x');
	T_FAILS(unchunk(line.p, &b, &used, e), CTR_FORMAT, "http.chunk");
	ctr_buf_adds(&trailers, "0\r\n");
	for (int i = 0; i <= CTR_HTTP_HEADERS; i++)
		ctr_buf_adds(&trailers, "T: 1\r\n");
	T_FAILS(unchunk(trailers.p, &b, &used, e), CTR_FORMAT, "http.chunk");
}

static void problems(void **state)
{
	(void)state;
	for (int p = 0; p < CTR_P_N; p++) {
		ctr_auto_buf struct ctr_buf b = { 0 };
		ctr_auto_json struct ctr_json *j = NULL;
		struct ctr_jval root, v;
		const char *s;
		uint64_t n;

		assert_int_equal(ctr_problem_find(ctr_problem_code((enum ctr_problem)p)), p);
		ctr_problem_add(&b, (enum ctr_problem)p, 0, "say \"why\"\n");
		T_OK(ctr_json_parse("problem", b.p, b.n, &j, e));
		root = ctr_jroot(j);
		v = ctr_jget(&root, "status_code");
		T_OK(ctr_juint(&v, 599, &n, e));
		assert_int_equal(n, ctr_problem_status((enum ctr_problem)p));
		v = ctr_jget(&root, "code");
		T_OK(ctr_jstring(&v, &s, e));
		T_STR(s, ctr_problem_code((enum ctr_problem)p));
		v = ctr_jget(&root, "error");
		T_OK(ctr_jstring(&v, &s, e));
		T_STR(s, "say \"why\"\\x0a");
	}
	assert_int_equal(ctr_problem_find("tea"), CTR_P_N);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),	  cmocka_unit_test(refuses),
		cmocka_unit_test(counts_headers), cmocka_unit_test(chunks),
		cmocka_unit_test(problems),
	};

	return cmocka_run_group_tests_name("http_parse", tests, NULL, NULL);
}
