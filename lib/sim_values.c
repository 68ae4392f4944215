#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "enc.h"
#include "json.h"
#include "rd.h"
#include "sim_int.h"

void ctr_sim_values_free(struct ctr_sim_values *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].own);
	l->n = 0;
}

int ctr_sim_add(struct ctr_sim_values *l, const char *name, size_t nname, const char *value,
		size_t nvalue, struct ctr_err *e)
{
	char *own;

	if (nname == 0 || nname > CTR_SIM_TEXT || nvalue > CTR_SIM_TEXT)
		return ctr_fail(e, CTR_USAGE, "sim.value",
				"a value without name, or a text of more than %zu bytes",
				CTR_SIM_TEXT);
	if (l->n == CTR_SIM_VALUES)
		return ctr_fail(e, CTR_USAGE, "sim.value", "more than %d values", CTR_SIM_VALUES);
	own = calloc(1, nname + nvalue + 2);
	if (!own)
		return ctr_fail_mem(e);
	memcpy(own, name, nname);
	memcpy(own + nname + 1, value, nvalue);
	l->v[l->n++] = (struct ctr_sim_value){ .name = own, .value = own + nname + 1, .own = own };
	return 0;
}

int ctr_sim_add_text(struct ctr_sim_values *l, const char *text, size_t n, struct ctr_err *e)
{
	struct ctr_rd r, item, name;

	ctr_rd_init(&r, text, n);
	while (r.left) {
		ctr_rd_until(&r, ',', &item);
		if (!memchr(item.p, '=', item.left))
			return ctr_fail(
				e, CTR_USAGE, "sim.value", "%.*s: no value (expected NAME=VALUE,…)",
				(int)(item.left < 64 ? item.left : 64), (const char *)item.p);
		ctr_rd_until(&item, '=', &name);
		if (ctr_sim_add(l, (const char *)name.p, name.left, (const char *)item.p, item.left,
				e) < 0)
			return -1;
	}
	return 0;
}

static int add_member(struct ctr_sim_values *l, const struct ctr_jval *v, struct ctr_err *e)
{
	char digits[32];
	const char *s = digits;
	uint64_t n;

	if (ctr_jtype(v) == CTR_JSON_NUMBER) {
		if (ctr_juint(v, (uint64_t)1 << 53, &n, e) < 0)
			return -1;
		snprintf(digits, sizeof digits, "%" PRIu64, n);
	} else if (ctr_jstring(v, &s, e) < 0) {
		return -1;
	}
	return ctr_sim_add(l, v->key, strlen(v->key), s, strlen(s), e);
}

int ctr_sim_add_json(struct ctr_sim_values *l, const char *name, const struct ctr_buf *text,
		     struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *j = NULL;
	struct ctr_jval root;

	if (ctr_json_parse(name, ctr_buf_str(text), text->n, &j, e) < 0)
		return -1;
	root = ctr_jroot(j);
	if (ctr_jobject(&root, e) < 0)
		return -1;
	for (struct ctr_jval v = ctr_jfirst(&root); v.v; v = ctr_jnext(&v)) {
		if (add_member(l, &v, e) < 0)
			return -1;
	}
	return 0;
}

const char *ctr_sim_last(const struct ctr_sim_values *l, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < l->n; i++) {
		if (strcmp(l->v[i].name, name) == 0)
			value = l->v[i].value;
	}
	return value;
}

void ctr_sim_put(uint8_t *at, size_t size, uint64_t v)
{
	for (size_t i = 0; i < size; i++, v >>= 8)
		at[i] = (uint8_t)v;
}

int ctr_sim_number(const struct ctr_sim_value *v, size_t size, uint64_t *n, struct ctr_err *e)
{
	const char *digits = "0123456789", *s = v->value;
	int base = 10;
	uint64_t x = 0;

	if (strncmp(s, "0x", 2) == 0) {
		digits = "0123456789abcdefABCDEF";
		s += 2;
		base = 16;
	}
	errno = 0;
	x = strtoull(s, NULL, base);
	if (*s == '\0' || s[strspn(s, digits)] != '\0' || errno == ERANGE ||
	    (size < 8 && x >> 8 * size))
		return ctr_fail(e, CTR_USAGE, "sim.value",
				"%s=%s: no number of %zu bits (decimal or 0x…)", v->name, v->value,
				8 * size);
	*n = x;
	return 0;
}

int ctr_sim_bytes(const struct ctr_sim_value *v, uint8_t *at, size_t size, struct ctr_err *e)
{
	size_t digits = strlen(v->value);

	if (digits % 2 || digits / 2 > size ||
	    ctr_hex_parse(v->value, digits, at, digits / 2, NULL) < 0)
		return ctr_fail(e, CTR_USAGE, "sim.value",
				"%s=%s: no bytes in hexadecimal, %zu at most", v->name, v->value,
				size);
	memset(at + digits / 2, 0, size - digits / 2);
	return 0;
}

/* Bytes for a place that has no name: for reports that break the rules. */
static int poke(const struct ctr_sim_value *v, uint8_t *image, size_t n, struct ctr_err *e)
{
	struct ctr_sim_value offset = { .name = v->name, .value = v->name + 1 };
	size_t len = strlen(v->value) / 2;
	uint64_t at = 0;

	if (ctr_sim_number(&offset, 2, &at, e) < 0)
		return -1;
	if (at > n || len > n - at)
		return ctr_fail(e, CTR_USAGE, "sim.value",
				"%s=%s: beyond the %zu bytes that are signed", v->name, v->value,
				n);
	return ctr_sim_bytes(v, image + at, len, e);
}

int ctr_sim_set(const struct ctr_sim_field *table, const struct ctr_sim_value *v, uint8_t *image,
		size_t n, bool *done, struct ctr_err *e)
{
	uint64_t x = 0;

	*done = true;
	if (v->name[0] == '@')
		return poke(v, image, n, e);
	while (table->name && strcmp(table->name, v->name) != 0)
		table++;
	if (!table->name || table->at > n || table->size > n - table->at) {
		*done = false;
		return 0;
	}
	if (!table->number)
		return ctr_sim_bytes(v, image + table->at, table->size, e);
	if (ctr_sim_number(v, table->size, &x, e) < 0)
		return -1;
	ctr_sim_put(image + table->at, table->size, x);
	return 0;
}

int ctr_sim_unknown(const struct ctr_sim_value *v, struct ctr_err *e)
{
	return ctr_fail(e, CTR_USAGE, "sim.field", "%s: no field of this name", v->name);
}
