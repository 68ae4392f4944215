/*
 * A registry that misbehaves by name: the first part of the repository says how. For
 * tests/bats/registry.bats. httpd [CERT KEY] prints its ports and digests, then a line for each
 * request. It holds one image: /v2/BEHAVIOUR/x/manifests/latest and its two blobs.
 */
/* needs: tests/sim/lib/serve.c */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "enc.h"
#include "hash.h"
#include "lib/serve.h"

#define LAYER 300000

static struct {
	char layer[LAYER];
	char config[64], manifest[1024];
	char layer_digest[80], config_digest[80], manifest_digest[80];
} img;

static void answer(struct sim_conn *c);

static struct sim_port ports[] = { { .name = "main", .answer = answer },
				   { .name = "other", .answer = answer },
				   { .name = "tls", .answer = answer } };
static atomic_uint busy, flaky, tokens, spent;

static const char *content(struct sim_conn *c, size_t *n)
{
	if (strncmp(c->rest, "manifests/latest", 16) == 0 || strstr(c->rest, img.manifest_digest)) {
		*n = strlen(img.manifest);
		return img.manifest;
	}
	if (strstr(c->rest, img.config_digest)) {
		*n = strlen(img.config);
		return img.config;
	}
	*n = LAYER;
	return strstr(c->rest, img.layer_digest) ? img.layer : NULL;
}

static void serve(struct sim_conn *c)
{
	size_t n, from = 0;
	const char *p = content(c, &n);
	char head[256];

	if (!p) {
		sim_say(c, "404 Not Found", "");
		return;
	}
	if (sscanf(c->range, "bytes=%zu-", &from) == 1 && from < n) {
		snprintf(head, sizeof head, "Content-Range: bytes %zu-%zu/%zu\r\n", from, n - 1, n);
		sim_reply(c, "206 Partial Content", head, p + from, n - from, n - from);
		return;
	}
	snprintf(head, sizeof head, "Docker-Content-Digest: %s\r\n",
		 p == img.manifest ? img.manifest_digest : "");
	sim_reply(c, "200 OK", p == img.manifest ? head : "", p, n, n);
}

static void want(struct sim_conn *c, const char *challenge)
{
	char head[600];

	snprintf(head, sizeof head, "WWW-Authenticate: %s\r\n", challenge);
	sim_say(c, "401 Unauthorized", head);
}

static void want_token(struct sim_conn *c, const char *scheme, const char *host, int port)
{
	char text[512];

	snprintf(text, sizeof text,
		 "Bearer realm=\"%s://%s:%d/token\",service=\"sim\",scope=\"repository:%s/x:pull\"",
		 scheme, host, port, c->how);
	want(c, text);
}

/* To the same thing in another repository at a port. */
static void redirect(struct sim_conn *c, const struct sim_port *to, const char *how,
		     const char *query)
{
	char head[1300];

	snprintf(head, sizeof head, "Location: %s://127.0.0.1:%d/v2/%s/x/%s%s\r\n", to->scheme,
		 to->number, how, c->rest, query);
	sim_say(c, "307 Temporary Redirect", head);
}

static bool logged_in(struct sim_conn *c)
{
	if (strcmp(c->user, "alice:wonder") == 0)
		return true;
	want(c, "Basic realm=\"sim\"");
	return false;
}

static void on_status(struct sim_conn *c)
{
	sim_say(c, c->arg, "");
}

static void on_want(struct sim_conn *c)
{
	want(c, c->arg);
}

static void on_realm(struct sim_conn *c)
{
	want_token(c, "http", c->arg, ports[0].number);
}

static void on_bearer(struct sim_conn *c)
{
	if (strcmp(c->auth, c->arg) == 0)
		serve(c);
	else
		want_token(c, c->port->scheme, "127.0.0.1", c->port->number);
}

static void on_badtoken(struct sim_conn *c)
{
	char text[200];

	snprintf(text, sizeof text, "Bearer realm=\"http://127.0.0.1:%d%s\"", c->port->number,
		 c->arg);
	want(c, text);
}

static void on_login(struct sim_conn *c)
{
	if (logged_in(c))
		serve(c);
}

static void on_loop(struct sim_conn *c)
{
	redirect(c, c->port, c->arg, "");
}

static void on_main(struct sim_conn *c)
{
	redirect(c, &ports[0], c->arg, "");
}

static void on_other(struct sim_conn *c)
{
	redirect(c, &ports[1], c->arg, "");
}

/* Each token is good for two requests. */
static void on_twice(struct sim_conn *c)
{
	unsigned n;

	if (sscanf(c->auth, "Bearer twice-%u", &n) == 1 && n == atomic_load(&tokens) &&
	    atomic_fetch_add(&spent, 1) < 2)
		serve(c);
	else
		want_token(c, c->port->scheme, "127.0.0.1", c->port->number);
}

/* After a login, it is somewhere else. */
static void on_hop(struct sim_conn *c)
{
	if (logged_in(c))
		redirect(c, &ports[1], "ok", c->arg);
}

static void on_stay(struct sim_conn *c)
{
	if (logged_in(c))
		redirect(c, c->port, c->arg, "");
}

/* There and back again: the way back does not bring the login back. */
static void on_back(struct sim_conn *c)
{
	if (logged_in(c))
		redirect(c, &ports[1], c->arg, "");
}

static void on_busy(struct sim_conn *c)
{
	if (atomic_fetch_add(&busy, 1) == 0)
		sim_say(c, "429 Too Many Requests", "Retry-After: 1\r\n");
	else
		serve(c);
}

static void on_short(struct sim_conn *c)
{
	size_t n;
	const char *p = content(c, &n);

	sim_reply(c, "200 OK", "", p, n, n / 2);
}

static void on_flaky(struct sim_conn *c)
{
	if (atomic_fetch_add(&flaky, 1) % 2 == 0)
		on_short(c);
	else
		serve(c);
}

static void on_flaky200(struct sim_conn *c)
{
	c->range[0] = '\0';
	on_flaky(c);
}

/* The rest of the blob comes from another place than asked for. */
static void on_shifted(struct sim_conn *c)
{
	if (c->range[0])
		snprintf(c->range, sizeof c->range, "bytes=7-");
	on_flaky(c);
}

/* Another byte in the middle, or one more at the end. */
static void on_damaged(struct sim_conn *c)
{
	size_t n, more = strcmp(c->arg, "end") == 0;
	const char *p = content(c, &n);
	char *bad = p ? calloc(1, n + more) : NULL;

	if (bad) {
		memcpy(bad, p, n);
		bad[n / 2] ^= !more;
		sim_reply(c, "200 OK", "", bad, n + more, n + more);
	}
	free(bad);
}

static void on_liar(struct sim_conn *c)
{
	char head[256];

	snprintf(head, sizeof head, "Docker-Content-Digest: %s\r\n", img.layer_digest);
	sim_reply(c, "200 OK", head, img.manifest, strlen(img.manifest), strlen(img.manifest));
}

static void on_endless(struct sim_conn *c)
{
	static const char zeros[65536];

	sim_put(c, "HTTP/1.1 ", 9);
	sim_put(c, c->arg, strlen(c->arg));
	sim_put(c, "\r\n\r\n", 4);
	for (int i = 0; i < 16384; i++)
		sim_put(c, zeros, sizeof zeros);
}

static void on_slow(struct sim_conn *c)
{
	(void)c;
	sleep(30);
}

static void on_token(struct sim_conn *c)
{
	char text[128] = "{\"token\":\"tok-anon\"}";

	if (strcmp(c->method, "POST") == 0) {
		snprintf(text, sizeof text, "{\"access_token\":\"%s\"}",
			 strstr(c->body, "refresh_token=refresh%2Fsecret") ? "tok-alice"
									   : "tok-bad");
	} else if (strstr(c->path, "twice")) {
		atomic_store(&spent, 0);
		snprintf(text, sizeof text, "{\"token\":\"twice-%u\",\"expires_in\":300}",
			 atomic_fetch_add(&tokens, 1) + 1);
	} else if (strcmp(c->user, "alice:wonder") == 0) {
		snprintf(text, sizeof text, "{\"token\":\"tok-alice\",\"expires_in\":300}");
	} else if (c->auth[0]) {
		sim_say(c, "401 Unauthorized", "");
		return;
	}
	sim_reply(c, "200 OK", "", text, strlen(text), strlen(text));
}

static const struct {
	const char *how;
	void (*run)(struct sim_conn *c);
	const char *arg;
} behaviours[] = {
	{ "ok", serve, "" },
	{ "gone", on_status, "404 Not Found" },
	{ "forbidden", on_status, "403 Forbidden" },
	{ "down", on_status, "503 Service Unavailable" },
	{ "file", on_status, "302 Found\r\nLocation: file:///etc/passwd" },
	{ "loop", on_loop, "loop" },
	{ "tohttp", on_main, "ok" },
	{ "back2", on_main, "ok" },
	{ "cdn401", on_other, "login" },
	{ "alice", on_bearer, "Bearer tok-alice" },
	{ "anon", on_bearer, "Bearer tok-anon" },
	{ "never", on_bearer, "Bearer none" },
	{ "evil", on_realm, "localhost" },
	{ "plainrealm", on_realm, "127.0.0.1" },
	{ "badchallenge", on_want, "Bearer realm=\"http://127.0.0.1" },
	{ "odd", on_want, "Negotiate abc==" },
	{ "badtoken", on_badtoken, "/badtoken" },
	{ "login", on_login, "" },
	{ "twice", on_twice, "" },
	{ "hop", on_hop, "?sig=signature-secret" },
	{ "stay", on_stay, "login" },
	{ "back", on_back, "back2" },
	{ "busy", on_busy, "" },
	{ "short", on_short, "" },
	{ "flaky", on_flaky, "" },
	{ "flaky200", on_flaky200, "" },
	{ "shifted", on_shifted, "" },
	{ "wrong", on_damaged, "middle" },
	{ "tail", on_damaged, "end" },
	{ "liar", on_liar, "" },
	{ "huge", on_endless, "200 OK" },
	{ "hugeerror", on_endless, "500 Oops" },
	{ "slow", on_slow, "" },
};

static void answer(struct sim_conn *c)
{
	static const char bad[] = "{\"token\":\"a\\r\\nX-Injected: yes\"}";
	int rest = 0;

	if (strncmp(c->path, "/token", 6) == 0) {
		on_token(c);
		return;
	}
	if (strncmp(c->path, "/badtoken", 9) == 0) {
		sim_reply(c, "200 OK", "", bad, sizeof bad - 1, sizeof bad - 1);
		return;
	}
	/* a mirror's path may come first, and then says how the mirror behaves */
	if (sscanf(c->path, "/v2/as/%63[a-z0-9]/%*[a-z0-9]/x/%n", c->how, &rest) < 1 || rest == 0)
		sscanf(c->path, "/v2/%63[a-z0-9]/x/%n", c->how, &rest);
	c->rest = c->path + rest;
	for (size_t i = 0; rest && i < sizeof behaviours / sizeof *behaviours; i++) {
		if (strcmp(behaviours[i].how, c->how) == 0) {
			c->arg = behaviours[i].arg;
			behaviours[i].run(c);
			return;
		}
	}
	sim_say(c, "404 Not Found", "");
}

static void digest(const void *p, size_t n, char out[80])
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	uint8_t raw[CTR_SHA256_SIZE];

	if (ctr_hash(CTR_SHA256, p, n, raw, NULL) < 0)
		abort();
	ctr_hex_add(&b, raw, sizeof raw);
	snprintf(out, 80, "sha256:%s", ctr_buf_str(&b));
}

static void make_image(void)
{
	uint32_t x = 1;

	for (size_t i = 0; i < LAYER; i++)
		img.layer[i] = (char)((x = x * 1664525 + 1013904223) >> 24);
	snprintf(img.config, sizeof img.config, "{\"architecture\":\"amd64\",\"os\":\"linux\"}");
	digest(img.layer, LAYER, img.layer_digest);
	digest(img.config, strlen(img.config), img.config_digest);
	snprintf(img.manifest, sizeof img.manifest,
		 "{\"schemaVersion\":2,\"config\":{\"digest\":\"%s\",\"size\":%zu},"
		 "\"layers\":[{\"digest\":\"%s\",\"size\":%d}]}",
		 img.config_digest, strlen(img.config), img.layer_digest, LAYER);
	digest(img.manifest, strlen(img.manifest), img.manifest_digest);
}

int main(int argc, char **argv)
{
	bool tls = argc == 3;

	signal(SIGPIPE, SIG_IGN);
	make_image();
	for (int i = 0; i < 2; i++)
		sim_open(&ports[i], NULL, NULL);
	sim_open(&ports[2], tls ? argv[1] : NULL, tls ? argv[2] : NULL);
	printf("MAIN=%d OTHER=%d TLS=%d\n", ports[0].number, ports[1].number, ports[2].number);
	printf("MANIFEST=%s CONFIG=%s LAYER=%s\n", img.manifest_digest, img.config_digest,
	       img.layer_digest);
	fflush(stdout);
	for (int i = 0; i < 3; i++)
		sim_start(&ports[i]);
	for (;;)
		pause();
}
