/* lib/http_server.h: what a client can hold, and how long. */
/* needs: tests/unit/httpkit.c */
#include <sys/socket.h>
#include <unistd.h>

#include "httpkit.h"

#define H " HTTP/1.1\r\nHost: x\r\n"
#define QUICK "GET /quick" H "\r\n"

static struct kit kit;

static void start(struct ctr_http_server_conf conf)
{
	kit = (struct kit){ 0 };
	kit_start(&kit, conf);
}

static int stop(void **state)
{
	(void)state;
	kit_stop(&kit);
	return 0;
}

/* One byte of text after the other, each well within any deadline, until an answer is there. Takes
 * from lo to hi milliseconds. */
static void drip(int fd, const char *head, unsigned lo, unsigned hi)
{
	uint64_t from = kit_ms(), took;

	kit_send(fd, head);
	for (unsigned i = 0; i < 200 && !kit_readable(fd, 50); i++)
		kit_send(fd, "a");
	took = kit_ms() - from;
	if (took < lo || took > hi)
		fail_msg("cut off after %u ms", (unsigned)took);
}

static void slow_head(void **state)
{
	int fd;

	(void)state;
	start((struct ctr_http_server_conf){ .head_s = 1 });
	fd = kit_dial_main(&kit);
	drip(fd, "GET /quick HTTP/1.1\r\nX: ", 900, 3000);
	kit_expect(fd, 408, "http.slow");
	kit_expect_end(fd);
	close(fd);
}

static void slow_body(void **state)
{
	int fd;

	(void)state;
	start((struct ctr_http_server_conf){ .body_s = 1 });
	fd = kit_dial_main(&kit);
	drip(fd, "POST /raw" H "Content-Length: 60000\r\n\r\n", 900, 3000);
	kit_expect(fd, 408, "http.slow");
	kit_expect_end(fd);
	close(fd);
	fd = kit_dial_main(&kit);
	drip(fd, "POST /raw" H "Transfer-Encoding: chunked\r\n\r\n10000\r\n", 900, 3000);
	kit_expect(fd, 408, "http.slow");
	close(fd);
}

static void slow_reader(void **state)
{
	int fd;

	(void)state;
	start((struct ctr_http_server_conf){ .answer_s = 1 });
	fd = kit_dial_narrow(&kit);
	kit_send(fd, "GET /large?30000000" H "\r\n");
	assert_true(kit_readable(fd, 10000));
	usleep(2500000);
	assert_true(kit_drain(fd) < 30000000);
	close(fd);
	assert_int_equal(kit.done, 0);
}

/* Slow, but not too slow: each step has its time. */
static void steady_reader(void **state)
{
	static char piece[262144];
	size_t n = 0;
	uint64_t from;
	int fd;

	(void)state;
	start((struct ctr_http_server_conf){ .answer_s = 1 });
	fd = kit_dial_narrow(&kit);
	from = kit_ms();
	kit_send(fd, "GET /large?16000000" H "Connection: close\r\n\r\n");
	while (n < 16000000) {
		ssize_t r = recv(fd, piece, sizeof piece, MSG_WAITALL);

		if (r <= 0)
			break;
		n += (size_t)r;
		usleep(40000);
	}
	assert_true(n > 16000000);
	assert_true(kit_ms() - from > 2000);
	close(fd);
}

static void idle(void **state)
{
	int fd, fresh;

	(void)state;
	start((struct ctr_http_server_conf){ .idle_s = 1 });
	fresh = kit_dial_main(&kit);
	fd = kit_dial_main(&kit);
	kit_send(fd, QUICK);
	kit_expect(fd, 200, "ok");
	kit_expect_end(fd); /* without a word */
	kit_expect_end(fresh);
	close(fd);
	close(fresh);
}

/* Who waits too long for a worker is told so; who has one is not disturbed. */
static void busy(void **state)
{
	int fd[3];

	(void)state;
	start((struct ctr_http_server_conf){ .request_s = 1, .workers = 1 });
	for (unsigned i = 0; i < 3; i++) {
		fd[i] = kit_dial_main(&kit);
		kit_send(fd[i], "GET /slow" H "\r\n");
		kit_await(&kit.slow, 1);
	}
	kit_expect(fd[1], 503, "http.busy");
	kit_expect(fd[2], 503, "http.busy");
	kit_gate(true);
	kit_expect(fd[0], 200, "ok");
	assert_int_equal(kit.slow, 1);
	for (unsigned i = 0; i < 3; i++)
		close(fd[i]);
}

/* All memory for bodies is taken: others wait, and the slow lose theirs. */
static void bodies_share(void **state)
{
	static char body[8192];
	int slow[8], fd;
	uint64_t from;

	(void)state;
	start((struct ctr_http_server_conf){ .bodies = 65536 });
	for (unsigned i = 0; i < 8; i++) {
		slow[i] = kit_dial_main(&kit);
		kit_send(slow[i], "POST /raw" H "Content-Length: 8192\r\n\r\nabc");
	}
	usleep(200000);
	fd = kit_dial_main(&kit);
	kit_send(fd, "GET /id" H "\r\nPOST /raw" H "Content-Length: 8192\r\n\r\n");
	kit_send_n(fd, body, sizeof body);
	kit_expect(fd, 200, NULL);
	from = kit_ms();
	assert_false(kit_readable(fd, 500));
	kit_expect(fd, 200, "8192 0");
	assert_in_range(kit_ms() - from, 1000, 5000);
	kit_expect(slow[0], 408, "http.slow");
	for (unsigned i = 0; i < 8; i++)
		close(slow[i]);
	close(fd);
}

/* One who gets what it waits for when another is done. */
static void bodies_hand_over(void **state)
{
	static char body[8192];
	int first[8], fd;

	(void)state;
	start((struct ctr_http_server_conf){ .bodies = 65536 });
	for (unsigned i = 0; i < 8; i++) {
		first[i] = kit_dial_main(&kit);
		kit_send(first[i], "POST /raw" H "Content-Length: 8192\r\n\r\n");
		kit_send_n(first[i], body, 8000);
	}
	usleep(200000);
	fd = kit_dial_main(&kit);
	kit_send(fd, "POST /raw" H "Expect: 100-continue\r\nContent-Length: 8192\r\n\r\n");
	assert_false(kit_readable(fd, 300)); /* not asked for the body yet */
	kit_send_n(first[3], body, 192);
	kit_expect(first[3], 200, "8192 0");
	assert_true(kit_readable(fd, 1000));
	kit_expect(fd, 100, NULL);
	kit_send_n(fd, body, sizeof body);
	kit_expect(fd, 200, "8192 0");
	for (unsigned i = 0; i < 8; i++)
		close(first[i]);
	close(fd);
}

/* Waits for memory longer than a request may. */
static void bodies_too_long(void **state)
{
	int slow, fd;

	(void)state;
	start((struct ctr_http_server_conf){ .request_s = 1 });
	slow = kit_dial_main(&kit);
	kit_send(slow, "POST /big" H "Content-Length: 4000000\r\n\r\n");
	usleep(200000);
	fd = kit_dial_main(&kit);
	kit_send(fd, "POST /big" H "Content-Length: 4000000\r\n\r\n");
	kit_expect(fd, 503, "http.busy");
	kit_expect_end(fd);
	close(slow);
	close(fd);
}

/* A large body that stalls keeps other large ones waiting, nobody else. */
static void large_apart(void **state)
{
	static char body[2 << 20];
	int slow, small, fd;

	(void)state;
	start((struct ctr_http_server_conf){ .body_s = 2 });
	slow = kit_dial_main(&kit);
	kit_send(slow, "POST /big" H "Content-Length: 4000000\r\n\r\nabc");
	usleep(200000);
	fd = kit_dial_main(&kit);
	kit_send(fd, "POST /big" H "Content-Length: 2097152\r\n\r\n");
	small = kit_dial_main(&kit);
	for (unsigned i = 0; i < 100; i++) {
		kit_send(small, "POST /raw" H "Content-Length: 3\r\n\r\nabc");
		kit_expect(small, 200, NULL);
	}
	kit_send_n(fd, body, sizeof body);
	kit_expect(fd, 200, "2097152 0");
	kit_expect(slow, 408, "http.slow");
	close(slow);
	close(small);
	close(fd);
}

/* Long heads are paid for as bodies are: 8 KiB are too few for two. */
static void heads_share(void **state)
{
	static char text[3000];
	int slow, fd;

	(void)state;
	start((struct ctr_http_server_conf){ .bodies = 65536 });
	slow = kit_dial_main(&kit);
	snprintf(text, sizeof text, "GET /quick" H "X: %02000d", 0);
	kit_send(slow, text);
	usleep(200000);
	fd = kit_dial_main(&kit);
	kit_send(fd, text);
	kit_send(fd, "\r\n\r\n");
	assert_false(kit_readable(fd, 500));
	kit_expect(fd, 200, "ok");
	kit_expect(slow, 408, "http.slow");
	close(slow);
	close(fd);
}

/* Answers that nobody reads hold workers back, but not for long. */
static void answers_share(void **state)
{
	int slow, fd;

	(void)state;
	start((struct ctr_http_server_conf){ .bodies = 65536, .answer_s = 15 });
	slow = kit_dial_narrow(&kit);
	kit_send(slow, "GET /large?20000000" H "\r\n");
	assert_true(kit_readable(slow, 5000));
	fd = kit_dial_main(&kit);
	kit_send(fd, QUICK); /* in the loop: makes nothing large */
	kit_expect(fd, 200, "ok");
	kit_send(fd, "GET /id" H "\r\n");
	assert_false(kit_readable(fd, 300));
	kit_expect(fd, 200, NULL);
	assert_true(kit_drain(slow) < 20000000);
	close(slow);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, stop)
		T(slow_head),
		T(slow_body),
		T(slow_reader),
		T(steady_reader),
		T(idle),
		T(busy),
		T(bodies_share),
		T(bodies_hand_over),
		T(bodies_too_long),
		T(large_apart),
		T(heads_share),
		T(answers_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
