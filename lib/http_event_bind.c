#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "http_event.h"
#include "tool.h"

#define BACKLOG 4096

/* "HOST:PORT" in its two parts; host empty for all addresses. */
static int split(const char *address, char *host, size_t max, const char **port, struct ctr_err *e)
{
	const char *colon = strrchr(address, ':'), *from = address, *to = colon;
	uint64_t number;

	if (colon && *from == '[' && to > from + 1 && to[-1] == ']') {
		from++;
		to--;
	} else if (colon && memchr(from, ':', (size_t)(to - from))) {
		colon = NULL; /* an IPv6 address without brackets */
	}
	if (!colon || (size_t)(to - from) >= max ||
	    ctr_number(colon + 1, "port", 0, 65535, &number, NULL) < 0)
		return ctr_fail(e, CTR_USAGE, "http.address",
				"%s: no address to listen on (expected HOST:PORT or :PORT)",
				address);
	memcpy(host, from, (size_t)(to - from));
	host[to - from] = '\0';
	*port = colon + 1;
	return 0;
}

/* -1 with errno. */
static int listen_on(const struct addrinfo *a, bool both)
{
	int one = 1, v6only = !both,
	    fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), sys;

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
	    (a->ai_family != AF_INET6 ||
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof v6only) == 0) &&
	    bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	sys = errno;
	close(fd);
	errno = sys;
	return -1;
}

static unsigned port_of(int fd)
{
	struct sockaddr_storage a = { 0 };
	socklen_t n = sizeof a;
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (getsockname(fd, (struct sockaddr *)&a, &n) < 0)
		return 0;
	memcpy(&in6, &a, sizeof in6);
	memcpy(&in, &a, sizeof in);
	return ntohs(a.ss_family == AF_INET6 ? in6.sin6_port : in.sin_port);
}

int ctr_http_bind(const char *address, int *fd, unsigned *port, struct ctr_err *e)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
				  .ai_socktype = SOCK_STREAM },
			*list = NULL;
	const char *service = NULL;
	char host[256] = "";
	int r;

	*fd = -1;
	if (split(address, host, sizeof host, &service, e) < 0)
		return -1;
	/* all addresses: one socket for IPv6 that takes IPv4 too, on a kernel without it IPv4 */
	hints.ai_family = *host ? AF_UNSPEC : AF_INET6;
	r = getaddrinfo(*host ? host : NULL, service, &hints, &list);
	if (r != 0)
		return ctr_fail(e, CTR_ENV, "http.listen", "%s: %s", address, gai_strerror(r));
	*fd = listen_on(list, !*host);
	freeaddrinfo(list);
	if (*fd < 0 && !*host && errno == EAFNOSUPPORT) {
		hints.ai_family = AF_INET;
		if (getaddrinfo(NULL, service, &hints, &list) == 0) {
			*fd = listen_on(list, false);
			freeaddrinfo(list);
		}
	}
	if (*fd < 0)
		return ctr_fail_sys(e, "http.listen", "%s: cannot listen", address);
	*port = port_of(*fd);
	return 0;
}
