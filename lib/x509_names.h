/* Subject alternative names and name constraints (RFC 5280 sections 4.2.1.6 and 4.2.1.10), from
 * text and to text. */
#ifndef LIB_X509_NAMES_H
#define LIB_X509_NAMES_H

#include <openssl/x509v3.h>

#include "buf.h"

/* GeneralNames in DER, appended. CTR_FORMAT "ca.san": not a name that ctr_san_kind knows. */
CTR_MUST int ctr_x509_sans(const char *const *sans, size_t n, struct ctr_buf *b, struct ctr_err *e);

/*
 * NameConstraints in DER, appended, by which a leaf may have these names alone: a DNS name with all
 * below it (URIs with such a host too), an IP address, a network ("10.0.0.0/8"). A kind of name
 * that is not among them is forbidden. CTR_USAGE "ca.permit".
 */
CTR_MUST int ctr_x509_constraints(const char *const *permitted, size_t n, struct ctr_buf *b,
				  struct ctr_err *e);

/* A name as text, appended: "web.example", "10.0.0.1", "spiffe://a/b"; a base of a constraint
 * likewise. False for a kind that has no such text. */
bool ctr_x509_name_text(const GENERAL_NAME *name, struct ctr_buf *b);

#endif
