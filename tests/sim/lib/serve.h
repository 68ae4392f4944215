/* An HTTP server on loopback for tests: one request for each connection, full control of the
 * answer. */
#ifndef TESTS_SIM_LIB_SERVE_H
#define TESTS_SIM_LIB_SERVE_H

#include <openssl/ssl.h>

struct sim_conn;

struct sim_port {
	const char *name; /* for the log */
	void (*answer)(struct sim_conn *c);
	/* set by sim_open */
	const char *scheme;
	int fd, number;
	SSL_CTX *tls;
};

/* A request and the way to answer it. */
struct sim_conn {
	const struct sim_port *port;
	BIO *io;
	char method[8], path[1024], auth[256], range[64];
	char *body; /* at most 4 MiB */
	size_t n_body;
	char user[128]; /* user:password of Basic */
	/* free for `answer` */
	char how[64];
	const char *rest, *arg;
};

/* A free port of 127.0.0.1, with TLS when cert and key (PEM files) are given. Aborts when it
 * cannot. */
void sim_open(struct sim_port *p, const char *cert, const char *key);
/* Answers in threads of its own and prints a line for each request. */
void sim_start(struct sim_port *p);

void sim_put(struct sim_conn *c, const void *p, size_t n);
/* status "404 Not Found"; headers "A: b\r\n"…; claims a Content-Length, sends n bytes. */
void sim_reply(struct sim_conn *c, const char *status, const char *headers, const void *body,
	       size_t claim, size_t n);
/* With a short body. */
void sim_say(struct sim_conn *c, const char *status, const char *headers);

#endif
