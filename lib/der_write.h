/* Writing DER (X.690) into a buffer. */
#ifndef LIB_DER_WRITE_H
#define LIB_DER_WRITE_H

#include "buf.h"

/* Begins an element: what is added until ctr_der_close, which gets the returned place, is its
 * content. Elements may hold others; the content is at most 65535 bytes ("limit", as ctr_buf_ok
 * says). */
size_t ctr_der_open(struct ctr_buf *b, uint8_t tag);
void ctr_der_close(struct ctr_buf *b, size_t at);

/* A whole element, its content p[0..n). */
void ctr_der_put(struct ctr_buf *b, uint8_t tag, const void *p, size_t n);

#endif
