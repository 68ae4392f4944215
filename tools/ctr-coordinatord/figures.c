#include "figures.h"

static const double seconds[] = { 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
				  0.25,	 0.5,	 1,	2.5,  5,     10 };

static const struct ctr_metric table[FIGURES] = {
	[F_REQUESTS] = { .name = "ctr_http_requests_total",
			 .help = "Requests answered, by route and status.",
			 .kind = CTR_COUNTER,
			 .labels = { "route", "status" } },
	[F_SECONDS] = { .name = "ctr_http_request_seconds",
			.help = "Time from a request's last byte to its answer.",
			.kind = CTR_HISTOGRAM,
			.labels = { "route" },
			.buckets = seconds,
			.n_buckets = sizeof seconds / sizeof *seconds },
	[F_REFUSED] = { .name = "ctr_attestation_failures_total",
			.help = "Evidence refused, by the first check that failed.",
			.kind = CTR_COUNTER,
			.labels = { "check" } },
	[F_ISSUED] = { .name = "ctr_certificates_issued_total",
		       .help = "Mesh certificates issued.",
		       .kind = CTR_COUNTER },
	[F_GENERATION] = { .name = "ctr_manifest_generation",
			   .help = "Manifests set so far; 0 before the first, and until recovery.",
			   .kind = CTR_GAUGE },
	[F_READY] = { .name = "ctr_ready",
		      .help = "1 while certificates are issued.",
		      .kind = CTR_GAUGE },
	[F_COLLATERAL_AGE] = { .name = "ctr_collateral_age_seconds",
			       .help = "Since what endorses this machine was fetched; -1: never.",
			       .kind = CTR_GAUGE },
	[F_STORE_AGE] = { .name = "ctr_store_age_seconds",
			  .help = "Since a store that is shared was last read; -1: it is not shared.",
			  .kind = CTR_GAUGE },
};

int figures_new(struct ctr_metrics **m, struct ctr_err *e)
{
	return ctr_metrics_new(table, FIGURES, m, e);
}

void figure_add(struct coord *c, enum figure f, const char *a, const char *b)
{
	ctr_metrics_note(c->metrics, f, a, b, 1);
}

void figure_set(struct coord *c, enum figure f, double v)
{
	ctr_metrics_note(c->metrics, f, NULL, NULL, v);
}

int figures_print(struct coord *c, struct ctr_buf *b, struct ctr_err *e)
{
	auto_state struct state *s = coord_state(c, NULL);
	time_t at, seen;

	pthread_mutex_lock(&c->own_lock);
	at = c->own_at;
	pthread_mutex_unlock(&c->own_lock);
	pthread_mutex_lock(&c->lock);
	seen = c->store_at;
	pthread_mutex_unlock(&c->lock);
	figure_set(c, F_STORE_AGE, seen ? (double)(coord_clock() - seen) : -1);
	figure_set(c, F_COLLATERAL_AGE, at ? (double)(coord_clock() - at) : -1);
	figure_set(c, F_GENERATION, s ? (double)s->generation : 0);
	figure_set(c, F_READY, s != NULL);
	return ctr_metrics_print(c->metrics, b, e);
}
