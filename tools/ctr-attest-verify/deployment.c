#include "deployment.h"

#include <string.h>

#include "file.h"

struct work {
	struct ctr_attested attested;
	struct ctr_buf manifest, root_ca; /* what is expected */
	struct ctr_coordinator_want want;
};

static void work_free(struct work *w)
{
	ctr_attested_free(&w->attested);
	ctr_buf_free(&w->manifest);
	ctr_buf_free(&w->root_ca);
}

static int more_checks(void *ctx, struct ctr_checks *cs, struct ctr_err *e)
{
	const struct work *w = ctx;

	(void)e;
	ctr_attested_check(&w->attested, &w->want, cs);
	return 0;
}

static int load(const struct job *j, const struct deployment *d, const char *name, struct work *w,
		struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf in = { 0 };

	if (d->response) {
		memcpy(w->attested.nonce, d->nonce, sizeof d->nonce);
		if (ctr_file_read(d->response, CTR_ANSWER_MAX, &in, e) < 0)
			return -1;
	} else if (ctr_coordinator_ask(&j->from.http, d->url, w->attested.nonce, &in, e) < 0) {
		return -1;
	}
	if (ctr_attested_read(name, &in, &w->attested, e) < 0 ||
	    ctr_file_read(d->manifest, CTR_MANIFEST_MAX, &w->manifest, e) < 0 ||
	    (d->root_ca && ctr_root_ca_load(d->root_ca, &w->root_ca, e) < 0))
		return -1;
	w->want = (struct ctr_coordinator_want){ .state = CTR_COORDINATOR_SERVES,
						 .bytes = &w->manifest,
						 .manifest = &j->refs,
						 .root_ca = d->root_ca ? &w->root_ca : NULL };
	return 0;
}

int deployment_run(const struct job *j, const struct deployment *d, struct ctr_buf *out,
		   struct ctr_err *e)
{
	CTR_AUTO(work_free) struct work w = { 0 };
	const char *name = d->response ? d->response : d->url;
	struct job own = *j; /* borrows; but the report data is of this answer */
	struct job_more more = { more_checks, &w };

	if (load(j, d, name, &w, e) < 0 || ctr_attested_bind(&w.attested, &own.appraisal, e) < 0)
		return -1;
	own.vf.appraisal = &own.appraisal;
	own.vf.role = CTR_ROLE_COORDINATOR;
	if (job_evidence(&own, name, &w.attested.evidence, &more, false, out, e) < 0)
		return -1;
	return d->output ? ctr_answer_save(d->output, &w.attested.answer, e) : 0;
}
