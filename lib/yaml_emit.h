/* Between yaml_emit.c, yaml_block.c and yaml_flow.c: how edits become splices of the text. */
#ifndef LIB_YAML_EMIT_H
#define LIB_YAML_EMIT_H

#include <limits.h>

#include "yaml_int.h"

/* Bytes to drop at an offset of the text, and what to put there. */
struct ctr_yaml_splice {
	size_t at, del;
	size_t from, n; /* in ctr_yaml_emit.text */
	unsigned rank;	/* at one offset the higher comes first: the deeper, or one of these */
	size_t seq;
	bool once; /* two equal ones are one */
};

#define CTR_YAML_RANK_INLINE UINT_MAX	   /* goes on with what stands in front */
#define CTR_YAML_RANK_BREAK (UINT_MAX - 1) /* the line break before lines at the end of the text */

struct ctr_yaml_emit {
	const struct ctr_yaml *y;
	struct ctr_buf text;
	struct ctr_yaml_splice *s;
	size_t n, cap;
	bool json, compact; /* the document is JSON; JSON without blanks */
	bool draft;	    /* long strings are cut to node.brief: the text is only to be checked */
	struct ctr_err *e;
};

/* Adds a splice whose text is what em->text holds from `from` on. */
CTR_MUST int ctr_yaml_splice(struct ctr_yaml_emit *em, size_t at, size_t del, size_t from,
			     unsigned rank);

/* The line break used around an offset: "\n" or "\r\n". */
const char *ctr_yaml_nl(const struct ctr_yaml *y, size_t at);
/* Length of the line break that ends at the offset, 0 when there is none. */
size_t ctr_yaml_break_before(const struct ctr_yaml *y, size_t at);
/* Start of the line that holds the offset. True in *blank when only blanks lie between. */
size_t ctr_yaml_line_start(const struct ctr_yaml *y, size_t at, bool *blank);
/* The line break at or behind `from`, or the end of the text. */
size_t ctr_yaml_line_end(const struct ctr_yaml *y, size_t from);
bool ctr_yaml_one_line(const struct ctr_yaml *y, size_t from, size_t to);
/* Behind the colon of a member in the text; 0 when it has none. */
size_t ctr_yaml_colon(const struct ctr_yaml *y, const struct ctr_yaml_ent *ent);
/* Behind the last byte of the node that is no line break. */
size_t ctr_yaml_end(const struct ctr_yaml_node *n);
/* Entries in the text. */
const struct ctr_yaml_ent *ctr_yaml_first(const struct ctr_yaml_node *n);
const struct ctr_yaml_ent *ctr_yaml_last(const struct ctr_yaml_node *n);

/* A place where nothing can be put safely: CTR_FORMAT "yaml.edit". Returns -1. */
int ctr_yaml_unsafe(const struct ctr_yaml_emit *em, size_t at, const char *why);

/* The edits of one collection (not of what lies in it). */
CTR_MUST int ctr_yaml_block_edit(struct ctr_yaml_emit *em, const struct ctr_yaml_node *n);
CTR_MUST int ctr_yaml_flow_edit(struct ctr_yaml_emit *em, const struct ctr_yaml_node *n);

/* True for {} and [] that become block style when something is put into them. */
bool ctr_yaml_opens(const struct ctr_yaml_node *map, const struct ctr_yaml_ent *ent);

/* A document with its edits, not checked. */
CTR_MUST int ctr_yaml_emit_raw(const struct ctr_yaml *y, bool draft, struct ctr_buf *b,
			       struct ctr_err *e);

/* What must stand before a value that is put where none was: " ", ": " or "". */
const char *ctr_yaml_lead(const struct ctr_yaml_node *old);

#endif
