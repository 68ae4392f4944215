/* A ConfigMap as an API server answers: refused with a reason, or what was read prints, and reads
 * back as itself. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kube.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ctr_auto_kube_map struct ctr_kube_map a = { 0 }, b = { 0 };
	ctr_auto_buf struct ctr_buf text = { 0 };
	struct ctr_err e = { 0 };

	if (ctr_kube_map_parse((const char *)data, size, &a, &e) < 0) {
		demand(e.code == CTR_FORMAT && e.id && e.msg[0]);
		demand(!a.bytes.p && a.size == 0 && !a.version[0]);
		return 0;
	}
	demand(a.bytes.n <= CTR_KUBE_BYTES && strlen(a.version) < sizeof a.version);
	demand(!strpbrk(a.version, "\"\\&?%/# \r\n"));
	demand(ctr_kube_map_print("name", "app", &a, &text, NULL) == 0);
	demand(ctr_kube_map_parse(text.p, text.n, &b, NULL) == 0);
	demand(a.size == b.size && a.immutable == b.immutable && ctr_buf_same(&a.bytes, &b.bytes) &&
	       strcmp(a.version, b.version) == 0);
	return 0;
}
