/*
 * YAML (1.1 as Kubernetes reads it) over libyaml: a tree that keeps source marks, and edits of the
 * text that leave every other byte alone.
 */
#ifndef LIB_YAML_H
#define LIB_YAML_H

#include <stdint.h>

#include "buf.h"

#define CTR_YAML_DEPTH 64
#define CTR_YAML_NODES 2000000 /* nodes of one document, aliases expanded */
#define CTR_YAML_MAX ((size_t)256 * 1024 * 1024) /* bytes of one document */

enum ctr_yaml_kind { CTR_YAML_SCALAR, CTR_YAML_SEQ, CTR_YAML_MAP };
enum ctr_yaml_type { CTR_YAML_NULL, CTR_YAML_BOOL, CTR_YAML_INT, CTR_YAML_FLOAT, CTR_YAML_STR };

struct ctr_yaml;      /* one document: text, tree and pending edits */
struct ctr_yaml_node; /* owned by its document */

/*
 * Reads one document from text[0..n) (see ctr_yaml_split for streams). The text is copied. line0
 * is the number of the text's first line in the file (1-based), name the file, both for messages.
 * JSON is taken too, surrogate pairs included. An empty document has a NULL root.
 *
 * Scalars and keys mean what they mean to Kubernetes (sigs.k8s.io/yaml): y, n, on, off are
 * booleans, 010 is 8; a plain key `on` is named "true", a plain key 0x10 "16".
 *
 * Refused with CTR_FORMAT, line and column: broken YAML "yaml.syntax", input that is not UTF-8
 * "yaml.utf8", duplicate keys "yaml.duplicate", keys that are no scalars, are null, hold a NUL or
 * are numbers whose name readers do not agree on "yaml.key", depth "yaml.depth", an alias without
 * an anchor, inside its own anchor or that expands too far "yaml.alias", a merge key with
 * something else than mappings, or behind a member that it also brings (YAML lets the member win,
 * Kubernetes the merged one) "yaml.merge", a second document "yaml.document", too many bytes or
 * nodes "limit".
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

/*
 * The scalar's text after unquoting and its length (it may hold NUL bytes); NULL for other kinds.
 */
const char *ctr_yaml_text(const struct ctr_yaml_node *n, size_t *len);
/* What Kubernetes' reader (YAML 1.1 core: yes/no/on/off, octal, hex …) takes the scalar for. */
enum ctr_yaml_type ctr_yaml_type(const struct ctr_yaml_node *n);
bool ctr_yaml_null(const struct ctr_yaml_node *n); /* NULL, or the null scalar */

/*
 * A failure at a node: name, line and column become the error's position. CTR_FORMAT, returns -1.
 * An error that is set already keeps its message and gets the position, unless it has one.
 */
int ctr_yaml_fail(const struct ctr_yaml *y, const struct ctr_yaml_node *n, struct ctr_err *e,
		  const char *id, const char *fmt, ...) CTR_FMT(5, 6);

/*
 * Typed members of a mapping. A member that is absent or null gives *v = NULL (or dflt) and
 * success; one of another type, or with a tag that does not fit, fails: "yaml.type", naming the
 * key and what was found; a number outside lo to hi "yaml.range". Strings borrow from the
 * document; a NUL inside is refused.
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
 * Edits. Each changes the tree at once, so that later getters see the result, and records the
 * change of the text; ctr_yaml_emit gives the text with all edits, every other byte as it was
 * read: block or flow style, indentation and line ends (LF, CRLF) as in the neighbourhood. Nodes
 * stay valid. Edits may come in any order, and in what earlier edits added. An edit to what is
 * already there (equal as a value) is none.
 *
 * Values are YAML snippets (`value`: block or flow text at indentation 0, LF line ends; no
 * anchors, tags or markers, else "yaml.edit"). In block style the snippet's own lines are put in
 * place; in flow style it is written in flow style, as JSON if the document is JSON, with an
 * entry a line where the neighbours have that. {} and [] in block style become lines when
 * something is put into them.
 *
 * Nodes reached through an alias or a merge key stand for the anchored text: the same edit made
 * twice at one place is one edit; two different ones are refused, and so is replacing an anchor
 * that an alias needs: CTR_FORMAT "yaml.shared". A node of another kind than the edit is for:
 * "yaml.type".
 */
/*
 * Adds key: value at the end of the mapping (in front of comments and blank lines that follow
 * it), or replaces the value of an own key (a null or empty one included). A merged key is
 * overridden.
 */
CTR_MUST int ctr_yaml_set(struct ctr_yaml *y, const struct ctr_yaml_node *map, const char *key,
			  const char *value, struct ctr_err *e);
/*
 * Puts an item in front of item `at` of the sequence (at == count: at the end). Comments above an
 * item stay with it.
 */
CTR_MUST int ctr_yaml_insert(struct ctr_yaml *y, const struct ctr_yaml_node *seq, size_t at,
			     const char *value, struct ctr_err *e);
/* Replaces a scalar by the string `s`, keeping the quoting style where the text allows it. */
CTR_MUST int ctr_yaml_replace(struct ctr_yaml *y, const struct ctr_yaml_node *scalar,
			      const char *s, struct ctr_err *e);
/*
 * As ctr_yaml_set with a string for value, plain where that is safe, else in double quotes. The
 * way to write long strings (annotations): no snippet has to be read.
 */
CTR_MUST int ctr_yaml_set_string(struct ctr_yaml *y, const struct ctr_yaml_node *map,
				 const char *key, const char *s, struct ctr_err *e);
/* True when an edit was recorded. */
bool ctr_yaml_edited(const struct ctr_yaml *y);
/*
 * The document's text with all edits, appended. It is read again first: where the text cannot
 * take an edit, or would say other than the tree, nothing is appended and the failure is
 * CTR_FORMAT "yaml.edit".
 */
CTR_MUST int ctr_yaml_emit(const struct ctr_yaml *y, struct ctr_buf *b, struct ctr_err *e);

/*
 * Streams. Finds the end of the first document of p[0..n): its text is p[0..*len), its marker
 * line (---), directives and the comments in front of them included, as are comments behind it;
 * the text after it starts the next one. Joined, the pieces are the stream byte for byte. JSON
 * texts one after another without markers are documents too. `last`: nothing follows p[0..n);
 * without it *len is 0 when more input is needed to tell. *lines is the number of line feeds in
 * the piece. Each call reads p from its start: who reads piecemeal should double the piece, to
 * stay linear.
 */
void ctr_yaml_split(const char *p, size_t n, bool last, size_t *len, unsigned *lines);

#endif
