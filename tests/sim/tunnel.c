/* A proxy for HTTPS on loopback: prints its port, then a line for each tunnel. Only to 127.0.0.1.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in loopback(unsigned port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

/* Up to the empty line, byte by byte: what follows is not ours. */
static unsigned asked_port(int fd)
{
	char head[2048];
	unsigned port = 0;
	size_t n = 0;

	while (n < sizeof head - 1 && read(fd, head + n, 1) == 1) {
		head[++n] = '\0';
		if (n >= 4 && strcmp(head + n - 4, "\r\n\r\n") == 0)
			return sscanf(head, "CONNECT 127.0.0.1:%u HTTP/1.", &port) == 1 ? port : 0;
	}
	return 0;
}

static int pass(int from, int to)
{
	char b[16384];
	ssize_t n = read(from, b, sizeof b);

	for (ssize_t at = 0; at < n;) {
		ssize_t put = write(to, b + at, (size_t)(n - at));

		if (put <= 0)
			return -1;
		at += put;
	}
	return n > 0 ? 0 : -1;
}

static void carry(int a, int b)
{
	struct pollfd p[2] = { { .fd = a, .events = POLLIN }, { .fd = b, .events = POLLIN } };

	while (poll(p, 2, 60000) > 0) {
		if ((p[0].revents && pass(a, b) < 0) || (p[1].revents && pass(b, a) < 0))
			return;
	}
}

static void *serve(void *arg)
{
	static const char yes[] = "HTTP/1.1 200 Connection established\r\n\r\n";
	int fd = (int)(intptr_t)arg, to = socket(AF_INET, SOCK_STREAM, 0);
	unsigned port = asked_port(fd);
	struct sockaddr_in at = loopback(port);

	if (port && connect(to, (struct sockaddr *)&at, sizeof at) == 0 &&
	    write(fd, yes, sizeof yes - 1) == (ssize_t)(sizeof yes - 1)) {
		printf("CONNECT %u\n", port);
		fflush(stdout);
		carry(fd, to);
	}
	close(fd);
	close(to);
	return NULL;
}

int main(void)
{
	int s = socket(AF_INET, SOCK_STREAM, 0), fd;
	struct sockaddr_in at = loopback(0);
	socklen_t n = sizeof at;
	pthread_t t;

	signal(SIGPIPE, SIG_IGN);
	if (bind(s, (struct sockaddr *)&at, n) < 0 || listen(s, 16) < 0 ||
	    getsockname(s, (struct sockaddr *)&at, &n) < 0)
		return 1;
	printf("PORT=%u\n", ntohs(at.sin_port));
	fflush(stdout);
	while ((fd = accept(s, NULL, NULL)) >= 0) {
		if (pthread_create(&t, NULL, serve, (void *)(intptr_t)fd) == 0)
			pthread_detach(t);
	}
	return 1;
}
