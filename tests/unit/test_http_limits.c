/* lib/http_server.h: what a client can hold, how long, and how many there may be. */
/* needs: tests/unit/httpkit.c */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
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

static bool readable(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

/* One byte of text after the other, each well within any deadline, until an answer is there. Takes
 * from lo to hi milliseconds. */
static void drip(int fd, const char *head, unsigned lo, unsigned hi)
{
	uint64_t from = kit_ms(), took;

	kit_send(fd, head);
	for (unsigned i = 0; i < 200 && !readable(fd, 50); i++)
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

/* Dials with a small window, so that answers back up into the server. */
static int dial_narrow(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)ctr_http_server_port(kit.server, 0)),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval limit = { 20, 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), small = 4096;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

/* How much comes until the end. */
static size_t drain(int fd)
{
	static char piece[65536];
	size_t n = 0;
	ssize_t r;

	while ((r = recv(fd, piece, sizeof piece, 0)) > 0)
		n += (size_t)r;
	return n;
}

static void slow_reader(void **state)
{
	int fd;

	(void)state;
	start((struct ctr_http_server_conf){ .answer_s = 1 });
	fd = dial_narrow();
	kit_send(fd, "GET /large?30000000" H "\r\n");
	assert_true(readable(fd, 10000));
	usleep(2500000);
	assert_true(drain(fd) < 30000000);
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
	fd = dial_narrow();
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

static void await(atomic_uint *v, unsigned n)
{
	for (unsigned i = 0; *v < n && i < 2000; i++)
		usleep(10000);
	assert_true(*v >= n);
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
		await(&kit.slow, 1);
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
	assert_false(readable(fd, 500));
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
	assert_false(readable(fd, 300)); /* not asked for the body yet */
	kit_send_n(first[3], body, 192);
	kit_expect(first[3], 200, "8192 0");
	assert_true(readable(fd, 1000));
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
	assert_false(readable(fd, 500));
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
	slow = dial_narrow();
	kit_send(slow, "GET /large?20000000" H "\r\n");
	assert_true(readable(slow, 5000));
	fd = kit_dial_main(&kit);
	kit_send(fd, QUICK); /* in the loop: makes nothing large */
	kit_expect(fd, 200, "ok");
	kit_send(fd, "GET /id" H "\r\n");
	assert_false(readable(fd, 300));
	kit_expect(fd, 200, NULL);
	assert_true(drain(slow) < 20000000);
	close(slow);
	close(fd);
}

/* One too many: the one that is idle for longest goes. */
static void crowd(void **state)
{
	int fd[11];

	(void)state;
	kit = (struct kit){ .listeners[0].connections = 10 };
	kit_start(&kit, (struct ctr_http_server_conf){ .loops = 1 });
	for (unsigned i = 0; i < 10; i++)
		fd[i] = kit_dial_main(&kit);
	usleep(100000);
	kit_send(fd[0], QUICK);
	kit_expect(fd[0], 200, "ok");
	fd[10] = kit_dial_main(&kit);
	kit_send(fd[10], QUICK);
	kit_expect(fd[10], 200, "ok");
	kit_expect_end(fd[1]);
	for (unsigned i = 0; i < 11; i++) {
		if (i == 1)
			continue;
		kit_send(fd[i], QUICK);
		kit_expect(fd[i], 200, "ok");
	}
	for (unsigned i = 0; i < 11; i++)
		close(fd[i]);
}

/* Whatever loop the idle ones are in. */
static void crowds(void **state)
{
	int fd[200];

	(void)state;
	kit = (struct kit){ .listeners[0].connections = 5 };
	kit_start(&kit, (struct ctr_http_server_conf){ .loops = 4 });
	for (unsigned i = 0; i < 200; i++) {
		fd[i] = kit_dial_main(&kit);
		if (i % 3)
			continue;
		kit_send(fd[i], QUICK);
		kit_expect(fd[i], 200, "ok");
	}
	for (unsigned i = 0; i < 200; i++)
		close(fd[i]);
}

/* No idle one: who comes waits, and the other listener knows nothing of it. */
static void crowd_busy(void **state)
{
	int fd[8], probe;

	(void)state;
	kit = (struct kit){ .listeners[0].connections = 4 };
	kit_start(&kit, (struct ctr_http_server_conf){ .loops = 1 });
	for (unsigned i = 0; i < 8; i++) {
		fd[i] = kit_dial_main(&kit);
		kit_send(fd[i], "GET /slow" H "Connection: close\r\n\r\n");
	}
	await(&kit.slow, 2);
	probe = kit_dial(ctr_http_server_port(kit.server, 1));
	kit_send(probe, "GET /probe" H "\r\n");
	kit_expect(probe, 200, "ok");
	usleep(300000);
	kit_gate(true);
	for (unsigned i = 0; i < 8; i++) {
		kit_expect(fd[i], 200, "ok");
		close(fd[i]);
	}
	close(probe);
}

static int many_clients(unsigned port, int tell, int go)
{
	char c;

	for (unsigned i = 0; i < 100; i++) {
		int fd = kit_try(port);

		if (fd < 0 || !kit_asks(fd, QUICK, "HTTP/1.1 200 OK"))
			return 1;
	}
	return write(tell, "x", 1) == 1 && read(go, &c, 1) == 0 ? 0 : 2;
}

/* No descriptor is left: an idle connection makes room. */
static void descriptors_run_out(void **state)
{
	struct rlimit before, few;
	int told, go, next;
	pid_t pid;
	char c;

	(void)state;
	start((struct ctr_http_server_conf){ 0 });
	pid = kit_fork(&kit, many_clients, &told, &go);
	next = dup(0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = (rlim_t)next + 10;
	close(next);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(read(told, &c, 1), 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	close(go);
	kit_join(pid);
	close(told);
}

static void *stopping(void *drain_s)
{
	ctr_http_server_stop(kit.server, *(unsigned *)drain_s);
	return NULL;
}

static int freed(void **state)
{
	(void)state;
	ctr_http_server_free(kit.server);
	return 0;
}

/* Requests under way are answered, idle connections end, nobody comes in. */
static void drains(void **state)
{
	unsigned drain_s = 20;
	int slow[10], half, silent, late;
	pthread_t t;

	(void)state;
	start((struct ctr_http_server_conf){ 0 });
	for (unsigned i = 0; i < 10; i++) {
		slow[i] = kit_dial_main(&kit);
		kit_send(slow[i], "GET /slow" H "\r\n");
	}
	half = kit_dial_main(&kit);
	kit_send(half, "GET /quick HTT");
	silent = kit_dial_main(&kit);
	await(&kit.slow, 2);
	usleep(100000);
	assert_int_equal(pthread_create(&t, NULL, stopping, &drain_s), 0);
	kit_expect_end(silent);
	usleep(100000);
	late = kit_try(ctr_http_server_port(kit.server, 0));
	assert_int_equal(late, -1);
	kit_send(half, "P/1.1\r\nHost: x\r\n\r\n");
	kit_expect(half, 200, "ok");
	kit_expect_end(half);
	kit_gate(true);
	for (unsigned i = 0; i < 10; i++) {
		kit_expect(slow[i], 200, "ok");
		kit_expect_end(slow[i]);
		close(slow[i]);
	}
	pthread_join(t, NULL);
	close(half);
	close(silent);
}

/* But not for ever: a body that does not come, an answer that is not read, a queue. */
static void drains_in_time(void **state)
{
	unsigned drain_s = 1;
	uint64_t from;
	int fd[5];

	(void)state;
	start((struct ctr_http_server_conf){ .workers = 2 });
	fd[0] = kit_dial_main(&kit);
	kit_send(fd[0], "POST /raw" H "Content-Length: 10\r\n\r\n");
	fd[1] = kit_dial_main(&kit);
	kit_send(fd[1], "GET /qu");
	fd[2] = dial_narrow();
	kit_send(fd[2], "GET /large?20000000" H "\r\n");
	fd[3] = kit_dial_main(&kit);
	kit_send(fd[3], "POST /big" H "Content-Length: 3000000\r\n\r\n");
	fd[4] = kit_dial_main(&kit);
	kit_send(fd[4], "POST /big" H "Content-Length: 3000000\r\n\r\n");
	assert_true(readable(fd[2], 5000));
	from = kit_ms();
	stopping(&drain_s);
	assert_in_range(kit_ms() - from, 900, 4000);
	for (unsigned i = 0; i < 5; i++) {
		drain(fd[i]);
		close(fd[i]);
	}
}

static void addresses(void **state)
{
	static const char *const wrong[] = { "",      "127.0.0.1", "127.0.0.1:",  "127.0.0.1:x",
					     "::1:1", ":65536",	   "127.0.0.1:-1" };
	struct ctr_http_listener l = { 0 };
	struct ctr_http_server_conf conf = { .listeners = &l, .n_listeners = 1 };
	struct ctr_http_server *s, *other;
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		l.address = wrong[i];
		T_FAILS(ctr_http_server_new(&conf, &s, e), CTR_USAGE, "http.address");
	}
	l.address = "192.0.2.1:1"; /* nobody's, RFC 5737 */
	T_FAILS(ctr_http_server_new(&conf, &s, e), CTR_ENV, "http.listen");
	l.address = ":0";
	T_OK(ctr_http_server_new(&conf, &s, e));
	snprintf(text, sizeof text, "127.0.0.1:%u", ctr_http_server_port(s, 0));
	l.address = text;
	T_FAILS(ctr_http_server_new(&conf, &other, e), CTR_ENV, "http.listen");
	ctr_http_server_free(s);
	conf.n_listeners = 0;
	T_FAILS(ctr_http_server_new(&conf, &s, e), CTR_USAGE, "http.address");
	conf.n_listeners = 1;
	l.address = "[::1]:0";
	if (ctr_http_server_new(&conf, &s, NULL) == 0) /* not every machine has IPv6 */
		ctr_http_server_free(s);
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
		T(crowd),
		T(crowds),
		T(crowd_busy),
		T(descriptors_run_out),
		cmocka_unit_test_teardown(drains, freed),
		cmocka_unit_test_teardown(drains_in_time, freed),
		cmocka_unit_test(addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
