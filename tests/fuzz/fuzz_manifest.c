/* A manifest: refused with a reason, or its canonical text reads back to the same text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ctr_auto_manifest struct ctr_manifest m = { 0 }, n = { 0 };
	ctr_auto_buf struct ctr_buf a = { 0 }, b = { 0 };
	struct ctr_err e = { 0 };

	if (ctr_manifest_parse("fuzz", (const char *)data, size, &m, &e) < 0) {
		if (e.code == CTR_OK || !e.id || !e.msg[0])
			abort();
		return 0;
	}
	for (size_t i = 0; i < m.n_policies; i++) {
		if (ctr_manifest_find(&m, m.policies[i].hash) != &m.policies[i])
			abort();
	}
	if (ctr_manifest_print(&m, &a, &e) < 0 || ctr_manifest_parse("fuzz", a.p, a.n, &n, &e) < 0 ||
	    ctr_manifest_print(&n, &b, &e) < 0 || strcmp(a.p, b.p) != 0)
		abort();
	return 0;
}
