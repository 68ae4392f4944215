/* lib/http_server.h over loopback: answers, and each refusal for its own reason. */
/* needs: tests/unit/httpkit.c */
#include <sys/socket.h>
#include <unistd.h>

#include "httpkit.h"

#define H " HTTP/1.1\r\nHost: x\r\n"

static struct kit kit;

static int start(void **state)
{
	(void)state;
	kit = (struct kit){ 0 };
	kit_start(&kit, (struct ctr_http_server_conf){ .idle_s = 30 });
	return 0;
}

static int stop(void **state)
{
	(void)state;
	kit_stop(&kit);
	return 0;
}

static void answers(void **state)
{
	struct reply r;
	int fd = kit_dial_main(&kit);

	(void)state;
	kit_send(fd, "GET /quick" H "\r\n");
	kit_read(fd, false, &r);
	T_STR(r.head, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n"
		      "Cache-Control: no-store\r\nConnection: keep-alive\r\n\r\n");
	T_STR(ctr_buf_str(&r.body), "ok");
	ctr_buf_free(&r.body);
	kit_send(fd, "HEAD /quick" H "\r\n");
	kit_read(fd, true, &r);
	assert_non_null(strstr(r.head, "\r\nContent-Length: 2\r\n"));
	kit_send(fd, "POST /echo" H
		     "Content-Type: Application/JSON ; charset=utf-8\r\nContent-Length: 3\r\n\r\n"
		     "[1]");
	kit_read(fd, false, &r);
	assert_non_null(strstr(r.head, "\r\nContent-Type: application/json\r\n"));
	T_STR(ctr_buf_str(&r.body), "[1]");
	ctr_buf_free(&r.body);
	kit_send(fd, "POST /keys/a/b?c=d" H "\r\n");
	kit_expect(fd, 200, "a/b c=d");
	kit_send(fd, "GET /none" H "\r\n");
	kit_read(fd, false, &r);
	assert_int_equal(r.status, 204);
	assert_null(strstr(r.head, "Content-Length"));
	kit_send(fd, "GET /auth" H "\r\n");
	kit_read(fd, false, &r);
	assert_int_equal(r.status, 401);
	assert_non_null(strstr(r.head, "\r\nWWW-Authenticate: x nonce=\"1\"\r\n"));
	kit_send(fd, "GET /auth" H "Authorization: abc\r\n\r\n");
	kit_expect(fd, 200, "abc");
	kit_send(fd, "GET /who" H "Connection: close\r\n\r\n");
	kit_expect(fd, 200, "0");
	kit_expect_end(fd);
	close(fd);
}

static void one_dot_zero(void **state)
{
	(void)state;
	kit_case(&kit, "GET /quick HTTP/1.0\r\n\r\n", 200, "ok", true);
	kit_case(&kit, "GET /quick HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, "ok", false);
	kit_case(&kit, "GET /quick" H "Connection: close\r\n\r\n", 200, "ok", true);
}

static void request_ids(void **state)
{
	struct reply a, b;
	int fd = kit_dial_main(&kit);

	(void)state;
	kit_send(fd, "GET /id" H "\r\nGET /id" H "\r\n");
	kit_read(fd, false, &a);
	kit_read(fd, false, &b);
	assert_int_equal(strcspn(a.body.p, "-"), 8);
	T_MEM(a.body.p, b.body.p, 9);
	assert_string_not_equal(a.body.p, b.body.p);
	ctr_buf_free(&a.body);
	ctr_buf_free(&b.body);
	close(fd);
}

static const struct {
	const char *text;
	unsigned status;
	const char *id;
	bool ends;
} refusals[] = {
	{ "GET /nowhere" H "\r\n", 404, "http.route", false },
	{ "GET /quick/" H "\r\n", 404, "http.route", false },
	{ "POST /keys/" H "\r\n", 404, "http.route", false },
	{ "POST /keys" H "\r\n", 404, "http.route", false },
	{ "GET /probe" H "\r\n", 404, "http.route", false }, /* the other listener's */
	{ "POST /nowhere" H "Content-Length: 1\r\n\r\nx", 404, "http.route", true },
	{ "DELETE /quick" H "\r\n", 405, "http.method", false },
	{ "get /quick" H "\r\n", 405, "http.method", false },
	{ "POST /echo" H "Content-Length: 2\r\n\r\n{}", 415, "http.type", true },
	{ "POST /echo" H "Content-Type: text/json\r\nContent-Length: 2\r\n\r\n{}", 415, "http.type",
	  true },
	{ "POST /echo" H "Content-Type: application/jsonx\r\nContent-Length: 2\r\n\r\n{}", 415,
	  "http.type", true },
	{ "POST /raw" H "Content-Length: 65537\r\n\r\n", 413, "http.body", true },
	{ "POST /raw" H "Content-Length: 999999999999999\r\n\r\n", 413, "http.body", true },
	{ "POST /raw" H "Expect: 100-continue\r\nContent-Length: 65537\r\n\r\n", 413, "http.body",
	  true },
	{ "POST /keys/x" H "Transfer-Encoding: chunked\r\n\r\n401\r\n", 413, "http.body", true },
	{ "POST /keys/x" H "Transfer-Encoding: chunked\r\n\r\nffffffffffff\r\n", 413, "http.body",
	  true },
	{ "GET /quick" H "Content-Length: 1\r\n\r\nx", 413, "http.body", true },
	{ "GET /quick" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413, "http.body", true },
	{ "GET /bad" H "\r\n", 500, "http.answer", true },
	{ "GET /inject" H "\r\n", 500, "http.answer", true },
	{ "POST /raw" H "Transfer-Encoding: chunked\r\n\r\nx\r\n", 400, "http.chunk", true },
	{ "POST /raw" H "Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", 400, "http.chunk", true },
	{ "POST /raw" H "Transfer-Encoding: gzip\r\n\r\n", 501, "http.coding", true },
	{ "POST /raw" H "Expect: a\r\n\r\n", 417, "http.expect", true },
	{ "GET /quick HTTP/3.0\r\n\r\n", 505, "http.version", true },
	{ "GET /quick HTTP/1.1\r\n\r\n", 400, "http.host", true },
	{ "\x16\x03\x01\x02\x01\r\n\r\n", 400, "http.line", true },
	{ "POST /raw" H "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
	  "http.framing", true },
};

static void refusals_say_why(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
		kit_case(&kit, refusals[i].text, refusals[i].status, refusals[i].id,
			 refusals[i].ends);
	assert_int_equal(kit.refused, sizeof refusals / sizeof *refusals);
}

static void allows(void **state)
{
	struct reply r;
	int fd = kit_dial_main(&kit);

	(void)state;
	kit_send(fd, "POST /quick" H "\r\n");
	kit_read(fd, false, &r);
	assert_non_null(strstr(r.head, "\r\nAllow: GET, HEAD, PUT\r\n"));
	ctr_buf_free(&r.body);
	kit_send(fd, "GET /raw" H "\r\n");
	kit_read(fd, false, &r);
	assert_non_null(strstr(r.head, "\r\nAllow: POST\r\n"));
	ctr_buf_free(&r.body);
	kit_send(fd, "HEAD /echo" H "\r\n");
	kit_read(fd, true, &r);
	assert_int_equal(r.status, 405);
	kit_send(fd, "GET /nowhere" H "\r\n");
	kit_expect(fd, 404, "http.route");
	close(fd);
}

/* A head just within the limit, one beyond it, and too many lines. */
static void long_heads(void **state)
{
	static char text[40000];
	int n;

	(void)state;
	n = snprintf(text, sizeof text, "GET /quick" H "X: %0*d\r\n\r\n",
		     CTR_HTTP_HEAD_MAX - (int)strlen("GET /quick" H "X: \r\n\r\n"), 0);
	assert_int_equal(n, CTR_HTTP_HEAD_MAX);
	kit_case(&kit, text, 200, "ok", false);
	snprintf(text, sizeof text, "GET /quick" H "X: %020000d\r\n\r\n", 0);
	kit_case(&kit, text, 431, "http.head", true);
	snprintf(text, sizeof text, "GET /%020000d", 0);
	kit_case(&kit, text, 431, "http.head", true);
	n = snprintf(text, sizeof text, "GET /quick" H);
	for (int i = 0; i < 70; i++)
		n += snprintf(text + n, sizeof text - (size_t)n, "A: b\r\n");
	snprintf(text + n, sizeof text - (size_t)n, "\r\n");
	kit_case(&kit, text, 431, "http.headers", true);
}

/* All of an oversized body is on its way: the answer arrives all the same, no reset overtakes it.
 */
static void oversized_body_sent(void **state)
{
	static char body[1 << 20];
	int fd = kit_dial_main(&kit);

	(void)state;
	kit_send(fd, "POST /raw" H "Content-Length: 1048576\r\n\r\n");
	kit_send_n(fd, body, sizeof body);
	kit_expect(fd, 413, "http.body");
	kit_expect_end(fd);
	close(fd);
}

static unsigned sum_of(const char *p, size_t n)
{
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++)
		sum = sum * 31 + (unsigned char)p[i];
	return sum;
}

/* The same body, whole, byte by byte and in chunks of every small size, with another request right
 * behind it. */
static void bodies(void **state)
{
	static char body[3000], text[100000];
	char want[64];

	(void)state;
	for (size_t i = 0; i < sizeof body; i++)
		body[i] = (char)(i * 7);
	snprintf(want, sizeof want, "%zu %u", sizeof body, sum_of(body, sizeof body));
	for (size_t size = 0; size < 40; size++) {
		int fd = kit_dial_main(&kit);
		int n = snprintf(text, sizeof text, "POST /raw" H "%s\r\n\r\n",
				 size ? "Transfer-Encoding: chunked" : "Content-Length: 3000");

		for (size_t at = 0; at < sizeof body;) {
			size_t piece = size ? 1 + (at * 31 + size) % (size * size) : sizeof body;

			piece = piece < sizeof body - at ? piece : sizeof body - at;
			if (size)
				n += snprintf(text + n, 32, "%zx%s\r\n", piece,
					      at % 3 ? "" : ";ext=\"1\"");
			memcpy(text + n, body + at, piece);
			n += (int)piece;
			if (size)
				n += snprintf(text + n, 3, "\r\n");
			at += piece;
		}
		if (size)
			n += snprintf(text + n, 32, "0\r\nTrailer: x\r\n\r\n");
		n += snprintf(text + n, 64, "GET /quick" H "\r\n");
		for (int i = 0; i < n; i += size % 2 ? 1000 : n)
			kit_send_n(fd, text + i,
				   (size_t)(n - i < 1000 && size % 2 ? n - i
					    : size % 2		     ? 1000
								     : n));
		kit_expect(fd, 200, want);
		kit_expect(fd, 200, "ok");
		close(fd);
	}
}

static void byte_by_byte(void **state)
{
	static const char text[] =
		"\r\nPOST /raw" H
		"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"
		"POST /raw" H "Content-Length: 4\r\n\r\nabcd";
	int fd = kit_dial_main(&kit);
	char want[64];

	(void)state;
	for (size_t i = 0; i < sizeof text - 1; i++) {
		kit_send_n(fd, text + i, 1);
		usleep(500);
	}
	snprintf(want, sizeof want, "4 %u", sum_of("abcd", 4));
	kit_expect(fd, 200, want);
	kit_expect(fd, 200, want);
	close(fd);
}

static void large_body(void **state)
{
	size_t n = (size_t)4 << 20;
	char *body = malloc(n), want[64];
	int fd = kit_dial_main(&kit);

	(void)state;
	memset(body, 'y', n);
	snprintf(want, sizeof want, "%zu %u", n, sum_of(body, n));
	kit_send(fd, "POST /big" H "Content-Length: 4194304\r\n\r\n");
	kit_send_n(fd, body, n);
	kit_expect(fd, 200, want);
	kit_send(fd, "POST /big" H "Transfer-Encoding: chunked\r\n\r\n400000\r\n");
	kit_send_n(fd, body, n);
	kit_send(fd, "\r\n0\r\n\r\n");
	kit_expect(fd, 200, want);
	kit_send(fd, "POST /big" H "Content-Length: 4194305\r\n\r\n");
	kit_expect(fd, 413, "http.body");
	close(fd);
	free(body);
}

static void large_answer(void **state)
{
	struct reply r;
	int fd = kit_dial_main(&kit);

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		kit_send(fd, "GET /large?5000000" H "\r\n");
		kit_read(fd, false, &r);
		assert_int_equal(r.body.n, 5000000);
		ctr_buf_free(&r.body);
	}
	close(fd);
}

static void continues(void **state)
{
	char line[64] = "";
	int fd = kit_dial_main(&kit);

	(void)state;
	kit_send(fd, "POST /keys/x" H "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
	assert_int_equal(recv(fd, line, 25, MSG_WAITALL), 25);
	T_STR(line, "HTTP/1.1 100 Continue\r\n\r\n");
	kit_send(fd, "ab");
	kit_expect(fd, 200, "x -");
	/* the body is there already: nothing to ask for */
	kit_send(fd, "POST /keys/x" H "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nab");
	kit_expect(fd, 200, "x -");
	close(fd);
}

/* In their order, slow and quick ones mixed; more than one turn of a loop. */
static void pipelines(void **state)
{
	static char text[32000];
	int fd = kit_dial_main(&kit), n = 0;

	(void)state;
	for (int i = 0; i < 300; i++)
		n += snprintf(text + n, sizeof text - (size_t)n,
			      i % 3 ? "GET /quick" H "\r\n"
				    : "POST /keys/%d" H "Content-Length: 1\r\n\r\nx",
			      i);
	kit_send(fd, text);
	for (int i = 0; i < 300; i++) {
		char want[16];

		snprintf(want, sizeof want, "%d -", i);
		kit_expect(fd, 200, i % 3 ? "ok" : want);
	}
	close(fd);
}

static void pipelined_garbage(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		int fd = kit_dial_main(&kit);

		kit_send(fd, "GET /quick" H "\r\nrubbish \x01\x02\r\n\r\nGET /quick" H "\r\n");
		kit_expect(fd, 200, "ok");
		kit_expect(fd, 400, "http.line");
		kit_expect_end(fd);
		close(fd);
	}
}

/* The client has said all it will, and still reads. */
static void half_closed(void **state)
{
	int fd = kit_dial_main(&kit);

	(void)state;
	kit_send(fd, "GET /id" H "\r\nGET /large?200000" H "\r\n");
	shutdown(fd, SHUT_WR);
	kit_expect(fd, 200, NULL);
	kit_expect(fd, 200, NULL);
	kit_expect_end(fd);
	close(fd);
	fd = kit_dial_main(&kit);
	kit_send(fd, "GET /quick HT");
	shutdown(fd, SHUT_WR);
	kit_expect(fd, 400, "http.cut");
	kit_expect_end(fd);
	close(fd);
	fd = kit_dial_main(&kit);
	kit_send(fd, "POST /raw" H "Content-Length: 10\r\n\r\nabc");
	shutdown(fd, SHUT_WR);
	kit_expect(fd, 400, "http.cut");
	kit_expect_end(fd);
	close(fd);
	fd = kit_dial_main(&kit);
	shutdown(fd, SHUT_WR);
	kit_expect_end(fd);
	close(fd);
}

static void reset(int fd)
{
	struct linger now = { 1, 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(fd);
}

/* In head, body, with a worker, and while the answer is written. */
static void resets(void **state)
{
	static const char *const texts[] = {
		"",
		"GET /qu",
		"POST /raw" H "Content-Length: 10\r\n\r\nabc",
		"GET /slow" H "\r\n",
		"GET /large?8000000" H "\r\n",
	};

	(void)state;
	for (unsigned i = 0; i < 50; i++) {
		int fd = kit_dial_main(&kit);

		kit_send(fd, texts[i % 5]);
		usleep(i * 100);
		reset(fd);
	}
	kit_gate(true);
	kit_case(&kit, "GET /slow" H "\r\n", 200, "ok", false);
}

static void probes_while_busy(void **state)
{
	int slow[20], probe = kit_dial(ctr_http_server_port(kit.server, 1));

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		slow[i] = kit_dial_main(&kit);
		kit_send(slow[i], "GET /slow" H "\r\n");
	}
	kit_await(&kit.slow, 2); /* both workers */
	for (unsigned i = 0; i < 10; i++) {
		uint64_t from = kit_ms();

		kit_send(probe, "GET /probe" H "\r\n");
		kit_expect(probe, 200, "ok");
		assert_true(kit_ms() - from < 1000);
	}
	kit_gate(true);
	for (unsigned i = 0; i < 20; i++) {
		kit_expect(slow[i], 200, "ok");
		close(slow[i]);
	}
	close(probe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, start, stop)
		T(answers),
		T(one_dot_zero),
		T(request_ids),
		T(refusals_say_why),
		T(allows),
		T(long_heads),
		T(oversized_body_sent),
		T(bodies),
		T(byte_by_byte),
		T(large_body),
		T(large_answer),
		T(continues),
		T(pipelines),
		T(pipelined_garbage),
		T(half_closed),
		T(resets),
		T(probes_while_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
