/* Certificates and revocation lists (RFC 5280) as the verifiers need them, over OpenSSL: strict, no
 * network, no system store. */
#ifndef LIB_X509_H
#define LIB_X509_H

#include <openssl/x509.h>
#include <stdint.h>
#include <time.h>

#include "buf.h"
#include "hash.h"
#include "rd.h"

#define CTR_CERT_MAX 16384 /* bytes of one certificate */
#define CTR_CHAIN_MAX 8	   /* certificates in one PEM text */

void ctr_x509_cleanup(X509 **c);
void ctr_crl_cleanup(X509_CRL **c);
#define ctr_auto_x509 CTR_AUTO(ctr_x509_cleanup)
#define ctr_auto_crl CTR_AUTO(ctr_crl_cleanup)

/* Exactly one certificate in DER, nothing behind it. The caller frees *c. CTR_FORMAT "x509.der".
 * `what` names it. */
CTR_MUST int ctr_x509_der(const void *p, size_t n, const char *what, X509 **c, struct ctr_err *e);

/* PEM certificates in order, at most CTR_CHAIN_MAX; one NUL at the end is allowed; text around them
 * is ignored. */
struct ctr_chain {
	X509 *v[CTR_CHAIN_MAX];
	size_t n;
};
CTR_MUST int ctr_x509_pem(const void *p, size_t n, const char *what, struct ctr_chain *c,
			  struct ctr_err *e); /* "x509.pem" */
void ctr_chain_free(struct ctr_chain *c);
#define ctr_auto_chain CTR_AUTO(ctr_chain_free)

/* The certificate's DER, appended. */
CTR_MUST int ctr_x509_print(const X509 *c, struct ctr_buf *b, struct ctr_err *e);

/* One revocation list in DER, nothing behind it. CTR_FORMAT "x509.crl". */
CTR_MUST int ctr_crl_der(const void *p, size_t n, const char *what, X509_CRL **c,
			 struct ctr_err *e);

/* SHA-256 of the SubjectPublicKeyInfo: what pins are figures of. */
CTR_MUST int ctr_x509_spki(const X509 *c, uint8_t out[CTR_SHA256_SIZE], struct ctr_err *e);

/* The only common name of subject or issuer, printable ASCII, into b; false when there is none, or
 * several. */
bool ctr_x509_cn(const X509 *c, bool issuer, char *b, size_t n);
bool ctr_x509_same_name(const X509 *c, const X509 *issuer); /* c's issuer is issuer's subject */

/* What a signature must be: nothing else is accepted in its place. */
enum ctr_sig {
	CTR_SIG_PSS_SHA384,   /* RSASSA-PSS, SHA-384, MGF1 SHA-384, salt 48, trailer 1 (AMD) */
	CTR_SIG_ECDSA_SHA256, /* on P-256 (Intel) */
};
bool ctr_x509_signed(X509 *c, const X509 *issuer, enum ctr_sig kind);
bool ctr_crl_signed(X509_CRL *c, const X509 *issuer, enum ctr_sig kind);

/* An EC key on the named curve (NID of OpenSSL), an RSA key of that many bits. */
bool ctr_x509_key_ec(const X509 *c, int curve);
bool ctr_x509_key_rsa(const X509 *c, unsigned bits);

/* Basic constraints say CA and key usage has certSign; crl: cRLSign too. */
bool ctr_x509_is_ca(X509 *c, bool crl);
/* Neither says CA nor may sign certificates. */
bool ctr_x509_is_leaf(X509 *c);
/* No critical extension that this code does not know, none twice, version 3. */
bool ctr_x509_sound(X509 *c);

/* The bounds, seconds since the epoch; false when they cannot be read. A CRL without nextUpdate has
 * none. */
bool ctr_x509_window(const X509 *c, time_t *from, time_t *until);
bool ctr_crl_window(const X509_CRL *c, time_t *from, time_t *until);

/* The list is that of issuer (by name), and c (issued by it) is on it. */
bool ctr_crl_of(const X509_CRL *l, const X509 *issuer);
bool ctr_crl_has(X509_CRL *l, const X509 *c);
/* No critical extension beyond those of RFC 5280 for complete lists: a delta or partial list is not
 * one. */
bool ctr_crl_sound(X509_CRL *l);

/* The value of an extension by dotted OID: 1 there, 0 absent, -1 twice. It borrows from c. */
int ctr_x509_ext(const X509 *c, const char *oid, struct ctr_rd *value);

/* "2026-11-24T10:00:00Z", and back (CTR_FORMAT "time"). buf has CTR_TIME_MAX bytes. */
#define CTR_TIME_MAX 32
const char *ctr_time_print(time_t t, char *buf);
CTR_MUST int ctr_time_parse(const char *s, time_t *t, struct ctr_err *e);

#endif
