/* Any bytes as a document: read, then asked everything that can be asked. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "yaml_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t budget;

static void visit(const struct ctr_yaml *y, const struct ctr_yaml_node *n)
{
	struct ctr_err e = { 0 };
	const struct ctr_yaml_node *c;
	const char *key, *s;
	int64_t i;
	size_t len;
	bool b;

	if (budget-- == 0 || ctr_yaml_line(n) == 0 || ctr_yaml_col(n) == 0)
		abort();
	if (n->props > n->at || n->at > n->end || n->end > y->n)
		abort();
	if (ctr_yaml_is(n, CTR_YAML_SCALAR) && (!ctr_yaml_text(n, &len) || n->text[len] != '\0'))
		abort();
	ctr_yaml_type(n);
	for (size_t k = 0; (c = ctr_yaml_at(n, k, &key)); k++) {
		if (key) {
			const struct ctr_yaml_node *hit;

			if (ctr_yaml_get(n, key) != c)
				abort();
			(void)!ctr_yaml_str(y, n, key, &s, &e);
			(void)!ctr_yaml_int(y, n, key, 0, 9, 0, &i, NULL);
			(void)!ctr_yaml_bool(y, n, key, false, &b, NULL);
			(void)!ctr_yaml_map(y, n, key, &hit, NULL);
			(void)!ctr_yaml_seq(y, n, key, &hit, NULL);
		}
		visit(y, c);
	}
	if (ctr_yaml_count(n) != n->nview)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ctr_auto_yaml struct ctr_yaml *y = NULL;
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct ctr_err e = { 0 };

	ctr_buf_add(&b, data, size);
	if (ctr_yaml_parse("f", 1, ctr_buf_str(&b), size, &y, &e) < 0) {
		if (e.code != CTR_FORMAT || !e.id || !e.msg[0] || e.line == 0)
			abort();
		return 0;
	}
	budget = CTR_YAML_NODES + 1;
	if (y->root && y->root->weight < 20000)
		visit(y, y->root);
	ctr_buf_reset(&b);
	if (ctr_yaml_emit(y, &b, &e) < 0 || b.n != size)
		abort();
	return 0;
}
