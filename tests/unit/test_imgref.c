#include "oci.h"
#include "t.h"

#define D "sha256:28d1e443f371ea3ef4164ea38a11397ffa88e2da3f66cd75c415fe80092ec2eb"

static void normalises_as_containerd_does(void **s)
{
	static const struct {
		const char *in, *registry, *repository, *tag, *digest;
	} t[] = {
		{ "busybox", "docker.io", "library/busybox", "latest", "" },
		{ "busybox:1.36", "docker.io", "library/busybox", "1.36", "" },
		{ "org/x", "docker.io", "org/x", "latest", "" },
		{ "a/b/c", "docker.io", "a/b/c", "latest", "" },
		{ "docker.io/busybox", "docker.io", "library/busybox", "latest", "" },
		{ "index.docker.io/busybox", "docker.io", "library/busybox", "latest", "" },
		{ "docker.io/library/busybox", "docker.io", "library/busybox", "latest", "" },
		{ "localhost/x", "localhost", "x", "latest", "" },
		{ "localhost:5000", "docker.io", "library/localhost", "5000", "" },
		{ "localhost:5000/x", "localhost:5000", "x", "latest", "" },
		{ "localhost:5000/x:v1", "localhost:5000", "x", "v1", "" },
		{ "Host/x", "Host", "x", "latest", "" },
		{ "host:1/x", "host:1", "x", "latest", "" },
		{ "r.example/a/b-c__d.e_f/g---h:T_x.y-z", "r.example", "a/b-c__d.e_f/g---h",
		  "T_x.y-z", "" },
		{ "[::1]/x", "[::1]", "x", "latest", "" },
		{ "[fd00::1]:5000/x:v", "[fd00::1]:5000", "x", "v", "" },
		{ "busybox@" D, "docker.io", "library/busybox", "", D },
		{ "busybox:1@" D, "docker.io", "library/busybox", "1", D },
		{ "127.0.0.1:5000/x/y@" D, "127.0.0.1:5000", "x/y", "", D },
	};
	struct ctr_imgref r;

	(void)s;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		T_OK(ctr_imgref_parse(t[i].in, &r, e));
		T_STR(r.registry, t[i].registry);
		T_STR(r.repository, t[i].repository);
		T_STR(r.tag, t[i].tag);
		T_STR(r.digest, t[i].digest);
	}
}

static void refuses(void **s)
{
	static const char *const t[] = {
		"",
		":",
		"@",
		"/",
		"x:",
		"x@",
		":x",
		"/x",
		"x/",
		"a//b",
		"Busybox",
		"a/B",
		"r.example/A",
		"x y",
		"x\n",
		"-x",
		"x-",
		"a___b",
		"a..b",
		"a._b",
		"_a",
		"x:-t",
		"x:.t",
		"x:t/u:v w",
		"x@sha256:12",
		"x@md5:00",
		"x@" D "0",
		"x@" D "@" D,
		"x@sha256:28D1e443f371ea3ef4164ea38a11397ffa88e2da3f66cd75c415fe80092ec2eb",
		"x@sha512:28d1e443f371ea3ef4164ea38a11397ffa88e2da3f66cd75c415fe80092ec2eb",
		"28d1e443f371ea3ef4164ea38a11397ffa88e2da3f66cd75c415fe80092ec2eb",
		"r..example/x",
		"-r.example/x",
		"r-.example/x",
		"r.example./x",
		".r/x",
		"my_host:1/x",
		"r.example:/x",
		"r.example:123456/x",
		"r.example:5a/x",
		"[::1/x",
		"[]/x",
		"[::1]5000/x",
		"[::g]/x",
		"http://r.example/x",
		"r.example/x?y",
		"r.example/x#y",
		"r.example/\xc3\xa9",
		"r.example/../x",
		"r.example/./x",
		"user@r.example/x",
		"r.example:1:2/x",
	};
	char big[600];
	struct ctr_imgref r;

	(void)s;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++)
		T_FAILS(ctr_imgref_parse(t[i], &r, e), CTR_FORMAT, "image.ref");
	memset(big, 'a', sizeof big);
	big[256] = '\0';
	T_FAILS(ctr_imgref_parse(big, &r, e), CTR_FORMAT, "image.ref");
	big[255] = '\0';
	T_FAILS(ctr_imgref_parse(big, &r, e), CTR_FORMAT, "image.ref"); /* with library/ */
	big[247] = '\0';
	T_OK(ctr_imgref_parse(big, &r, e));
	big[247] = 'a';
	big[1] = ':';
	big[131] = '\0';
	T_FAILS(ctr_imgref_parse(big, &r, e), CTR_FORMAT, "image.ref");
	big[130] = '\0';
	T_OK(ctr_imgref_parse(big, &r, e));
	big[1] = '.';
	big[130] = big[131] = 'a';
	memcpy(big + 256, "/x", 3);
	T_FAILS(ctr_imgref_parse(big, &r, e), CTR_FORMAT, "image.ref");
}

static void output_is_empty_after_a_refusal(void **s)
{
	struct ctr_imgref r;

	(void)s;
	memset(&r, 'x', sizeof r);
	T_FAILS(ctr_imgref_parse("r.example/A:t@" D, &r, e), CTR_FORMAT, "image.ref");
	T_STR(r.registry, "");
	T_STR(r.digest, "");
}

static void pins_keep_the_spelling(void **s)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct ctr_imgref r;

	(void)s;
	ctr_imgref_pinned("busybox", D, &b);
	T_STR(b.p, "busybox@" D);
	ctr_buf_reset(&b);
	ctr_imgref_pinned("localhost:5000/x:1", D, &b);
	T_STR(b.p, "localhost:5000/x:1@" D);
	ctr_buf_reset(&b);
	ctr_imgref_pinned("x:1@" D, D, &b);
	T_STR(b.p, "x:1@" D);
	ctr_buf_reset(&b);
	T_OK(ctr_imgref_parse("busybox:1.36", &r, e));
	ctr_imgref_pull_name(&r, D, &b);
	T_STR(b.p, "docker.io/library/busybox@" D);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(normalises_as_containerd_does),
		cmocka_unit_test(refuses),
		cmocka_unit_test(output_is_empty_after_a_refusal),
		cmocka_unit_test(pins_keep_the_spelling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
