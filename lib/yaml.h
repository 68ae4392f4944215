/*
 * YAML (1.1 as Kubernetes reads it) over libyaml: a tree that keeps source marks, and edits of the
 * text that leave every other byte alone.
 */
#ifndef LIB_YAML_H
#define LIB_YAML_H

#include <stdint.h>

#include "buf.h"

#define CTR_YAML_DEPTH 64
#define CTR_YAML_NODES 2000000	 /* nodes of one document, aliases expanded */
#define CTR_YAML_MAX ((size_t)256 * 1024 * 1024) /* bytes of one document */

enum ctr_yaml_kind { CTR_YAML_SCALAR, CTR_YAML_SEQ, CTR_YAML_MAP };
enum ctr_yaml_type { CTR_YAML_NULL, CTR_YAML_BOOL, CTR_YAML_INT, CTR_YAML_FLOAT, CTR_YAML_STR };

struct ctr_yaml;      /* one document: text, tree and pending edits */
struct ctr_yaml_node; /* owned by its document */

/*
 * Reads one document from text[0..n) (see ctr_yaml_split for streams). The text is copied. line0 is
 * the number of the text's first line in the file (1-based), name the file, both for messages.
 * JSON is taken too, surrogate pairs included. Refused with CTR_FORMAT, line and column: broken
 * YAML "yaml.syntax", duplicate keys in a mapping "yaml.duplicate", keys that are no scalars "yaml.key", depth
 * "yaml.depth", alias expansion "yaml.alias" (also an alias inside its own anchor), input that is not UTF-8
 * "yaml.utf8", a second document in the text "yaml.document". An empty document has a NULL root.
 */
CTR_MUST int ctr_yaml_parse(const char *name, unsigned line0, const char *text, size_t n,
			    struct ctr_yaml **out, struct ctr_err *e);
void ctr_yaml_free(struct ctr_yaml *y);
void ctr_yaml_cleanup(struct ctr_yaml **y);
#define ctr_auto_yaml CTR_AUTO(ctr_yaml_cleanup)

const struct ctr_yaml_node *ctr_yaml_root(const struct ctr_yaml *y); /* NULL when empty */

/* All getters follow aliases and take NULL (the answer is then NULL, 0 or false). */
enum ctr_yaml_kind ctr_yaml_kind(const struct ctr_yaml_node *n);
bool ctr_yaml_is(const struct ctr_yaml_node *n, enum ctr_yaml_kind k); /* false for NULL */
unsigned ctr_yaml_line(const struct ctr_yaml_node *n); /* in the file, 1-based */
unsigned ctr_yaml_col(const struct ctr_yaml_node *n);

/* A member of a mapping, NULL when absent. Merge keys (<<) are looked through, own keys win. */
const struct ctr_yaml_node *ctr_yaml_get(const struct ctr_yaml_node *map, const char *key);
/* Members (merged ones included) or items in order. *key is NULL for items. i from 0 until NULL. */
size_t ctr_yaml_count(const struct ctr_yaml_node *n);
const struct ctr_yaml_node *ctr_yaml_at(const struct ctr_yaml_node *n, size_t i, const char **key);

/* The scalar's text after unquoting and its length (it may hold NUL bytes); NULL for other kinds. */
const char *ctr_yaml_text(const struct ctr_yaml_node *n, size_t *len);
/* What Kubernetes' reader (YAML 1.1 core: yes/no/on/off, octal, hex …) takes the scalar for. */
enum ctr_yaml_type ctr_yaml_type(const struct ctr_yaml_node *n);
bool ctr_yaml_null(const struct ctr_yaml_node *n); /* NULL, or the null scalar */

/* A failure at a node: name, line and column become the error's position. CTR_FORMAT, returns -1. */
int ctr_yaml_fail(const struct ctr_yaml *y, const struct ctr_yaml_node *n, struct ctr_err *e,
		  const char *id, const char *fmt, ...) CTR_FMT(5, 6);

/*
 * Typed members of a mapping. A member that is absent or null gives *v = NULL (or dflt) and success;
 * one of another type fails: "yaml.type", naming the key and what was found.
 * Strings borrow from the document; a NUL inside is refused.
 */
CTR_MUST int ctr_yaml_str(const struct ctr_yaml *y, const struct ctr_yaml_node *map,
			  const char *key, const char **v, struct ctr_err *e);
CTR_MUST int ctr_yaml_int(const struct ctr_yaml *y, const struct ctr_yaml_node *map,
			  const char *key, int64_t lo, int64_t hi, int64_t dflt, int64_t *v,
			  struct ctr_err *e);
CTR_MUST int ctr_yaml_bool(const struct ctr_yaml *y, const struct ctr_yaml_node *map,
			   const char *key, bool dflt, bool *v, struct ctr_err *e);
CTR_MUST int ctr_yaml_map(const struct ctr_yaml *y, const struct ctr_yaml_node *map,
			  const char *key, const struct ctr_yaml_node **v, struct ctr_err *e);
CTR_MUST int ctr_yaml_seq(const struct ctr_yaml *y, const struct ctr_yaml_node *map,
			  const char *key, const struct ctr_yaml_node **v, struct ctr_err *e);

/*
 * Edits. Each changes the tree at once, so that later getters see the result, and records the change
 * of the text; ctr_yaml_emit gives the text with all edits, every other byte as it was read: block or flow
 * style, indentation and line ends (LF, CRLF) as in the neighbourhood. Values are given as JSON-like YAML
 * snippets (`value`: flow or block text at indentation 0, LF line ends); they are parsed, and re-indented to their place.
 * Inside flow style (JSON) the snippet is written in flow style, as JSON if the document is JSON.
 * Nodes reached through an alias or a merge key stand for the anchored text: the same edit made twice at one
 * place is one edit; two different ones are refused: CTR_FORMAT "yaml.shared".
 */
/* Adds key: value at the end of the mapping (before trailing comments of the parent), or replaces
 * the value of an existing key (a null or empty one included). */
CTR_MUST int ctr_yaml_set(struct ctr_yaml *y, const struct ctr_yaml_node *map, const char *key,
			  const char *value, struct ctr_err *e);
/* Puts an item in front of item `at` of the sequence (at == count: at the end). */
CTR_MUST int ctr_yaml_insert(struct ctr_yaml *y, const struct ctr_yaml_node *seq, size_t at,
			     const char *value, struct ctr_err *e);
/* Replaces a scalar by the string `s`, keeping the quoting style where the text allows it. */
CTR_MUST int ctr_yaml_replace(struct ctr_yaml *y, const struct ctr_yaml_node *scalar,
			      const char *s, struct ctr_err *e);
/* Writes a long string as value of a (new or existing) key: as ctr_yaml_set, value a plain or quoted scalar of the
 * string s, whichever is safe; used for annotations. */
CTR_MUST int ctr_yaml_set_string(struct ctr_yaml *y, const struct ctr_yaml_node *map,
				 const char *key, const char *s, struct ctr_err *e);
/* True when an edit was recorded. */
bool ctr_yaml_edited(const struct ctr_yaml *y);
/* The document's text with all edits, appended. */
CTR_MUST int ctr_yaml_emit(const struct ctr_yaml *y, struct ctr_buf *b, struct ctr_err *e);

/*
 * Streams. Finds the end of the first document of p[0..n): its text is p[0..*len), its marker
 * line (---) and directives included, and the text after it starts the next one; joined, the pieces are the
 * stream byte for byte. JSON texts one after another without markers are documents too. `last`: nothing follows p[0..n);
 * without it *len is 0 when more input is needed to tell. *lines is the number of line ends in the piece.
 */
void ctr_yaml_split(const char *p, size_t n, bool last, size_t *len, unsigned *lines);

#endif
