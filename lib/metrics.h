/* Figures for Prometheus: counters, gauges and histograms as text (exposition format 0.0.4). */
#ifndef LIB_METRICS_H
#define LIB_METRICS_H

#include <stdint.h>

#include "buf.h"

#define CTR_METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define CTR_METRIC_SERIES 512 /* label values of one metric; further ones count as "other" */

enum ctr_metric_kind { CTR_COUNTER, CTR_GAUGE, CTR_HISTOGRAM };

/* What is measured: static, and outlives the metrics. */
struct ctr_metric {
	const char *name; /* [a-zA-Z_:][a-zA-Z0-9_:]* */
	const char *help; /* one line */
	enum ctr_metric_kind kind;
	const char *labels[2]; /* names, NULL where there are fewer */
	const double *buckets; /* histogram: upper bounds, rising, without infinity */
	unsigned n_buckets;
};

struct ctr_metrics;

/* For `n` metrics, which are then known by their index. CTR_USAGE "metrics.name": a bad or double
 * name. */
CTR_MUST int ctr_metrics_new(const struct ctr_metric *metrics, unsigned n, struct ctr_metrics **out,
			     struct ctr_err *e);
void ctr_metrics_free(struct ctr_metrics *m); /* NULL is legal */

/*
 * Adds to a counter (v not negative), sets a gauge, observes in a histogram. a and b are the
 * labels' values, copied, NULL where the metric has none. Safe from several threads. Never fails:
 * without memory the figure is lost.
 */
void ctr_metrics_note(struct ctr_metrics *m, unsigned metric, const char *a, const char *b,
		      double v);

/* The text, appended: metrics in their order, series in the order of their first note. */
CTR_MUST int ctr_metrics_print(struct ctr_metrics *m, struct ctr_buf *b, struct ctr_err *e);

#endif
