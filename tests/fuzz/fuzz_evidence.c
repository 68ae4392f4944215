/* Any bytes: refused with an id of the module, or kept so that they print and read to the same. */
#include <stdlib.h>
#include <string.h>

#include "evidence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool ok)
{
	if (!ok)
		abort();
}

static bool same(const struct ctr_evidence *a, const struct ctr_evidence *b)
{
	for (int i = 0; i < CTR_ITEMS; i++) {
		if (a->item[i].n != b->item[i].n ||
		    (a->item[i].n && memcmp(a->item[i].p, b->item[i].p, a->item[i].n) != 0))
			return false;
	}
	return a->tee == b->tee;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ctr_auto_evidence struct ctr_evidence ev = { 0 }, again = { 0 };
	ctr_auto_buf struct ctr_buf one = { 0 }, two = { 0 };
	struct ctr_err e = { 0 };

	if (ctr_evidence_read(data, size, &ev, &e) < 0) {
		demand(e.code == CTR_FORMAT && e.msg[0] && strncmp(e.id, "evidence.", 9) == 0);
		return 0;
	}
	demand(ev.item[CTR_REPORT].n > 0);
	demand(ctr_evidence_print(&ev, &one, &e) == 0);
	demand(ctr_evidence_parse((const uint8_t *)one.p, one.n, &again, &e) == 0);
	demand(same(&ev, &again));
	demand(ctr_evidence_print(&again, &two, &e) == 0);
	demand(one.n == two.n && memcmp(one.p, two.p, one.n) == 0);
	return 0;
}
