/* A TOML (1.0) document as a flat list: enough to check and to compare, never to write one. */
#ifndef TOOLS_CTR_NODE_INSTALL_TOMLDOC_H
#define TOOLS_CTR_NODE_INSTALL_TOMLDOC_H

#include "buf.h"

#define TDOC_MAX ((size_t)1024 * 1024) /* bytes of a document */
#define TDOC_ENTRIES 4096
#define TDOC_DEPTH 16 /* of nested arrays and inline tables, and parts of a key */

enum tdoc_kind {
	TDOC_VALUE,
	TDOC_TABLE,    /* has a header of its own */
	TDOC_IMPLICIT, /* only part of another's header */
	TDOC_DOTTED,   /* made by a dotted key */
	TDOC_ARRAY,    /* of tables */
};

/*
 * path: keys joined by dots, quoted like JSON where they are not bare; an element of an array of
 * tables is a[0]. value: strings like JSON, arrays [a,b], inline tables {k=v}, anything else as it
 * stands.
 */
struct tdoc_entry {
	enum tdoc_kind kind;
	char *path, *value;
	unsigned line, count; /* count: elements of an array of tables */
	uint32_t hash;
};

struct tdoc {
	struct tdoc_entry *v;
	size_t n;
};

/*
 * Reads the document; `name` is for messages. What TOML does not allow, and dates with a blank,
 * which we do not read, are CTR_FORMAT "toml" with the line in the message; too many entries are
 * "toml.limit".
 */
CTR_MUST int tdoc_parse(const char *name, const char *p, size_t n, struct tdoc *d,
			struct ctr_err *e);
void tdoc_free(struct tdoc *d);
#define tdoc_auto CTR_AUTO(tdoc_free)

/* The entry of that path, NULL when there is none. */
const struct tdoc_entry *tdoc_find(const struct tdoc *d, const char *path);

/* Nothing but comments. */
bool tdoc_blank(const struct tdoc *d);

/* Appends a key as it stands in a path. */
void tdoc_quote(struct ctr_buf *b, const char *key, size_t n);

/* True when `sum` says what `a` and `b` say together, and nothing else. */
bool tdoc_is_sum(const struct tdoc *sum, const struct tdoc *a, const struct tdoc *b);

#endif
