#include "k8s.h"
#include "t.h"

#include "file.h"

struct seen {
	struct ctr_buf text; /* one line an object */
};

static int note(void *ctx, struct ctr_yaml *y, const struct ctr_k8s_obj *o, struct ctr_err *e)
{
	struct seen *s = ctx;

	(void)y;
	(void)e;
	ctr_buf_addf(&s->text, "%d %s %s %s/%s gen=%s pod=%d meta=%d\n", (int)o->type, o->api, o->kind,
		     o->ns ? o->ns : "-", o->name ? o->name : "-",
		     o->generate_name ? o->generate_name : "-", o->has_pod, o->pod_meta != NULL);
	if (o->has_pod && (!o->pod || !o->spec))
		fail_msg("%s: pod without spec", o->kind);
	return 0;
}

static int walk(const char *text, struct seen *s, struct ctr_err *e)
{
	ctr_auto_yaml struct ctr_yaml *y = NULL;

	if (ctr_yaml_parse("f.yaml", 1, text, strlen(text), &y, e) < 0)
		return -1;
	return ctr_k8s_objects(y, note, s, e);
}

static void gives(const char *text, const char *want)
{
	struct seen s = { 0 };

	T_OK(walk(text, &s, e));
	T_STR(ctr_buf_str(&s.text), want);
	ctr_buf_free(&s.text);
}

static void fails(const char *text, const char *id)
{
	struct seen s = { 0 };

	T_FAILS(walk(text, &s, e), CTR_FORMAT, id);
	ctr_buf_free(&s.text);
}

#define TEMPLATE "spec: {template: {metadata: {annotations: {a: b}}, spec: {containers: []}}}\n"

static void kinds(void **s)
{
	(void)s;
	gives("apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: ns}\nspec: {}\n",
	      "1 v1 Pod ns/p gen=- pod=1 meta=1\n");
	gives("apiVersion: v1\nkind: Pod\nmetadata: {generateName: p-}\nspec: {}\n",
	      "1 v1 Pod -/- gen=p- pod=1 meta=1\n");
	gives("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n" TEMPLATE,
	      "2 apps/v1 Deployment -/d gen=- pod=1 meta=1\n");
	gives("apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: d}\n" TEMPLATE,
	      "3 apps/v1 ReplicaSet -/d gen=- pod=1 meta=1\n");
	gives("apiVersion: v1\nkind: ReplicationController\nmetadata: {name: d}\n" TEMPLATE,
	      "4 v1 ReplicationController -/d gen=- pod=1 meta=1\n");
	gives("apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: d}\n" TEMPLATE,
	      "5 apps/v1 StatefulSet -/d gen=- pod=1 meta=1\n");
	gives("apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: d}\n" TEMPLATE,
	      "6 apps/v1 DaemonSet -/d gen=- pod=1 meta=1\n");
	gives("apiVersion: batch/v1\nkind: Job\nmetadata: {name: d}\nspec: {template: {spec: {}}}\n",
	      "7 batch/v1 Job -/d gen=- pod=1 meta=0\n");
	gives("apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: d}\nspec: {jobTemplate: {" TEMPLATE "}}\n",
	      "8 batch/v1 CronJob -/d gen=- pod=1 meta=1\n");
	gives("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n", "9 v1 ConfigMap -/c gen=- pod=0 meta=0\n");
	gives("apiVersion: v1\nkind: Service\nmetadata: {name: s}\n", "0 v1 Service -/s gen=- pod=0 meta=0\n");
}

static void others_pass(void **s)
{
	(void)s;
	gives("", "");
	gives("# nothing\n", "");
	gives("apiVersion: example.com/v1\nkind: Deployment\nmetadata: {name: UPPER}\n",
	      "0 example.com/v1 Deployment -/UPPER gen=- pod=0 meta=0\n");
	gives("apiVersion: example.com/v1\nkind: AllowList\nitems: [a, b]\n",
	      "0 example.com/v1 AllowList -/- gen=- pod=0 meta=0\n");
	gives("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: 'system:node'}\n",
	      "0 rbac.authorization.k8s.io/v1 ClusterRole -/system:node gen=- pod=0 meta=0\n");
	gives("apiVersion: v1\nkind: Thing\nmetadata: [odd]\n", "0 v1 Thing -/- gen=- pod=0 meta=0\n");
}

static void lists(void **s)
{
	(void)s;
	gives("apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Service, metadata: {name: s}}\n"
	      "- apiVersion: v1\n  kind: List\n  items:\n  - {apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {}}\n",
	      "0 v1 Service -/s gen=- pod=0 meta=0\n1 v1 Pod -/p gen=- pod=1 meta=1\n");
	gives("apiVersion: v1\nkind: PodList\nitems:\n- {metadata: {name: p}, spec: {}}\n",
	      "1 v1 Pod -/p gen=- pod=1 meta=1\n");
	gives("{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[]}", "");
	gives("apiVersion: v1\nkind: List\n", "");
	gives("apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: List, "
	      "items: [{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: S}]}]}]}]\n",
	      "0 v1 S -/- gen=- pod=0 meta=0\n");
	fails("apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: List, "
	      "items: [{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: List}]}]}]}]\n", "k8s.list");
	fails("apiVersion: v1\nkind: List\nitems: [x]\n", "k8s.object");
	fails("apiVersion: v1\nkind: List\nitems: {}\n", "yaml.type");
}

static void refusals(void **s)
{
	(void)s;
	fails("- a\n", "k8s.object");
	fails("text\n", "k8s.object");
	fails("kind: Pod\n", "k8s.kind");
	fails("apiVersion: v1\n", "k8s.kind");
	fails("apiVersion: v1\nkind: ''\n", "k8s.kind");
	fails("apiVersion: 1\nkind: Pod\n", "yaml.type");
	fails("apiVersion: apps/v1beta1\nkind: Deployment\nmetadata: {name: d}\n" TEMPLATE, "k8s.version");
	fails("apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: d}\n" TEMPLATE, "k8s.version");
	fails("apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: d}\n", "k8s.version");
	fails("apiVersion: apps/v1beta1\nkind: DeploymentList\nitems: []\n", "k8s.version");
	fails("apiVersion: v2\nkind: Pod\nmetadata: {name: d}\n", "k8s.version");
	fails("apiVersion: v1\nkind: Pod\nspec: {}\n", "k8s.name");
	fails("apiVersion: v1\nkind: Pod\nmetadata: {name: ''}\nspec: {}\n", "k8s.name");
	fails("apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: c-}\n", "k8s.name");
	fails("apiVersion: v1\nkind: Pod\nmetadata: {name: P}\nspec: {}\n", "k8s.name");
	fails("apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: a.b}\nspec: {}\n", "k8s.name");
	fails("apiVersion: v1\nkind: Pod\nmetadata: {generateName: 'a_'}\nspec: {}\n", "k8s.name");
	fails("apiVersion: v1\nkind: Pod\nmetadata: {name: 5}\nspec: {}\n", "yaml.type");
	fails("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n", "k8s.template");
	fails("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n", "k8s.template");
	fails("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {template: {}}\n", "k8s.template");
	fails("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {template: []}\n", "yaml.type");
}

static void names(void **s)
{
	static const char *const good[] = { "a", "a-b", "a.b", "0", "a.0-1" };
	static const char *const bad[] = { "", "-a", "a-", ".a", "a.", "a..b", "a.-b", "a-.b", "A", "a_b", "a b", "a/b" };

	(void)s;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_true(ctr_k8s_subdomain(good[i]));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(ctr_k8s_subdomain(bad[i]));
	assert_true(ctr_k8s_label("a-b"));
	assert_false(ctr_k8s_label("a.b"));
	assert_false(ctr_k8s_label("a123456789012345678901234567890123456789012345678901234567890123"));
	assert_true(ctr_k8s_class_matches("kata-cc-isolation", NULL));
	assert_true(ctr_k8s_class_matches("contrast-cc", NULL));
	assert_false(ctr_k8s_class_matches("kata", NULL));
	assert_false(ctr_k8s_class_matches(NULL, NULL));
	assert_true(ctr_k8s_class_matches("x1", (const char *const[]){ "x", NULL }));
}

static int annotations_of(void *ctx, struct ctr_yaml *y, const struct ctr_k8s_obj *o, struct ctr_err *e)
{
	const struct ctr_yaml_node *at;
	const char *v;

	(void)ctx;
	if (ctr_k8s_annotation(y, o, "pod", &v, &at, e) < 0)
		return -1;
	T_STR(v, "1");
	assert_int_equal(ctr_yaml_line(at), 10);
	if (ctr_k8s_annotation(y, o, "own", &v, &at, e) < 0)
		return -1;
	assert_null(v);
	if (ctr_k8s_setting(y, o, "own", &v, &at, e) < 0)
		return -1;
	T_STR(v, "2");
	if (ctr_k8s_setting(y, o, "both", &v, NULL, e) < 0)
		return -1;
	T_STR(v, "template");
	return ctr_k8s_annotation(y, o, "bad", &v, NULL, e);
}

static void annotations(void **s)
{
	static const char text[] = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: d\n"
				   "  annotations: {own: '2', both: object}\nspec:\n  template:\n    metadata:\n"
				   "      annotations:\n        pod: '1'\n        both: template\n        bad: true\n"
				   "    spec: {}\n";
	ctr_auto_yaml struct ctr_yaml *y = NULL;

	(void)s;
	T_OK(ctr_yaml_parse("f", 1, text, sizeof text - 1, &y, e));
	T_FAILS(ctr_k8s_objects(y, annotations_of, NULL, e), CTR_FORMAT, "yaml.type");
}

static int count(void *ctx, struct ctr_yaml *y, struct ctr_err *e)
{
	(void)e;
	*(size_t *)ctx += ctr_yaml_root(y) != NULL;
	return 0;
}

static void streams(void **s)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	char path[] = "/tmp/test_k8s.XXXXXX";
	int fd = mkstemp(path);
	struct ctr_err err = { 0 };
	size_t n = 0;

	(void)s;
	for (int i = 0; i < 3000; i++)
		ctr_buf_addf(&b, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c%d\n---\n", i);
	ctr_buf_adds(&b, "apiVersion: v1\nkind: [a\n");
	T_OK(ctr_fd_write(fd, path, b.p, b.n, e));
	close(fd);
	assert_int_equal(ctr_k8s_read(path, count, &n, &err), -1);
	assert_int_equal(n, 3000);
	T_STR(err.id, "yaml.syntax");
	if (err.line < 15002 || err.line > 15003)
		fail_msg("line %u", err.line);
	unlink(path);
	T_FAILS(ctr_k8s_read(path, count, &n, e), CTR_ENV, "open");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds),   cmocka_unit_test(others_pass), cmocka_unit_test(lists),
		cmocka_unit_test(refusals), cmocka_unit_test(names),	  cmocka_unit_test(annotations),
		cmocka_unit_test(streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
