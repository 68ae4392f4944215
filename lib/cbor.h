/* CBOR (RFC 8949): strict reading into a tree of borrowed bytes, deterministic writing over
 * libcbor. */
#ifndef LIB_CBOR_H
#define LIB_CBOR_H

#include <stdint.h>

#include "buf.h"
#include "rd.h"

#define CTR_CBOR_DEPTH 8 /* what depth 0 stands for */
#define CTR_CBOR_DEPTH_MAX 64
#define CTR_CBOR_ITEMS 100000 /* data items in one document, keys and tags counted */

/* A document. It borrows the bytes that it was read from, and never outlives them. */
struct ctr_cbor;

/*
 * Reads exactly one data item from p[0..n). Definite lengths only; maps have integers, text or
 * bytes as keys, none twice; text is UTF-8; of the simple values false, true and null, no floats.
 * Encodings need not be the shortest. `depth` counts arrays, maps and tags around the innermost
 * item; 0: CTR_CBOR_DEPTH; at most CTR_CBOR_DEPTH_MAX. Memory grows with what is there, never with
 * what a length says. The caller frees *out. CTR_FORMAT with the offset in the message:
 * "cbor.short" (input ends early), "cbor.trailing", "cbor.indefinite", "cbor.reserved" (head that
 * has no meaning), "cbor.simple" (float or other simple value), "cbor.key" (kind of key),
 * "cbor.duplicate", "cbor.utf8", "cbor.depth", "cbor.items".
 */
CTR_MUST int ctr_cbor_parse(const void *p, size_t n, unsigned depth, struct ctr_cbor **out,
			    struct ctr_err *e);
void ctr_cbor_free(struct ctr_cbor *c); /* NULL is legal */
void ctr_cbor_cleanup(struct ctr_cbor **c);
#define ctr_auto_cbor CTR_AUTO(ctr_cbor_cleanup)

enum ctr_cbor_type {
	CTR_CBOR_UINT,
	CTR_CBOR_NEGINT,
	CTR_CBOR_BYTES,
	CTR_CBOR_TEXT,
	CTR_CBOR_ARRAY,
	CTR_CBOR_MAP,
	CTR_CBOR_TAG,
	CTR_CBOR_BOOL,
	CTR_CBOR_NULL,
};

/* An item, by value. When `there` is false it is the one that was looked for in map `at` and not
 * found. */
struct ctr_cval {
	const struct ctr_cbor *c;
	size_t at;
	bool there;
	const char *text; /* the key looked for, NULL: num */
	int64_t num;
};

struct ctr_cval ctr_croot(const struct ctr_cbor *c);
/* The value at a key; not there when absent, or when m is no map. */
struct ctr_cval ctr_cget(const struct ctr_cval *m, const char *key);
struct ctr_cval ctr_cget_int(const struct ctr_cval *m, int64_t key);
enum ctr_cbor_type ctr_ctype(const struct ctr_cval *v); /* v is there */

/* Items of an array, or values of a map, in their order: for (c = ctr_cfirst(&v); c.there; c =
 * ctr_cnext(&c)). */
struct ctr_cval ctr_cfirst(const struct ctr_cval *v);
struct ctr_cval ctr_cnext(const struct ctr_cval *v);
struct ctr_cval ctr_ckey(const struct ctr_cval *v); /* the key that a value of a map stands at; not
						       there for others */
size_t ctr_ccount(const struct ctr_cval *v);	    /* items or pairs; 0 for what holds none */

/* The item must be there and of the type, else CTR_FORMAT "cbor.missing" or "cbor.type". */
CTR_MUST int ctr_carray(const struct ctr_cval *v, struct ctr_err *e);
CTR_MUST int ctr_cmap(const struct ctr_cval *v, struct ctr_err *e);
CTR_MUST int ctr_cbool(const struct ctr_cval *v, bool *b, struct ctr_err *e);
CTR_MUST int ctr_cuint(const struct ctr_cval *v, uint64_t max, uint64_t *n,
		       struct ctr_err *e); /* above max: "cbor.range" */
CTR_MUST int ctr_cint(const struct ctr_cval *v, int64_t *n,
		      struct ctr_err *e); /* beyond 64 bits: "cbor.range" */
/* The bytes, borrowed: at most max, else "cbor.size". Text has no NUL at its end and may have NULs
 * in it. */
CTR_MUST int ctr_cbytes(const struct ctr_cval *v, size_t max, struct ctr_rd *r, struct ctr_err *e);
CTR_MUST int ctr_ctext(const struct ctr_cval *v, size_t max, struct ctr_rd *r, struct ctr_err *e);
/* A tag's number and what it is put on. */
CTR_MUST int ctr_ctag(const struct ctr_cval *v, uint64_t *tag, struct ctr_cval *inner,
		      struct ctr_err *e);

/* "cbor.unknown" when the map has a key that is not in the NULL-ended list of text keys. */
CTR_MUST int ctr_conly(const struct ctr_cval *m, const char *const *keys, struct ctr_err *e);
bool ctr_ctext_is(const struct ctr_cval *v, const char *s);

/* The item's own encoding as it was read, borrowed: what a signature over it would cover. v is
 * there. */
void ctr_craw(const struct ctr_cval *v, struct ctr_rd *r);

/* "$.certs.vcek", "$.4[0]" of v into b. */
void ctr_cpath(const struct ctr_cval *v, struct ctr_buf *b);
/* A failure at v: the path becomes the error's position. CTR_FORMAT. Returns -1. */
int ctr_cfail(const struct ctr_cval *v, struct ctr_err *e, const char *id, const char *fmt, ...)
	CTR_FMT(4, 5);

/*
 * Writing: each appends one item, or a head that the items follow; shortest form. Maps are
 * deterministic (RFC 8949 section 4.2.1) when the caller writes their keys in the order of their
 * encodings: for text the shorter first, then by bytes.
 */
void ctr_cbor_uint(struct ctr_buf *b, uint64_t n);
void ctr_cbor_int(struct ctr_buf *b, int64_t n);
void ctr_cbor_bytes(struct ctr_buf *b, const void *p, size_t n);
void ctr_cbor_text(struct ctr_buf *b, const char *s);
void ctr_cbor_array(struct ctr_buf *b, size_t items);
void ctr_cbor_map(struct ctr_buf *b, size_t pairs);
void ctr_cbor_tag(struct ctr_buf *b, uint64_t tag);
void ctr_cbor_bool(struct ctr_buf *b, bool v);
void ctr_cbor_null(struct ctr_buf *b);

#endif
