#include "regcred.h"
#include "t.h"

#include <sys/stat.h>

#include "enc.h"
#include "file.h"

static char dir[64];

static const char *path(const char *name)
{
	static char p[4][128];
	static int i;

	i = (i + 1) % 4;
	snprintf(p[i], sizeof p[i], "%s/%s", dir, name);
	return p[i];
}

static void write_file(const char *name, const char *text, unsigned mode)
{
	T_OK(ctr_file_write(path(name), text, strlen(text), mode, e));
}

static void write_helper(const char *name, const char *script)
{
	char file[64], text[512];

	snprintf(file, sizeof file, "docker-credential-%s", name);
	snprintf(text, sizeof text, "#!/bin/sh\n%s\n", script);
	write_file(file, text, 0755);
}

static int make_dir(void **s)
{
	char env[1024];

	(void)s;
	snprintf(dir, sizeof dir, "/tmp/ctr-test-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(env, sizeof env, "%s:%s", dir, getenv("PATH"));
	return setenv("PATH", env, 1);
}

static int drop_dir(void **s)
{
	static const char *const files[] = { "c.json", "d.json", "docker-credential-good",
					     "docker-credential-none", "docker-credential-bad",
					     "docker-credential-big", "docker-credential-slow",
					     "docker-credential-text", "docker-credential-token", "argv" };

	(void)s;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		unlink(path(files[i]));
	return rmdir(dir);
}

/* What "user secret" c.json (and d.json) holds for the image; "" for nothing. */
static int look(const char *registry, const char *repository, char out[128], struct ctr_err *e)
{
	const struct ctr_cred_file f[] = { { path("c.json"), true }, { path("d.json"), false } };
	const struct ctr_cred_opts o = { f, 2, 1 };
	ctr_auto_cred struct ctr_cred c;
	bool found;

	ctr_cred_init(&c);
	out[0] = '\0';
	if (ctr_cred_find(&o, registry, repository, &c, &found, e) < 0)
		return -1;
	if (found)
		snprintf(out, 128, "%s%s %s", c.identity ? "token " : "", ctr_buf_str(&c.user),
			 ctr_buf_str(&c.secret));
	if (found && !c.source.n)
		fail_msg("no source");
	return 0;
}

static void expect(const char *registry, const char *repository, const char *want)
{
	char got[128];

	T_OK(look(registry, repository, got, e));
	T_STR(got, want);
}

static void matches_whole_hosts_only(void **s)
{
	static const struct { const char *key, *registry, *repository; size_t fit; } t[] = {
		{ "registry.example", "registry.example", "a/b", 1 },
		{ "Registry.EXAMPLE", "registry.example", "a/b", 1 },
		{ "https://registry.example", "registry.example", "a/b", 1 },
		{ "https://registry.example/v2/", "registry.example", "a/b", 1 },
		{ "http://registry.example/v1", "registry.example", "a/b", 1 },
		{ "registry.example/", "registry.example", "a/b", 1 },
		{ "registry.example//", "registry.example", "a/b", 1 },
		{ "registry.example/a", "registry.example", "a/b", 2 },
		{ "registry.example/a/", "registry.example", "a/b", 2 },
		{ "registry.example/a/b", "registry.example", "a/b", 4 },
		{ "registry.example:5000", "registry.example:5000", "a", 1 },
		{ "https://index.docker.io/v1/", "docker.io", "library/busybox", 1 },
		{ "docker.io", "docker.io", "a", 1 }, { "registry-1.docker.io", "docker.io", "a", 1 },
		{ "docker.io/library", "docker.io", "library/busybox", 8 },
		/* and these are somebody else's */
		{ "registry.example", "evilregistry.example", "a", 0 },
		{ "registry.example", "registry.example.evil", "a", 0 },
		{ "registry.example", "evil.registry.example", "a", 0 },
		{ "registry.example", "registry.example:5000", "a", 0 },
		{ "registry.example:443", "registry.example:5000", "a", 0 },
		{ "registry.example:443", "registry.example", "a", 0 },
		{ "registry.example", "registry.example.", "a", 0 },
		{ "registry.example", "registry-example", "a", 0 },
		{ "evilregistry.example", "registry.example", "a", 0 },
		{ "example", "registry.example", "a", 0 }, { ".example", "registry.example", "a", 0 },
		{ "*.example", "registry.example", "a", 0 }, { "", "registry.example", "a", 0 },
		{ "https://", "registry.example", "a", 0 },
		{ "https:///registry.example", "registry.example", "a", 0 },
		{ "https://evil.example/registry.example", "registry.example", "a", 0 },
		{ "user@registry.example", "registry.example", "a", 0 },
		{ "registry.example@evil.example", "registry.example", "a", 0 },
		{ "index.docker.io", "index.docker.io.evil", "a", 0 },
		{ "index.docker.io", "registry.example", "a", 0 }, { "docker.io", "mydocker.io", "a", 0 },
		/* paths end at components */
		{ "registry.example/team", "registry.example", "teamx/b", 0 },
		{ "registry.example/team", "registry.example", "x/team", 0 },
		{ "registry.example/team/x", "registry.example", "team", 0 },
		{ "registry.example/v2", "registry.example", "a", 0 },
		{ "registry.example/Team", "registry.example", "team/b", 0 },
	};

	(void)s;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		size_t fit = ctr_cred_match(t[i].key, t[i].registry, t[i].repository);

		if (fit != t[i].fit)
			fail_msg("%s for %s/%s: %zu", t[i].key, t[i].registry, t[i].repository, fit);
	}
}

static void takes_the_most_specific(void **s)
{
	(void)s;
	write_file("c.json",
		   "{\"auths\":{\"r.example\":{\"auth\":\"aG9zdDpwdw==\"},"
		   "\"r.example/team\":{\"username\":\"team\",\"password\":\"p:w\"},"
		   "\"r.example/team/app\":{\"identitytoken\":\"refresh\",\"auth\":\"\"},"
		   "\"nul.example\":{\"auth\":\"dTpwdwAA\"},"
		   "\"empty.example\":{}},\"HttpHeaders\":{\"a\":\"b\"}}", 0600);
	expect("r.example", "x/y", "host pw");
	expect("r.example", "teamx/y", "host pw");
	expect("r.example", "team/y", "team p:w");
	expect("r.example", "team/app", "token  refresh");
	expect("nul.example", "a", "u pw");
	expect("empty.example", "a", "");
	expect("other.example", "a", "");
	expect("r.example:5000", "team/app", "");
}

static void goes_on_to_the_next_file(void **s)
{
	const struct ctr_cred_file f = { "/nonexistent/x.json", true };
	const struct ctr_cred_opts o = { &f, 1, 0 };
	ctr_auto_cred struct ctr_cred c;
	bool found;

	(void)s;
	write_file("c.json", "{}", 0600);
	write_file("d.json", "{\"auths\":{\"r.example\":{\"auth\":\"ZDpk\"}}}", 0600);
	expect("r.example", "a", "d d");
	unlink(path("d.json"));
	expect("r.example", "a", "");
	ctr_cred_init(&c);
	T_FAILS(ctr_cred_find(&o, "r.example", "a", &c, &found, e), CTR_ENV, "open");
}

static void refuses_broken_files(void **s)
{
	static const char *const bad[] = {
		"", "[]", "{\"auths\":[]}", "{\"auths\":{\"r.example\":\"hunter2\"}}",
		"{\"auths\":{\"r.example\":{\"auth\":\"hunter2\"}}}",
		"{\"auths\":{\"r.example\":{\"auth\":\"aHVudGVyMg==\"}}}",
		"{\"auths\":{\"r.example\":{\"auth\":\"aHVuAHRlcjI6eA==\"}}}",
		"{\"auths\":{\"r.example\":{\"auth\":7}}}",
		"{\"auths\":{\"r.example\":{\"username\":\"hunter2:a\",\"password\":\"b\"}}}",
		"{\"auths\":{\"r.example\":{},\"r.example\":{}}}",
		"{\"credHelpers\":{\"r.example\":1}}", "{\"credHelpers\":{\"r.example\":\"../evil\"}}",
		"{\"credHelpers\":{\"r.example\":\"a;b\"}}", "{\"credHelpers\":{\"r.example\":\"\"}}",
		"{\"credsStore\":\"a b\"}", "{\"credHelpers\":[]}",
	};

	(void)s;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct ctr_err why = { 0 };
		char got[128];

		write_file("c.json", bad[i], 0600);
		if (look("r.example", "a", got, &why) == 0 || why.code != CTR_FORMAT ||
		    strcmp(why.id, "registry.credentials") != 0)
			fail_msg("%s: [%s] %s", bad[i], why.id ? why.id : "accepted", why.msg);
		if (strstr(why.msg, "hunter") || strstr(why.where, "hunter") || strstr(why.msg, "aHVu"))
			fail_msg("told the secret: %s", why.msg);
		if (!strstr(why.msg, "c.json") && !strstr(why.where, "c.json"))
			fail_msg("does not name the file: %s", why.msg);
	}
}

static void asks_helpers(void **s)
{
	char script[256];
	ctr_auto_buf struct ctr_buf said = { 0 };

	(void)s;
	snprintf(script, sizeof script,
		 "{ echo \"$0 $*\"; cat; } > %s\n"
		 "echo '{\"ServerURL\":\"x\",\"Username\":\"hu\",\"Secret\":\"hp\"}'", path("argv"));
	write_helper("good", script);
	write_helper("none", "echo 'credentials not found in native keychain'; exit 1");
	write_helper("token", "echo '{\"Username\":\"<token>\",\"Secret\":\"refresh\"}'");
	write_file("c.json",
		   "{\"auths\":{\"r.example\":{\"auth\":\"YTpi\"},\"s.example\":{},\"r.example/deep\":{\"auth\":\"YzpkCg==\"}},"
		   "\"credHelpers\":{\"r.example\":\"good\",\"none.example\":\"none\",\"t.example\":\"token\"},"
		   "\"credsStore\":\"good\"}", 0600);
	expect("r.example", "a", "hu hp");
	T_OK(ctr_file_read(path("argv"), 1000, &said, e));
	assert_non_null(strstr(said.p, "docker-credential-good get\nr.example"));
	T_STR(strchr(said.p, '\n') + 1, "r.example");
	expect("r.example", "deep/a", "c d\n");
	expect("none.example", "a", "");
	expect("t.example", "a", "token <token> refresh");
	expect("s.example", "a", "hu hp");
	ctr_buf_reset(&said);
	expect("docker.io", "a", "hu hp");
	T_OK(ctr_file_read(path("argv"), 1000, &said, e));
	T_STR(strchr(said.p, '\n') + 1, "https://index.docker.io/v1/");
}

static void helpers_that_fail(void **s)
{
	static const struct { const char *name, *script; } bad[] = {
		{ "bad", "echo '{\"Username\":\"hunter\",\"Secret\":\"hunter2\"}'; exit 3" },
		{ "text", "echo hunter2" }, { "big", "yes hunter2 | head -c 100000" },
		{ "slow", "exec sleep 20" }, { "bad", "echo '{\"Username\":\"hunter\"}'" },
		{ "bad", "kill -9 $$" },
	};

	(void)s;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct ctr_err why = { 0 };
		char got[128], text[128];

		write_helper(bad[i].name, bad[i].script);
		snprintf(text, sizeof text, "{\"credHelpers\":{\"r.example\":\"%s\"}}", bad[i].name);
		write_file("c.json", text, 0600);
		assert_int_equal(look("r.example", "a", got, &why), -1);
		assert_int_equal(why.code, CTR_ENV);
		T_STR(why.id, "registry.helper");
		if (strstr(why.msg, "hunter"))
			fail_msg("told the secret: %s", why.msg);
	}
	write_file("c.json", "{\"credsStore\":\"absent\"}", 0600);
	{
		char got[128];

		T_FAILS(look("r.example", "a", got, e), CTR_ENV, "registry.helper");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "lesson: credentials for look-alike hosts", matches_whole_hosts_only, NULL, NULL, NULL },
		cmocka_unit_test(takes_the_most_specific), cmocka_unit_test(goes_on_to_the_next_file),
		cmocka_unit_test(refuses_broken_files), cmocka_unit_test(asks_helpers),
		cmocka_unit_test(helpers_that_fail),
	};

	return cmocka_run_group_tests_name("regcred", tests, make_dir, drop_dir);
}
