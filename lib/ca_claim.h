/*
 * The claims of a mesh certificate: what the CA has verified about the holder, each an extension of
 * its own that is not critical. Below CTR_CLAIM_ARC each has a number; its value is a UTF8String or
 * an OCTET STRING. Numbers are never used again for something else.
 */
#ifndef LIB_CA_CLAIM_H
#define LIB_CA_CLAIM_H

#include <stdint.h>

#include "err.h"

/* Small arcs: Go's X.509 knows none above 2^31 - 1. */
#define CTR_CLAIM_ARC "1.3.9903.2"
#define CTR_CLAIM_OID_MAX 24 /* bytes of an OID as text */
#define CTR_CLAIM_OID_SIZE 5 /* bytes of one in DER */
#define CTR_CLAIM_TEXT_MAX 1024

struct ctr_claim_kind {
	const char *name;
	uint8_t number; /* below CTR_CLAIM_ARC, at most 127 */
	bool text;
	size_t min, max; /* bytes of the value */
};

/* Ends with a row that has no name. */
extern const struct ctr_claim_kind ctr_claim_kinds[];

/* NULL for a name that is none. */
const struct ctr_claim_kind *ctr_claim_find(const char *name);
/* "1.3.9903.2.3" into oid; in DER, the content of the element. */
void ctr_claim_oid(const struct ctr_claim_kind *k, char oid[CTR_CLAIM_OID_MAX]);
void ctr_claim_oid_der(const struct ctr_claim_kind *k, uint8_t oid[CTR_CLAIM_OID_SIZE]);
/* Length, and UTF-8 of a text. CTR_FORMAT "ca.claim". */
CTR_MUST int ctr_claim_check(const struct ctr_claim_kind *k, const void *p, size_t n,
			     struct ctr_err *e);

#endif
