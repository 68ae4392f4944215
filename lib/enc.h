/* Hexadecimal and base64 (RFC 4648 section 4), strict in both directions. */
#ifndef LIB_ENC_H
#define LIB_ENC_H

#include "buf.h"

/* Lower-case digits of p[0..n), appended. */
void ctr_hex_add(struct ctr_buf *b, const void *p, size_t n);

/* Exactly 2n digits (either case) into dst; anything else is CTR_FORMAT "hex". */
CTR_MUST int ctr_hex_parse(const char *s, size_t len, uint8_t *dst, size_t n, struct ctr_err *e);

/* Standard alphabet with padding, no line breaks, appended. */
void ctr_base64_add(struct ctr_buf *b, const void *p, size_t n);

/* Appends the decoded bytes. Blanks, missing padding and stray trailing bits are CTR_FORMAT "base64". */
CTR_MUST int ctr_base64_parse(const char *s, size_t len, struct ctr_buf *b, struct ctr_err *e);

/* Bytes as PEM (RFC 7468) with that label, appended. */
void ctr_pem_add(struct ctr_buf *b, const char *label, const void *p, size_t n);

#endif
