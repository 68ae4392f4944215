#include "k8s.h"

#include <stdio.h>
#include <string.h>

#include "docs.h"

static const struct row {
	const char *kind;
	enum ctr_k8s_kind type;
	const char *group; /* "" is the core group */
	const char *pod;   /* way to the pod template, "" for the object itself, NULL for no pod */
} rows[] = {
	{ "Pod", CTR_K8S_POD, "", "" },
	{ "Deployment", CTR_K8S_DEPLOYMENT, "apps", "spec.template" },
	{ "ReplicaSet", CTR_K8S_REPLICASET, "apps", "spec.template" },
	{ "ReplicationController", CTR_K8S_REPLICATIONCONTROLLER, "", "spec.template" },
	{ "StatefulSet", CTR_K8S_STATEFULSET, "apps", "spec.template" },
	{ "DaemonSet", CTR_K8S_DAEMONSET, "apps", "spec.template" },
	{ "Job", CTR_K8S_JOB, "batch", "spec.template" },
	{ "CronJob", CTR_K8S_CRONJOB, "batch", "spec.jobTemplate.spec.template" },
	{ "ConfigMap", CTR_K8S_CONFIGMAP, "", NULL },
	{ "Secret", CTR_K8S_SECRET, "", NULL },
	{ "PersistentVolumeClaim", CTR_K8S_PVC, "", NULL },
	{ "ServiceAccount", CTR_K8S_SERVICEACCOUNT, "", NULL },
};

struct walk {
	struct ctr_yaml *y;
	ctr_k8s_fn fn;
	void *ctx;
	size_t left; /* objects that may still come */
};

static bool name_ok(const char *s, size_t max, bool dots)
{
	size_t n = strlen(s);
	char before = '.';

	if (n == 0 || n > max)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool alnum = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9');

		/* a part begins and ends with a letter or digit */
		if (!alnum && (before == '.' || !(s[i] == '-' || (s[i] == '.' && dots && before != '-'))))
			return false;
		before = s[i];
	}
	return before != '-' && before != '.';
}

bool ctr_k8s_label(const char *s)
{
	return name_ok(s, 63, false);
}

bool ctr_k8s_subdomain(const char *s)
{
	return name_ok(s, 253, true);
}

bool ctr_k8s_class_matches(const char *cls, const char *const *prefixes)
{
	static const char *const confidential[] = { "contrast-cc", "kata-cc", NULL };

	for (const char *const *p = prefixes ? prefixes : confidential; cls && *p; p++) {
		if (strncmp(cls, *p, strlen(*p)) == 0)
			return true;
	}
	return false;
}

void ctr_k8s_title(const struct ctr_k8s_obj *o, char *dst, size_t n)
{
	snprintf(dst, n, "%s %s%s%s", o->kind, o->ns ? o->ns : "", o->ns ? "/" : "",
		 o->name ? o->name : o->generate_name ? o->generate_name : "");
}

/* The group of "apps/v1" and of "v1" (the empty one). */
static bool in_group(const char *api, const char *group)
{
	size_t n = strlen(group);

	if (n == 0)
		return strchr(api, '/') == NULL;
	return strncmp(api, group, n) == 0 && api[n] == '/';
}

static bool served(const char *api, const char *group)
{
	const char *slash = strchr(api, '/');

	return in_group(api, group) && strcmp(slash ? slash + 1 : api, "v1") == 0;
}

/* The row of a kind, or of the kind that a list of these has ("PodList" with strip "List"). */
static const struct row *find_row(const char *kind, const char *strip)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		size_t n = strlen(rows[i].kind);

		if (strncmp(kind, rows[i].kind, n) == 0 && strcmp(kind + n, strip) == 0)
			return &rows[i];
	}
	return NULL;
}

/* Other groups may define a kind of that name; a version that is gone is a mistake to tell. */
static int known(struct walk *w, const struct ctr_k8s_obj *o, const struct row **row,
		 struct ctr_err *e)
{
	if (!*row || served(o->api, (*row)->group))
		return 0;
	if (in_group(o->api, (*row)->group) || in_group(o->api, "extensions")) {
		ctr_yaml_fail(w->y, ctr_yaml_get(o->root, "apiVersion"), e, "k8s.version",
			      "%s of %s: Kubernetes serves it no longer (expected %s%sv1)", o->kind,
			      o->api, (*row)->group, (*row)->group[0] ? "/" : "");
		return ctr_err_fix(e, "convert it with kubectl convert");
	}
	*row = NULL;
	return 0;
}

static int read_meta(struct walk *w, struct ctr_k8s_obj *o, struct ctr_err *e)
{
	if (ctr_yaml_map(w->y, o->root, "metadata", &o->meta, e) < 0)
		return -1;
	if (!o->meta)
		return 0;
	if (ctr_yaml_str(w->y, o->meta, "name", &o->name, e) < 0 ||
	    ctr_yaml_str(w->y, o->meta, "generateName", &o->generate_name, e) < 0 ||
	    ctr_yaml_str(w->y, o->meta, "namespace", &o->ns, e) < 0)
		return -1;
	/* Kubernetes takes "" for absent */
	if (o->name && !*o->name)
		o->name = NULL;
	if (o->generate_name && !*o->generate_name)
		o->generate_name = NULL;
	if (o->ns && !*o->ns)
		o->ns = NULL;
	return 0;
}

static int bad_name(struct walk *w, const struct ctr_k8s_obj *o, const char *key, const char *v,
		    const char *want, struct ctr_err *e)
{
	return ctr_yaml_fail(w->y, ctr_yaml_get(o->meta, key), e, "k8s.name",
			     "%s: metadata.%s \"%s\" is no name (expected %s)", o->kind, key, v, want);
}

static int check_names(struct walk *w, const struct ctr_k8s_obj *o, struct ctr_err *e)
{
	static const char subdomain[] = "lower case letters, digits, - and ., at most 253";

	if (!o->name && !(o->has_pod && o->generate_name))
		return ctr_yaml_fail(w->y, o->meta ? o->meta : o->root, e, "k8s.name",
				     "%s: metadata.name is missing", o->kind);
	if (o->name && !ctr_k8s_subdomain(o->name))
		return bad_name(w, o, "name", o->name, subdomain, e);
	if (o->ns && !ctr_k8s_label(o->ns))
		return bad_name(w, o, "namespace", o->ns,
				"lower case letters, digits and -, at most 63", e);
	if (o->generate_name) {
		char head[256];
		size_t n = strlen(o->generate_name);

		/* a suffix follows, so that trailing dashes do no harm */
		while (n > 1 && o->generate_name[n - 1] == '-')
			n--;
		snprintf(head, sizeof head, "%.*s", (int)(n < sizeof head ? n : sizeof head - 1),
			 o->generate_name);
		if (!ctr_k8s_subdomain(head))
			return bad_name(w, o, "generateName", o->generate_name, subdomain, e);
	}
	return 0;
}

/* Follows "spec.template" and takes the pod's metadata and spec there. */
static int read_pod(struct walk *w, struct ctr_k8s_obj *o, const char *way, struct ctr_err *e)
{
	const struct ctr_yaml_node *at = o->root;

	while (at && *way) {
		size_t n = strcspn(way, ".");
		char key[16];

		snprintf(key, sizeof key, "%.*s", (int)n, way);
		if (ctr_yaml_map(w->y, at, key, &at, e) < 0)
			return -1;
		way += n + (way[n] == '.');
	}
	o->pod = at;
	if (at && (ctr_yaml_map(w->y, at, "metadata", &o->pod_meta, e) < 0 ||
		   ctr_yaml_map(w->y, at, "spec", &o->spec, e) < 0))
		return -1;
	if (!o->spec)
		return ctr_yaml_fail(w->y, at ? at : o->root, e, "k8s.template",
				     "%s: the pod spec is missing", o->kind);
	return 0;
}

static int one(struct walk *w, struct ctr_k8s_obj *o, struct ctr_err *e)
{
	const struct row *row = find_row(o->kind, "");

	if (w->left-- == 0)
		return ctr_yaml_fail(w->y, o->root, e, "k8s.list", "more than %d objects",
				     CTR_K8S_OBJECTS);
	if (known(w, o, &row, e) < 0)
		return -1;
	if (row) {
		o->type = row->type;
		o->has_pod = row->pod != NULL;
		if (read_meta(w, o, e) < 0 || check_names(w, o, e) < 0)
			return -1;
		if (row->pod && read_pod(w, o, row->pod, e) < 0) {
			char title[192];

			ctr_k8s_title(o, title, sizeof title);
			return ctr_wrap(e, "%s", title);
		}
	} else if (ctr_yaml_is(ctr_yaml_get(o->root, "metadata"), CTR_YAML_MAP)) {
		size_t len;

		o->meta = ctr_yaml_get(o->root, "metadata");
		o->name = ctr_yaml_text(ctr_yaml_get(o->meta, "name"), &len);
		o->ns = ctr_yaml_text(ctr_yaml_get(o->meta, "namespace"), &len);
	}
	return w->fn(w->ctx, w->y, o, e);
}

static int object(struct walk *w, const struct ctr_yaml_node *n, const struct ctr_k8s_obj *list,
		  unsigned depth, struct ctr_err *e);

/* Items of a PodList may leave out apiVersion and kind. */
static int items(struct walk *w, struct ctr_k8s_obj *o, const struct row *row, unsigned depth,
		 struct ctr_err *e)
{
	const struct ctr_yaml_node *seq, *item;
	struct ctr_k8s_obj of = { .api = o->api, .kind = row ? row->kind : NULL };

	if (ctr_yaml_seq(w->y, o->root, "items", &seq, e) < 0)
		return -1;
	if (depth >= CTR_K8S_LISTS)
		return ctr_yaml_fail(w->y, o->root, e, "k8s.list", "lists nested deeper than %d",
				     CTR_K8S_LISTS);
	for (size_t i = 0; seq && (item = ctr_yaml_at(seq, i, NULL)); i++) {
		if (object(w, item, row ? &of : NULL, depth + 1, e) < 0)
			return -1;
	}
	return 0;
}

static int object(struct walk *w, const struct ctr_yaml_node *n, const struct ctr_k8s_obj *list,
		  unsigned depth, struct ctr_err *e)
{
	struct ctr_k8s_obj o = { .root = n };
	const struct row *row;

	if (!ctr_yaml_is(n, CTR_YAML_MAP))
		return ctr_yaml_fail(w->y, n, e, "k8s.object",
				     "no Kubernetes object (expected a mapping)");
	if (ctr_yaml_str(w->y, n, "apiVersion", &o.api, e) < 0 ||
	    ctr_yaml_str(w->y, n, "kind", &o.kind, e) < 0)
		return -1;
	if (list && !o.api)
		o.api = list->api;
	if (list && !o.kind)
		o.kind = list->kind;
	if (!o.api || !*o.api || !o.kind || !*o.kind)
		return ctr_yaml_fail(w->y, n, e, "k8s.kind",
				     "no Kubernetes object (%s is missing)",
				     o.api && *o.api ? "kind" : "apiVersion");
	if (strcmp(o.kind, "List") == 0 && strcmp(o.api, "v1") == 0)
		return items(w, &o, NULL, depth, e);
	row = find_row(o.kind, "List");
	if (known(w, &o, &row, e) < 0)
		return -1;
	return row ? items(w, &o, row, depth, e) : one(w, &o, e);
}

int ctr_k8s_objects(struct ctr_yaml *y, ctr_k8s_fn fn, void *ctx, struct ctr_err *e)
{
	struct walk w = { y, fn, ctx, CTR_K8S_OBJECTS };

	if (!ctr_yaml_root(y) || ctr_yaml_null(ctr_yaml_root(y)))
		return 0;
	return object(&w, ctr_yaml_root(y), NULL, 0, e);
}

static int annotation(const struct ctr_yaml *y, const struct ctr_yaml_node *meta, const char *key,
		      const char **v, const struct ctr_yaml_node **at, struct ctr_err *e)
{
	const struct ctr_yaml_node *map = NULL;

	*v = NULL;
	if (at)
		*at = NULL;
	if (!meta)
		return 0;
	if (ctr_yaml_map(y, meta, "annotations", &map, e) < 0)
		return -1;
	if (!map)
		return 0;
	if (at)
		*at = ctr_yaml_get(map, key);
	return ctr_yaml_str(y, map, key, v, e);
}

int ctr_k8s_annotation(const struct ctr_yaml *y, const struct ctr_k8s_obj *o, const char *key,
		       const char **v, const struct ctr_yaml_node **at, struct ctr_err *e)
{
	return annotation(y, o->pod_meta, key, v, at, e);
}

int ctr_k8s_setting(const struct ctr_yaml *y, const struct ctr_k8s_obj *o, const char *key,
		    const char **v, const struct ctr_yaml_node **at, struct ctr_err *e)
{
	if (annotation(y, o->pod_meta, key, v, at, e) < 0)
		return -1;
	return *v ? 0 : annotation(y, o->meta, key, v, at, e);
}

int ctr_k8s_read(const char *path, ctr_k8s_doc_fn fn, void *ctx, struct ctr_err *e)
{
	ctr_auto_docs struct ctr_docs d = { 0 };
	bool more;

	if (ctr_docs_open(&d, path, e) < 0)
		return -1;
	for (;;) {
		ctr_auto_yaml struct ctr_yaml *y = NULL;

		if (ctr_docs_next(&d, &more, e) < 0)
			return -1;
		if (!more)
			return 0;
		if (ctr_yaml_parse(d.name, d.line, d.text, d.len, &y, e) < 0 || fn(ctx, y, e) < 0)
			return -1;
	}
}
