/*
 * An answer of containerd's to CRI's Status: refused with a reason, or a handler, whose
 * configuration is among the bytes; and one byte less is no answer.
 */
/* needs: tools/ctr-node-install/cri.c */
#include <stdint.h>
#include <stdlib.h>

#include "tools/ctr-node-install/cri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_cri_handler struct cri_handler h = { 0 }, again = { 0 };
	struct ctr_err e = { 0 }, less = { 0 };

	if (cri_parse(data, size, "kata", &h, &e) < 0) {
		if (e.code != CTR_FORMAT || !e.id || !e.msg[0])
			abort();
		return 0;
	}
	if ((h.config.n && !h.listed) || h.config.n > size ||
	    cri_parse(data, size - 1, "kata", &again, &less) == 0)
		abort();
	return 0;
}
