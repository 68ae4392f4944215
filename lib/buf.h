/* A growable buffer with a ceiling, and a secret one that is wiped. */
#ifndef LIB_BUF_H
#define LIB_BUF_H

#include <stdint.h>

#include "cleanup.h"
#include "err.h"

/* Bytes of somebody else. */
struct ctr_bytes {
	const void *p;
	size_t n;
};

/*
 * Adding never fails at once: a failed allocation or a passed ceiling is kept in `bad`, and
 * ctr_buf_ok, which each user calls before using the bytes, reports it. p is always terminated by
 * a NUL that n does not count, or NULL when nothing was added.
 */
struct ctr_buf {
	char *p;
	size_t n, cap, max; /* max: ceiling for n, 0 means 1 GiB */
	enum { CTR_BUF_OK, CTR_BUF_MEMORY, CTR_BUF_LIMIT } bad;
	bool wipe; /* clear the memory when it is moved or freed */
};

void ctr_buf_init(struct ctr_buf *b, size_t max);
void ctr_buf_free(struct ctr_buf *b);  /* NULL p is legal; leaves an empty buffer */
void ctr_buf_reset(struct ctr_buf *b); /* forgets the bytes and `bad`, keeps the memory */

void ctr_buf_add(struct ctr_buf *b, const void *p, size_t n);
void ctr_buf_adds(struct ctr_buf *b, const char *s);
void ctr_buf_addc(struct ctr_buf *b, char c);
void ctr_buf_addf(struct ctr_buf *b, const char *fmt, ...) CTR_FMT(2, 3);

/* Room for n more bytes behind the end, NULL when it cannot be had; ctr_buf_commit makes them
 * count. */
uint8_t *ctr_buf_room(struct ctr_buf *b, size_t n);
void ctr_buf_commit(struct ctr_buf *b, size_t n);

/* 0, or -1 with "memory" or "limit" (naming `what`). */
CTR_MUST int ctr_buf_ok(const struct ctr_buf *b, const char *what, struct ctr_err *e);

/* The text itself, "" when empty: only after ctr_buf_ok. */
const char *ctr_buf_str(const struct ctr_buf *b);

/* The same bytes; takes as long for any of that length. */
bool ctr_buf_same(const struct ctr_buf *a, const struct ctr_buf *b);

#define ctr_auto_buf CTR_AUTO(ctr_buf_free)

/* Secret bytes. Nothing prints them; the free wipes. */
struct ctr_secret {
	uint8_t *p;
	size_t n;
};
CTR_MUST int ctr_secret_new(struct ctr_secret *s, size_t n, struct ctr_err *e); /* zeroed */
void ctr_secret_free(struct ctr_secret *s);
bool ctr_secret_same(const struct ctr_secret *a, const struct ctr_secret *b); /* constant time */

#define ctr_auto_secret CTR_AUTO(ctr_secret_free)

#endif
