/* JSON as Rego text within the limits of the agent's engine on lines. */
#ifndef TOOLS_CTR_POLICYGEN_REGODATA_H
#define TOOLS_CTR_POLICYGEN_REGODATA_H

#include "buf.h"
#include "json.h"
#include "val.h"

/* Released engines refuse lines of 1,024 columns; ours stay below this many bytes. */
#define REGO_LINE 1000

/* Appends to b; line ends go between elements, long strings are split and joined again by Rego. */
struct rego {
	struct ctr_buf *b;
	size_t line; /* where the last line begins */
	bool first;  /* no comma before the next element */
};

void rego_init(struct rego *r, struct ctr_buf *b);
void rego_open(struct rego *r, char c); /* '{' or '[' as the next element */
void rego_close(struct rego *r, char c);
void rego_key(struct rego *r, const char *key); /* b is bad, CTR_BUF_LIMIT, unless it fits */
void rego_string(struct rego *r, const char *s);
void rego_int(struct rego *r, int64_t n);
void rego_word(struct rego *r, const char *s); /* true, false, null */
void rego_json(struct rego *r, const struct ctr_jval *v); /* a whole tree; absent: nothing */
void rego_val(struct rego *r, const struct val *v); /* "text", or {"pattern"}: a set, which no JSON is */

/* A key cannot be split: true when it fits on a line however it is escaped. */
bool rego_fits(const char *key);

#endif
