/* TOML (1.0) as initdata documents use it: strings, at the root and in plain tables. */
#ifndef LIB_TOML_H
#define LIB_TOML_H

#include "buf.h"

#define CTR_TOML_KEYS 64     /* keys and tables of one document */
#define CTR_TOML_KEY_MAX 127 /* bytes of a key */

/*
 * Called for each pair in order; table is "" at the root. value[0..n) holds no NUL and lives until
 * the call returns. `line` is the value's first line.
 */
typedef int (*ctr_toml_fn)(void *ctx, const char *table, const char *key, const char *value,
			   size_t n, unsigned line, struct ctr_err *e);

/*
 * Reads the document p[0..n). A strict subset: comments, bare and quoted keys, [table] headers, strings in
 * the four forms. Dotted keys, other values, arrays, nested tables, carriage returns inside strings and
 * NUL, all of which readers of the same bytes might take differently, are refused like errors: CTR_FORMAT
 * "initdata.toml", the line in the message.
 */
CTR_MUST int ctr_toml_parse(const char *p, size_t n, ctr_toml_fn fn, void *ctx, struct ctr_err *e);

/* True when a ''' literal can hold the text as it stands. */
bool ctr_toml_literal(const char *p, size_t n);

/* Appends the inside of a """ string that decodes to p[0..n), well-formed UTF-8 without NUL. */
void ctr_toml_escape(struct ctr_buf *b, const char *p, size_t n);

#endif
