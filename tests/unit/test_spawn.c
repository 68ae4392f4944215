#include "t.h"

#include <fcntl.h>

#include "spawn.h"

#define SH(script) ((const char *const[]){ "/bin/sh", "-c", script, NULL })

static struct ctr_spawn sh(const char *const *argv, struct ctr_buf *out)
{
	return (struct ctr_spawn){
		.argv = argv, .out = out, .quiet = true, .seconds = 20, .id = "test.spawn"
	};
}

static void gathers_both_and_gives_input(void **state)
{
	ctr_auto_buf struct ctr_buf out = { 0 }, err = { 0 };
	struct ctr_spawn s = sh(SH("cat; echo oops >&2; exit 3"), &out);
	int status = -1;

	(void)state;
	s.in = "some text";
	s.err = &err;
	T_OK(ctr_spawn(&s, &status, e));
	assert_int_equal(status, 3);
	T_STR(out.p, "some text");
	T_STR(err.p, "oops\n");
}

static void a_long_input_that_nobody_reads_is_no_harm(void **state)
{
	ctr_auto_buf struct ctr_buf out = { 0 };
	static char text[1 << 20];
	struct ctr_spawn s = sh(SH("exit 0"), &out);
	int status = -1;

	(void)state;
	memset(text, 'x', sizeof text - 1);
	s.in = text;
	T_OK(ctr_spawn(&s, &status, e));
	assert_int_equal(status, 0);
}

static void no_output_is_an_empty_text(void **state)
{
	ctr_auto_buf struct ctr_buf out = { 0 };
	struct ctr_spawn s = sh(SH("exit 0"), &out);
	int status = -1;

	(void)state;
	ctr_buf_adds(&out, "what was there before, for the memory to be dirty");
	ctr_buf_reset(&out);
	memset(out.p, 'x', out.cap);
	T_OK(ctr_spawn(&s, &status, e));
	T_STR(ctr_buf_str(&out), "");
}

static void signals_show_in_the_status(void **state)
{
	ctr_auto_buf struct ctr_buf out = { 0 };
	struct ctr_spawn s = sh(SH("kill -9 $$"), &out);
	int status = -1;

	(void)state;
	T_OK(ctr_spawn(&s, &status, e));
	assert_int_equal(status, 128 + 9);
}

static void hands_on_no_descriptor(void **state)
{
	ctr_auto_buf struct ctr_buf out = { 0 };
	struct ctr_spawn s =
		sh(SH("for i in 3 4 5 6 7 8 9; do [ ! -e /proc/$$/fd/$i ] || echo $i; done"), &out);
	int status = -1, fd = open("/dev/null", O_RDONLY); /* without O_CLOEXEC, on purpose */

	(void)state;
	assert_true(fd >= 3 && fd <= 9);
	T_OK(ctr_spawn(&s, &status, e));
	assert_int_equal(status, 0);
	assert_int_equal(out.n, 0);
	close(fd);
}

static void the_environment_is_what_it_is_given(void **state)
{
	static const char *const env[] = { "A=1", NULL };
	ctr_auto_buf struct ctr_buf out = { 0 };
	struct ctr_spawn s = sh((const char *const[]){ "/usr/bin/env", NULL }, &out);
	int status = -1;

	(void)state;
	s.env = env;
	T_OK(ctr_spawn(&s, &status, e));
	T_STR(out.p, "A=1\n");
}

/* A root directory of its own: what is not there cannot be started; without the right, likewise. */
static void the_root_directory_is_another(void **state)
{
	char dir[] = "/tmp/spawnXXXXXX";
	ctr_auto_buf struct ctr_buf out = { 0 };
	struct ctr_spawn s = sh(SH("exit 0"), &out);
	int status = -1;

	(void)state;
	assert_non_null(mkdtemp(dir));
	s.root = dir;
	T_FAILS(ctr_spawn(&s, &status, e), CTR_ENV, "test.spawn");
	rmdir(dir);
	s.root = "/";
	if (geteuid() == 0)
		T_OK(ctr_spawn(&s, &status, e));
}

static void what_cannot_be_started(void **state)
{
	ctr_auto_buf struct ctr_buf out = { 0 };
	struct ctr_spawn s = sh((const char *const[]){ "no-such-program", NULL }, &out);
	struct ctr_err why = { 0 };
	int status = -1;

	(void)state;
	assert_int_equal(ctr_spawn(&s, &status, &why), -1);
	T_STR(why.id, "test.spawn");
	assert_non_null(strstr(why.msg, "No such file"));
	s.argv = (const char *const[]){ "/etc/passwd", NULL };
	T_FAILS(ctr_spawn(&s, &status, e), CTR_ENV, "test.spawn");
}

static void endless_output_is_cut(void **state)
{
	ctr_auto_buf struct ctr_buf out = { .max = 10000 };
	struct ctr_spawn s = sh(SH("yes"), &out);
	struct ctr_err why = { 0 };
	int status = -1;

	(void)state;
	assert_int_equal(ctr_spawn(&s, &status, &why), -1);
	assert_non_null(strstr(why.msg, "too much"));
}

/* With and without open output; the program would sleep far longer than the test may take. */
static void what_does_not_end_is_killed(void **state)
{
	static const char *const scripts[] = { "exec sleep 1000", "exec sleep 1000 >&- 2>&-" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		ctr_auto_buf struct ctr_buf out = { 0 };
		struct ctr_spawn s = sh(SH(scripts[i]), &out);
		struct ctr_err why = { 0 };
		int status = -1;

		s.seconds = 1;
		assert_int_equal(ctr_spawn(&s, &status, &why), -1);
		T_STR(why.id, "test.spawn");
		assert_non_null(strstr(why.msg, "in time"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gathers_both_and_gives_input),
		cmocka_unit_test(a_long_input_that_nobody_reads_is_no_harm),
		cmocka_unit_test(no_output_is_an_empty_text),
		cmocka_unit_test(signals_show_in_the_status),
		cmocka_unit_test(hands_on_no_descriptor),
		cmocka_unit_test(the_environment_is_what_it_is_given),
		cmocka_unit_test(the_root_directory_is_another),
		cmocka_unit_test(what_cannot_be_started),
		cmocka_unit_test(endless_output_is_cut),
		cmocka_unit_test(what_does_not_end_is_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
