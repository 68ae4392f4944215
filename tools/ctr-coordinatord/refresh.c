#include "refresh.h"

#include "nap.h"

#define EVERY 3600 /* seconds */
#define AFTER_FAILURE 300

struct refresher {
	struct coord *c;
	pthread_t thread;
	struct nap nap;
};

static bool fetch(struct refresher *r)
{
	struct ctr_err e = { 0 };

	if (coord_endorse(r->c, &r->nap.cut, &e) == 0)
		return true;
	if (!atomic_load(&r->nap.cut))
		ctr_log(r->c->log, CTR_WARN, e.id, NULL, 0, 0,
			"what endorses this machine's evidence could not be had: %s", e.msg);
	return false;
}

static void *run(void *ctx)
{
	struct refresher *r = ctx;

	while (nap_rest(&r->nap, (fetch(r) ? EVERY : AFTER_FAILURE) * (uint64_t)1000))
		;
	return NULL;
}

int refresh_start(struct coord *c, struct refresher **out, struct ctr_err *e)
{
	struct refresher *r = calloc(1, sizeof *r);

	*out = NULL;
	if (!r)
		return ctr_fail_mem(e);
	r->c = c;
	nap_init(&r->nap);
	if (pthread_create(&r->thread, NULL, run, r) != 0) {
		nap_free(&r->nap);
		free(r);
		return ctr_fail_mem(e);
	}
	*out = r;
	return 0;
}

void refresh_now(struct refresher *r)
{
	nap_wake(&r->nap);
}

void refresh_stop(struct refresher *r)
{
	if (!r)
		return;
	nap_stop(&r->nap);
	pthread_join(r->thread, NULL);
	nap_free(&r->nap);
	free(r);
}
