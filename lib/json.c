#include "json.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <openssl/crypto.h>

#include "enc.h"
#include "file.h"
#include "json_scan.h"
#include "utf8.h"

/* struct ctr_json is never defined: a node is cJSON's own, seen through an opaque pointer. */
static const cJSON *in(const struct ctr_json *j)
{
	return (const cJSON *)j;
}

static cJSON *inm(struct ctr_json *j)
{
	return (cJSON *)j;
}

static struct ctr_json *out(cJSON *c)
{
	return (struct ctr_json *)c;
}

static const struct ctr_json *outc(const cJSON *c)
{
	return (const struct ctr_json *)c;
}

static int by_key(const void *a, const void *b)
{
	const cJSON *const *x = a, *const *y = b;

	return strcmp((*x)->string, (*y)->string);
}

/* The children in key order, on the heap; NULL with *n 0 for none. */
static cJSON **sorted(const cJSON *obj, size_t *n)
{
	size_t i = 0;
	cJSON **v;

	*n = 0;
	for (const cJSON *c = obj->child; c; c = c->next)
		(*n)++;
	v = malloc((*n ? *n : 1) * sizeof *v);
	if (!v)
		return NULL;
	for (cJSON *c = obj->child; c; c = c->next)
		v[i++] = c;
	qsort(v, *n, sizeof *v, by_key);
	return v;
}

static int unique_keys(const char *name, const cJSON *j, struct ctr_err *e)
{
	if (cJSON_IsObject(j) && j->child) {
		size_t n;
		cJSON **v = sorted(j, &n);
		const char *twice = NULL;

		if (!v)
			return ctr_fail_mem(e);
		for (size_t i = 1; i < n && !twice; i++)
			twice = strcmp(v[i - 1]->string, v[i]->string) == 0 ? v[i]->string : NULL;
		free(v);
		if (twice) {
			ctr_fail(e, CTR_FORMAT, "json.duplicate", "the key \"%s\" stands twice", twice);
			return ctr_err_at(e, name, 0, 0);
		}
	}
	/* the scan has bounded the depth */
	for (const cJSON *c = j->child; c; c = c->next) {
		if (unique_keys(name, c, e) < 0)
			return -1;
	}
	return 0;
}

int ctr_json_parse(const char *name, const char *p, size_t n, struct ctr_json **o, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *j = NULL;

	*o = NULL;
	if (ctr_json_scan(name, p, n, CTR_JSON_DEPTH, e) < 0)
		return -1;
	j = out(cJSON_ParseWithLength(p, n));
	if (!j)
		return ctr_fail_mem(e); /* the scan has found no fault */
	if (unique_keys(name, in(j), e) < 0)
		return -1;
	*o = ctr_give(j);
	return 0;
}

int ctr_json_load(const char *path, size_t max, struct ctr_json **o, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	*o = NULL;
	if (ctr_file_read(path, max, &b, e) < 0)
		return -1;
	return ctr_json_parse(strcmp(path, "-") == 0 ? "standard input" : path, ctr_buf_str(&b), b.n,
			      o, e);
}

void ctr_json_free(struct ctr_json *j)
{
	cJSON_Delete(inm(j));
}

void ctr_json_cleanup(struct ctr_json **j)
{
	ctr_json_free(*j);
}

static void wipe_strings(cJSON *j)
{
	if (cJSON_IsString(j))
		OPENSSL_cleanse(j->valuestring, strlen(j->valuestring));
	for (cJSON *c = j ? j->child : NULL; c; c = c->next)
		wipe_strings(c);
}

void ctr_json_wipe(struct ctr_json **j)
{
	wipe_strings(inm(*j));
	ctr_json_free(*j);
}

struct ctr_jval ctr_jroot(const struct ctr_json *j)
{
	return (struct ctr_jval){ .v = j };
}

struct ctr_jval ctr_jget(const struct ctr_jval *obj, const char *key)
{
	struct ctr_jval c = { .up = obj, .key = key };

	if (obj->v && cJSON_IsObject(in(obj->v)))
		c.v = outc(cJSON_GetObjectItemCaseSensitive(in(obj->v), key));
	return c;
}

bool ctr_jhas(const struct ctr_jval *v)
{
	return v->v && !cJSON_IsNull(in(v->v));
}

enum ctr_json_type ctr_jtype(const struct ctr_jval *v)
{
	const cJSON *j = in(v->v);

	return cJSON_IsObject(j)   ? CTR_JSON_OBJECT
	       : cJSON_IsArray(j)  ? CTR_JSON_ARRAY
	       : cJSON_IsString(j) ? CTR_JSON_STRING
	       : cJSON_IsNumber(j) ? CTR_JSON_NUMBER
	       : cJSON_IsBool(j)   ? CTR_JSON_BOOL
				   : CTR_JSON_NULL;
}

struct ctr_jval ctr_jfirst(const struct ctr_jval *v)
{
	struct ctr_jval c = { .up = v };

	if (v->v && in(v->v)->child) {
		c.v = outc(in(v->v)->child);
		c.key = in(c.v)->string;
	}
	return c;
}

struct ctr_jval ctr_jnext(const struct ctr_jval *v)
{
	struct ctr_jval c = { .up = v->up, .idx = v->idx + 1 };

	c.v = outc(in(v->v)->next);
	if (c.v)
		c.key = in(c.v)->string;
	return c;
}

size_t ctr_jcount(const struct ctr_jval *v)
{
	size_t n = 0;

	for (struct ctr_jval c = ctr_jfirst(v); c.v; c = ctr_jnext(&c))
		n++;
	return n;
}

void ctr_jpath(const struct ctr_jval *v, struct ctr_buf *b)
{
	if (!v->up) {
		ctr_buf_addc(b, '$');
		return;
	}
	ctr_jpath(v->up, b);
	if (v->key)
		ctr_buf_addf(b, ".%.100s", v->key);
	else
		ctr_buf_addf(b, "[%zu]", v->idx);
}

int ctr_jfail(const struct ctr_jval *v, struct ctr_err *e, const char *id, const char *fmt, ...)
{
	ctr_auto_buf struct ctr_buf path = { 0 };
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	ctr_jpath(v, &path);
	ctr_fail(e, CTR_FORMAT, id, "%s", text);
	return ctr_err_at(e, ctr_buf_str(&path), 0, 0);
}

static int typed(const struct ctr_jval *v, enum ctr_json_type want, struct ctr_err *e)
{
	static const char *const name[] = { "null",	"true or false", "a number",
					    "a string", "an array",	 "an object" };

	if (!v->v)
		return ctr_jfail(v, e, "json.missing", "missing (expected %s)", name[want]);
	if (ctr_jtype(v) != want)
		return ctr_jfail(v, e, "json.type", "%s (expected %s)", name[ctr_jtype(v)], name[want]);
	return 0;
}

int ctr_jobject(const struct ctr_jval *v, struct ctr_err *e)
{
	return typed(v, CTR_JSON_OBJECT, e);
}

int ctr_jarray(const struct ctr_jval *v, struct ctr_err *e)
{
	return typed(v, CTR_JSON_ARRAY, e);
}

int ctr_jstring(const struct ctr_jval *v, const char **s, struct ctr_err *e)
{
	*s = NULL;
	if (typed(v, CTR_JSON_STRING, e) < 0)
		return -1;
	*s = in(v->v)->valuestring;
	return 0;
}

int ctr_jbool(const struct ctr_jval *v, bool *b, struct ctr_err *e)
{
	*b = false;
	if (typed(v, CTR_JSON_BOOL, e) < 0)
		return -1;
	*b = cJSON_IsTrue(in(v->v));
	return 0;
}

int ctr_juint(const struct ctr_jval *v, uint64_t max, uint64_t *n, struct ctr_err *e)
{
	double d;

	*n = 0;
	if (typed(v, CTR_JSON_NUMBER, e) < 0)
		return -1;
	d = in(v->v)->valuedouble;
	if (!(d >= 0 && d <= (double)max && d <= 9007199254740992.0) || d != (double)(uint64_t)d)
		return ctr_jfail(v, e, "json.range", "expected a whole number from 0 to %llu",
				 (unsigned long long)max);
	*n = (uint64_t)d;
	return 0;
}

int ctr_jhex(const struct ctr_jval *v, uint8_t *dst, size_t n, struct ctr_err *e)
{
	struct ctr_err why = { 0 };
	const char *s;

	memset(dst, 0, n);
	if (ctr_jstring(v, &s, e) < 0)
		return -1;
	if (ctr_hex_parse(s, strlen(s), dst, n, &why) < 0)
		return ctr_jfail(v, e, "json.hex", "%s", why.msg);
	return 0;
}

int ctr_jonly(const struct ctr_jval *obj, const char *const *keys, struct ctr_err *e)
{
	for (struct ctr_jval c = ctr_jfirst(obj); c.v; c = ctr_jnext(&c)) {
		const char *const *k = keys;

		while (*k && strcmp(*k, c.key) != 0)
			k++;
		if (!*k)
			return ctr_jfail(&c, e, "json.unknown", "unknown field");
	}
	return 0;
}

struct ctr_json *ctr_json_new_object(void)
{
	return out(cJSON_CreateObject());
}

struct ctr_json *ctr_json_new_array(void)
{
	return out(cJSON_CreateArray());
}

/* Puts a new node below obj (key) or at the end of an array (key NULL); frees it if that fails. */
static struct ctr_json *put(struct ctr_json *to, const char *key, cJSON *node)
{
	bool ok = to && node;

	if (ok && key)
		cJSON_DeleteItemFromObjectCaseSensitive(inm(to), key);
	if (ok)
		ok = key ? cJSON_AddItemToObject(inm(to), key, node)
			 : cJSON_AddItemToArray(inm(to), node);
	if (ok)
		return out(node);
	cJSON_Delete(node);
	return NULL;
}

struct ctr_json *ctr_json_set_object(struct ctr_json *obj, const char *key)
{
	return put(obj, key, cJSON_CreateObject());
}

struct ctr_json *ctr_json_set_array(struct ctr_json *obj, const char *key)
{
	return put(obj, key, cJSON_CreateArray());
}

struct ctr_json *ctr_json_set_string(struct ctr_json *obj, const char *key, const char *s)
{
	return put(obj, key, cJSON_CreateString(s));
}

struct ctr_json *ctr_json_set_hex(struct ctr_json *obj, const char *key, const uint8_t *p, size_t n)
{
	ctr_auto_buf struct ctr_buf b = { .wipe = true }; /* it may be a secret */

	ctr_hex_add(&b, p, n);
	return b.bad ? NULL : ctr_json_set_string(obj, key, ctr_buf_str(&b));
}

struct ctr_json *ctr_json_set_uint(struct ctr_json *obj, const char *key, uint64_t n)
{
	return put(obj, key, cJSON_CreateNumber((double)n));
}

struct ctr_json *ctr_json_set_bool(struct ctr_json *obj, const char *key, bool b)
{
	return put(obj, key, cJSON_CreateBool(b));
}

struct ctr_json *ctr_json_set_null(struct ctr_json *obj, const char *key)
{
	return put(obj, key, cJSON_CreateNull());
}

struct ctr_json *ctr_json_add_object(struct ctr_json *arr)
{
	return put(arr, NULL, cJSON_CreateObject());
}

struct ctr_json *ctr_json_add_array(struct ctr_json *arr)
{
	return put(arr, NULL, cJSON_CreateArray());
}

struct ctr_json *ctr_json_add_string(struct ctr_json *arr, const char *s)
{
	return put(arr, NULL, cJSON_CreateString(s));
}

struct ctr_json *ctr_json_add_uint(struct ctr_json *arr, uint64_t n)
{
	return put(arr, NULL, cJSON_CreateNumber((double)n));
}

struct ctr_json *ctr_json_copy(const struct ctr_json *from)
{
	return out(cJSON_Duplicate(in(from), true));
}

struct ctr_json *ctr_json_set_copy(struct ctr_json *obj, const char *key, const struct ctr_json *from)
{
	return put(obj, key, cJSON_Duplicate(in(from), true));
}

struct ctr_json *ctr_json_add_copy(struct ctr_json *arr, const struct ctr_json *from)
{
	return put(arr, NULL, cJSON_Duplicate(in(from), true));
}

/* Debian 12's cJSON_InsertItemInArray refuses every place but the first: what follows is moved behind. */
bool ctr_json_insert(struct ctr_json *arr, size_t at, struct ctr_json *node)
{
	size_t n = arr ? (size_t)cJSON_GetArraySize(in(arr)) : 0;

	if (!arr || !node || at > n || n >= INT_MAX || !cJSON_AddItemToArray(inm(arr), inm(node)))
		return false;
	for (; n > at; n--)
		cJSON_AddItemToArray(inm(arr), cJSON_DetachItemFromArray(inm(arr), (int)at));
	return true;
}

struct ctr_json *ctr_json_child(struct ctr_json *parent, const char *key, size_t at)
{
	if (key)
		return out(cJSON_GetObjectItemCaseSensitive(in(parent), key));
	return at > INT_MAX ? NULL : out(cJSON_GetArrayItem(in(parent), (int)at));
}

struct ctr_json *ctr_json_detach(struct ctr_json *parent, const char *key, size_t at)
{
	if (key)
		return out(cJSON_DetachItemFromObjectCaseSensitive(inm(parent), key));
	return at > INT_MAX ? NULL : out(cJSON_DetachItemFromArray(inm(parent), (int)at));
}

void ctr_json_remove(struct ctr_json *obj, const char *key)
{
	cJSON_DeleteItemFromObjectCaseSensitive(inm(obj), key);
}

bool ctr_json_equal(const struct ctr_json *a, const struct ctr_json *b)
{
	return a && b && cJSON_Compare(in(a), in(b), true);
}

void ctr_json_sort(struct ctr_json *obj)
{
	size_t n;
	cJSON *o = inm(obj), **v = sorted(o, &n);

	if (!v || n == 0) {
		free(v);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		v[i]->next = i + 1 < n ? v[i + 1] : NULL;
		v[i]->prev = i ? v[i - 1] : v[n - 1]; /* cJSON: the first one's prev is the last */
	}
	o->child = v[0];
	free(v);
}

/* Bytes at the start of s that stand in a literal as they are. */
static size_t as_it_is(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && s[i] >= 0x20 && s[i] < 0x7f && s[i] != '"' && s[i] != '\\')
		i++;
	return i;
}

void ctr_json_quote(struct ctr_buf *b, const char *s, size_t n)
{
	static const char from[] = "\"\\\n\r\t\b\f", to[] = "\"\\nrtbf";

	ctr_buf_addc(b, '"');
	for (size_t i = 0; i < n;) {
		size_t run = as_it_is(s + i, n - i), w;
		unsigned char c;
		const char *esc;

		ctr_buf_add(b, s + i, run);
		i += run;
		if (i == n)
			break;
		w = ctr_utf8_len(s + i, n - i);
		c = (unsigned char)s[i];
		esc = c ? strchr(from, c) : NULL;
		if (esc) {
			ctr_buf_addc(b, '\\');
			ctr_buf_addc(b, to[esc - from]);
		} else if (w == 0) {
			ctr_buf_adds(b, "\\ufffd"); /* a broken byte cannot stand in JSON */
		} else if (c < 0x20 || c == 0x7f) {
			ctr_buf_addf(b, "\\u%04x", c);
		} else {
			ctr_buf_add(b, s + i, w);
		}
		i += w ? w : 1;
	}
	ctr_buf_addc(b, '"');
}

static void line(struct ctr_buf *b, unsigned indent, unsigned level)
{
	if (indent == 0)
		return;
	ctr_buf_addc(b, '\n');
	for (unsigned i = 0; i < indent * level; i++)
		ctr_buf_addc(b, ' ');
}

static void number(struct ctr_buf *b, double d)
{
	if (d >= -9007199254740992.0 && d <= 9007199254740992.0 && d == (double)(long long)d)
		ctr_buf_addf(b, "%lld", (long long)d);
	else
		ctr_buf_addf(b, "%.17g", d);
}

static void print(const cJSON *j, unsigned indent, unsigned level, struct ctr_buf *b)
{
	bool object = cJSON_IsObject(j);

	if (cJSON_IsString(j)) {
		ctr_json_quote(b, j->valuestring, strlen(j->valuestring));
		return;
	}
	if (cJSON_IsNumber(j)) {
		number(b, j->valuedouble);
		return;
	}
	if (!object && !cJSON_IsArray(j)) {
		ctr_buf_adds(b, cJSON_IsTrue(j) ? "true" : cJSON_IsFalse(j) ? "false" : "null");
		return;
	}
	ctr_buf_addc(b, object ? '{' : '[');
	for (const cJSON *c = j->child; c; c = c->next) {
		line(b, indent, level + 1);
		if (object) {
			ctr_json_quote(b, c->string, strlen(c->string));
			ctr_buf_adds(b, indent ? ": " : ":");
		}
		print(c, indent, level + 1, b);
		if (c->next)
			ctr_buf_addc(b, ',');
	}
	if (j->child)
		line(b, indent, level);
	ctr_buf_addc(b, object ? '}' : ']');
}

int ctr_json_print(const struct ctr_json *j, unsigned indent, struct ctr_buf *b, struct ctr_err *e)
{
	if (!j)
		return ctr_fail_mem(e);
	print(in(j), indent, 0, b);
	return ctr_buf_ok(b, "JSON", e);
}
