#include "t.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "log.h"
#include "progress.h"

/* What fn writes to stderr. */
static struct ctr_buf written(void (*fn)(void))
{
	char path[] = P_tmpdir "/test-progress-XXXXXX";
	int keep = dup(STDERR_FILENO), fd = mkostemp(path, O_CLOEXEC | O_APPEND);
	struct ctr_buf b;

	assert_true(keep >= 0 && fd >= 0);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	fn();
	assert_true(dup2(keep, STDERR_FILENO) >= 0);
	b = t_file(path);
	unlink(path);
	close(fd);
	close(keep);
	return b;
}

static size_t count(const char *s, const char *what)
{
	size_t n = 0;

	while ((s = strstr(s, what))) {
		s += strlen(what);
		n++;
	}
	return n;
}

static void work(enum ctr_progress_mode mode, unsigned after, uint64_t total)
{
	struct ctr_progress p;
	struct ctr_log log = { .tool = "ctr-x", .progress = &p };

	ctr_progress_init(&p, "ctr-x", mode);
	p.after = after;
	ctr_progress_begin(&p, "a\n\"b", total);
	ctr_progress_add(&p, 1 << 20);
	ctr_log(&log, CTR_WARN, "x", NULL, 0, 0, "a warning");
	ctr_progress_add(&p, 3 << 19);
	ctr_progress_end(&p);
}

static void text_at_once(void)
{
	work(CTR_PROGRESS_TEXT, 0, 4 << 20);
}
static void text_no_total(void)
{
	work(CTR_PROGRESS_TEXT, 0, 0);
}
static void text_late(void)
{
	work(CTR_PROGRESS_TEXT, 600000, 4 << 20);
}
static void json_at_once(void)
{
	work(CTR_PROGRESS_JSON, 0, 2 << 20);
}
static void json_late(void)
{
	work(CTR_PROGRESS_JSON, 600000, 0);
}
static void none(void)
{
	work(CTR_PROGRESS_NONE, 0, 4 << 20);
}
static void automatic(void)
{
	work(CTR_PROGRESS_AUTO, 0, 4 << 20);
}

#define WARNING "ctr-x: warning: a warning\n"

static void a_line_gives_way_and_is_gone_at_the_end(void **s)
{
	ctr_auto_buf struct ctr_buf b = written(text_at_once), no_total = { 0 };
	const char *first = "\rctr-x: 1.0 of 4.0 MiB, a\\x0a\"b\r", *end;

	(void)s;
	/* drawn, wiped, the warning, drawn, wiped */
	assert_int_equal(strncmp(b.p, first, strlen(first)), 0);
	assert_non_null(strstr(b.p, " \r" WARNING "\rctr-x: 2.5 of 4.0 MiB, a"));
	end = strrchr(b.p, 'b') + 1;
	assert_int_equal(*end, '\r');
	assert_int_equal(strspn(end + 1, " "), strlen("ctr-x: 2.5 of 4.0 MiB, a\\x0a\"b"));
	T_STR(end + strlen(end) - 1, "\r");
	no_total = written(text_no_total);
	assert_non_null(strstr(no_total.p, "\rctr-x: 1.0 MiB, a\\x0a\"b\r"));
}

static void short_work_shows_nothing(void **s)
{
	ctr_auto_buf struct ctr_buf b = written(text_late);

	(void)s;
	T_STR(b.p, WARNING);
}

static void json_has_one_object_a_line_and_a_last_one(void **s)
{
	ctr_auto_buf struct ctr_buf b = written(json_at_once), late = written(json_late);
	const char *begin =
		"{\"tool\":\"ctr-x\",\"level\":\"progress\",\"what\":\"a\\\\x0a\\\"b\",\"done\":";
	char line[256];

	(void)s;
	assert_int_equal(count(b.p, begin), 3);
	assert_int_equal(count(b.p, "\n"), 4);
	/* more than all is all */
	snprintf(line, sizeof line, "%s2097152,\"total\":2097152}\n", begin);
	assert_int_equal(count(b.p, line), 2);
	snprintf(line, sizeof line, "%s%s2621440}\n", WARNING, begin);
	T_STR(late.p, line);
}

static void silent_when_told_and_where_nobody_looks(void **s)
{
	ctr_auto_buf struct ctr_buf a = written(none), b = written(automatic);

	(void)s;
	T_STR(a.p, WARNING);
	T_STR(b.p, WARNING);
	ctr_progress_begin(NULL, "x", 1);
	ctr_progress_add(NULL, 1);
	ctr_progress_hold(NULL);
	ctr_progress_release(NULL);
	ctr_progress_end(NULL);
}

static struct ctr_progress common;

static void *adds(void *arg)
{
	for (int i = 0; i < 10000; i++) {
		ctr_progress_add(&common, 1);
		if (i % 1000 == 0) {
			ctr_progress_hold(&common);
			ctr_progress_release(&common);
		}
	}
	return arg;
}

static void by_threads(void)
{
	pthread_t id[4];

	ctr_progress_init(&common, "ctr-x", CTR_PROGRESS_JSON);
	common.after = 1;
	ctr_progress_begin(&common, "x", 40000);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&id[i], NULL, adds, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(id[i], NULL);
	ctr_progress_end(&common);
}

static void threads_lose_no_byte(void **s)
{
	ctr_auto_buf struct ctr_buf b = written(by_threads);
	const char *last = "\"done\":40000,\"total\":40000}\n";

	(void)s;
	assert_true(b.n > strlen(last));
	T_STR(b.p + b.n - strlen(last), last);
	assert_int_equal(count(b.p, "{\"tool\""), count(b.p, "}\n"));
}

static void rejects_other_words(void **s)
{
	enum ctr_progress_mode mode = CTR_PROGRESS_AUTO;

	(void)s;
	T_OK(ctr_progress_parse("json", &mode, e));
	assert_int_equal(mode, CTR_PROGRESS_JSON);
	T_FAILS(ctr_progress_parse("", &mode, e), CTR_USAGE, "usage");
	T_FAILS(ctr_progress_parse("jso", &mode, e), CTR_USAGE, "usage");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_gives_way_and_is_gone_at_the_end),
		cmocka_unit_test(short_work_shows_nothing),
		cmocka_unit_test(json_has_one_object_a_line_and_a_last_one),
		cmocka_unit_test(silent_when_told_and_where_nobody_looks),
		cmocka_unit_test(threads_lose_no_byte),
		cmocka_unit_test(rejects_other_words),
	};

	return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
