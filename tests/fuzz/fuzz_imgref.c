#include <stdlib.h>
#include <string.h>

#include "oci.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A reference that is taken is taken again in its full form, with the same meaning. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ctr_auto char *s = strndup((const char *)data, size);
	ctr_auto_buf struct ctr_buf full = { 0 };
	struct ctr_imgref a, b;
	struct ctr_err e = { 0 };

	if (!s || ctr_imgref_parse(s, &a, &e) < 0)
		return 0;
	ctr_buf_addf(&full, "%s/%s%s%s%s%s", a.registry, a.repository, a.tag[0] ? ":" : "", a.tag,
		     a.digest[0] ? "@" : "", a.digest);
	if (full.bad || ctr_imgref_parse(full.p, &b, &e) < 0)
		abort();
	if (strcmp(a.registry, b.registry) != 0 || strcmp(a.repository, b.repository) != 0 ||
	    strcmp(a.tag, b.tag) != 0 || strcmp(a.digest, b.digest) != 0)
		abort();
	return 0;
}
