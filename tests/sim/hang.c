/*
 * Clients that waste a server's time: hang --count N [--send TEXT] [--drip TEXT] [--half] PORT...
 * Opens N connections to each port on loopback, sends TEXT on each, with --half ends its own side;
 * with --drip goes on with one byte of that each 100 ms, from the start again at its end. Prints
 * "ready", waits for the end of standard input, and prints as JSON how many the server ended, and
 * how many bytes it sent.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "tool.h"

enum { COUNT = 1, SEND, DRIP, HALF };

static const struct ctr_opt table[] = {
	{ COUNT, "count", 0, "N", "connections to each port (default 1)" },
	{ SEND, "send", 0, "TEXT", "on each" },
	{ DRIP, "drip", 0, "TEXT", "after that, byte by byte" },
	{ HALF, "half", 0, NULL, "then say that nothing follows" },
	{ 0 },
};

struct hang {
	uint64_t count;
	const char *send, *drip;
	bool half;
	struct pollfd *conns;
	size_t n, ended, got, at;
};

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct hang *h = ctx;

	switch (id) {
	case COUNT:
		return ctr_number(value, "--count", 1, 100000, &h->count, e);
	case SEND:
		h->send = value;
		return 0;
	case DRIP:
		h->drip = value;
		return 0;
	default:
		h->half = true;
		return 0;
	}
}

static int open_one(struct hang *h, unsigned short port, struct ctr_err *e)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct pollfd *c = &h->conns[h->n];

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c->events = POLLIN;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0)
		return ctr_fail_sys(e, "hang", "connection %zu", h->n);
	h->n++;
	if (h->send && send(c->fd, h->send, strlen(h->send), MSG_NOSIGNAL) < 0 && errno != EPIPE &&
	    errno != ECONNRESET)
		return ctr_fail_sys(e, "hang", "sending");
	if (h->half && shutdown(c->fd, SHUT_WR) < 0 && errno != ENOTCONN)
		return ctr_fail_sys(e, "hang", "half closing");
	return 0;
}

/* What the server sent, or that it ended the connection. */
static void listen_to(struct hang *h, struct pollfd *c)
{
	char b[65536];
	ssize_t n = recv(c->fd, b, sizeof b, MSG_DONTWAIT);

	if (n > 0) {
		h->got += (size_t)n;
		return;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	h->ended++;
	close(c->fd);
	c->fd = -1; /* which poll passes over */
}

static void look(struct hang *h)
{
	for (size_t i = 0; i < h->n; i++) {
		if (h->conns[i].revents)
			listen_to(h, &h->conns[i]);
	}
}

static void drip(struct hang *h)
{
	for (size_t i = 0; i < h->n; i++) {
		if (h->conns[i].fd >= 0)
			(void)!send(h->conns[i].fd, h->drip + h->at, 1,
				    MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	h->at = (h->at + 1) % strlen(h->drip);
}

static void hold(struct hang *h)
{
	struct pollfd *in = &h->conns[h->n];

	*in = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
	while (poll(h->conns, h->n + 1, 100) >= 0 && !in->revents) {
		look(h);
		if (h->drip)
			drip(h);
	}
	poll(h->conns, h->n, 0);
	look(h);
}

static int run(struct hang *h, char **ports, int n, struct ctr_err *e)
{
	struct rlimit files;
	uint64_t port;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &files) < 0)
			return ctr_fail_sys(e, "hang", "descriptors");
	}
	h->conns = calloc(h->count * (size_t)n + 1, sizeof *h->conns);
	if (!h->conns)
		return ctr_fail_mem(e);
	for (int i = 0; i < n; i++) {
		if (ctr_number(ports[i], "PORT", 1, 65535, &port, e) < 0)
			return -1;
		for (uint64_t k = 0; k < h->count; k++) {
			if (open_one(h, (unsigned short)port, e) < 0)
				return -1;
		}
	}
	puts("ready");
	fflush(stdout);
	hold(h);
	printf("{\"connections\":%zu,\"ended\":%zu,\"bytes\":%zu}\n", h->n, h->ended, h->got);
	return 0;
}

int main(int argc, char **argv)
{
	struct ctr_tool t = { .name = "hang",
			      .synopsis = "[options] PORT...",
			      .summary = "Wastes a server's time.",
			      .example = "hang --count 10000 1314",
			      .opts = table };
	struct hang h = { .count = 1 };
	struct ctr_err e = { 0 };
	int first, rc;

	ctr_tool_init(&t);
	rc = ctr_tool_opts(&t, argc, argv, on_opt, &h, &first, &e);
	if (rc == 0 && !t.served)
		rc = run(&h, argv + first, argc - first, &e);
	free(h.conns);
	return rc < 0 ? ctr_tool_die(&t, &e) : ctr_tool_close(&t);
}
