#include "crypto_tls.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "crypto.h"
#include "x509.h"

struct ctr_tls_server {
	pthread_mutex_t lock;
	SSL_CTX *ctx; /* of now; each connection holds a reference to its own. NULL: unset */
	atomic_uint epoch;
};

struct ctr_tls {
	struct ctr_tls_server *server;
	SSL *ssl;
	unsigned epoch;
	uint8_t *peer; /* DER */
	size_t n_peer;
	bool up, broken;
};

static void cleanup_ctx(SSL_CTX **c)
{
	SSL_CTX_free(*c);
}

static void cleanup_key(EVP_PKEY **k)
{
	EVP_PKEY_free(*k);
}

static void cleanup_bio(BIO **b)
{
	BIO_free(*b);
}

#define auto_ctx CTR_AUTO(cleanup_ctx)
#define auto_key CTR_AUTO(cleanup_key)
#define auto_bio CTR_AUTO(cleanup_bio)

int ctr_tls_server_new(struct ctr_tls_server **out, struct ctr_err *e)
{
	*out = calloc(1, sizeof **out);
	if (!*out)
		return ctr_fail_mem(e);
	pthread_mutex_init(&(*out)->lock, NULL);
	return 0;
}

void ctr_tls_server_free(struct ctr_tls_server *s)
{
	if (!s)
		return;
	SSL_CTX_free(s->ctx);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* What OpenSSL checks of a chain, and one thing more: a leaf without an extended key usage would
 * pass for any purpose. */
static int check_peer(int ok, X509_STORE_CTX *store)
{
	X509 *leaf = X509_STORE_CTX_get_current_cert(store);

	if (!ok || X509_STORE_CTX_get_error_depth(store) != 0)
		return ok;
	if ((X509_get_extension_flags(leaf) & EXFLAG_XKUSAGE) &&
	    (X509_get_extended_key_usage(leaf) & XKU_SSL_CLIENT))
		return 1;
	X509_STORE_CTX_set_error(store, X509_V_ERR_INVALID_PURPOSE);
	return 0;
}

static SSL_CTX *new_ctx(void)
{
	SSL_CTX *c = SSL_CTX_new(TLS_server_method());

	if (!c)
		return NULL;
	SSL_CTX_set_options(c, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	/* a channel goes on where it stopped; and an idle one keeps no buffers */
	SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				    SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_max_cert_list(c, CTR_TLS_CERT_MAX);
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, check_peer);
	SSL_CTX_set_verify_depth(c, 0); /* certificates between leaf and trusted CA */
	if (SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION) == 1 &&
	    SSL_CTX_set_num_tickets(c, 0) == 1)
		return c;
	SSL_CTX_free(c);
	return NULL;
}

static int use_chain(SSL_CTX *c, const char *pem, struct ctr_err *e)
{
	ctr_auto_chain struct ctr_chain chain = { 0 };

	if (ctr_x509_pem(pem, strlen(pem), "the server's chain", &chain, NULL) < 0 ||
	    chain.n == 0 || SSL_CTX_use_certificate(c, chain.v[0]) != 1)
		return ctr_fail(e, CTR_FORMAT, "tls.chain", "no chain of certificates in PEM");
	for (size_t i = 1; i < chain.n; i++) {
		if (SSL_CTX_add1_chain_cert(c, chain.v[i]) != 1)
			return ctr_fail_mem(e);
	}
	return 0;
}

static int use_key(SSL_CTX *c, const char *pem, struct ctr_err *e)
{
	size_t n = strlen(pem);
	auto_bio BIO *bio = n <= INT_MAX ? BIO_new_mem_buf(pem, (int)n) : NULL;
	auto_key EVP_PKEY *key =
		bio ? PEM_read_bio_PrivateKey(bio, NULL, ctr_key_no_password, NULL) : NULL;

	if (!key || SSL_CTX_use_PrivateKey(c, key) != 1 || SSL_CTX_check_private_key(c) != 1)
		return ctr_fail(e, CTR_FORMAT, "tls.key",
				"not the key of the server's certificate");
	return 0;
}

/* Each one is an anchor by itself, also an intermediate: what is above it has no say here. */
static int use_trust(SSL_CTX *c, const char *pem, struct ctr_err *e)
{
	ctr_auto_chain struct ctr_chain chain = { 0 };
	X509_STORE *store = SSL_CTX_get_cert_store(c);

	if (ctr_x509_pem(pem, strlen(pem), "the trusted CA", &chain, NULL) < 0 || chain.n == 0)
		return ctr_fail(e, CTR_FORMAT, "tls.trust", "no CA certificate in PEM");
	for (size_t i = 0; i < chain.n; i++) {
		if (!ctr_x509_is_ca(chain.v[i], false))
			return ctr_fail(e, CTR_FORMAT, "tls.trust",
					"a trusted certificate is no CA's");
		if (X509_STORE_add_cert(store, chain.v[i]) != 1 ||
		    SSL_CTX_add_client_CA(c, chain.v[i]) != 1)
			return ctr_fail_mem(e);
	}
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	return 0;
}

static void exchange(struct ctr_tls_server *s, SSL_CTX *c)
{
	SSL_CTX *old;

	pthread_mutex_lock(&s->lock);
	old = s->ctx;
	s->ctx = c;
	s->epoch++;
	pthread_mutex_unlock(&s->lock);
	SSL_CTX_free(old); /* connections have references of their own */
}

int ctr_tls_server_set(struct ctr_tls_server *s, const char *chain, const char *key,
		       const char *trust, struct ctr_err *e)
{
	auto_ctx SSL_CTX *c = new_ctx();
	int r;

	if (!c)
		return ctr_fail_mem(e);
	r = use_chain(c, chain, e) < 0 || use_key(c, key, e) < 0 || use_trust(c, trust, e) < 0;
	ERR_clear_error();
	if (r)
		return -1;
	exchange(s, ctr_give(c));
	return 0;
}

void ctr_tls_server_unset(struct ctr_tls_server *s)
{
	exchange(s, NULL);
}

static SSL *new_ssl(struct ctr_tls_server *s, unsigned *epoch, struct ctr_err *e)
{
	SSL_CTX *c;
	SSL *ssl;

	pthread_mutex_lock(&s->lock);
	c = s->ctx;
	*epoch = s->epoch;
	if (c)
		SSL_CTX_up_ref(c);
	pthread_mutex_unlock(&s->lock);
	ssl = c ? SSL_new(c) : NULL;
	SSL_CTX_free(c);
	if (!c)
		ctr_fail(e, CTR_ENV, "tls.unset", "there is no certificate yet");
	else if (!ssl)
		ctr_fail_mem(e);
	return ssl;
}

int ctr_tls_new(struct ctr_tls_server *s, int fd, struct ctr_tls **out, struct ctr_err *e)
{
	struct ctr_tls *t = calloc(1, sizeof *t);

	*out = NULL;
	if (!t)
		return ctr_fail_mem(e);
	t->server = s;
	t->ssl = new_ssl(s, &t->epoch, e);
	if (!t->ssl || SSL_set_fd(t->ssl, fd) != 1) {
		ctr_tls_free(t);
		return ctr_fail_mem(e);
	}
	SSL_set_accept_state(t->ssl);
	*out = t;
	return 0;
}

void ctr_tls_free(struct ctr_tls *t)
{
	if (!t)
		return;
	ctr_tls_shut(t);
	SSL_free(t->ssl);
	OPENSSL_free(t->peer);
	free(t);
}

/* After a call that returned r. OpenSSL's list of errors is the thread's: left empty for the next.
 */
static enum ctr_chan result(struct ctr_tls *t, int r)
{
	int why = r > 0 ? SSL_ERROR_NONE : SSL_get_error(t->ssl, r);

	ERR_clear_error();
	switch (why) {
	case SSL_ERROR_NONE:
		return CTR_CHAN_OK;
	case SSL_ERROR_WANT_READ:
		return CTR_CHAN_READ;
	case SSL_ERROR_WANT_WRITE:
		return CTR_CHAN_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return CTR_CHAN_END;
	default: /* also an end without close_notify, which anybody on the way can make */
		t->broken = true;
		return CTR_CHAN_FAIL;
	}
}

/* Verified means: there is a certificate, and every check passed. */
static bool take_peer(struct ctr_tls *t)
{
	X509 *leaf = SSL_get0_peer_certificate(t->ssl);
	int n = leaf && SSL_get_verify_result(t->ssl) == X509_V_OK ? i2d_X509(leaf, &t->peer) : -1;

	t->n_peer = n > 0 ? (size_t)n : 0;
	t->up = n > 0;
	return t->up;
}

enum ctr_chan ctr_tls_handshake(struct ctr_tls *t)
{
	enum ctr_chan r;

	ERR_clear_error(); /* whatever others left: SSL_get_error would take it for ours */
	r = result(t, SSL_do_handshake(t->ssl));

	if (r != CTR_CHAN_OK)
		return r == CTR_CHAN_END ? CTR_CHAN_FAIL : r;
	return take_peer(t) ? CTR_CHAN_OK : CTR_CHAN_FAIL;
}

enum ctr_chan ctr_tls_read(struct ctr_tls *t, void *p, size_t n, size_t *got)
{
	if (!t->up || t->broken)
		return CTR_CHAN_FAIL;
	ERR_clear_error();
	return result(t, SSL_read_ex(t->ssl, p, n, got));
}

enum ctr_chan ctr_tls_write(struct ctr_tls *t, const void *p, size_t n, size_t *put)
{
	if (!t->up || t->broken)
		return CTR_CHAN_FAIL;
	ERR_clear_error();
	return result(t, SSL_write_ex(t->ssl, p, n, put));
}

bool ctr_tls_pending(struct ctr_tls *t)
{
	return SSL_has_pending(t->ssl);
}

bool ctr_tls_stale(struct ctr_tls *t)
{
	return t->epoch != t->server->epoch;
}

const uint8_t *ctr_tls_peer(struct ctr_tls *t, size_t *n)
{
	*n = t->n_peer;
	return t->peer;
}

/* One try: a peer that does not read needs no farewell. */
void ctr_tls_shut(struct ctr_tls *t)
{
	if (t->up && !t->broken && !(SSL_get_shutdown(t->ssl) & SSL_SENT_SHUTDOWN))
		result(t, SSL_shutdown(t->ssl));
}
