/* JSON (RFC 8259) over cJSON: strict reading, getters that name the path, one deterministic writer. */
#ifndef LIB_JSON_H
#define LIB_JSON_H

#include <stdint.h>

#include "buf.h"

struct ctr_json; /* a node; the root owns the tree */

#define CTR_JSON_DEPTH 64
#define CTR_JSON_MAX ((size_t)64 * 1024 * 1024)

/*
 * Reads one document. Stricter than cJSON: well-formed UTF-8, no control characters, no NUL in
 * strings, no lone surrogates, no duplicate keys, depth at most CTR_JSON_DEPTH, nothing behind the
 * document. Errors are CTR_FORMAT with line and column: ids "json.syntax", "json.duplicate",
 * "json.depth", "json.utf8". `name` is the file for messages.
 */
CTR_MUST int ctr_json_parse(const char *name, const char *p, size_t n, struct ctr_json **out,
			    struct ctr_err *e);
CTR_MUST int ctr_json_load(const char *path, size_t max, struct ctr_json **out, struct ctr_err *e);
void ctr_json_free(struct ctr_json *j);
void ctr_json_cleanup(struct ctr_json **j);
#define ctr_auto_json CTR_AUTO(ctr_json_cleanup)
/* As ctr_json_cleanup, with the strings overwritten first: for a tree that holds secrets. */
void ctr_json_wipe(struct ctr_json **j);
#define ctr_auto_json_secret CTR_AUTO(ctr_json_wipe)

/*
 * A node with the way to it, for messages: kept on the caller's stack. v is NULL for what is
 * absent; the typed getters below then fail with "json.missing", the opt_ ones say so.
 */
struct ctr_jval {
	const struct ctr_json *v;
	const struct ctr_jval *up;
	const char *key; /* NULL for an array item */
	size_t idx;
};

enum ctr_json_type {
	CTR_JSON_NULL, CTR_JSON_BOOL, CTR_JSON_NUMBER, CTR_JSON_STRING, CTR_JSON_ARRAY,
	CTR_JSON_OBJECT,
};

struct ctr_jval ctr_jroot(const struct ctr_json *j);
struct ctr_jval ctr_jget(const struct ctr_jval *obj, const char *key); /* absent: v NULL */
bool ctr_jhas(const struct ctr_jval *v); /* present and not null */
enum ctr_json_type ctr_jtype(const struct ctr_jval *v); /* v->v not NULL */

/* Members or items in order: for (c = ctr_jfirst(&v); c.v; c = ctr_jnext(&c)). */
struct ctr_jval ctr_jfirst(const struct ctr_jval *v);
struct ctr_jval ctr_jnext(const struct ctr_jval *v);
size_t ctr_jcount(const struct ctr_jval *v);

/* The value must be there and of the type; otherwise CTR_FORMAT "json.missing" or "json.type". */
CTR_MUST int ctr_jobject(const struct ctr_jval *v, struct ctr_err *e);
CTR_MUST int ctr_jarray(const struct ctr_jval *v, struct ctr_err *e);
CTR_MUST int ctr_jstring(const struct ctr_jval *v, const char **s, struct ctr_err *e); /* borrowed */
CTR_MUST int ctr_jbool(const struct ctr_jval *v, bool *b, struct ctr_err *e);
/* A whole number from 0 to max; max is at most 2^53. */
CTR_MUST int ctr_juint(const struct ctr_jval *v, uint64_t max, uint64_t *n, struct ctr_err *e);
/* A string of exactly 2n hexadecimal digits. */
CTR_MUST int ctr_jhex(const struct ctr_jval *v, uint8_t *dst, size_t n, struct ctr_err *e);

/* Fails with "json.unknown" when the object has a key that is not in the NULL-ended list. */
CTR_MUST int ctr_jonly(const struct ctr_jval *obj, const char *const *keys, struct ctr_err *e);

/* "$.ReferenceValues.snp[0].MinimumTCB" of v into b. */
void ctr_jpath(const struct ctr_jval *v, struct ctr_buf *b);
/* A failure at v: the path becomes the error's position. Returns -1. */
int ctr_jfail(const struct ctr_jval *v, struct ctr_err *e, const char *id, const char *fmt, ...)
	CTR_FMT(4, 5);

/*
 * Building. Each returns the new node, owned by its parent, or NULL when memory is out; a NULL
 * parent gives NULL, so that a chain needs one check at the end (ctr_json_print refuses NULL).
 */
struct ctr_json *ctr_json_new_object(void);
struct ctr_json *ctr_json_new_array(void);
struct ctr_json *ctr_json_set_object(struct ctr_json *obj, const char *key);
struct ctr_json *ctr_json_set_array(struct ctr_json *obj, const char *key);
struct ctr_json *ctr_json_set_string(struct ctr_json *obj, const char *key, const char *s);
/* Bytes as hexadecimal text. */
struct ctr_json *ctr_json_set_hex(struct ctr_json *obj, const char *key, const uint8_t *p, size_t n);
struct ctr_json *ctr_json_set_uint(struct ctr_json *obj, const char *key, uint64_t n); /* < 2^53 */
struct ctr_json *ctr_json_set_bool(struct ctr_json *obj, const char *key, bool b);
struct ctr_json *ctr_json_set_null(struct ctr_json *obj, const char *key);
struct ctr_json *ctr_json_add_object(struct ctr_json *arr);
struct ctr_json *ctr_json_add_array(struct ctr_json *arr);
struct ctr_json *ctr_json_add_string(struct ctr_json *arr, const char *s);
struct ctr_json *ctr_json_add_uint(struct ctr_json *arr, uint64_t n);
/* Deep copy of `from` below a key (replacing what is there) or at the end of an array. */
struct ctr_json *ctr_json_set_copy(struct ctr_json *obj, const char *key, const struct ctr_json *from);
struct ctr_json *ctr_json_add_copy(struct ctr_json *arr, const struct ctr_json *from);
struct ctr_json *ctr_json_copy(const struct ctr_json *from);
/* Puts a node that has no parent at place `at` of an array (at the end: at == count); owned on true. */
bool ctr_json_insert(struct ctr_json *arr, size_t at, struct ctr_json *node);
/* A member (key) or item (key NULL) to change, owned by the parent as before. NULL when there is none. */
struct ctr_json *ctr_json_child(struct ctr_json *parent, const char *key, size_t at);
/* Takes a member (key) or item (key NULL) out: the caller owns it. NULL when there is none. */
struct ctr_json *ctr_json_detach(struct ctr_json *parent, const char *key, size_t at);
void ctr_json_remove(struct ctr_json *obj, const char *key);

/* Equal as JSON values; the order of keys does not matter. */
bool ctr_json_equal(const struct ctr_json *a, const struct ctr_json *b);

/* Text, appended: indent 0 is compact, else that many blanks a level. Keys in their order. */
CTR_MUST int ctr_json_print(const struct ctr_json *j, unsigned indent, struct ctr_buf *b,
			    struct ctr_err *e);
/* Sorts the keys of one object by byte value (not its children's). */
void ctr_json_sort(struct ctr_json *obj);

/* A string literal with its quotes; what is not printable ASCII or UTF-8 is escaped. */
void ctr_json_quote(struct ctr_buf *b, const char *s, size_t n);

#endif
