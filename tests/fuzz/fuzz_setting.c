/* needs: tools/ctr-manifest/setting.c */
/* The answers to an owner: refused with a reason, or whole. */
#include <stdint.h>
#include <stdlib.h>

#include "tools/ctr-manifest/setting.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct setting_answer a = { 0 };
	struct ctr_err e = { 0 }, f = { 0 };

	if (setting_answer_parse("answer", (const char *)data, size, &a, &e) < 0)
		demand(e.code == CTR_FORMAT && e.id && e.msg[0]);
	else
		demand(a.root_ca.n > 0 && a.mesh_ca.n > 0 && !a.seed_shares.bad);
	setting_answer_free(&a);
	if (recover_answer_parse("answer", (const char *)data, size, &f) < 0)
		demand(f.code == CTR_FORMAT && f.id && f.msg[0]);
	else
		demand(e.id != NULL); /* the one is not the other */
	return 0;
}
