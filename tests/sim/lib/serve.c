#include "serve.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "buf.h"
#include "enc.h"

#define BODY_MAX ((size_t)4 << 20)

void sim_put(struct sim_conn *c, const void *p, size_t n)
{
	size_t done;

	while (n > 0 && BIO_write_ex(c->io, p, n, &done)) {
		p = (const char *)p + done;
		n -= done;
	}
}

void sim_reply(struct sim_conn *c, const char *status, const char *headers, const void *body,
	       size_t claim, size_t n)
{
	ctr_auto_buf struct ctr_buf head = { 0 };

	ctr_buf_addf(&head, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\nConnection: close\r\n\r\n",
		     status, headers, claim);
	sim_put(c, ctr_buf_str(&head), head.n);
	sim_put(c, body, n);
}

void sim_say(struct sim_conn *c, const char *status, const char *headers)
{
	static const char text[] = "{\"errors\":[{\"code\":\"TEST\"}]}\n";

	sim_reply(c, status, headers, text, sizeof text - 1, sizeof text - 1);
}

static void header(struct sim_conn *c, const char *line, size_t *length)
{
	if (strncasecmp(line, "Authorization: ", 15) == 0)
		snprintf(c->auth, sizeof c->auth, "%.*s", (int)strcspn(line + 15, "\r\n"),
			 line + 15);
	if (strncasecmp(line, "Range: ", 7) == 0)
		snprintf(c->range, sizeof c->range, "%.*s", (int)strcspn(line + 7, "\r\n"),
			 line + 7);
	if (strncasecmp(line, "Content-Length: ", 16) == 0)
		*length = strtoul(line + 16, NULL, 10);
}

static bool read_request(struct sim_conn *c)
{
	ctr_auto_buf struct ctr_buf b = { 0 }, user = { 0 };
	size_t length = 0, n;
	const char *end;
	char ch;

	while (b.n < 16384 && !(b.n > 3 && strcmp(b.p + b.n - 4, "\r\n\r\n") == 0)) {
		if (!BIO_read_ex(c->io, &ch, 1, &n) || n != 1)
			return false;
		ctr_buf_addc(&b, ch);
		if (ch < '\n')
			return false; /* TLS at a plain port */
	}
	if (sscanf(b.p, "%7s %1023s", c->method, c->path) != 2)
		return false;
	for (end = b.p; (end = strchr(end, '\n'));)
		header(c, ++end, &length);
	c->n_body = length < BODY_MAX ? length : BODY_MAX;
	c->body = calloc(1, c->n_body + 1);
	if (!c->body)
		abort();
	for (size_t i = 0; i < c->n_body; i += n) {
		if (!BIO_read_ex(c->io, c->body + i, c->n_body - i, &n))
			return false;
	}
	if (strncmp(c->auth, "Basic ", 6) == 0 &&
	    ctr_base64_parse(c->auth + 6, strlen(c->auth + 6), &user, NULL) == 0)
		snprintf(c->user, sizeof c->user, "%s", ctr_buf_str(&user));
	return true;
}

/* One line for each request, in the order of their coming. */
static void log_request(const struct sim_conn *c)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	const char *who = c->user[0] ? c->user : c->auth[0] ? c->auth : "none";

	pthread_mutex_lock(&lock);
	printf("%s %s %s auth=%s range=%s\n", c->port->name, c->method, c->path, who, c->range);
	fflush(stdout);
	pthread_mutex_unlock(&lock);
}

static void *handle(void *ctx)
{
	struct sim_conn *c = ctx;

	if ((!c->port->tls || BIO_do_handshake(c->io) == 1) && read_request(c)) {
		log_request(c);
		c->port->answer(c);
		(void)BIO_flush(c->io);
		if (c->port->tls)
			BIO_ssl_shutdown(c->io);
	}
	BIO_free_all(c->io);
	free(c->body);
	free(c);
	return NULL;
}

static void *listener(void *ctx)
{
	const struct sim_port *p = ctx;

	for (;;) {
		int fd = accept(p->fd, NULL, NULL);
		struct sim_conn *c = calloc(1, sizeof *c);
		BIO *sock = BIO_new_socket(fd, BIO_CLOSE);
		pthread_t t;

		if (fd < 0 || !c || !sock)
			abort();
		c->port = p;
		c->io = p->tls ? BIO_push(BIO_new_ssl(p->tls, 0), sock) : sock;
		c->rest = "";
		if (pthread_create(&t, NULL, handle, c) != 0)
			abort();
		pthread_detach(t);
	}
	return NULL;
}

void sim_open(struct sim_port *p, const char *cert, const char *key)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t n = sizeof a;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	p->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (p->fd < 0 || bind(p->fd, (struct sockaddr *)&a, n) < 0 || listen(p->fd, 64) < 0 ||
	    getsockname(p->fd, (struct sockaddr *)&a, &n) < 0)
		abort();
	p->number = ntohs(a.sin_port);
	p->scheme = cert ? "https" : "http";
	if (!cert)
		return;
	p->tls = SSL_CTX_new(TLS_server_method());
	if (SSL_CTX_use_certificate_chain_file(p->tls, cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(p->tls, key, SSL_FILETYPE_PEM) != 1)
		abort();
}

void sim_start(struct sim_port *p)
{
	pthread_t t;

	if (pthread_create(&t, NULL, listener, p) != 0)
		abort();
}
