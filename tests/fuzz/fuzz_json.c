/* What is accepted survives print and parse unchanged, and every getter can walk it. */
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool ok)
{
	if (!ok)
		abort();
}

static void walk(const struct ctr_jval *v)
{
	ctr_auto_buf struct ctr_buf path = { 0 };
	struct ctr_err e = { 0 };
	uint64_t n;
	uint8_t hex[4];
	const char *s = NULL;
	bool b;

	demand(ctr_jstring(v, &s, &e) < 0 || ctr_utf8_valid(s, strlen(s)));
	demand(ctr_juint(v, 1000, &n, &e) < 0 || n <= 1000);
	demand((ctr_jbool(v, &b, &e) == 0) == (ctr_jtype(v) == CTR_JSON_BOOL));
	if (ctr_jhex(v, hex, sizeof hex, &e) == 0)
		demand(s && strlen(s) == 2 * sizeof hex);
	ctr_jpath(v, &path);
	demand(ctr_buf_ok(&path, "path", &e) < 0 || path.p[0] == '$');
	for (struct ctr_jval c = ctr_jfirst(v); c.v; c = ctr_jnext(&c))
		walk(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ctr_auto_buf struct ctr_buf one = { 0 }, two = { 0 };
	ctr_auto_json struct ctr_json *j = NULL, *k = NULL;
	struct ctr_err e = { 0 };
	struct ctr_jval root;

	if (ctr_json_parse("input", (const char *)data, size, &j, &e) < 0) {
		demand(e.code == CTR_FORMAT && e.id && e.msg[0]);
		return 0;
	}
	root = ctr_jroot(j);
	walk(&root);
	demand(ctr_json_print(j, 0, &one, &e) == 0);
	demand(ctr_json_parse("printed", one.p, one.n, &k, &e) == 0);
	demand(ctr_json_equal(j, k));
	demand(ctr_json_print(k, 0, &two, &e) == 0);
	demand(one.n == two.n && memcmp(one.p, two.p, one.n) == 0);
	return 0;
}
