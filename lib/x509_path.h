/* Whether a certificate leads to one that is trusted (RFC 5280 section 6). */
#ifndef LIB_X509_PATH_H
#define LIB_X509_PATH_H

#include "x509.h"

/*
 * From c.v[0] through any of the others, which are not trusted, to `anchor`, as of `at`:
 * signatures, validity, path lengths, key usage, name constraints, strictly; at least 128 bits of
 * security. No system store, no revocation. CTR_NO "x509.path" with OpenSSL's reason; `what` is for
 * the message.
 */
CTR_MUST int ctr_x509_path(const struct ctr_chain *c, X509 *anchor, time_t at, const char *what,
			   struct ctr_err *e);

/* The subject's public key, SubjectPublicKeyInfo in DER, appended. */
CTR_MUST int ctr_x509_key(const X509 *c, struct ctr_buf *der, struct ctr_err *e);

#endif
