#include "trust.h"

#include "coordinator.h"
#include "file.h"

int trust_check(void *ctx, const struct joined *j, struct ctr_err *e)
{
	const struct trust *t = ctx;
	ctr_auto_attested struct ctr_attested a = { 0 };
	ctr_auto_buf struct ctr_buf text = { 0 };
	ctr_auto_manifest struct ctr_manifest m = { 0 };
	struct ctr_coordinator c = { .url = t->url,
				     .from = t->sources->c,
				     .verify = t->sources->verify };
	struct ctr_coordinator_want w = { .state = CTR_COORDINATOR_SERVES,
					  .bytes = &text,
					  .manifest = &m,
					  .root_ca = &j->root_ca };

	c.from.at = c.verify.at = time(NULL);
	if (ctr_file_read(t->manifest, CTR_MANIFEST_MAX, &text, e) < 0 ||
	    ctr_manifest_parse(t->manifest, text.p, text.n, &m, e) < 0 ||
	    ctr_coordinator_attest(&c, &w, &a, e) < 0)
		return -1;
	return ctr_same_certificate(&a.answer.mesh_ca, &j->mesh_ca)
		       ? 0
		       : ctr_fail(e, CTR_NO, "coordinator.mesh_ca",
				  "the certificate is by another mesh CA than the Coordinator's");
}
