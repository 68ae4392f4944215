/* Throw-away certificates, revocation lists and keys for the tests. Failures end the program. */
#ifndef TESTS_SIM_LIB_PKI_H
#define TESTS_SIM_LIB_PKI_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <time.h>

#include "buf.h"

#define PKI_MUST(x)                                                                                \
	do {                                                                                       \
		if (!(x)) {                                                                        \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);                    \
			exit(4);                                                                   \
		}                                                                                  \
	} while (0)

enum pki_alg { PKI_PSS_SHA384, PKI_ECDSA_SHA256 };

struct pki_ca {
	X509 *cert;
	EVP_PKEY *key;
	enum pki_alg alg; /* of what it signs */
};

struct pki_cert {
	const char *const *base; /* the name but for CN: "OU", "Engineering", …, NULL */
	const char *cn;
	const char *serial; /* hexadecimal, NULL: 16 random bytes */
	time_t from, until;
	bool ca, key_ids;    /* key_ids: subject and authority key identifiers */
	int pathlen;	     /* -1: none */
	const char *usage;   /* "critical,keyCertSign", NULL: none */
	const char *crl_url; /* NULL: none */
};

/* What a CA's own certificate lacks until it is signed: pass by->cert NULL to sign it with its own
 * key. */
X509 *pki_new(const struct pki_cert *c, EVP_PKEY *key, const struct pki_ca *by);
/* An extension, not critical, with these bytes as its value: before pki_sign. */
void pki_ext(X509 *c, const char *oid, const void *p, size_t n);
void pki_sign(X509 *c, const struct pki_ca *by);
/* "OID=HEX" puts these bytes in the place of the extension's value, "OID=" takes it out, "+OID=HEX"
 * adds one more. */
void pki_change(X509 *c, const char *text);

/* A list by the CA: serials in the certificates of `revoked`, n of them. */
X509_CRL *pki_crl(const struct pki_ca *by, X509 *const *revoked, size_t n, time_t from,
		  time_t until);

/* The key in DIR/name.key; made and put there when it is not. kind: "RSA" (4096), "P-256", "P-384".
 */
EVP_PKEY *pki_key(const char *dir, const char *name, const char *kind);

void pki_der(const X509 *c, struct ctr_buf *b);
void pki_pem(const X509 *c, struct ctr_buf *b);
/* r || s in hexadecimal, as PCS gives signatures; P-256, SHA-256. */
void pki_raw_sign(EVP_PKEY *key, const void *p, size_t n, struct ctr_buf *hex);

/* Files of a directory. */
void pki_write(const char *dir, const char *name, const void *p, size_t n, unsigned mode);
void pki_write_cert(const char *dir, const char *name, const X509 *c);
void pki_write_crl(const char *dir, const char *name, X509_CRL *c);

/* "2026-11-24T10:00:00Z", both ways. */
time_t pki_time(const char *s);
const char *pki_time_text(time_t t, char buf[32]);

/* DER, appended: an element of content p[0..n) (short and two-byte lengths), and a number below
 * 65536. */
void pki_tlv(struct ctr_buf *b, unsigned tag, const void *p, size_t n);
void pki_int(struct ctr_buf *b, unsigned v);

#endif
