/*
 * A registry that misbehaves by name: the first part of the repository says how. For
 * tests/bats/registry.bats: httpd [CERT KEY] prints its ports and digests, then a line for each request.
 * It holds one image: /v2/BEHAVIOUR/x/manifests/latest and its two blobs.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "buf.h"
#include "enc.h"
#include "hash.h"

#define LAYER 300000

static struct {
	char layer[LAYER];
	char config[64], manifest[1024];
	char layer_digest[80], config_digest[80], manifest_digest[80];
} img;

struct port {
	const char *name, *scheme;
	int fd, number;
	SSL_CTX *tls;
};
static struct port ports[] = { { .name = "main", .scheme = "http" },
			       { .name = "other", .scheme = "http" },
			       { .name = "tls", .scheme = "https" } };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_uint busy, flaky, tokens, spent;

struct conn {
	const struct port *port;
	BIO *io;
	char method[8], path[1024], auth[256], user[128], range[64], body[1024];
	char how[64]; /* the behaviour */
	const char *rest; /* of the path, behind the repository */
};

static void put(struct conn *c, const void *p, size_t n)
{
	size_t done;

	while (n > 0 && BIO_write_ex(c->io, p, n, &done)) {
		p = (const char *)p + done;
		n -= done;
	}
}

static void reply(struct conn *c, const char *status, const char *headers, const void *body, size_t claim,
		  size_t n)
{
	char head[1536];
	int len = snprintf(head, sizeof head,
			   "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\nConnection: close\r\n\r\n", status,
			   headers, claim);

	put(c, head, (size_t)len);
	put(c, body, n);
}

static void say(struct conn *c, const char *status, const char *headers)
{
	static const char text[] = "{\"errors\":[{\"code\":\"TEST\"}]}\n";

	reply(c, status, headers, text, sizeof text - 1, sizeof text - 1);
}

static const char *content(struct conn *c, size_t *n)
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

static void serve(struct conn *c)
{
	size_t n, from = 0;
	const char *p = content(c, &n);
	char head[256];

	if (!p) {
		say(c, "404 Not Found", "");
		return;
	}
	if (sscanf(c->range, "bytes=%zu-", &from) == 1 && from < n) {
		snprintf(head, sizeof head, "Content-Range: bytes %zu-%zu/%zu\r\n", from, n - 1, n);
		reply(c, "206 Partial Content", head, p + from, n - from, n - from);
		return;
	}
	snprintf(head, sizeof head, "Docker-Content-Digest: %s\r\n", p == img.manifest ? img.manifest_digest : "");
	reply(c, "200 OK", p == img.manifest ? head : "", p, n, n);
}

static void want(struct conn *c, const char *challenge)
{
	char head[600];

	snprintf(head, sizeof head, "WWW-Authenticate: %s\r\n", challenge);
	say(c, "401 Unauthorized", head);
}

static void want_token(struct conn *c, const char *scheme, const char *host, int port)
{
	char text[512];

	snprintf(text, sizeof text, "Bearer realm=\"%s://%s:%d/token\",service=\"sim\",scope=\"repository:%s/x:pull\"",
		 scheme, host, port, c->how);
	want(c, text);
}

static void bearer(struct conn *c, const char *token)
{
	if (strcmp(c->auth, token) == 0)
		serve(c);
	else
		want_token(c, c->port->scheme, "127.0.0.1", c->port->number);
}

/* To the same thing in another repository at a port. */
static void redirect(struct conn *c, const struct port *to, const char *how, const char *query)
{
	char head[1300];

	snprintf(head, sizeof head, "Location: %s://127.0.0.1:%d/v2/%s/x/%s%s\r\n", to->scheme,
		 to->number, how, c->rest, query);
	say(c, "307 Temporary Redirect", head);
}

static bool logged_in(struct conn *c)
{
	if (strcmp(c->user, "alice:wonder") == 0)
		return true;
	want(c, "Basic realm=\"sim\"");
	return false;
}

static void on_ok(struct conn *c) { serve(c); }
static void on_gone(struct conn *c) { say(c, "404 Not Found", ""); }
static void on_forbidden(struct conn *c) { say(c, "403 Forbidden", ""); }
static void on_down(struct conn *c) { say(c, "503 Service Unavailable", ""); }
static void on_file(struct conn *c) { say(c, "302 Found", "Location: file:///etc/passwd\r\n"); }
static void on_loop(struct conn *c) { redirect(c, c->port, "loop", ""); }
static void on_tohttp(struct conn *c) { redirect(c, &ports[0], "ok", ""); }
static void on_alice(struct conn *c) { bearer(c, "Bearer tok-alice"); }
static void on_anon(struct conn *c) { bearer(c, "Bearer tok-anon"); }
static void on_never(struct conn *c) { bearer(c, "Bearer none"); }
static void on_evil(struct conn *c) { want_token(c, "http", "localhost", ports[0].number); }
static void on_plainrealm(struct conn *c) { want_token(c, "http", "127.0.0.1", ports[0].number); }
static void on_badchallenge(struct conn *c) { want(c, "Bearer realm=\"http://127.0.0.1"); }
static void on_odd(struct conn *c) { want(c, "Negotiate abc=="); }

static void on_badtoken(struct conn *c)
{
	char text[200];

	snprintf(text, sizeof text, "Bearer realm=\"http://127.0.0.1:%d/badtoken\"", c->port->number);
	want(c, text);
}

static void on_login(struct conn *c)
{
	if (logged_in(c))
		serve(c);
}

/* Each token is good for two requests. */
static void on_twice(struct conn *c)
{
	unsigned n;

	if (sscanf(c->auth, "Bearer twice-%u", &n) == 1 && n == atomic_load(&tokens) &&
	    atomic_fetch_add(&spent, 1) < 2)
		serve(c);
	else
		want_token(c, c->port->scheme, "127.0.0.1", c->port->number);
}

/* After a login, it is somewhere else. */
static void on_hop(struct conn *c)
{
	if (logged_in(c))
		redirect(c, &ports[1], "ok", "?sig=signature-secret");
}

static void on_stay(struct conn *c)
{
	if (logged_in(c))
		redirect(c, c->port, "login", "");
}

/* There and back again: the way back does not bring the login back. */
static void on_back(struct conn *c)
{
	if (logged_in(c))
		redirect(c, &ports[1], "back2", "");
}

static void on_back2(struct conn *c) { redirect(c, &ports[0], "ok", ""); }

/* The place it is at asks for a login of its own. */
static void on_cdn401(struct conn *c) { redirect(c, &ports[1], "login", ""); }

static void on_busy(struct conn *c)
{
	if (atomic_fetch_add(&busy, 1) == 0)
		say(c, "429 Too Many Requests", "Retry-After: 1\r\n");
	else
		serve(c);
}

static void on_short(struct conn *c)
{
	size_t n;
	const char *p = content(c, &n);

	reply(c, "200 OK", "", p, n, n / 2);
}

static void on_flaky(struct conn *c)
{
	if (atomic_fetch_add(&flaky, 1) % 2 == 0)
		on_short(c);
	else
		serve(c);
}

static void on_flaky200(struct conn *c)
{
	c->range[0] = '\0';
	on_flaky(c);
}

/* The rest of the blob comes from another place than asked for. */
static void on_shifted(struct conn *c)
{
	if (c->range[0])
		snprintf(c->range, sizeof c->range, "bytes=7-");
	on_flaky(c);
}

/* Another byte in the middle, or one more at the end. */
static void damaged(struct conn *c, char flip, size_t more)
{
	size_t n;
	const char *p = content(c, &n);
	char *bad = p ? calloc(1, n + more) : NULL;

	if (bad) {
		memcpy(bad, p, n);
		bad[n / 2] ^= flip;
		reply(c, "200 OK", "", bad, n + more, n + more);
	}
	free(bad);
}

static void on_wrong(struct conn *c) { damaged(c, 1, 0); }
static void on_tail(struct conn *c) { damaged(c, 0, 1); }

static void on_liar(struct conn *c)
{
	char head[256];

	snprintf(head, sizeof head, "Docker-Content-Digest: %s\r\n", img.layer_digest);
	reply(c, "200 OK", head, img.manifest, strlen(img.manifest), strlen(img.manifest));
}

static void endless(struct conn *c, const char *head)
{
	static const char zeros[65536];

	put(c, head, strlen(head));
	for (int i = 0; i < 16384; i++)
		put(c, zeros, sizeof zeros);
}

static void on_huge(struct conn *c)
{
	endless(c, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
}

static void on_hugeerror(struct conn *c)
{
	endless(c, "HTTP/1.1 500 Oops\r\nConnection: close\r\n\r\n");
}

static void on_slow(struct conn *c)
{
	(void)c;
	sleep(30);
}

static void on_token(struct conn *c)
{
	char text[128] = "{\"token\":\"tok-anon\"}";

	if (strcmp(c->method, "POST") == 0) {
		snprintf(text, sizeof text, "{\"access_token\":\"%s\"}",
			 strstr(c->body, "refresh_token=refresh%2Fsecret") ? "tok-alice" : "tok-bad");
	} else if (strstr(c->path, "twice")) {
		atomic_store(&spent, 0);
		snprintf(text, sizeof text, "{\"token\":\"twice-%u\",\"expires_in\":300}",
			 atomic_fetch_add(&tokens, 1) + 1);
	} else if (strcmp(c->user, "alice:wonder") == 0) {
		snprintf(text, sizeof text, "{\"token\":\"tok-alice\",\"expires_in\":300}");
	} else if (c->auth[0]) {
		say(c, "401 Unauthorized", "");
		return;
	}
	reply(c, "200 OK", "", text, strlen(text), strlen(text));
}

static const struct {
	const char *how;
	void (*run)(struct conn *c);
} behaviours[] = {
	{ "ok", on_ok }, { "gone", on_gone }, { "forbidden", on_forbidden }, { "down", on_down },
	{ "file", on_file }, { "loop", on_loop }, { "tohttp", on_tohttp }, { "alice", on_alice },
	{ "anon", on_anon }, { "never", on_never }, { "evil", on_evil }, { "plainrealm", on_plainrealm },
	{ "badchallenge", on_badchallenge }, { "badtoken", on_badtoken }, { "odd", on_odd },
	{ "login", on_login }, { "twice", on_twice }, { "hop", on_hop }, { "back", on_back },
	{ "back2", on_back2 }, { "stay", on_stay }, { "cdn401", on_cdn401 }, { "busy", on_busy },
	{ "short", on_short }, { "flaky", on_flaky }, { "flaky200", on_flaky200 },
	{ "shifted", on_shifted }, { "wrong", on_wrong }, { "tail", on_tail }, { "liar", on_liar },
	{ "huge", on_huge }, { "hugeerror", on_hugeerror }, { "slow", on_slow },
};

static void dispatch(struct conn *c)
{
	static const char bad[] = "{\"token\":\"a\\r\\nX-Injected: yes\"}";
	int rest = 0;

	if (strncmp(c->path, "/token", 6) == 0) {
		on_token(c);
		return;
	}
	if (strncmp(c->path, "/badtoken", 9) == 0) {
		reply(c, "200 OK", "", bad, sizeof bad - 1, sizeof bad - 1);
		return;
	}
	/* a mirror's path may come first, and then says how the mirror behaves */
	if (sscanf(c->path, "/v2/as/%63[a-z0-9]/%*[a-z0-9]/x/%n", c->how, &rest) < 1 || rest == 0)
		sscanf(c->path, "/v2/%63[a-z0-9]/x/%n", c->how, &rest);
	c->rest = c->path + rest;
	for (size_t i = 0; rest && i < sizeof behaviours / sizeof *behaviours; i++) {
		if (strcmp(behaviours[i].how, c->how) == 0) {
			behaviours[i].run(c);
			return;
		}
	}
	say(c, "404 Not Found", "");
}

static void header(struct conn *c, const char *line, size_t *length)
{
	if (strncasecmp(line, "Authorization: ", 15) == 0)
		snprintf(c->auth, sizeof c->auth, "%.*s", (int)strcspn(line + 15, "\r\n"), line + 15);
	if (strncasecmp(line, "Range: ", 7) == 0)
		snprintf(c->range, sizeof c->range, "%.*s", (int)strcspn(line + 7, "\r\n"), line + 7);
	if (strncasecmp(line, "Content-Length: ", 16) == 0)
		*length = strtoul(line + 16, NULL, 10);
}

static bool read_request(struct conn *c)
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
	for (end = b.p; (end = strchr(end, '\n')); )
		header(c, ++end, &length);
	for (size_t i = 0; i < length && i + 1 < sizeof c->body; i += n) {
		if (!BIO_read_ex(c->io, c->body + i, 1, &n))
			return false;
	}
	if (strncmp(c->auth, "Basic ", 6) == 0 && ctr_base64_parse(c->auth + 6, strlen(c->auth + 6), &user, NULL) == 0)
		snprintf(c->user, sizeof c->user, "%s", ctr_buf_str(&user));
	return true;
}

static void *handle(void *ctx)
{
	struct conn *c = ctx;

	if ((!c->port->tls || BIO_do_handshake(c->io) == 1) && read_request(c)) {
		pthread_mutex_lock(&lock);
		printf("%s %s %s auth=%s range=%s\n", c->port->name, c->method, c->path,
		       c->user[0] ? c->user : c->auth[0] ? c->auth : "none", c->range);
		fflush(stdout);
		pthread_mutex_unlock(&lock);
		dispatch(c);
		(void)BIO_flush(c->io);
		if (c->port->tls)
			BIO_ssl_shutdown(c->io);
	}
	BIO_free_all(c->io);
	free(c);
	return NULL;
}

static void *listener(void *ctx)
{
	const struct port *p = ctx;

	for (;;) {
		int fd = accept(p->fd, NULL, NULL);
		struct conn *c = calloc(1, sizeof *c);
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

static void open_port(struct port *p)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t n = sizeof a;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	p->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (p->fd < 0 || bind(p->fd, (struct sockaddr *)&a, n) < 0 || listen(p->fd, 64) < 0 ||
	    getsockname(p->fd, (struct sockaddr *)&a, &n) < 0)
		abort();
	p->number = ntohs(a.sin_port);
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
	pthread_t t;

	signal(SIGPIPE, SIG_IGN);
	make_image();
	for (int i = 0; i < 3; i++)
		open_port(&ports[i]);
	ports[2].tls = SSL_CTX_new(TLS_server_method());
	if (argc == 3 && (SSL_CTX_use_certificate_chain_file(ports[2].tls, argv[1]) != 1 ||
			  SSL_CTX_use_PrivateKey_file(ports[2].tls, argv[2], SSL_FILETYPE_PEM) != 1))
		return 1;
	printf("MAIN=%d OTHER=%d TLS=%d\n", ports[0].number, ports[1].number, ports[2].number);
	printf("MANIFEST=%s CONFIG=%s LAYER=%s\n", img.manifest_digest, img.config_digest, img.layer_digest);
	fflush(stdout);
	for (int i = 0; i < 2; i++) {
		if (pthread_create(&t, NULL, listener, &ports[i]) != 0)
			return 1;
	}
	listener(&ports[2]);
	return 0;
}
