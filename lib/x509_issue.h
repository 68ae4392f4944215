/* Making certificates (RFC 5280) over OpenSSL: version 3, with all that a strict verifier asks for.
 */
#ifndef LIB_X509_ISSUE_H
#define LIB_X509_ISSUE_H

#include <time.h>

#include "crypto_sign.h"

#define CTR_SERIAL_SIZE 16
#define CTR_CERT_FOREVER                                                                           \
	((time_t)253402300799) /* 9999-12-31T23:59:59Z: no end (section 4.1.2.5)                   \
				*/

/* A CA that issues: a certificate, and the key that it is for. Threads may share it. */
struct ctr_issuer;

/* Copies the certificate in DER; borrows the key, for as long as the issuer lives. CTR_FORMAT
 * "x509.der", "x509.issuer": not the certificate of a CA with that key. */
CTR_MUST int ctr_issuer_new(const struct ctr_sign_key *key, const void *der, size_t n,
			    struct ctr_issuer **out, struct ctr_err *e);
void ctr_issuer_free(struct ctr_issuer *i); /* NULL is legal */
/* Within these, both included, its certificate is valid. */
void ctr_issuer_window(const struct ctr_issuer *i, time_t *from, time_t *until);

struct ctr_ca_spec {
	const char *name; /* common name, at most 64 bytes */
	time_t from, until;
	uint8_t pathlen;       /* CAs that may follow, below 128 */
	const uint8_t *serial; /* CTR_SERIAL_SIZE bytes, of which the first bit is not used; NULL:
				* random */
	const char *const *permitted; /* DNS names (with all below), IP addresses, networks; none:
				       * any name */
	size_t n_permitted;
	bool again; /* self-signed by P-384: the same bytes each time (RFC 6979) */
};

/*
 * The certificate of a CA for `key` by `by`, or self-signed (NULL), in DER, appended. It is signed
 * with SHA-256 by P-256, SHA-384 by P-384. With permitted names, IP addresses and URIs of other
 * hosts are forbidden too. CTR_USAGE "ca.permit"; CTR_ENV "x509.issue".
 */
CTR_MUST int ctr_x509_issue_ca(const struct ctr_ca_spec *s, const struct ctr_sign_key *key,
			       const struct ctr_issuer *by, struct ctr_buf *der, struct ctr_err *e);

/* An extension that is not critical, its value a UTF8String or an OCTET STRING. */
struct ctr_cert_ext {
	uint8_t oid[16]; /* content of the OBJECT IDENTIFIER */
	size_t n_oid;
	bool text;
	const void *p;
	size_t n;
};

struct ctr_leaf_spec {
	const void *spki; /* the key, as ctr_spki_check takes it */
	size_t n_spki;
	const char *const *sans; /* as ctr_san_kind knows them */
	size_t n_sans;
	const struct ctr_cert_ext *exts;
	size_t n_exts;
	time_t from, until;
};

/*
 * The certificate of an end entity for TLS, server and client, in DER, appended. The common name is
 * the first DNS name that is no wildcard and short enough; without one the subject is empty and its
 * names are critical; without any name it is "mesh certificate". CTR_FORMAT "ca.key", "ca.san" (no
 * name, one that the CA may not give, or more than fits into CTR_CERT_MAX); CTR_ENV "x509.issue".
 */
CTR_MUST int ctr_x509_issue_leaf(const struct ctr_leaf_spec *s, const struct ctr_issuer *by,
				 struct ctr_buf *der, struct ctr_err *e);

#endif
