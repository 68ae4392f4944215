/* tools/ctr-node-install: reading TOML, the parts that are ours, and containerd's configuration. */
/* needs: tools/ctr-node-install/containerd.c tools/ctr-node-install/owned.c tools/ctr-node-install/tomldoc.c tools/ctr-node-install/tomlword.c */
#include "t.h"

#include "tools/ctr-node-install/containerd.h"
#include "tools/ctr-node-install/owned.h"

static int parse(const char *text, struct tdoc *d, struct ctr_err *e)
{
	return tdoc_parse("x.toml", text, strlen(text), d, e);
}

static void toml_that_is_read(void **s)
{
	static const struct {
		const char *text, *path, *value;
	} row[] = {
		{ "a = 1", "a", "1" },
		{ "[x.\"y.z\"]\na.b = 'q'", "x.\"y.z\".a.b", "\"q\"" },
		{ "[[x]]\n[[x]]\na = [1, # c\n 2,]", "x[1].a", "[1,2]" },
		{ "[[x]]\n[x.y]\na = {}", "x[0].y.a", "{}" },
		{ "a = { b = 1, c.d = \"\\u00e9\" }", "a", "{b=1,c.d=\"\xc3\xa9\"}" },
		{ "a = \"\"\"\r\nx\r\ny\"\"\"\r\n", "a", "\"x\\r\\ny\"" },
		{ "a = \"\"\"x \\\r\n  y\"\"\"", "a", "\"x y\"" },
		{ "\"\" = -0x_", NULL, NULL },
		{ "a = +1_000.5e-3", "a", "+1_000.5e-3" },
		{ "a = 1979-05-27T07:32:00.5+01:00", "a", "1979-05-27T07:32:00.5+01:00" },
		{ "a = 07:32:00", "a", "07:32:00" },
		{ "a = 1979-05-27", "a", "1979-05-27" },
		{ "a = 0xdead_beef\n[b.c]\n[b]\nd = inf", "b.d", "inf" },
	};

	(void)s;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		tdoc_auto struct tdoc d = { 0 };

		if (!row[i].path) {
			T_FAILS(parse(row[i].text, &d, e), CTR_FORMAT, "toml");
			continue;
		}
		T_OK(parse(row[i].text, &d, e));
		assert_non_null(tdoc_find(&d, row[i].path));
		T_STR(tdoc_find(&d, row[i].path)->value, row[i].value);
	}
}

static void toml_that_is_refused(void **s)
{
	static const char *const text[] = {
		"a",
		"a =",
		"a = b",
		"= 1",
		"a = 1 b = 2",
		"a = 1\na = 2",
		"a = 01",
		"a = 1.",
		"a = .5",
		"a = 1__0",
		"a = _1",
		"a = 0b2",
		"a = [1",
		"a = [1 2]",
		"a = {b = 1,}",
		"a = {b = 1\n}",
		"a = {b = 1, b = 2}",
		"a = {b = 1, b.c = 2}",
		"a = 'x\n'",
		"a = \"\"\"x",
		"a = \"\\q\"",
		"[a",
		"[a]\n[a]",
		"[[a]",
		"a = 1\n[a.b]",
		"a = {}\n[a.b]",
		"[a]\nb.c = 1\n[a.b]",
		"[a.b]\n[a]\nb.c = 1",
		"a = []\n[[a]]",
		"[a]\n[[a]]",
		"[[a]]\n[a]",
		"a = 1979-05-27 07:32:00",
		"a = \xff",
		"a = \"\x01\"",
		"\"\"\"a\"\"\" = 1",
		"a = 1 \r",
		"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q = 1",
		"a = [[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]",
		"a = 12:00",
		"a = 1979-05-27T07:32",
		"a = true false",
	};

	(void)s;
	for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
		tdoc_auto struct tdoc d = { 0 };

		T_FAILS(parse(text[i], &d, e), CTR_FORMAT, "toml");
	}
}

static void toml_limits(void **s)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	tdoc_auto struct tdoc d = { 0 };

	(void)s;
	for (int i = 0; i <= TDOC_ENTRIES; i++)
		ctr_buf_addf(&b, "a%d = 1\n", i);
	T_FAILS(parse(b.p, &d, e), CTR_FORMAT, "toml.limit");
	ctr_buf_reset(&b);
	while (b.n <= TDOC_MAX)
		ctr_buf_adds(&b, "# a comment, and another, and another, and another\n");
	T_FAILS(parse(b.p, &d, e), CTR_FORMAT, "toml.limit");
}

static const struct cd_runtime kata = { .handler = "kata-snp",
					.shim = "/opt/ctr/k-1/bin/shim",
					.config = "/opt/ctr/k-1/etc/kata.toml" };

static struct cd_file file(const char *text)
{
	return (struct cd_file){ .name = "config.toml", .p = text, .n = strlen(text) };
}

/* In, again, and out: the second time changes nothing, and every byte is as it was. */
static void round_trip(const struct cd_file *f, const char *must_have)
{
	ctr_auto_buf struct ctr_buf one = { 0 }, two = { 0 }, back = { 0 };
	struct cd_file g = *f;
	bool gone;

	T_OK(cd_put(f, &kata, &one, e));
	assert_non_null(strstr(one.p, must_have));
	g.p = one.p;
	g.n = one.n;
	T_OK(cd_put(&g, &kata, &two, e));
	assert_true(ctr_buf_same(&one, &two));
	T_OK(cd_drop(&g, kata.handler, &back, &gone, e));
	assert_int_equal(back.n, f->n);
	T_MEM(ctr_buf_str(&back), f->p, f->n);
	assert_int_equal(gone, f->created);
}

static void schemas(void **s)
{
	static const struct {
		const char *text, *want;
	} row[] = {
		{ "", "version = 2\n# ctr-node-install: end version\n" },
		{ "# nothing\n",
		  "[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.kata-snp]\n" },
		{ "root = \"/x\"", "\n[plugins.cri.containerd.runtimes.kata-snp.options]\n" },
		{ "version = 1\n", "[plugins.cri.containerd.runtimes.kata-snp]\n" },
		{ "version = 2\r\n",
		  "[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.kata-snp]\r\n" },
		{ "version = 3",
		  "[plugins.\"io.containerd.cri.v1.runtime\".containerd.runtimes.kata-snp]\n" },
		{ "a = 1\r\nversion = 3", "\r\n# ctr-node-install: begin joint\r\n" },
	};
	struct cd_file f;

	(void)s;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		f = file(row[i].text);
		round_trip(&f, row[i].want);
	}
	f = file("");
	f.created = true;
	f.version = 3;
	round_trip(&f, "version = 3\n# ctr-node-install: end created\n");
	f.is_template = true;
	round_trip(&f, "{{ template \"base\" . }}\n");
	f = file("{{ if .X }}\n[a]\n{{ end }}");
	f.is_template = true;
	f.version = 2;
	round_trip(&f, "{{ end }}\n# ctr-node-install: begin joint\n");
}

static int put(const char *text, bool is_template, const struct cd_runtime *r, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf out = { 0 };
	struct cd_file f = file(text);

	f.is_template = is_template;
	f.version = 2;
	return cd_put(&f, r, &out, e);
}

#define CRI "plugins.\"io.containerd.grpc.v1.cri\".containerd"
#define BEGIN "# ctr-node-install: begin "
#define END "# ctr-node-install: end "

static void refusals(void **s)
{
	struct cd_runtime snap = kata;

	(void)s;
	snap.snapshotter = "nydus";
	snap.address = "/run/n.sock";
	T_FAILS(put("version = 5", false, &kata, e), CTR_FORMAT, "containerd.version");
	T_FAILS(put("version = \"2\"", false, &kata, e), CTR_FORMAT, "containerd.version");
	T_FAILS(put("[version]", false, &kata, e), CTR_FORMAT, "containerd.version");
	T_FAILS(put("version = 2\n[" CRI ".runtimes.kata-snp]", false, &kata, e), CTR_FORMAT,
		"containerd.taken");
	T_FAILS(put("{{ x }}\n[" CRI ".runtimes.kata-snp]", true, &kata, e), CTR_FORMAT,
		"containerd.taken");
	T_FAILS(put("version = 2\n[proxy_plugins.nydus]\ntype = \"snapshot\"", false, &snap, e),
		CTR_FORMAT, "containerd.taken");
	T_FAILS(put("[proxy_plugins.nydus]\n", true, &snap, e), CTR_FORMAT, "containerd.taken");
	/* our table cannot be added to somebody's inline one */
	T_FAILS(put("version = 2\n" CRI " = {}", false, &kata, e), CTR_FORMAT, "toml");
	T_FAILS(put("version = 2\n" BEGIN "handler:a\n[b]\n" END "handler:a\nc = 1", false, &kata,
		    e),
		CTR_FORMAT, "containerd.entangled");
	T_FAILS(put(BEGIN "handler:a\n[b]\n" END "handler:a\n# x\n\n c = 1", true, &kata, e),
		CTR_FORMAT, "containerd.entangled");
	T_FAILS(put(BEGIN "handler:a\n", false, &kata, e), CTR_FORMAT, "owned");
	T_FAILS(put(END "handler:a\n", false, &kata, e), CTR_FORMAT, "owned");
	T_FAILS(put(BEGIN "a\n" BEGIN "b\n", false, &kata, e), CTR_FORMAT, "owned");
	T_FAILS(put(BEGIN "a\n" END "b\n", false, &kata, e), CTR_FORMAT, "owned");
	T_FAILS(put(BEGIN "a\n" END "a\n" BEGIN "a\n" END "a\n", false, &kata, e), CTR_FORMAT,
		"owned");
	T_FAILS(put(BEGIN "A b\n", false, &kata, e), CTR_FORMAT, "owned");
}

/* The version of one handler changes in its place; the other, and the snapshotter both use, stay.
 */
static void two_handlers(void **s)
{
	static const char start[] = "version = 3\n# end without a line end";
	struct cd_runtime a = kata, b = kata;
	struct ctr_buf t[5] = { { 0 } };
	struct cd_file f = file(start);
	bool gone;

	(void)s;
	a.snapshotter = b.snapshotter = "nydus";
	a.address = b.address = "/run/n.sock";
	b.handler = "kata-tdx";
	T_OK(cd_put(&f, &a, &t[0], e));
	f.p = t[0].p, f.n = t[0].n;
	T_OK(cd_put(&f, &b, &t[1], e));
	assert_non_null(strstr(
		t[1].p, "[plugins.\"io.containerd.cri.v1.images\".runtime_platforms.kata-tdx]"));
	f.p = t[1].p, f.n = t[1].n;
	T_OK(cd_drop(&f, a.handler, &t[2], &gone, e));
	assert_null(strstr(t[2].p, "kata-snp"));
	assert_non_null(strstr(t[2].p, "[proxy_plugins.nydus]"));
	f.p = t[2].p, f.n = t[2].n;
	b.snapshotter = NULL;
	T_OK(cd_put(&f, &b, &t[3], e));
	assert_null(strstr(t[3].p, "nydus"));
	f.p = t[3].p, f.n = t[3].n;
	T_OK(cd_drop(&f, b.handler, &t[4], &gone, e));
	T_STR(t[4].p, start);
	for (size_t i = 0; i < 5; i++)
		ctr_buf_free(&t[i]);
}

/* What others put behind our part stays theirs. */
static void others_come_behind(void **s)
{
	ctr_auto_buf struct ctr_buf one = { 0 }, back = { 0 };
	struct cd_file f = file("version = 2");
	bool gone;

	(void)s;
	T_OK(cd_put(&f, &kata, &one, e));
	ctr_buf_adds(&one, "[debug]\nlevel = \"info\"\n");
	f.p = one.p, f.n = one.n;
	T_OK(cd_drop(&f, kata.handler, &back, &gone, e));
	T_STR(back.p, "version = 2\n[debug]\nlevel = \"info\"\n");
	assert_false(gone);
}

static void a_snapshotter_that_others_have(void **s)
{
	static const char start[] =
		"version = 2\n[proxy_plugins.nydus]\ntype = 'snapshot'\naddress = '/run/n.sock'\n";
	struct cd_runtime r = kata;
	ctr_auto_buf struct ctr_buf out = { 0 };
	struct cd_file f = file(start);

	(void)s;
	r.snapshotter = "nydus";
	r.address = "/run/n.sock";
	T_OK(cd_put(&f, &r, &out, e));
	assert_null(strstr(out.p, "snapshotter:nydus"));
	assert_non_null(strstr(out.p, "  snapshotter = \"nydus\"\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(toml_that_is_read),
		cmocka_unit_test(toml_that_is_refused),
		cmocka_unit_test(toml_limits),
		cmocka_unit_test(schemas),
		cmocka_unit_test(refusals),
		cmocka_unit_test(two_handlers),
		cmocka_unit_test(others_come_behind),
		cmocka_unit_test(a_snapshotter_that_others_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
