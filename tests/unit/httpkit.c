#include "httpkit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	QUICK,
	SLOW,
	LARGE,
	ECHO,
	RAW,
	BIG,
	KEYS,
	AUTH,
	WHO,
	NONE,
	BAD,
	INJECT,
	ID,
	PUT,
	JOIN,
	PROBE
};

static const struct ctr_http_route routes[] = {
	{ "GET", "/quick", QUICK, 0, .quick = true, .listeners = 1 },
	{ "PUT", "/quick", PUT, 16, .listeners = 1 },
	{ "GET", "/slow", SLOW, 0, .listeners = 1 },
	{ "GET", "/large", LARGE, 0, .listeners = 1 },
	{ "POST", "/echo", ECHO, 65536, .json = true, .listeners = 1 },
	{ "POST", "/raw", RAW, 65536, .listeners = 1 },
	{ "POST", "/big", BIG, (size_t)4 << 20, .listeners = 1 },
	{ "POST", "/keys/*", KEYS, 1024, .listeners = 1 },
	{ "GET", "/auth", AUTH, 0, .listeners = 1 },
	{ "GET", "/who", WHO, 0, .listeners = 1 },
	{ "GET", "/none", NONE, 0, .listeners = 1 },
	{ "GET", "/bad", BAD, 0, .listeners = 1 },
	{ "GET", "/inject", INJECT, 0, .listeners = 1 },
	{ "GET", "/id", ID, 0, .listeners = 1 },
	{ "POST", "/join", JOIN, 65536, .json = true, .listeners = 1 },
	{ "GET", "/probe", PROBE, 0, .quick = true, .listeners = 2 },
};

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_opened = PTHREAD_COND_INITIALIZER;
static bool gate_open;

void kit_gate(bool open)
{
	pthread_mutex_lock(&gate);
	gate_open = open;
	pthread_cond_broadcast(&gate_opened);
	pthread_mutex_unlock(&gate);
}

static void wait_gate(struct kit *k)
{
	k->slow++;
	pthread_mutex_lock(&gate);
	while (!gate_open)
		pthread_cond_wait(&gate_opened, &gate);
	pthread_mutex_unlock(&gate);
}

static void sum_up(const struct ctr_http_request *rq, struct ctr_http_answer *a)
{
	unsigned sum = 0;

	for (size_t i = 0; i < rq->n; i++)
		sum = sum * 31 + (unsigned char)rq->body[i];
	ctr_buf_addf(&a->body, "%zu %u", rq->n, sum);
}

static void fill(struct ctr_buf *b, size_t n)
{
	uint8_t *p = ctr_buf_room(b, n);

	assert_non_null(p);
	memset(p, 'x', n);
	ctr_buf_commit(b, n);
}

static void handle(void *ctx, const struct ctr_http_request *rq, struct ctr_http_answer *a)
{
	a->status = 200;
	a->type = "text/plain";
	switch (rq->route) {
	case SLOW:
	case JOIN:
		wait_gate(ctx);
		break;
	case LARGE:
		fill(&a->body, strtoul(rq->query, NULL, 10));
		return;
	case ECHO:
		a->type = NULL;
		ctr_buf_add(&a->body, rq->body, rq->n);
		return;
	case RAW:
	case BIG:
		sum_up(rq, a);
		return;
	case KEYS:
		ctr_buf_addf(&a->body, "%s %s", rq->rest, rq->query ? rq->query : "-");
		return;
	case AUTH:
		if (!rq->authorization) {
			a->status = 401;
			snprintf(a->challenge, sizeof a->challenge, "x nonce=\"1\"");
		} else {
			ctr_buf_adds(&a->body, rq->authorization);
		}
		return;
	case WHO:
		ctr_buf_addf(&a->body, "%zu", rq->n_peer_cert);
		return;
	case NONE:
		a->status = 204;
		return;
	case BAD:
		a->status = 0;
		return;
	case INJECT:
		snprintf(a->challenge, sizeof a->challenge, "x\r\nSet-Cookie: y");
		return;
	case ID:
		ctr_buf_adds(&a->body, rq->id);
		return;
	default:
		break;
	}
	ctr_buf_adds(&a->body, "ok");
}

static void refuse(void *ctx, unsigned listener, unsigned status, const char *id, const char *text,
		   struct ctr_http_answer *a)
{
	struct kit *k = ctx;

	(void)listener;
	(void)status;
	(void)text;
	a->type = "text/plain";
	ctr_buf_adds(&a->body, id);
	k->refused++;
}

static void done(void *ctx, int route, unsigned status, double seconds)
{
	struct kit *k = ctx;

	assert_true(status >= 200 && seconds >= 0 && seconds < 600);
	k->last_route = route;
	k->done++;
}

void kit_start(struct kit *k, struct ctr_http_server_conf conf)
{
	signal(SIGPIPE, SIG_IGN);
	if (!k->listeners[0].address)
		k->listeners[0].address = "127.0.0.1:0";
	k->listeners[1].address = "127.0.0.1:0";
	conf.listeners = k->listeners;
	conf.n_listeners = 2;
	conf.routes = routes;
	conf.n_routes = sizeof routes / sizeof *routes;
	conf.handle = handle;
	conf.refuse = refuse;
	conf.done = done;
	conf.ctx = k;
	conf.loops = conf.loops ? conf.loops : 2;
	conf.workers = conf.workers ? conf.workers : 2;
	kit_gate(false);
	T_OK(ctr_http_server_new(&conf, &k->server, e));
	T_OK(ctr_http_server_start(k->server, e));
}

void kit_stop(struct kit *k)
{
	kit_gate(true);
	ctr_http_server_stop(k->server, 0);
	ctr_http_server_free(k->server);
	k->server = NULL;
}

int kit_dial(unsigned port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval limit = { 20, 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	assert_true(fd >= 0);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

int kit_dial_main(const struct kit *k)
{
	return kit_dial(ctr_http_server_port(k->server, 0));
}

pid_t kit_fork(const struct kit *k, int (*client)(unsigned port, int tell, int go), int *told,
	       int *go)
{
	unsigned port = ctr_http_server_port(k->server, 0);
	int up[2], down[2];
	pid_t pid;

	assert_int_equal(pipe2(up, O_CLOEXEC), 0);
	assert_int_equal(pipe2(down, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(up[0]);
		close(down[1]);
		_exit(client(port, up[1], down[0]));
	}
	close(up[1]);
	close(down[0]);
	*told = up[0];
	*go = down[1];
	return pid;
}

void kit_join(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int kit_try(unsigned port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval limit = { 60, 0 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	return fd;
}

bool kit_asks(int fd, const char *text, const char *want)
{
	char got[400] = "";
	size_t n = strlen(want);

	return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text) &&
	       recv(fd, got, n, MSG_WAITALL) == (ssize_t)n && strcmp(got, want) == 0;
}

bool kit_readable(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

int kit_dial_narrow(const struct kit *k)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)ctr_http_server_port(k->server, 0)),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval limit = { 20, 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), small = 4096;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

size_t kit_drain(int fd)
{
	static char piece[65536];
	size_t n = 0;
	ssize_t r;

	while (kit_readable(fd, 2000) && (r = recv(fd, piece, sizeof piece, 0)) > 0)
		n += (size_t)r;
	return n;
}

void kit_await(atomic_uint *v, unsigned n)
{
	for (unsigned i = 0; *v < n && i < 2000; i++)
		usleep(10000);
	assert_true(*v >= n);
}

void kit_send_n(int fd, const void *p, size_t n)
{
	const char *s = p;

	while (n > 0) {
		ssize_t r = send(fd, s, n, MSG_NOSIGNAL);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0) /* refused in the middle: the answer says why */
			return;
		s += r;
		n -= (size_t)r;
	}
}

void kit_send(int fd, const char *text)
{
	kit_send_n(fd, text, strlen(text));
}

static bool read_head(int fd, struct reply *r)
{
	size_t n = 0;

	while (n < sizeof r->head - 1 && recv(fd, r->head + n, 1, 0) == 1) {
		n++;
		r->head[n] = '\0';
		if (n >= 4 && strcmp(r->head + n - 4, "\r\n\r\n") == 0)
			return true;
	}
	return false;
}

void kit_read(int fd, bool bodiless, struct reply *r)
{
	const char *length;
	size_t n;

	*r = (struct reply){ 0 };
	if (!read_head(fd, r))
		return;
	assert_int_equal(sscanf(r->head, "HTTP/1.1 %u ", &r->status), 1);
	length = strstr(r->head, "\r\nContent-Length: ");
	n = length && !bodiless ? strtoul(length + 18, NULL, 10) : 0;
	while (r->body.n < n) {
		char piece[65536];
		size_t left = n - r->body.n;
		ssize_t got = recv(fd, piece, left < sizeof piece ? left : sizeof piece, 0);

		if (got <= 0)
			fail_msg("an answer of %zu bytes ended after %zu", n, r->body.n);
		ctr_buf_add(&r->body, piece, (size_t)got);
	}
}

void kit_expect(int fd, unsigned status, const char *body)
{
	struct reply r;

	kit_read(fd, false, &r);
	if (r.status != status || (body && strcmp(ctr_buf_str(&r.body), body) != 0))
		fail_msg("expected %u %s, got %u %s", status, body ? body : "", r.status,
			 ctr_buf_str(&r.body));
	ctr_buf_free(&r.body);
}

void kit_expect_end(int fd)
{
	char c;
	ssize_t r = recv(fd, &c, 1, 0);

	if (r > 0)
		fail_msg("more bytes: '%c'", c);
	if (r < 0 && errno != ECONNRESET)
		fail_msg("the connection is open: errno %d", errno);
}

void kit_case(const struct kit *k, const char *text, unsigned status, const char *body, bool ends)
{
	int fd = kit_dial_main(k);

	kit_send(fd, text);
	kit_expect(fd, status, body);
	if (ends) {
		kit_expect_end(fd);
	} else {
		kit_send(fd, "GET /quick HTTP/1.1\r\nHost: x\r\n\r\n");
		kit_expect(fd, 200, "ok");
	}
	close(fd);
}

bool kit_valgrind(void)
{
	const char *v = getenv("VALGRIND");

	return v && *v;
}

unsigned long kit_memory(const char *field)
{
	FILE *f = fopen("/proc/self/status", "re");
	size_t n = strlen(field);
	unsigned long kib = 0;
	char line[256];

	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		if (strncmp(line, field, n) == 0 && line[n] == ':')
			kib = strtoul(line + n + 1, NULL, 10);
	}
	fclose(f);
	return kib;
}

uint64_t kit_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}
