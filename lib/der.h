/* The little of DER (X.690) that certificate extensions of AMD and Intel need, over the checked
 * cursor. */
#ifndef LIB_DER_H
#define LIB_DER_H

#include "rd.h"

enum ctr_der_tag {
	CTR_DER_BOOLEAN = 0x01,
	CTR_DER_INTEGER = 0x02,
	CTR_DER_OCTETS = 0x04,
	CTR_DER_OID = 0x06,
	CTR_DER_ENUMERATED = 0x0a,
	CTR_DER_IA5 = 0x16,
	CTR_DER_SEQUENCE = 0x30,
};

/*
 * All of these return 0 and move r behind the element, or -1: end of input, another tag, or an
 * encoding that is not the one of DER. Then the output is zero (or empty), and r may be anywhere.
 * Tags have one byte; lengths are definite, in their shortest form, at most 2^24 - 1. What they
 * return borrows from r's bytes. Bytes behind the element are the caller's to refuse (ctr_rd_end).
 */
CTR_MUST int ctr_der_tlv(struct ctr_rd *r, uint8_t tag, struct ctr_rd *sub);
/* INTEGER, not negative, at most max (X.690 section 8.3: no byte more than needed). */
CTR_MUST int ctr_der_uint(struct ctr_rd *r, uint64_t max, uint64_t *v);
/* ENUMERATED, the same. */
CTR_MUST int ctr_der_enum(struct ctr_rd *r, uint64_t max, uint64_t *v);
/* BOOLEAN: 0 or 0xff (section 11.1). */
CTR_MUST int ctr_der_bool(struct ctr_rd *r, bool *v);
/* OCTET STRING of exactly n bytes. */
CTR_MUST int ctr_der_octets(struct ctr_rd *r, void *dst, size_t n);
/* IA5String of at most n - 1 printable characters, terminated. */
CTR_MUST int ctr_der_ia5(struct ctr_rd *r, char *dst, size_t n);

/* The content of an OBJECT IDENTIFIER is these bytes. */
bool ctr_der_oid_is(const struct ctr_rd *oid, const uint8_t *bytes, size_t n);
/* It is these bytes and one more arc, 0 to 127, behind them: that arc; otherwise -1. */
int ctr_der_oid_below(const struct ctr_rd *oid, const uint8_t *bytes, size_t n);

#endif
