/* What readers of TOML (1.0) share: a cursor, line ends, the four forms of strings. */
#ifndef LIB_TOML_LEX_H
#define LIB_TOML_LEX_H

#include "buf.h"

/* A cursor in p[0..n), which is well-formed UTF-8. Set all but i, which counts from 0, and line,
 * from 1. */
struct ctr_toml_lex {
	const char *p;
	size_t n, i;
	unsigned line;
	const char *id, *name; /* of errors, all CTR_FORMAT: "initdata.toml", "initdata" */
	const char *no_string; /* what is wrong when there are no quotes where a string must be */
	bool crlf;	       /* line ends inside multi-line strings may have a carriage return */
};

/* Fails with "NAME, line N: what". */
int ctr_toml_bad(const struct ctr_toml_lex *t, struct ctr_err *e, const char *what);

/* The byte k behind the cursor, -1 beyond the end. */
static inline int ctr_toml_look(const struct ctr_toml_lex *t, size_t k)
{
	return k < t->n - t->i ? (unsigned char)t->p[t->i + k] : -1;
}

/* True when s stands at the cursor. */
bool ctr_toml_at(const struct ctr_toml_lex *t, const char *s);

/* Skips spaces and tabs. */
void ctr_toml_blanks(struct ctr_toml_lex *t);

/* Skips blanks, a comment, and the line end or the end of the document; anything else is an error.
 */
CTR_MUST int ctr_toml_end_of_line(struct ctr_toml_lex *t, struct ctr_err *e);

/* The string at the cursor, decoded, replaces what is in b; `multi`: three quotes are legal. */
CTR_MUST int ctr_toml_string(struct ctr_toml_lex *t, bool multi, struct ctr_buf *b,
			     struct ctr_err *e);

/* A byte that a key without quotes may have. */
bool ctr_toml_bare(int c);

/* A control character that no string or comment may have: all but the tab. */
bool ctr_toml_control(int c);

#endif
