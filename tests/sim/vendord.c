/*
 * AMD's KDS and Intel's PCS on loopback, for tests/bats/collateral.bats: vendord DIR prints its
 * port, then a line for each request. A file below DIR is named as the request's target, with its
 * query; FILE.headers beside it has headers of the answer. /HOW/TARGET behaves as HOW says.
 */
/* needs: tests/sim/lib/serve.c */
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "lib/serve.h"

static const char *root;
static atomic_uint busy;

static void answer(struct sim_conn *c);
static struct sim_port port = { .name = "vendor", .answer = answer };

static void add_headers(const char *path, struct ctr_buf *out)
{
	ctr_auto_buf struct ctr_buf name = { 0 }, text = { 0 };

	ctr_buf_addf(&name, "%s.headers", path);
	if (access(name.p, R_OK) < 0)
		return;
	if (ctr_file_read(name.p, 65536, &text, NULL) < 0)
		abort();
	for (const char *p = ctr_buf_str(&text); *p; p += strspn(p, "\n")) {
		size_t n = strcspn(p, "\n");

		ctr_buf_add(out, p, n);
		ctr_buf_adds(out, "\r\n");
		p += n;
	}
}

static void on_ok(struct sim_conn *c)
{
	ctr_auto_buf struct ctr_buf path = { 0 }, body = { 0 }, head = { 0 };

	ctr_buf_addf(&path, "%s%s", root, c->rest);
	if (strstr(c->rest, "..") || access(path.p, R_OK) < 0) {
		sim_say(c, "404 Not Found", "");
		return;
	}
	if (ctr_file_read(path.p, (size_t)1 << 24, &body, NULL) < 0)
		abort();
	add_headers(path.p, &head);
	sim_reply(c, "200 OK", ctr_buf_str(&head), ctr_buf_str(&body), body.n, body.n);
}

static void on_bare(struct sim_conn *c)
{
	ctr_auto_buf struct ctr_buf path = { 0 }, body = { 0 };

	ctr_buf_addf(&path, "%s%s", root, c->rest);
	if (ctr_file_read(path.p, (size_t)1 << 24, &body, NULL) < 0)
		abort();
	sim_reply(c, "200 OK", "", ctr_buf_str(&body), body.n, body.n);
}

/* Every other request is one too many. */
static void on_busy(struct sim_conn *c)
{
	if (atomic_fetch_add(&busy, 1) % 2 == 0)
		sim_say(c, "429 Too Many Requests", "Retry-After: 1\r\n");
	else
		on_ok(c);
}

static void on_limited(struct sim_conn *c)
{
	sim_say(c, "429 Too Many Requests", "");
}

static void on_down(struct sim_conn *c)
{
	sim_say(c, "503 Service Unavailable", "");
}

static void on_gone(struct sim_conn *c)
{
	sim_say(c, "410 Gone", "");
}

static void on_slow(struct sim_conn *c)
{
	usleep(700000);
	on_ok(c);
}

static void on_dead(struct sim_conn *c)
{
	(void)c;
	sleep(20);
}

static void on_empty(struct sim_conn *c)
{
	sim_reply(c, "200 OK", "", "", 0, 0);
}

static void on_huge(struct sim_conn *c)
{
	char *p = calloc(1, (size_t)2 << 20);

	if (!p)
		abort();
	p[0] = 0x30;
	sim_reply(c, "200 OK", "", p, (size_t)2 << 20, (size_t)2 << 20);
	free(p);
}

static const struct {
	const char *how;
	void (*run)(struct sim_conn *c);
} behaviours[] = {
	{ "/ok", on_ok },	    { "/bare", on_bare }, { "/busy", on_busy },
	{ "/limited", on_limited }, { "/down", on_down }, { "/gone", on_gone },
	{ "/slow", on_slow },	    { "/dead", on_dead }, { "/empty", on_empty },
	{ "/huge", on_huge },
};

static void answer(struct sim_conn *c)
{
	for (size_t i = 0; i < sizeof behaviours / sizeof *behaviours; i++) {
		size_t n = strlen(behaviours[i].how);

		if (strncmp(c->path, behaviours[i].how, n) == 0 && c->path[n] == '/') {
			c->rest = c->path + n;
			behaviours[i].run(c);
			return;
		}
	}
	sim_say(c, "404 Not Found", "");
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	root = argv[1];
	signal(SIGPIPE, SIG_IGN);
	sim_open(&port, NULL, NULL);
	printf("PORT=%d\n", port.number);
	fflush(stdout);
	sim_start(&port);
	for (;;)
		pause();
}
