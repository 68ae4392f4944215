/* An annotation's value, both forms: what was read is what packing it again gives back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "initdata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(const struct ctr_policy *p)
{
	ctr_auto_buf struct ctr_buf toml = { 0 };
	ctr_auto_policy struct ctr_policy q = { 0 };
	struct ctr_err e = { 0 };

	if (ctr_initdata_build(p->rego.p, p->rego.n, &toml, &e) < 0) {
		if (strcmp(e.id, "limit") != 0)
			abort();
		return;
	}
	if (ctr_initdata_parse(toml.p, toml.n, &q, &e) < 0 || q.rego.n != p->rego.n ||
	    memcmp(q.rego.p, p->rego.p, q.rego.n) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int form = 0; form < 2; form++) {
		ctr_auto_policy struct ctr_policy p = { 0 };
		struct ctr_err e = { 0 };
		enum ctr_policy_form f = form ? CTR_FORM_POLICY : CTR_FORM_INITDATA;

		if (ctr_policy_read(f, (const char *)data, size, &p, &e) == 0)
			again(&p);
		else if (e.code == CTR_OK || !e.id || !e.msg[0])
			abort();
	}
	return 0;
}
