/* The error value that every fallible function fills in: no heap, owned by the caller. */
#ifndef LIB_ERR_H
#define LIB_ERR_H

#include <stdbool.h>
#include <stddef.h>

#define CTR_MUST __attribute__((warn_unused_result))
#define CTR_FMT(f, a) __attribute__((format(printf, f, a)))

/* Also the exit status, the same in every tool (ctr(7)). */
enum ctr_code {
	CTR_OK = 0,	/* done, or yes */
	CTR_NO = 1,	/* input sound, answer negative: untrusted, invalid, drifted */
	CTR_USAGE = 2,	/* bad option or operand */
	CTR_FORMAT = 3, /* malformed, truncated, too large, trailing bytes */
	CTR_ENV = 4,	/* I/O, network, device, memory, missing collateral: a retry may help */
};

struct ctr_err {
	enum ctr_code code;
	int sys;	      /* errno where it applies, else 0 */
	const char *id;	      /* stable word such as "json.duplicate": for tests and --errors=json */
	unsigned line, col;   /* position in `where` (1-based), 0 when unknown */
	char where[192];      /* file name or JSON path, "" when unknown */
	char msg[384];	      /* what is wrong (what was expected) */
	char fix[192];	      /* what to do, "" when there is nothing to say */
};

/*
 * Records a failure and returns -1. The first failure is kept: on an error that is set already
 * this changes nothing. Bytes of `fmt`'s result that are not printable are escaped, long text is
 * cut. `e` may be NULL.
 */
int ctr_fail(struct ctr_err *e, enum ctr_code code, const char *id, const char *fmt, ...)
	CTR_FMT(4, 5);

/* As ctr_fail with CTR_ENV, with errno's text appended and kept in e->sys. */
int ctr_fail_sys(struct ctr_err *e, const char *id, const char *fmt, ...) CTR_FMT(3, 4);

/* Out of memory: CTR_ENV, id "memory". */
int ctr_fail_mem(struct ctr_err *e);

/* Puts "context: " in front of the message. Returns -1, so that it can end a function. */
int ctr_wrap(struct ctr_err *e, const char *fmt, ...) CTR_FMT(2, 3);

/* Hands a failure on from an error of one's own, kept back to be looked at first. Returns -1. */
int ctr_err_pass(struct ctr_err *e, const struct ctr_err *from);

/* Sets the position of a failure unless one is known already. Returns -1. `where` is copied. */
int ctr_err_at(struct ctr_err *e, const char *where, unsigned line, unsigned col);

/* Sets the advice that follows the message unless there is one. Returns -1. */
int ctr_err_fix(struct ctr_err *e, const char *fmt, ...) CTR_FMT(2, 3);

/* Copies text into dst (size n, always terminated), bytes below 0x20, 0x7f and broken UTF-8 as \xNN. */
void ctr_escape(char *dst, size_t n, const char *text, size_t len);

#endif
