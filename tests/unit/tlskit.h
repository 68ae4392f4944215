/* Certificates for mutual TLS, each with one flaw or none, and a client. Included once by each
 * test. */
#ifndef TESTS_UNIT_TLSKIT_H
#define TESTS_UNIT_TLSKIT_H

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "t.h"

struct cert {
	EVP_PKEY *key;
	X509 *x;
	char pem[4096], key_pem[1024];
};

static void extend(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(ext);
	assert_int_equal(X509_add_ext(x, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

static void to_text(struct cert *c)
{
	BIO *b = BIO_new(BIO_s_mem());
	int n;

	assert_int_equal(PEM_write_bio_X509(b, c->x), 1);
	n = BIO_read(b, c->pem, sizeof c->pem - 1);
	assert_in_range(n, 1, sizeof c->pem - 1);
	c->pem[n] = '\0';
	assert_int_equal(PEM_write_bio_PrivateKey(b, c->key, NULL, NULL, 0, NULL, NULL), 1);
	n = BIO_read(b, c->key_pem, sizeof c->key_pem - 1);
	assert_in_range(n, 1, sizeof c->key_pem - 1);
	c->key_pem[n] = '\0';
	BIO_free(b);
}

/* A certificate for `name` by issuer (NULL: itself), valid from..until seconds from now; usage
 * NULL: a CA, "": a leaf without extended key usage. */
static struct cert make_cert(const char *name, const struct cert *issuer, const char *usage,
			     long from, long until)
{
	struct cert c = { .key = EVP_EC_gen("P-256"), .x = X509_new() };
	X509_NAME *subject = X509_get_subject_name(c.x);

	X509_set_version(c.x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(c.x), (long)(uintptr_t)c.x & 0xffffff);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1,
				   0);
	X509_set_issuer_name(c.x, issuer ? X509_get_subject_name(issuer->x) : subject);
	X509_gmtime_adj(X509_getm_notBefore(c.x), from);
	X509_gmtime_adj(X509_getm_notAfter(c.x), until);
	X509_set_pubkey(c.x, c.key);
	extend(c.x, NID_basic_constraints, usage ? "critical,CA:FALSE" : "critical,CA:TRUE");
	extend(c.x, NID_key_usage,
	       usage ? "critical,digitalSignature" : "critical,keyCertSign,cRLSign");
	if (usage && *usage)
		extend(c.x, NID_ext_key_usage, usage);
	assert_true(X509_sign(c.x, issuer ? issuer->key : c.key, EVP_sha256()) > 0);
	to_text(&c);
	return c;
}

static void free_cert(struct cert *c)
{
	EVP_PKEY_free(c->key);
	X509_free(c->x);
}

/* A client's view of a server. */
struct client {
	SSL_CTX *ctx;
	SSL *ssl;
	int fd;
	int alert; /* the last one received, 0 for none */
};

/* Over the connected fd with that certificate (NULL: none) and what follows it; false: refused. */
static bool client_open(struct client *c, int fd, const struct cert *own,
			const struct cert *between, int version)
{
	*c = (struct client){ .ctx = SSL_CTX_new(TLS_client_method()), .fd = fd };
	SSL_CTX_set_max_proto_version(c->ctx, version);
	SSL_CTX_set_mode(c->ctx, SSL_MODE_AUTO_RETRY);
	if (own) {
		assert_int_equal(SSL_CTX_use_certificate(c->ctx, own->x), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey(c->ctx, own->key), 1);
	}
	if (between)
		assert_int_equal(SSL_CTX_add1_chain_cert(c->ctx, between->x), 1);
	c->ssl = SSL_new(c->ctx);
	SSL_set_fd(c->ssl, fd);
	if (SSL_connect(c->ssl) == 1)
		return true;
	c->alert = ERR_GET_REASON(ERR_peek_last_error()) - SSL_AD_REASON_OFFSET;
	ERR_clear_error();
	return false;
}

/* Reads until text ends with `want`, an end, or an alert. */
static bool client_ask(struct client *c, const char *ask, const char *want)
{
	static char got[65536];
	size_t n = 0;
	int r;

	ERR_clear_error();
	SSL_write(c->ssl, ask, (int)strlen(ask));
	while (n < sizeof got - 1 &&
	       (r = SSL_read(c->ssl, got + n, (int)(sizeof got - 1 - n))) > 0) {
		n += (size_t)r;
		got[n] = '\0';
		if (n >= strlen(want) && strcmp(got + n - strlen(want), want) == 0)
			return true;
	}
	c->alert = ERR_peek_last_error()
			   ? ERR_GET_REASON(ERR_peek_last_error()) - SSL_AD_REASON_OFFSET
			   : 0;
	ERR_clear_error();
	return false;
}

static void client_close(struct client *c)
{
	SSL_free(c->ssl);
	SSL_CTX_free(c->ctx);
	close(c->fd);
}

#endif
