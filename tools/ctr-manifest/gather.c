#include "gather.h"

#include <stdio.h>
#include <string.h>

struct walk {
	const char *path;
	struct ctr_log *log;
	pod_fn fn;
	void *ctx;
	size_t found;
};

/* Where the policy of a pod stands; `text` NULL when there is none. */
struct annotation {
	enum ctr_policy_form form;
	const char *text;
	const struct ctr_yaml_node *at;
};

static int find_policy(const struct ctr_yaml *y, const struct ctr_k8s_obj *o, const char *title,
		       struct annotation *a, struct ctr_err *e)
{
	static const char *const keys[] = { [CTR_FORM_INITDATA] = CTR_ANN_INITDATA,
					    [CTR_FORM_POLICY] = CTR_ANN_POLICY };

	for (int form = CTR_FORM_INITDATA; form <= CTR_FORM_POLICY; form++) {
		const struct ctr_yaml_node *at;
		const char *text;

		if (ctr_k8s_setting(y, o, keys[form], &text, &at, e) < 0)
			return -1;
		if (!text)
			continue;
		if (a->text)
			return ctr_yaml_fail(y, at, e, "policy.twice",
					     "%s: a policy in both forms (expected one annotation)", title);
		*a = (struct annotation){ (enum ctr_policy_form)form, text, at };
		if (ctr_k8s_annotation(y, o, keys[form], &text, NULL, e) < 0)
			return -1;
		if (!text)
			return ctr_yaml_fail(y, at, e, "policy.misplaced",
					     "%s: the policy is not on the pod template, where it takes effect",
					     title);
	}
	return 0;
}

/* No policy: right for an ordinary pod, fatal for one that would start in a confidential VM. */
static int without(struct walk *w, const struct ctr_yaml *y, const struct ctr_k8s_obj *o,
		   const char *title, struct ctr_err *e)
{
	const char *class;

	if (ctr_yaml_str(y, o->spec, "runtimeClassName", &class, e) < 0)
		return -1;
	if (ctr_k8s_class_matches(class, NULL)) {
		ctr_yaml_fail(y, ctr_yaml_get(o->spec, "runtimeClassName"), e, "policy.missing",
			      "%s: no policy, but runtime class %s", title, class);
		return ctr_err_fix(e, "run the YAML through ctr-policygen first");
	}
	ctr_log(w->log, CTR_INFO, "policy.skipped", w->path, ctr_yaml_line(o->root),
		ctr_yaml_col(o->root), "%s: not confidential, left out", title);
	return 0;
}

static int role_of(const struct ctr_yaml *y, const struct ctr_k8s_obj *o, const char *title,
		   enum ctr_role *role, struct ctr_err *e)
{
	const struct ctr_yaml_node *at;
	const char *s;

	if (ctr_k8s_setting(y, o, CTR_ANN_ROLE, &s, &at, e) < 0)
		return -1;
	if (s && *s && strcmp(s, "coordinator") != 0)
		return ctr_yaml_fail(y, at, e, "policy.role",
				     "%s: unknown role \"%s\" (expected coordinator, or none)", title, s);
	*role = s && *s ? CTR_ROLE_COORDINATOR : CTR_ROLE_NONE;
	return 0;
}

/* The annotation, or the object's qualified name: group ("core" for none), version, kind, namespace, name. */
static int secret_of(const struct ctr_yaml *y, const struct ctr_k8s_obj *o, struct ctr_buf *b,
		     struct ctr_err *e)
{
	const char *s;

	if (ctr_k8s_setting(y, o, CTR_ANN_SECRET_ID, &s, NULL, e) < 0)
		return -1;
	if (s && *s)
		ctr_buf_adds(b, s);
	else
		ctr_buf_addf(b, "%s%s/%s/%s/%s", strchr(o->api, '/') ? "" : "core/", o->api, o->kind,
			     o->ns ? o->ns : "default", o->name ? o->name : o->generate_name);
	return ctr_buf_ok(b, "workload secret ID", e);
}

/* generateName without the dashes at its end: the suffix is not known. */
static void host_name(const struct ctr_k8s_obj *o, char dst[254])
{
	const char *s = o->name ? o->name : o->generate_name;
	size_t n = strlen(s);

	while (n > 0 && s[n - 1] == '-')
		n--;
	snprintf(dst, 254, "%.*s", (int)(n < 253 ? n : 253), s);
}

static int take(struct walk *w, const struct ctr_yaml *y, const struct ctr_k8s_obj *o,
		const char *title, const struct annotation *a, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf secret = { 0 };
	struct pod p = { .path = w->path, .title = title, .line = ctr_yaml_line(a->at) };
	struct ctr_err why = { 0 };
	char name[254];
	int rc = -1;

	host_name(o, name);
	p.name = name;
	if (role_of(y, o, title, &p.role, e) < 0 || secret_of(y, o, &secret, e) < 0)
		return -1;
	p.secret_id = ctr_buf_str(&secret);
	if (ctr_policy_read(a->form, a->text, strlen(a->text), &p.policy, &why) == 0)
		rc = w->fn(w->ctx, &p, e);
	else if (why.code == CTR_FORMAT)
		ctr_yaml_fail(y, a->at, e, why.id, "%s: %s", title, why.msg);
	else
		ctr_fail(e, why.code, why.id, "%s", why.msg);
	ctr_policy_free(&p.policy);
	w->found++;
	return rc;
}

static int on_object(void *ctx, struct ctr_yaml *y, const struct ctr_k8s_obj *o, struct ctr_err *e)
{
	struct walk *w = ctx;
	struct annotation a = { 0 };
	char title[320];

	if (!o->has_pod)
		return 0;
	ctr_k8s_title(o, title, sizeof title);
	if (find_policy(y, o, title, &a, e) < 0)
		return -1;
	return a.text ? take(w, y, o, title, &a, e) : without(w, y, o, title, e);
}

static int on_document(void *ctx, struct ctr_yaml *y, struct ctr_err *e)
{
	return ctr_k8s_objects(y, on_object, ctx, e);
}

int gather(char **paths, int n, struct ctr_log *log, pod_fn fn, void *ctx, struct ctr_err *e)
{
	struct walk w = { .log = log, .fn = fn, .ctx = ctx };

	for (int i = 0; i < n || i == 0; i++) {
		const char *path = n > 0 ? paths[i] : "-";

		w.path = strcmp(path, "-") == 0 ? "standard input" : path;
		if (ctr_k8s_read(path, on_document, &w, e) < 0)
			return -1;
	}
	if (w.found == 0) {
		ctr_fail(e, CTR_FORMAT, "policy.none", "no pod with a policy in the input");
		return ctr_err_fix(e, "run the YAML through ctr-policygen first");
	}
	return 0;
}
