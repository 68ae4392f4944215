/* A bare initdata document: it is refused with a reason, or its policy survives a second round. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "initdata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ctr_auto_policy struct ctr_policy p = { 0 }, q = { 0 };
	ctr_auto_buf struct ctr_buf toml = { 0 };
	struct ctr_err e = { 0 };

	if (ctr_initdata_parse((const char *)data, size, &p, &e) < 0) {
		if (e.code == CTR_OK || !e.id || !e.msg[0])
			abort();
		return 0;
	}
	if (ctr_initdata_build(p.rego.p, p.rego.n, &toml, &e) < 0 ||
	    ctr_initdata_parse(toml.p, toml.n, &q, &e) < 0 || q.rego.n != p.rego.n ||
	    memcmp(q.rego.p, p.rego.p, q.rego.n) != 0)
		abort();
	return 0;
}
