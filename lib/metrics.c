#include "metrics.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

struct series {
	char *label[2]; /* NULL without one */
	double value;	/* of a histogram: the sum */
	uint64_t count; /* of a histogram */
	uint64_t *buckets;
};

struct family {
	struct series *series;
	unsigned n, cap;
};

struct ctr_metrics {
	const struct ctr_metric *metrics;
	struct family *families;
	unsigned n;
	pthread_mutex_t lock; /* over all that is in the families */
};

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:"

static bool is_name(const char *s)
{
	return strspn(s, LETTERS) > 0 && s[strspn(s, LETTERS "0123456789")] == '\0';
}

int ctr_metrics_new(const struct ctr_metric *metrics, unsigned n, struct ctr_metrics **out,
		    struct ctr_err *e)
{
	struct ctr_metrics *m;

	for (unsigned i = 0; i < n; i++) {
		bool twice = false;

		for (unsigned k = 0; k < i; k++)
			twice |= strcmp(metrics[k].name, metrics[i].name) == 0;
		if (!is_name(metrics[i].name) || twice)
			return ctr_fail(e, CTR_USAGE, "metrics.name", "%s: no name for a metric",
					metrics[i].name);
	}
	m = calloc(1, sizeof *m);
	if (!m)
		return ctr_fail_mem(e);
	m->families = calloc(n ? n : 1, sizeof *m->families);
	if (!m->families || pthread_mutex_init(&m->lock, NULL) != 0) {
		free(m->families);
		free(m);
		return ctr_fail_mem(e);
	}
	m->metrics = metrics;
	m->n = n;
	*out = m;
	return 0;
}

static void series_fini(struct series *s)
{
	free(s->label[0]);
	free(s->label[1]);
	free(s->buckets);
}

void ctr_metrics_free(struct ctr_metrics *m)
{
	if (!m)
		return;
	for (unsigned i = 0; i < m->n; i++) {
		for (unsigned k = 0; k < m->families[i].n; k++)
			series_fini(&m->families[i].series[k]);
		free(m->families[i].series);
	}
	free(m->families);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

static bool grow(struct family *f)
{
	unsigned cap = f->cap ? 2 * f->cap : 4;
	struct series *s = reallocarray(f->series, cap, sizeof *s);

	if (!s)
		return false;
	f->series = s;
	f->cap = cap;
	return true;
}

static struct series *add_series(const struct ctr_metric *d, struct family *f,
				 const char *const v[2])
{
	struct series s = { 0 };
	bool ok = f->n < f->cap || grow(f);

	for (int i = 0; i < 2 && ok && d->labels[i]; i++) {
		s.label[i] = strdup(v[i]);
		ok = s.label[i];
	}
	if (ok && d->kind == CTR_HISTOGRAM) {
		s.buckets = calloc(d->n_buckets + 1, sizeof *s.buckets);
		ok = s.buckets;
	}
	if (!ok) {
		series_fini(&s);
		return NULL;
	}
	f->series[f->n] = s;
	return &f->series[f->n++];
}

static struct series *find(struct family *f, const char *const v[2])
{
	for (unsigned i = 0; i < f->n; i++) {
		struct series *s = &f->series[i];

		if ((!s->label[0] || strcmp(s->label[0], v[0]) == 0) &&
		    (!s->label[1] || strcmp(s->label[1], v[1]) == 0))
			return s;
	}
	return NULL;
}

/* Who may choose a label must not be able to fill the memory: beyond the bound all are "other". */
static struct series *series_of(const struct ctr_metric *d, struct family *f, const char *a,
				const char *b)
{
	static const char *const other[2] = { "other", "other" };
	const char *const v[2] = { a ? a : "", b ? b : "" };
	struct series *s = find(f, v);

	if (s || f->n < CTR_METRIC_SERIES)
		return s ? s : add_series(d, f, v);
	s = find(f, other);
	return s ? s : add_series(d, f, other);
}

void ctr_metrics_note(struct ctr_metrics *m, unsigned metric, const char *a, const char *b,
		      double v)
{
	const struct ctr_metric *d = metric < m->n ? &m->metrics[metric] : NULL;
	struct series *s;

	if (!d || isnan(v) || (d->kind == CTR_COUNTER && v < 0))
		return;
	pthread_mutex_lock(&m->lock);
	s = series_of(d, &m->families[metric], a, b);
	if (s && d->kind == CTR_GAUGE) {
		s->value = v;
	} else if (s) {
		s->value += v;
		s->count++;
		for (unsigned i = 0; d->kind == CTR_HISTOGRAM && i < d->n_buckets; i++)
			s->buckets[i] += v <= d->buckets[i]; /* cumulative, as they are printed */
	}
	pthread_mutex_unlock(&m->lock);
}

static void add_label(struct ctr_buf *b, char *open, const char *name, const char *value)
{
	ctr_buf_addf(b, "%c%s=\"", *open, name);
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			ctr_buf_addc(b, '\\');
		if (*value == '\n')
			ctr_buf_adds(b, "\\n");
		else
			ctr_buf_addc(b, *value);
	}
	ctr_buf_addc(b, '"');
	*open = ',';
}

/* NAME SUFFIX { labels, le } VALUE */
static void add_line(struct ctr_buf *b, const struct ctr_metric *d, const struct series *s,
		     const char *suffix, const char *le, double v)
{
	char open = '{';

	ctr_buf_addf(b, "%s%s", d->name, suffix);
	for (int i = 0; i < 2; i++) {
		if (s->label[i])
			add_label(b, &open, d->labels[i], s->label[i]);
	}
	if (le)
		add_label(b, &open, "le", le);
	ctr_buf_addf(b, "%s %.15g\n", open == ',' ? "}" : "", v);
}

static void add_histogram(struct ctr_buf *b, const struct ctr_metric *d, const struct series *s)
{
	char le[32];

	for (unsigned i = 0; i < d->n_buckets; i++) {
		snprintf(le, sizeof le, "%.15g", d->buckets[i]);
		add_line(b, d, s, "_bucket", le, (double)s->buckets[i]);
	}
	add_line(b, d, s, "_bucket", "+Inf", (double)s->count);
	add_line(b, d, s, "_sum", NULL, s->value);
	add_line(b, d, s, "_count", NULL, (double)s->count);
}

int ctr_metrics_print(struct ctr_metrics *m, struct ctr_buf *b, struct ctr_err *e)
{
	static const char *const kinds[] = { "counter", "gauge", "histogram" };

	pthread_mutex_lock(&m->lock);
	for (unsigned i = 0; i < m->n; i++) {
		const struct ctr_metric *d = &m->metrics[i];

		ctr_buf_addf(b, "# HELP %s %s\n# TYPE %s %s\n", d->name, d->help, d->name,
			     kinds[d->kind]);
		for (unsigned k = 0; k < m->families[i].n; k++) {
			if (d->kind == CTR_HISTOGRAM)
				add_histogram(b, d, &m->families[i].series[k]);
			else
				add_line(b, d, &m->families[i].series[k], "", NULL,
					 m->families[i].series[k].value);
		}
	}
	pthread_mutex_unlock(&m->lock);
	return ctr_buf_ok(b, "metrics", e);
}
