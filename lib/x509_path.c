#include "x509_path.h"

#include <openssl/x509_vfy.h>

static STACK_OF(X509) * others(const struct ctr_chain *c)
{
	STACK_OF(X509) *s = sk_X509_new_null();

	for (size_t i = 1; s && i < c->n; i++) {
		if (sk_X509_push(s, c->v[i]) == 0) {
			sk_X509_free(s);
			return NULL;
		}
	}
	return s;
}

/* NULL: it does lead there. */
static const char *verify(X509_STORE_CTX *ctx, X509_STORE *store, const struct ctr_chain *c,
			  STACK_OF(X509) * via, time_t at)
{
	X509_VERIFY_PARAM *p;

	if (X509_STORE_CTX_init(ctx, store, c->v[0], via) != 1)
		return "out of memory";
	p = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(p, at);
	X509_VERIFY_PARAM_set_auth_level(p, 3);
	X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_X509_STRICT);
	if (X509_verify_cert(ctx) == 1)
		return NULL;
	return X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
}

int ctr_x509_path(const struct ctr_chain *c, X509 *anchor, time_t at, const char *what,
		  struct ctr_err *e)
{
	STACK_OF(X509) *via = others(c);
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	const char *why = "out of memory";
	bool ready = c->n && via && store && ctx && X509_STORE_add_cert(store, anchor) == 1;

	if (ready)
		why = verify(ctx, store, c, via, at);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	sk_X509_free(via);
	if (!ready)
		return ctr_fail_mem(e);
	return why ? ctr_fail(e, CTR_NO, "x509.path", "%s: %s", what, why) : 0;
}

int ctr_x509_key(const X509 *c, struct ctr_buf *der, struct ctr_err *e)
{
	unsigned char *p = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(c), &p);

	if (n <= 0)
		return ctr_fail_mem(e);
	ctr_buf_add(der, p, (size_t)n);
	OPENSSL_free(p);
	return ctr_buf_ok(der, "key", e);
}
