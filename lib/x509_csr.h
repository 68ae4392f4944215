/* Certification requests (PKCS #10, RFC 2986). */
#ifndef LIB_X509_CSR_H
#define LIB_X509_CSR_H

#include "buf.h"

#define CTR_CSR_MAX 65536 /* bytes, in either form */

struct ctr_csr {
	struct ctr_buf spki; /* the key, SubjectPublicKeyInfo in DER, as ctr_spki_check takes it */
	char **sans;	     /* the names it asks for, when they were wanted */
	size_t n_sans;
};
void ctr_csr_free(struct ctr_csr *c); /* leaves an empty one, as = { 0 } */
#define ctr_auto_csr CTR_AUTO(ctr_csr_free)

/*
 * Reads one request, PEM or DER, into an empty c. Subject and attributes are ignored; with `names`
 * the subject alternative names that it asks for are taken. CTR_FORMAT "csr.parse", "ca.key" (the
 * key is no one may have), "csr.san" (a name that ctr_san_kind does not know, or too many); CTR_NO
 * "csr.signature": whoever made the request does not hold the key, or signed with a weak hash.
 */
CTR_MUST int ctr_csr_parse(const char *name, const void *p, size_t n, bool names, struct ctr_csr *c,
			   struct ctr_err *e);

#endif
