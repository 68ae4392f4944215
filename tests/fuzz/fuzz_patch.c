/* needs: tools/ctr-manifest/patch.c */
/* A document and a patch, an empty line between them: applied, not meant for it, or refused with a reason. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ctr-manifest/patch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void apply(struct ctr_json *doc, const struct ctr_json *patch)
{
	ctr_auto_json struct ctr_json *d = ctr_json_copy(doc);
	struct ctr_jval ops = ctr_jroot(patch);
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct ctr_err e = { 0 };
	bool holds;

	if (!d)
		return;
	if (patch_apply(&d, &ops, &holds, &e) < 0) {
		if (e.code == CTR_OK || !e.id || !e.msg[0] || !ctr_json_equal(d, doc))
			abort();
		return;
	}
	if (!holds && !ctr_json_equal(d, doc))
		abort();
	e = (struct ctr_err){ 0 };
	if (ctr_json_print(d, 0, &b, &e) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data, *cut = size ? memmem(data, size, "\n\n", 2) : NULL;
	ctr_auto_json struct ctr_json *doc = NULL, *patch = NULL;
	struct ctr_err e = { 0 };
	size_t n = cut ? (size_t)(cut - p) : 0;

	if (cut && ctr_json_parse("document", p, n, &doc, &e) == 0 &&
	    ctr_json_parse("patch", cut + 2, size - n - 2, &patch, &e) == 0)
		apply(doc, patch);
	return 0;
}
