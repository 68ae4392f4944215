/* A table from the host: refused as a whole, or every entry lies within it, behind the header. */
#include <stdlib.h>
#include <string.h>

#include "evidence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	const uint8_t *data;
	size_t size, n;
};

static void demand(bool ok)
{
	if (!ok)
		abort();
}

static int look(void *ctx, const char *kind, size_t offset, const uint8_t *p, size_t n,
		struct ctr_err *e)
{
	struct seen *s = ctx;

	(void)e;
	demand(kind[0] && n > 0 && offset <= s->size && n <= s->size - offset);
	demand(p == s->data + offset);
	s->n++;
	demand(offset >= 24 * (s->n + 1));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ctr_auto_evidence struct ctr_evidence ev = { 0 };
	struct seen s = { data, size, 0 };
	struct ctr_err e = { 0 };
	bool walked = ctr_table_walk(data, size, look, &s, &e) == 0;

	demand(walked || (e.code == CTR_FORMAT && strcmp(e.id, "cert-table") == 0 && s.n == 0));
	e = (struct ctr_err){ 0 };
	if (ctr_evidence_add_table(&ev, data, size, &e) == 0) {
		demand(walked);
		return 0;
	}
	demand(e.code == CTR_FORMAT && strcmp(e.id, "cert-table") == 0 && e.msg[0]);
	for (int i = 0; i < CTR_ITEMS; i++)
		demand(ev.item[i].n == 0);
	return 0;
}
