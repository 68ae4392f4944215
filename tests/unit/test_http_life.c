/* lib/http_server.h: how many connections there may be, and how a server begins and ends. */
/* needs: tests/unit/httpkit.c */
#include <pthread.h>
#include <sys/resource.h>
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
	kit_await(&kit.slow, 2);
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
	if (kit_valgrind()) /* which keeps descriptors, and their limit, to itself */
		return;
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
	kit_await(&kit.slow, 2);
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
	fd[2] = kit_dial_narrow(&kit);
	kit_send(fd[2], "GET /large?20000000" H "\r\n");
	fd[3] = kit_dial_main(&kit);
	kit_send(fd[3], "POST /big" H "Content-Length: 3000000\r\n\r\n");
	fd[4] = kit_dial_main(&kit);
	kit_send(fd[4], "POST /big" H "Content-Length: 3000000\r\n\r\n");
	assert_true(kit_readable(fd[2], 5000));
	from = kit_ms();
	stopping(&drain_s);
	assert_in_range(kit_ms() - from, 900, 4000);
	for (unsigned i = 0; i < 5; i++) {
		kit_drain(fd[i]);
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
