/* lib/crypto_tls.h, as lib/http_server.h serves with it: who gets in, who does not and why. */
/* needs: tests/unit/httpkit.c */
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crypto_tls.h"
#include "httpkit.h"
#include "tlskit.h"

#define H " HTTP/1.1\r\nHost: x\r\n"
#define DAY 86400
#define BOTH "serverAuth,clientAuth"

static struct kit kit;
static struct ctr_tls_server *tls;
static struct cert ca, other_ca, leaf, server;

static int group_start(void **state)
{
	(void)state;
	ca = make_cert("mesh", NULL, NULL, -DAY, DAY);
	other_ca = make_cert("mesh", NULL, NULL, -DAY, DAY); /* of the same name */
	leaf = make_cert("pod", &ca, BOTH, -DAY, DAY);
	server = make_cert("coordinator", &ca, BOTH, -DAY, DAY);
	return 0;
}

static int group_stop(void **state)
{
	(void)state;
	free_cert(&ca);
	free_cert(&other_ca);
	free_cert(&leaf);
	free_cert(&server);
	return 0;
}

static void start_with(struct ctr_http_server_conf conf, unsigned connections)
{
	T_OK(ctr_tls_server_new(&tls, e));
	T_OK(ctr_tls_server_set(tls, server.pem, server.key_pem, ca.pem, e));
	kit = (struct kit){ .listeners[0].tls = tls, .listeners[0].connections = connections };
	kit_start(&kit, conf);
}

static int start(void **state)
{
	(void)state;
	start_with((struct ctr_http_server_conf){ .head_s = 20 }, 0);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	kit_stop(&kit);
	ctr_tls_server_free(tls);
	return 0;
}

/* *alert: what it was refused with. */
static bool gets_in(const struct cert *own, int *alert)
{
	char want[32];
	struct client c;
	bool in;

	snprintf(want, sizeof want, "\r\n\r\n%d", i2d_X509(own->x, NULL));
	in = client_open(&c, kit_dial_main(&kit), own, NULL, TLS1_3_VERSION) &&
	     client_ask(&c, "GET /who" H "\r\n", want);
	*alert = c.alert;
	client_close(&c);
	return in;
}

static void expect_in(const struct cert *own)
{
	int alert;

	if (!gets_in(own, &alert))
		fail_msg("refused with alert %d", alert);
}

/* The alert comes with the handshake's answer or, in TLS 1.3, with the first read. */
static void expect_alert(const struct cert *own, const struct cert *between, int version, int alert)
{
	struct client c;

	if (client_open(&c, kit_dial_main(&kit), own, between, version) &&
	    client_ask(&c, "GET /who" H "\r\n", "never"))
		fail_msg("let in");
	if (c.alert != alert)
		fail_msg("alert %d instead of %d", c.alert, alert);
	client_close(&c);
}

static void lets_in(void **state)
{
	struct client c;

	(void)state;
	expect_in(&leaf);
	assert_true(client_open(&c, kit_dial_main(&kit), &leaf, NULL, TLS1_3_VERSION));
	assert_true(client_ask(&c,
			       "POST /echo" H "Content-Type: application/json\r\n"
			       "Transfer-Encoding: chunked\r\n\r\n3\r\n[1]\r\n0\r\n\r\n",
			       "[1]"));
	assert_true(client_ask(&c, "GET /id" H "\r\nGET /quick" H "\r\n", "ok"));
	assert_true(client_ask(&c, "GET /large?40000" H "\r\n", "xxxx"));
	client_close(&c);
}

/* Ends with a close_notify: nobody on the way can cut an answer unseen. */
static void ends_properly(void **state)
{
	struct client c;
	char b;

	(void)state;
	assert_true(client_open(&c, kit_dial_main(&kit), &leaf, NULL, TLS1_3_VERSION));
	assert_true(client_ask(&c, "GET /quick" H "Connection: close\r\n\r\n", "ok"));
	assert_int_equal(SSL_read(c.ssl, &b, 1), 0);
	assert_int_equal(SSL_get_error(c.ssl, 0), SSL_ERROR_ZERO_RETURN);
	client_close(&c);
	assert_true(client_open(&c, kit_dial_main(&kit), &leaf, NULL, TLS1_3_VERSION));
	assert_true(client_ask(&c, "rubbish\r\n\r\n", "http.line"));
	assert_int_equal(SSL_read(c.ssl, &b, 1), 0);
	assert_int_equal(SSL_get_error(c.ssl, 0), SSL_ERROR_ZERO_RETURN);
	client_close(&c);
}

static void large(void **state)
{
	size_t n = (size_t)4 << 20, got = 0;
	char *body = calloc(1, n), head[1024];
	struct client c;
	int r;

	(void)state;
	assert_true(client_open(&c, kit_dial_main(&kit), &leaf, NULL, TLS1_3_VERSION));
	snprintf(head, sizeof head, "POST /big" H "Content-Length: %zu\r\n\r\n", n);
	SSL_write(c.ssl, head, (int)strlen(head));
	assert_int_equal(SSL_write(c.ssl, body, (int)n), n);
	assert_true(client_ask(&c, "", "4194304 0"));
	snprintf(head, sizeof head, "GET /large?%zu" H "Connection: close\r\n\r\n", n);
	SSL_write(c.ssl, head, (int)strlen(head));
	while ((r = SSL_read(c.ssl, body, (int)n)) > 0)
		got += (size_t)r;
	assert_true(got > n && got < n + 400);
	client_close(&c);
	free(body);
}

static void refuses_strangers(void **state)
{
	struct cert stranger = make_cert("pod", &other_ca, BOTH, -DAY, DAY),
		    old = make_cert("pod", &ca, BOTH, -DAY, -60),
		    future = make_cert("pod", &ca, BOTH, 3600, DAY),
		    servers = make_cert("pod", &ca, "serverAuth", -DAY, DAY),
		    any = make_cert("pod", &ca, "", -DAY, DAY),
		    between = make_cert("between", &ca, NULL, -DAY, DAY),
		    below = make_cert("pod", &between, BOTH, -DAY, DAY),
		    itself = make_cert("pod", NULL, BOTH, -DAY, DAY);

	(void)state;
	expect_alert(NULL, NULL, TLS1_3_VERSION, SSL_AD_CERTIFICATE_REQUIRED);
	expect_alert(&stranger, NULL, TLS1_3_VERSION, SSL_AD_DECRYPT_ERROR);
	expect_alert(&itself, NULL, TLS1_3_VERSION, SSL_AD_UNKNOWN_CA);
	expect_alert(&old, NULL, TLS1_3_VERSION, SSL_AD_CERTIFICATE_EXPIRED);
	expect_alert(&future, NULL, TLS1_3_VERSION, SSL_AD_BAD_CERTIFICATE);
	expect_alert(&servers, NULL, TLS1_3_VERSION, SSL_AD_UNSUPPORTED_CERTIFICATE);
	expect_alert(&any, NULL, TLS1_3_VERSION, SSL_AD_UNSUPPORTED_CERTIFICATE);
	expect_alert(&below, &between, TLS1_3_VERSION, SSL_AD_UNKNOWN_CA);
	expect_alert(&leaf, NULL, TLS1_2_VERSION, SSL_AD_PROTOCOL_VERSION);
	assert_int_equal(kit.done, 0);
	expect_in(&leaf);
	free_cert(&stranger);
	free_cert(&old);
	free_cert(&future);
	free_cert(&servers);
	free_cert(&any);
	free_cert(&between);
	free_cert(&below);
	free_cert(&itself);
}

static void no_plain_text(void **state)
{
	int fd = kit_dial_main(&kit);
	char got[400];
	ssize_t n;

	(void)state;
	kit_send(fd, "GET /quick" H "\r\n");
	while ((n = recv(fd, got, sizeof got, 0)) > 0)
		assert_null(memmem(got, (size_t)n, "HTTP", 4));
	close(fd);
	assert_int_equal(kit.done, 0);
}

/* A handshake has its deadline, whether nothing comes or a byte at a time. */
static void slow_handshake(void **state)
{
	int silent, slow;
	uint64_t from;

	(void)state;
	start_with((struct ctr_http_server_conf){ .head_s = 1 }, 0);
	silent = kit_dial_main(&kit);
	slow = kit_dial_main(&kit);
	from = kit_ms();
	kit_send_n(slow, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
	for (unsigned i = 0; i < 40; i++) {
		usleep(50000);
		kit_send_n(slow, "\x01", 1);
	}
	kit_expect_end(silent);
	kit_expect_end(slow);
	assert_true(kit_ms() - from < 4000);
	close(silent);
	close(slow);
}

static void crowd(void **state)
{
	int fd[6], alert;
	bool in = false;

	(void)state;
	start_with((struct ctr_http_server_conf){ .head_s = 30 }, 4);
	for (unsigned i = 0; i < 6; i++)
		fd[i] = kit_dial_main(&kit);
	/* one of the six may be taken in behind it, and push it out: then it comes again */
	for (unsigned i = 0; i < 7 && !in; i++)
		in = gets_in(&leaf, &alert);
	assert_true(in);
	kit_expect_end(fd[0]);
	for (unsigned i = 0; i < 6; i++)
		close(fd[i]);
}

/* Another CA while it serves: who was let in by the old one is not heard again. */
static void exchange(void **state)
{
	struct cert other_leaf = make_cert("pod", &other_ca, BOTH, -DAY, DAY),
		    other_server = make_cert("coordinator 2", &other_ca, BOTH, -DAY, DAY);
	struct client c, d;

	(void)state;
	assert_true(client_open(&c, kit_dial_main(&kit), &leaf, NULL, TLS1_3_VERSION));
	assert_true(client_ask(&c, "GET /quick" H "\r\n", "ok"));
	T_FAILS(ctr_tls_server_set(tls, other_server.pem, server.key_pem, other_ca.pem, e),
		CTR_FORMAT, "tls.key");
	assert_true(client_ask(&c, "GET /quick" H "\r\n", "ok"));
	T_OK(ctr_tls_server_set(tls, other_server.pem, other_server.key_pem, other_ca.pem, e));
	assert_false(client_ask(&c, "GET /quick" H "\r\n", "ok"));
	client_close(&c);
	expect_alert(&leaf, NULL, TLS1_3_VERSION, SSL_AD_DECRYPT_ERROR);
	expect_in(&other_leaf);
	assert_true(client_open(&d, kit_dial_main(&kit), &other_leaf, NULL, TLS1_3_VERSION));
	assert_int_equal(X509_cmp(SSL_get0_peer_certificate(d.ssl), other_server.x), 0);
	client_close(&d);
	free_cert(&other_leaf);
	free_cert(&other_server);
}

/* A session that is offered again is a full handshake all the same. */
static void no_resumption(void **state)
{
	struct client c, d = { 0 };
	SSL_SESSION *session;

	(void)state;
	assert_true(client_open(&c, kit_dial_main(&kit), &leaf, NULL, TLS1_3_VERSION));
	assert_true(client_ask(&c, "GET /quick" H "\r\n", "ok"));
	session = SSL_get1_session(c.ssl);
	assert_int_equal(SSL_SESSION_has_ticket(session), 0);
	assert_int_equal(SSL_SESSION_is_resumable(session), 0);
	d.ssl = SSL_new(c.ctx);
	d.fd = kit_dial_main(&kit);
	SSL_set_fd(d.ssl, d.fd);
	SSL_set_session(d.ssl, session);
	assert_int_equal(SSL_connect(d.ssl), 1);
	assert_int_equal(SSL_session_reused(d.ssl), 0);
	client_close(&d);
	client_close(&c);
	SSL_SESSION_free(session);
}

static atomic_bool over;
static atomic_uint tries;

/* In the middle of some handshakes, not of all. */
static void *exchanging(void *arg)
{
	(void)arg;
	while (!over) {
		unsigned next = tries + 2;

		T_OK(ctr_tls_server_set(tls, server.pem, server.key_pem, ca.pem, e));
		while (!over && tries < next)
			usleep(500);
	}
	return NULL;
}

static void exchange_under_load(void **state)
{
	unsigned served = 0;
	pthread_t t;

	(void)state;
	over = false;
	tries = 0;
	assert_int_equal(pthread_create(&t, NULL, exchanging, NULL), 0);
	for (; tries < 100; tries++) {
		struct client c;

		if (client_open(&c, kit_dial_main(&kit), &leaf, NULL, TLS1_3_VERSION))
			served += client_ask(&c, "GET /quick" H "\r\n", "ok");
		client_close(&c);
	}
	over = true;
	pthread_join(t, NULL);
	assert_true(served >= 30);
}

static void settings(void **state)
{
	static const char locked[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END "
				     "ENCRYPTED PRIVATE KEY-----\n";
	struct ctr_tls_server *s;
	struct ctr_tls *t;
	char both[8192];

	(void)state;
	T_OK(ctr_tls_server_new(&s, e));
	T_FAILS(ctr_tls_new(s, 0, &t, e), CTR_ENV, "tls.unset");
	T_FAILS(ctr_tls_server_set(s, "", server.key_pem, ca.pem, e), CTR_FORMAT, "tls.chain");
	T_FAILS(ctr_tls_server_set(s, "x", server.key_pem, ca.pem, e), CTR_FORMAT, "tls.chain");
	T_FAILS(ctr_tls_server_set(s, server.pem, "", ca.pem, e), CTR_FORMAT, "tls.key");
	T_FAILS(ctr_tls_server_set(s, server.pem, locked, ca.pem, e), CTR_FORMAT, "tls.key");
	T_FAILS(ctr_tls_server_set(s, server.pem, leaf.key_pem, ca.pem, e), CTR_FORMAT, "tls.key");
	T_FAILS(ctr_tls_server_set(s, server.pem, server.key_pem, "", e), CTR_FORMAT, "tls.trust");
	T_FAILS(ctr_tls_server_set(s, server.pem, server.key_pem, leaf.pem, e), CTR_FORMAT,
		"tls.trust");
	T_FAILS(ctr_tls_new(s, 0, &t, e), CTR_ENV, "tls.unset");
	snprintf(both, sizeof both, "%s%s", server.pem, ca.pem);
	T_OK(ctr_tls_server_set(s, both, server.key_pem, ca.pem, e));
	T_OK(ctr_tls_new(s, 0, &t, e));
	assert_false(ctr_tls_stale(t));
	ctr_tls_server_unset(s);
	assert_true(ctr_tls_stale(t));
	ctr_tls_free(t);
	T_FAILS(ctr_tls_new(s, 0, &t, e), CTR_ENV, "tls.unset");
	ctr_tls_server_free(s);
	ctr_tls_server_free(NULL);
	ctr_tls_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, start, stop)
		T(lets_in),
		T(ends_properly),
		T(large),
		T(refuses_strangers),
		T(no_plain_text),
		T(exchange),
		T(no_resumption),
		T(exchange_under_load),
		cmocka_unit_test_teardown(slow_handshake, stop),
		cmocka_unit_test_teardown(crowd, stop),
		cmocka_unit_test(settings),
	};

	return cmocka_run_group_tests(tests, group_start, group_stop);
}
