/*
 * The HTTP server of the Coordinator with two routes, for clients that others wrote:
 * tests/bats/http-server.bats. served [CHAIN KEY CA] prints its port, with files that of mutual
 * TLS too, and serves until its standard input ends. GET /quick, POST /echo (JSON), GET /who.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crypto_tls.h"
#include "file.h"
#include "http_server.h"

enum { QUICK, ECHO, WHO };

static const struct ctr_http_route routes[] = {
	{ "GET", "/quick", QUICK, 0, .quick = true, .listeners = 3 },
	{ "POST", "/echo", ECHO, 1 << 20, .json = true, .listeners = 3 },
	{ "GET", "/who", WHO, 0, .listeners = 3 },
};

static void handle(void *ctx, const struct ctr_http_request *rq, struct ctr_http_answer *a)
{
	(void)ctx;
	a->status = 200;
	if (rq->route == ECHO)
		ctr_buf_add(&a->body, rq->body, rq->n);
	else if (rq->route == WHO)
		ctr_buf_addf(&a->body, "%zu\n", rq->n_peer_cert);
	else
		ctr_buf_adds(&a->body, "{}\n");
}

static void refuse(void *ctx, unsigned listener, unsigned status, const char *id, const char *text,
		   struct ctr_http_answer *a)
{
	(void)ctx;
	(void)listener;
	(void)status;
	(void)text;
	ctr_buf_addf(&a->body, "%s\n", id);
}

static int set_tls(char **files, struct ctr_tls_server **tls, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf chain = { 0 }, key = { .wipe = true }, ca = { 0 };

	if (ctr_file_read(files[0], 65536, &chain, e) < 0 ||
	    ctr_file_read(files[1], 65536, &key, e) < 0 ||
	    ctr_file_read(files[2], 65536, &ca, e) < 0 || ctr_tls_server_new(tls, e) < 0)
		return -1;
	return ctr_tls_server_set(*tls, ctr_buf_str(&chain), ctr_buf_str(&key), ctr_buf_str(&ca),
				  e);
}

int main(int argc, char **argv)
{
	struct ctr_http_listener l[2] = { { .address = "127.0.0.1:0" },
					  { .address = "127.0.0.1:0" } };
	struct ctr_http_server_conf conf = { .listeners = l,
					     .n_listeners = argc == 4 ? 2 : 1,
					     .routes = routes,
					     .n_routes = sizeof routes / sizeof *routes,
					     .head_s = 2,
					     .handle = handle,
					     .refuse = refuse };
	struct ctr_http_server *s = NULL;
	struct ctr_err e = { 0 };
	char c;

	signal(SIGPIPE, SIG_IGN);
	if ((argc == 4 && set_tls(argv + 1, &l[1].tls, &e) < 0) ||
	    ctr_http_server_new(&conf, &s, &e) < 0 || ctr_http_server_start(s, &e) < 0) {
		fprintf(stderr, "%s\n", e.msg);
		return 1;
	}
	printf("%u %u\n", ctr_http_server_port(s, 0), argc == 4 ? ctr_http_server_port(s, 1) : 0);
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	ctr_http_server_stop(s, 5);
	ctr_http_server_free(s);
	ctr_tls_server_free(l[1].tls);
	return 0;
}
