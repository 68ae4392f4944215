#include "checks.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "enc.h"
#include "json.h"
#include "rd.h"

const char *const ctr_check_names[3] = { "pass", "fail", "skipped" };

void ctr_checks_free(struct ctr_checks *cs)
{
	for (size_t i = 0; i < cs->n; i++) {
		free(cs->v[i].expected);
		free(cs->v[i].found);
		free(cs->v[i].detail);
	}
	free(cs->v);
	*cs = (struct ctr_checks){ 0 };
}

static bool grow(struct ctr_checks *cs)
{
	size_t cap = cs->cap ? 2 * cs->cap : 64;
	struct ctr_check *v;

	if (cs->n < cs->cap)
		return true;
	v = realloc(cs->v, cap * sizeof *v);
	if (!v)
		return false;
	cs->v = v;
	cs->cap = cap;
	return true;
}

static void add(struct ctr_checks *cs, const char *name, enum ctr_check_result result,
		const char *expected, const char *found, const char *detail)
{
	struct ctr_check c = { .name = name, .result = result, .set = cs->set };

	c.expected = strdup(expected ? expected : "");
	c.found = strdup(found ? found : "");
	c.detail = strdup(detail);
	cs->failed += result == CTR_FAIL;
	if (!c.expected || !c.found || !c.detail || !grow(cs)) {
		free(c.expected);
		free(c.found);
		free(c.detail);
		cs->bad = true;
		return;
	}
	cs->v[cs->n++] = c;
}

bool ctr_check(struct ctr_checks *cs, const char *name, bool pass, const char *expected,
	       const char *found, const char *detail, ...)
{
	char text[512] = "";
	va_list ap;

	va_start(ap, detail);
	if (detail)
		vsnprintf(text, sizeof text, detail, ap);
	va_end(ap);
	add(cs, name, pass ? CTR_PASS : CTR_FAIL, expected, found, text);
	return pass;
}

void ctr_check_skip(struct ctr_checks *cs, const char *name, const char *why, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, why);
	vsnprintf(text, sizeof text, why, ap);
	va_end(ap);
	add(cs, name, CTR_SKIPPED, NULL, NULL, text);
}

bool ctr_check_bytes(struct ctr_checks *cs, const char *name, const uint8_t *expected,
		     const uint8_t *found, size_t n, const char *detail)
{
	ctr_auto_buf struct ctr_buf want = { 0 }, got = { 0 };

	ctr_hex_add(&want, expected, n);
	ctr_hex_add(&got, found, n);
	cs->bad = cs->bad || want.bad || got.bad;
	return ctr_check(cs, name, ctr_same(expected, found, n), ctr_buf_str(&want),
			 ctr_buf_str(&got), "%s", detail ? detail : "");
}

void ctr_check_unknown(struct ctr_checks *cs, const char *name, const uint8_t *found, size_t n)
{
	ctr_auto_buf struct ctr_buf got = { 0 };

	ctr_hex_add(&got, found, n);
	cs->bad = cs->bad || got.bad;
	ctr_check(cs, name, false, "unknown", ctr_buf_str(&got),
		  "the reference value is null (fill it in), or not what the appraisal asks for");
}

static bool numbers(struct ctr_checks *cs, const char *name, bool pass, const char *fmt,
		    uint64_t wanted, uint64_t found, const char *detail)
{
	char want[40], got[24];

	snprintf(want, sizeof want, "%s%" PRIu64, fmt, wanted);
	snprintf(got, sizeof got, "%" PRIu64, found);
	return ctr_check(cs, name, pass, want, got, "%s", detail ? detail : "");
}

bool ctr_check_least(struct ctr_checks *cs, const char *name, uint64_t least, uint64_t found,
		     const char *detail)
{
	return numbers(cs, name, found >= least, "at least ", least, found, detail);
}

bool ctr_check_number(struct ctr_checks *cs, const char *name, uint64_t wanted, uint64_t found,
		      const char *detail)
{
	return numbers(cs, name, found == wanted, "", wanted, found, detail);
}

void ctr_checks_append(struct ctr_checks *cs, const struct ctr_checks *from)
{
	unsigned set = cs->set;

	cs->bad = cs->bad || from->bad;
	for (size_t i = 0; i < from->n; i++) {
		cs->set = from->v[i].set;
		add(cs, from->v[i].name, from->v[i].result, from->v[i].expected, from->v[i].found,
		    from->v[i].detail);
	}
	cs->set = set;
}

bool ctr_checks_ok(const struct ctr_checks *cs)
{
	size_t made = 0;

	for (size_t i = 0; i < cs->n; i++)
		made += cs->v[i].result != CTR_SKIPPED;
	return !cs->bad && cs->failed == 0 && made > 0;
}

const struct ctr_check *ctr_checks_failed(const struct ctr_checks *cs)
{
	for (size_t i = 0; i < cs->n; i++) {
		if (cs->v[i].result == CTR_FAIL)
			return &cs->v[i];
	}
	return NULL;
}

int ctr_checks_reject(const struct ctr_checks *cs, struct ctr_err *e)
{
	const struct ctr_check *why = ctr_checks_failed(cs);

	ctr_fail(e, CTR_NO, why ? why->name : "rejected", "rejected: %s: expected %s, found %s",
		 why ? why->name : "", why ? why->expected : "", why ? why->found : "");
	return why && *why->detail ? ctr_err_fix(e, "%s", why->detail) : -1;
}

void ctr_checks_json(const struct ctr_checks *cs, struct ctr_json *arr)
{
	for (size_t i = 0; i < cs->n; i++) {
		const struct ctr_check *c = &cs->v[i];
		struct ctr_json *o = ctr_json_add_object(arr);

		ctr_json_set_string(o, "name", c->name);
		ctr_json_set_string(o, "result", ctr_check_names[c->result]);
		ctr_json_set_string(o, "expected", c->expected);
		ctr_json_set_string(o, "found", c->found);
		ctr_json_set_string(o, "detail", c->detail);
		if (c->set)
			ctr_json_set_uint(o, "reference_value", c->set - 1);
	}
}
