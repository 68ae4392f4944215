#include "patch.h"

#include <string.h>

#define MAX_OPS 1000
#define MAX_NODES 100000 /* of the document: copies into copies double it each time */

/* One operation, and where its path stands. */
struct op {
	struct ctr_jval self;
	const char *path;
	struct ctr_jval path_at;
};

static int bad_pointer(const struct ctr_jval *at, const char *p, struct ctr_err *e)
{
	return ctr_jfail(at, e, "patch.pointer", "\"%.100s\" is no JSON Pointer", p);
}

static int no_target(const struct ctr_jval *at, const char *p, struct ctr_err *e)
{
	return ctr_jfail(at, e, "patch.target", "there is nothing at \"%.100s\"", p);
}

/* Decodes the token behind the slash at **p and moves on to the next slash or the end. */
static int token(const struct ctr_jval *at, const char **p, struct ctr_buf *tok, struct ctr_err *e)
{
	const char *s = *p + 1;

	if (**p != '/')
		return bad_pointer(at, *p, e);
	ctr_buf_reset(tok);
	for (; *s && *s != '/'; s++) {
		char c = *s;

		if (c == '~') {
			s++;
			if (*s != '0' && *s != '1')
				return bad_pointer(at, *p, e);
			c = *s == '0' ? '~' : '/';
		}
		ctr_buf_addc(tok, c);
	}
	*p = s;
	return ctr_buf_ok(tok, "pointer", e);
}

/* An array index as RFC 6901 writes it: digits, no leading zero. */
static bool index_of(const char *tok, size_t *i)
{
	*i = 0;
	if (!*tok || (tok[0] == '0' && tok[1]))
		return false;
	for (; *tok; tok++) {
		if (*tok < '0' || *tok > '9' || *i > 100000000)
			return false;
		*i = *i * 10 + (size_t)(*tok - '0');
	}
	return true;
}

static enum ctr_json_type type_of(const struct ctr_json *j)
{
	struct ctr_jval v = ctr_jroot(j);

	return ctr_jtype(&v);
}

/* The child that a token names, NULL when there is none. */
static struct ctr_json *child(struct ctr_json *j, const char *tok)
{
	size_t i;

	if (type_of(j) == CTR_JSON_OBJECT)
		return ctr_json_child(j, tok, 0);
	if (type_of(j) == CTR_JSON_ARRAY && index_of(tok, &i))
		return ctr_json_child(j, NULL, i);
	return NULL;
}

/*
 * Follows a pointer. With `last`, stops before the last token and leaves that there. *found is NULL when
 * the way leads nowhere.
 */
static int follow(struct ctr_json *doc, const struct ctr_jval *at, const char *p,
		  struct ctr_buf *last, struct ctr_json **found, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf own = { 0 };
	struct ctr_buf *tok = last ? last : &own;

	*found = doc;
	while (*p) {
		if (token(at, &p, tok, e) < 0)
			return -1;
		if (last && !*p)
			return 0;
		/* the syntax of the rest is checked even when there is nothing more to find */
		if (*found)
			*found = child(*found, ctr_buf_str(tok));
	}
	return 0;
}

static int add(struct ctr_json **doc, const struct op *op, const struct ctr_json *value,
	       struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf tok = { 0 };
	ctr_auto_json struct ctr_json *copy = ctr_json_copy(value);
	struct ctr_json *to;
	struct ctr_jval v;
	size_t i;

	if (!copy)
		return ctr_fail_mem(e);
	if (!*op->path) {
		ctr_json_free(*doc);
		*doc = ctr_give(copy);
		return 0;
	}
	if (follow(*doc, &op->path_at, op->path, &tok, &to, e) < 0)
		return -1;
	if (!to)
		return no_target(&op->path_at, op->path, e);
	v = ctr_jroot(to);
	if (ctr_jtype(&v) == CTR_JSON_OBJECT)
		return ctr_json_set_copy(to, ctr_buf_str(&tok), copy) ? 0 : ctr_fail_mem(e);
	if (ctr_jtype(&v) != CTR_JSON_ARRAY)
		return no_target(&op->path_at, op->path, e);
	if (strcmp(ctr_buf_str(&tok), "-") == 0)
		i = ctr_jcount(&v);
	else if (!index_of(ctr_buf_str(&tok), &i) || i > ctr_jcount(&v))
		return no_target(&op->path_at, op->path, e);
	if (!ctr_json_insert(to, i, copy))
		return ctr_fail_mem(e);
	copy = NULL;
	return 0;
}

/* Takes the value out; the caller owns it. */
static int take(struct ctr_json *doc, const struct ctr_jval *at, const char *p,
		struct ctr_json **out, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf tok = { 0 };
	struct ctr_json *from;
	size_t i;

	*out = NULL;
	if (!*p)
		return ctr_jfail(at, e, "patch.target", "the whole document cannot be taken away");
	if (follow(doc, at, p, &tok, &from, e) < 0)
		return -1;
	if (from && type_of(from) == CTR_JSON_OBJECT)
		*out = ctr_json_detach(from, ctr_buf_str(&tok), 0);
	else if (from && type_of(from) == CTR_JSON_ARRAY && index_of(ctr_buf_str(&tok), &i))
		*out = ctr_json_detach(from, NULL, i);
	return *out ? 0 : no_target(at, p, e);
}

static int find(struct ctr_json *doc, const struct ctr_jval *at, const char *p,
		struct ctr_json **out, struct ctr_err *e)
{
	if (follow(doc, at, p, NULL, out, e) < 0)
		return -1;
	return *out ? 0 : no_target(at, p, e);
}

static int value_of(const struct op *op, const struct ctr_json **value, struct ctr_err *e)
{
	struct ctr_jval v = ctr_jget(&op->self, "value");

	*value = v.v;
	return v.v ? 0 : ctr_jfail(&op->self, e, "patch.form", "the operation has no value");
}

static int op_add(struct ctr_json **doc, const struct op *op, bool *holds, struct ctr_err *e)
{
	const struct ctr_json *value;

	(void)holds;
	return value_of(op, &value, e) < 0 ? -1 : add(doc, op, value, e);
}

static int op_remove(struct ctr_json **doc, const struct op *op, bool *holds, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *gone = NULL;

	(void)holds;
	return take(*doc, &op->path_at, op->path, &gone, e);
}

static int op_replace(struct ctr_json **doc, const struct op *op, bool *holds, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *gone = NULL;
	const struct ctr_json *value;

	(void)holds;
	if (value_of(op, &value, e) < 0)
		return -1;
	if (*op->path && take(*doc, &op->path_at, op->path, &gone, e) < 0)
		return -1;
	return add(doc, op, value, e);
}

static int from_of(const struct op *op, struct ctr_jval *at, const char **from, struct ctr_err *e)
{
	*at = ctr_jget(&op->self, "from");
	return ctr_jstring(at, from, e);
}

static int op_move(struct ctr_json **doc, const struct op *op, bool *holds, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *moved = NULL;
	struct ctr_json *there;
	struct ctr_jval at;
	const char *from;
	size_t n;

	(void)holds;
	if (from_of(op, &at, &from, e) < 0)
		return -1;
	n = strlen(from);
	if (strncmp(op->path, from, n) == 0 && op->path[n] == '/')
		return ctr_jfail(&at, e, "patch.target", "a value cannot be moved into itself");
	if (strcmp(op->path, from) == 0)
		return find(*doc, &at, from, &there, e);
	if (take(*doc, &at, from, &moved, e) < 0)
		return -1;
	return add(doc, op, moved, e);
}

static int op_copy(struct ctr_json **doc, const struct op *op, bool *holds, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *copy = NULL;
	struct ctr_json *there;
	struct ctr_jval at;
	const char *from;

	(void)holds;
	if (from_of(op, &at, &from, e) < 0 || find(*doc, &at, from, &there, e) < 0)
		return -1;
	copy = ctr_json_copy(there); /* adding at "" frees the document it stands in */
	return copy ? add(doc, op, copy, e) : ctr_fail_mem(e);
}

/* What is not there equals nothing: the patch is not meant for this document. */
static int op_test(struct ctr_json **doc, const struct op *op, bool *holds, struct ctr_err *e)
{
	const struct ctr_json *value;
	struct ctr_json *there;

	if (value_of(op, &value, e) < 0 ||
	    follow(*doc, &op->path_at, op->path, NULL, &there, e) < 0)
		return -1;
	*holds = there && ctr_json_equal(there, value);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(struct ctr_json **doc, const struct op *op, bool *holds, struct ctr_err *e);
} ops_table[] = {
	{ "add", op_add },   { "remove", op_remove }, { "replace", op_replace },
	{ "move", op_move }, { "copy", op_copy },     { "test", op_test },
};

static int one(struct ctr_json **doc, const struct ctr_jval *v, bool *holds, struct ctr_err *e)
{
	struct op op = { .self = *v };
	struct ctr_jval name = ctr_jget(&op.self, "op");
	const char *s = "", *path = "";

	op.path_at = ctr_jget(&op.self, "path");
	if (ctr_jobject(v, e) < 0 || ctr_jstring(&name, &s, e) < 0 ||
	    ctr_jstring(&op.path_at, &path, e) < 0)
		return -1;
	if (*path && *path != '/')
		return bad_pointer(&op.path_at, path, e);
	op.path = path;
	for (size_t i = 0; i < sizeof ops_table / sizeof *ops_table; i++) {
		if (strcmp(ops_table[i].name, s) == 0)
			return ops_table[i].run(doc, &op, holds, e);
	}
	return ctr_jfail(&name, e, "patch.form", "unknown operation \"%.40s\"", s);
}

/* Counts nodes, up to `left`; what is left of that. */
static size_t count(const struct ctr_jval *v, size_t left)
{
	if (left > 0)
		left--;
	for (struct ctr_jval c = ctr_jfirst(v); c.v && left > 0; c = ctr_jnext(&c))
		left = count(&c, left);
	return left;
}

int patch_apply(struct ctr_json **doc, const struct ctr_jval *ops, bool *holds, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *copy = ctr_json_copy(*doc);

	*holds = true;
	if (!copy)
		return ctr_fail_mem(e);
	if (ctr_jarray(ops, e) < 0)
		return -1;
	if (ctr_jcount(ops) > MAX_OPS)
		return ctr_jfail(ops, e, "limit", "more than %d operations", MAX_OPS);
	for (struct ctr_jval c = ctr_jfirst(ops); c.v && *holds; c = ctr_jnext(&c)) {
		struct ctr_jval root;

		if (one(&copy, &c, holds, e) < 0)
			return -1;
		root = ctr_jroot(copy);
		if (count(&root, MAX_NODES) == 0)
			return ctr_jfail(&c, e, "limit", "the document grows beyond %d values",
					 MAX_NODES);
	}
	if (*holds) {
		ctr_json_free(*doc);
		*doc = ctr_give(copy);
	}
	return 0;
}
