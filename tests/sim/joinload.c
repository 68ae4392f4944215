/*
 * So many pods at once: joinload --platform sim:DIR,host_data=… --count N [--connections C]
 * [--pid PID] PORT. Fetches N nonces, makes N pieces of evidence, and only then opens the
 * connections, all at one moment, each for its share of the joins. Prints what became of them as
 * JSON, with the processor time that process PID took meanwhile. On loopback alone.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "crypto_sign.h"
#include "join.h"
#include "platform.h"
#include "tool.h"

#define MAKERS 2
#define TIMEOUT 120 /* seconds */

enum { PLATFORM = 1, COUNT, CONNECTIONS, PID };

static const struct ctr_opt table[] = {
	{ PLATFORM, "platform", 0, "SPEC", "who signs" },
	{ COUNT, "count", 0, "N", "joins (default 1000)" },
	{ CONNECTIONS, "connections", 0, "N", "at once (default: as many as joins)" },
	{ PID, "pid", 0, "PID", "whose time is told" },
	{ 0 },
};

struct load {
	const char *platform;
	uint64_t count, connections, pid;
	unsigned short port;
	struct ctr_buf *request; /* of each join: first for its nonce, then with its evidence */
	double *took;
	atomic_size_t next; /* to be made */
	size_t refused, lost, first_status;
};

struct conn {
	int fd;
	size_t job, sent, got, end; /* end: bytes of the whole answer, 0 until its head is there */
	double since;
	char in[16384];
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Seconds in user and kernel of a process. */
static double cpu(uint64_t pid)
{
	char path[64], line[1024] = "", *at;
	unsigned long user = 0, kernel = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%llu/stat", (unsigned long long)pid);
	f = pid ? fopen(path, "r") : NULL;
	if (!f)
		return 0;
	if (fgets(line, sizeof line, f) && (at = strrchr(line, ')')))
		sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &kernel);
	fclose(f);
	return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

static void head(struct ctr_buf *b, const char *auth, size_t n)
{
	ctr_buf_adds(b, "POST /v1/mesh/cert HTTP/1.1\r\nHost: coordinator\r\n");
	if (auth)
		ctr_buf_addf(b, "Authorization: %s\r\n", auth);
	ctr_buf_addf(b, "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n", n);
}

/* The whole answer is there: what it means, by phase. */
struct phase {
	struct load *l;
	size_t next, done;
	void (*take)(struct load *l, size_t job, const char *answer);
};

static void take_nonce(struct load *l, size_t job, const char *answer)
{
	const char *at = strcasestr(answer, "\nWWW-Authenticate: ");
	char line[CTR_JOIN_HEADER_MAX] = "";

	ctr_buf_reset(&l->request[job]);
	if (!at || sscanf(at + 19, "%127[^\r\n]", line) != 1)
		l->refused++;
	ctr_buf_adds(&l->request[job], line);
}

static void take_certificate(struct load *l, size_t job, const char *answer)
{
	(void)job;
	if (strncmp(answer, "HTTP/1.1 200 ", 13) == 0)
		return;
	if (l->refused++ == 0)
		l->first_status = strtoul(answer + 9, NULL, 10);
}

static bool dial(struct load *l, int ep, struct conn *c)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(l->port) };
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c };

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return c->fd >= 0 &&
	       (connect(c->fd, (struct sockaddr *)&to, sizeof to) == 0 || errno == EINPROGRESS) &&
	       epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev) == 0;
}

/* The next job of this connection; false when all are taken. */
static bool start(struct phase *p, struct conn *c)
{
	c->sent = c->got = c->end = 0;
	c->since = now();
	if (p->next >= p->l->count)
		return false;
	c->job = p->next++;
	return true;
}

static void lose(struct phase *p, struct conn *c)
{
	p->l->lost++;
	p->done++;
	close(c->fd);
	c->fd = -1;
}

static bool put(struct phase *p, struct conn *c)
{
	const struct ctr_buf *b = &p->l->request[c->job];

	while (c->sent < b->n) {
		ssize_t n = send(c->fd, b->p + c->sent, b->n - c->sent, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == ENOTCONN;
		c->sent += (size_t)n;
	}
	return true;
}

static size_t answer_end(const struct conn *c)
{
	const char *body = strstr(c->in, "\r\n\r\n"),
		   *length = strcasestr(c->in, "\nContent-Length: ");

	return body && length ? (size_t)(body + 4 - c->in) + strtoul(length + 17, NULL, 10) : 0;
}

static bool get(struct phase *p, struct conn *c)
{
	for (;;) {
		ssize_t n = recv(c->fd, c->in + c->got, sizeof c->in - 1 - c->got, 0);

		if (n < 0)
			return errno == EAGAIN;
		c->got += (size_t)n;
		c->in[c->got] = '\0';
		if (c->end == 0)
			c->end = answer_end(c);
		if (c->end && c->got >= c->end) {
			p->take(p->l, c->job, c->in);
			p->l->took[c->job] = now() - c->since;
			p->done++;
			if (!start(p, c)) {
				close(c->fd);
				c->fd = -1;
				return true;
			}
			if (!put(p, c))
				return false;
			continue;
		}
		if (n == 0)
			return false;
	}
}

static void run_phase(struct load *l, void (*take)(struct load *, size_t, const char *))
{
	struct phase p = { .l = l, .take = take };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	struct conn *c = calloc(l->connections, sizeof *c);
	struct epoll_event ev[256];
	double until = now() + TIMEOUT;

	for (size_t i = 0; i < l->connections && start(&p, &c[i]); i++) {
		if (!dial(l, ep, &c[i]))
			lose(&p, &c[i]);
	}
	while (p.done < l->count && now() < until) {
		int n = epoll_wait(ep, ev, 256, 1000);

		for (int i = 0; i < n; i++) {
			struct conn *k = ev[i].data.ptr;

			if (k->fd >= 0 && (!put(&p, k) || !get(&p, k)))
				lose(&p, k);
		}
	}
	l->lost += l->count - p.done;
	for (size_t i = 0; i < l->connections; i++) {
		if (c[i].fd > 0)
			close(c[i].fd);
	}
	free(c);
	close(ep);
}

static int make(struct ctr_platform *platform, struct ctr_buf *request, struct ctr_err *e)
{
	ctr_auto_evidence struct ctr_evidence ev = { 0 };
	ctr_auto_join struct ctr_join j = { 0 };
	ctr_auto_buf struct ctr_buf body = { 0 }, line = *request;
	ctr_auto_secret struct ctr_secret kem = { 0 };
	struct ctr_sign_key *key = NULL;
	uint8_t nonce[CTR_NONCE_SIZE], data[CTR_REPORT_DATA_SIZE];
	int rc = -1;

	*request = (struct ctr_buf){ 0 };
	if (ctr_join_nonce(line.p, nonce, e) == 0 && ctr_sign_key_new(&key, e) == 0 &&
	    ctr_sign_key_spki(key, &j.cert_key, e) == 0 &&
	    ctr_hpke_generate(&kem, j.kem_key, e) == 0 &&
	    ctr_join_report_data(&j, nonce, data, e) == 0 &&
	    ctr_platform_issue(platform, data, &ev, e) == 0 &&
	    ctr_evidence_print(&ev, &j.evidence, e) == 0 && ctr_join_sign(&j, key, nonce, e) == 0 &&
	    ctr_join_print(&j, &body, e) == 0) {
		head(request, line.p, body.n);
		ctr_buf_add(request, body.p, body.n);
		rc = ctr_buf_ok(request, "request", e);
	}
	ctr_sign_key_free(key);
	return rc;
}

static void *maker(void *ctx)
{
	struct load *l = ctx;
	struct ctr_platform *platform = NULL;
	struct ctr_err e = { 0 };
	size_t i;
	int rc = ctr_platform_open(l->platform, NULL, &platform, &e);

	while (rc == 0 && (i = atomic_fetch_add(&l->next, 1)) < l->count)
		rc = make(platform, &l->request[i], &e);
	if (rc < 0)
		fprintf(stderr, "joinload: %s\n", e.msg);
	ctr_platform_free(platform);
	return rc < 0 ? l : NULL;
}

static bool make_all(struct load *l)
{
	pthread_t t[MAKERS];
	bool ok = true;
	void *bad;

	for (int i = 0; i < MAKERS; i++)
		pthread_create(&t[i], NULL, maker, l);
	for (int i = 0; i < MAKERS; i++) {
		pthread_join(t[i], &bad);
		ok = ok && !bad;
	}
	return ok;
}

static int by_time(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int run(struct load *l, struct ctr_err *e)
{
	double from, used;

	l->request = calloc(l->count, sizeof *l->request);
	l->took = calloc(l->count, sizeof *l->took);
	if (!l->request || !l->took)
		return ctr_fail_mem(e);
	for (size_t i = 0; i < l->count; i++)
		head(&l->request[i], NULL, 0);
	run_phase(l, take_nonce);
	if (l->refused || l->lost)
		return ctr_fail(e, CTR_NO, "load.nonces", "%zu refused, %zu lost", l->refused,
				l->lost);
	if (!make_all(l))
		return ctr_fail(e, CTR_ENV, "load.evidence", "evidence could not be made");
	used = cpu(l->pid);
	from = now();
	run_phase(l, take_certificate);
	from = now() - from;
	used = cpu(l->pid) - used;
	qsort(l->took, l->count, sizeof *l->took, by_time);
	printf("{\"joins\":%zu,\"refused\":%zu,\"lost\":%zu,\"status\":%zu,\"seconds\":%.3f,"
	       "\"p50\":%.4f,\"p99\":%.4f,\"server_cpu\":%.3f}\n",
	       (size_t)l->count, l->refused, l->lost, l->first_status, from, l->took[l->count / 2],
	       l->took[l->count * 99 / 100], used);
	return 0;
}

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct load *l = ctx;

	if (id == PLATFORM) {
		l->platform = value;
		return 0;
	}
	return ctr_number(value, "number", 1, 10000000,
			  id == COUNT	      ? &l->count
			  : id == CONNECTIONS ? &l->connections
					      : &l->pid,
			  e);
}

int main(int argc, char **argv)
{
	struct ctr_tool t = { .name = "joinload",
			      .synopsis = "--platform SPEC [options] PORT",
			      .summary = "Joins a mesh many times.",
			      .example = "joinload --platform sim:DIR --count 1000 1314",
			      .opts = table };
	struct load l = { .count = 1000 };
	struct rlimit files;
	struct ctr_err e = { 0 };
	uint64_t port = 0;
	int first, rc;

	ctr_tool_init(&t);
	rc = ctr_tool_opts(&t, argc, argv, on_opt, &l, &first, &e);
	if (rc == 0 && !t.served) {
		if (l.connections == 0 || l.connections > l.count)
			l.connections = l.count;
		getrlimit(RLIMIT_NOFILE, &files);
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
		rc = first == argc - 1 ? ctr_number(argv[first], "port", 1, 65535, &port, &e)
				       : ctr_fail(&e, CTR_USAGE, "usage", "a port is expected");
		l.port = (unsigned short)port;
		if (rc == 0)
			rc = run(&l, &e);
	}
	for (size_t i = 0; l.request && i < l.count; i++)
		ctr_buf_free(&l.request[i]);
	free(l.request);
	free(l.took);
	return rc < 0 ? ctr_tool_die(&t, &e) : ctr_tool_close(&t);
}
