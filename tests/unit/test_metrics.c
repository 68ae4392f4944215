/* lib/metrics.c: the text of the exposition format, line by line. */
#include <math.h>
#include <pthread.h>

#include "metrics.h"
#include "t.h"

static const double bounds[] = { 0.01, 0.1, 1 };
static const struct ctr_metric metrics[] = {
	{ .name = "req_total",
	  .help = "Requests.",
	  .kind = CTR_COUNTER,
	  .labels = { "route", "code" } },
	{ .name = "generation", .help = "Manifests.", .kind = CTR_GAUGE },
	{ .name = "latency_seconds",
	  .help = "Time.",
	  .kind = CTR_HISTOGRAM,
	  .labels = { "route" },
	  .buckets = bounds,
	  .n_buckets = 3 },
};

static void prints(void **state)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct ctr_metrics *m;

	(void)state;
	T_OK(ctr_metrics_new(metrics, 3, &m, e));
	ctr_metrics_note(m, 0, "/a", "200", 1);
	ctr_metrics_note(m, 0, "\"\\\n", "404", 2);
	ctr_metrics_note(m, 0, "/a", "200", 1);
	ctr_metrics_note(m, 0, "/a", "200", -1);
	ctr_metrics_note(m, 1, NULL, NULL, 7);
	ctr_metrics_note(m, 1, NULL, NULL, (double)NAN);
	ctr_metrics_note(m, 1, NULL, NULL, -3);
	ctr_metrics_note(m, 2, "/a", NULL, 0.1);
	ctr_metrics_note(m, 2, "/a", NULL, 5);
	ctr_metrics_note(m, 3, NULL, NULL, 1);
	T_OK(ctr_metrics_print(m, &b, e));
	T_STR(b.p,
	      "# HELP req_total Requests.\n# TYPE req_total counter\n"
	      "req_total{route=\"/a\",code=\"200\"} 2\n"
	      "req_total{route=\"\\\"\\\\\\n\",code=\"404\"} 2\n"
	      "# HELP generation Manifests.\n# TYPE generation gauge\ngeneration -3\n"
	      "# HELP latency_seconds Time.\n# TYPE latency_seconds histogram\n"
	      "latency_seconds_bucket{route=\"/a\",le=\"0.01\"} 0\n"
	      "latency_seconds_bucket{route=\"/a\",le=\"0.1\"} 1\n"
	      "latency_seconds_bucket{route=\"/a\",le=\"1\"} 1\n"
	      "latency_seconds_bucket{route=\"/a\",le=\"+Inf\"} 2\n"
	      "latency_seconds_sum{route=\"/a\"} 5.1\nlatency_seconds_count{route=\"/a\"} 2\n");
	ctr_metrics_free(m);
}

static void refuses_names(void **state)
{
	struct ctr_metric bad[] = { { .name = "a" }, { .name = "a" } };
	struct ctr_metrics *m;

	(void)state;
	T_FAILS(ctr_metrics_new(bad, 2, &m, e), CTR_USAGE, "metrics.name");
	bad[1].name = "1a";
	T_FAILS(ctr_metrics_new(bad, 2, &m, e), CTR_USAGE, "metrics.name");
	bad[1].name = "a-b";
	T_FAILS(ctr_metrics_new(bad, 2, &m, e), CTR_USAGE, "metrics.name");
	bad[1].name = "";
	T_FAILS(ctr_metrics_new(bad, 2, &m, e), CTR_USAGE, "metrics.name");
}

static void bounds_series(void **state)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct ctr_metrics *m;
	unsigned lines = 0;
	char name[16];

	(void)state;
	T_OK(ctr_metrics_new(metrics, 1, &m, e));
	for (int i = 0; i < 2 * CTR_METRIC_SERIES; i++) {
		snprintf(name, sizeof name, "/%d", i);
		ctr_metrics_note(m, 0, name, "200", 1);
	}
	T_OK(ctr_metrics_print(m, &b, e));
	for (const char *p = b.p; (p = strchr(p, '\n')); p++)
		lines++;
	assert_int_equal(lines, 2 + CTR_METRIC_SERIES + 1);
	snprintf(name, sizeof name, "\"} %d\n", CTR_METRIC_SERIES);
	assert_non_null(strstr(b.p, "req_total{route=\"other\",code=\"other"));
	assert_non_null(strstr(b.p, name));
	ctr_metrics_free(m);
}

static void *note(void *m)
{
	for (int i = 0; i < 10000; i++)
		ctr_metrics_note(m, 0, i % 2 ? "/a" : "/b", "200", 1);
	return NULL;
}

static void loses_nothing(void **state)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct ctr_metrics *m;
	pthread_t t[4];

	(void)state;
	T_OK(ctr_metrics_new(metrics, 1, &m, e));
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, note, m), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	T_OK(ctr_metrics_print(m, &b, e));
	assert_non_null(strstr(b.p, "route=\"/a\",code=\"200\"} 20000\n"));
	assert_non_null(strstr(b.p, "route=\"/b\",code=\"200\"} 20000\n"));
	ctr_metrics_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints),
		cmocka_unit_test(refuses_names),
		cmocka_unit_test(bounds_series),
		cmocka_unit_test(loses_nothing),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
