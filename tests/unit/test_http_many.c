/* lib/http_server.h with ten thousand clients, in a process of their own, and the memory that they
 * cost. A test program by itself: what other tests leave in the heap would count. */
/* needs: tests/unit/httpkit.c */
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "httpkit.h"

#define H " HTTP/1.1\r\nHost: x\r\n"
#define QUICK "GET /quick" H "\r\n"

static struct kit kit;

static unsigned thousands = 10000;

/* As many as this machine lets us have. */
static void want_descriptors(void)
{
	struct rlimit r;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &r), 0);
	r.rlim_cur = r.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &r), 0);
	thousands = r.rlim_cur > 10200 ? 10000 : (unsigned)r.rlim_cur - 200;
}

/* Sanitizers and valgrind have memory of their own for each allocation. */
static bool counts_memory(void)
{
#ifdef __SANITIZE_ADDRESS__
	return false;
#endif
	return !kit_valgrind();
}

/* Half of them silent, half in the middle of a head. */
static int idle_clients(unsigned port, int tell, int go)
{
	char c;

	for (unsigned i = 0; i < thousands; i++) {
		int fd = kit_try(port);

		if (fd < 0 || (i % 2 && send(fd, "GET /quick HTTP/1.1\r\nX: ", 25, 0) < 0))
			return 1;
	}
	return write(tell, "x", 1) == 1 && read(go, &c, 1) == 0 ? 0 : 2;
}

static void ten_thousand_idle(void **state)
{
	unsigned long before, after;
	uint64_t from, worst = 0;
	int told, go, fd;
	pid_t pid;
	char c;

	(void)state;
	want_descriptors();
	kit = (struct kit){ 0 };
	kit_start(&kit, (struct ctr_http_server_conf){ .head_s = 60 });
	before = kit_memory("VmRSS");
	pid = kit_fork(&kit, idle_clients, &told, &go);
	assert_int_equal(read(told, &c, 1), 1);
	fd = kit_dial_main(&kit);
	for (unsigned i = 0; i < 100; i++) {
		from = kit_ms();
		kit_send(fd, QUICK);
		kit_expect(fd, 200, "ok");
		worst = kit_ms() - from > worst ? kit_ms() - from : worst;
	}
	after = kit_memory("VmRSS");
	print_message("# %u connections: %lu KiB, slowest answer %u ms\n", thousands,
		      after - before, (unsigned)worst);
	assert_true(worst < 1000);
	assert_true(!counts_memory() || after - before < 8 * 1024);
	close(fd);
	close(go);
	kit_join(pid);
	close(told);
}

/* All send a body of 10 KiB at once, and each is answered. */
static int joining_clients(unsigned port, int tell, int go)
{
	static int fds[10000];
	static char text[12000];
	char c, got[16];
	int n = snprintf(text, sizeof text,
			 "POST /join" H "Content-Type: application/json\r\n"
			 "Authorization: contrast-attestation-v1 nonce=\"%044d\"\r\n"
			 "Content-Length: 10240\r\n\r\n%010240d",
			 0, 0);

	for (unsigned i = 0; i < thousands; i++) {
		fds[i] = kit_try(port);
		if (fds[i] < 0 || send(fds[i], text, (size_t)n, MSG_NOSIGNAL) != n)
			return 1;
	}
	if (write(tell, "x", 1) != 1 || read(go, &c, 1) != 0)
		return 2;
	for (unsigned i = 0; i < thousands; i++) {
		if (recv(fds[i], got, 15, MSG_WAITALL) != 15 ||
		    strncmp(got, "HTTP/1.1 200 OK", 15) != 0)
			return 3;
	}
	return 0;
}

static void ten_thousand_bodies(void **state)
{
	unsigned long after;
	int told, go;
	pid_t pid;
	char c;

	(void)state;
	want_descriptors();
	kit = (struct kit){ 0 };
	kit_start(&kit, (struct ctr_http_server_conf){ 0 });
	pid = kit_fork(&kit, joining_clients, &told, &go);
	assert_int_equal(read(told, &c, 1), 1);
	after = kit_memory("VmRSS");
	kit_gate(true);
	close(go);
	kit_join(pid);
	print_message("# %u bodies at once: %lu KiB resident, %lu KiB at most\n", thousands, after,
		      kit_memory("VmHWM"));
	assert_true(!counts_memory() || kit_memory("VmHWM") < 32 * 1024);
	close(told);
}

static int stop(void **state)
{
	(void)state;
	kit_stop(&kit);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(ten_thousand_idle, stop),
		cmocka_unit_test_teardown(ten_thousand_bodies, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
