/* The environment of a container, as kubelet and the runtime put it together. */
#include <string.h>

#include "config.h"
#include "quantity.h"
#include "utf8.h"


const struct var *var_find(const struct vars *vs, const char *name, size_t n)
{
	for (size_t i = 0; i < vs->n; i++) {
		if (strncmp(vs->v[i].name, name, n) == 0 && vs->v[i].name[n] == '\0')
			return &vs->v[i];
	}
	return NULL;
}

/* A later entry of the same name replaces the earlier one. */
static int set(struct pod *p, struct vars *vs, const struct var *v, struct ctr_err *e)
{
	const struct var *old = var_find(vs, v->name, strlen(v->name));
	struct var *to;

	if (!old && vs->n == MANY_NAMES)
		return pod_fail(p, NULL, e, "limit", "more than %d variables", MANY_NAMES);
	to = old ? &vs->v[old - vs->v] : ARENA_PUSH(&p->mem, vs->v, vs->n);
	if (!to)
		return ctr_fail_mem(e);
	*to = *v;
	return 0;
}

/* IsEnvVarName of Kubernetes: envFrom of older kubelets leaves out what is no such name. */
static bool env_name(const char *s)
{
	if (*s == '\0' || (*s >= '0' && *s <= '9') || strcmp(s, ".") == 0 || strncmp(s, "..", 2) == 0)
		return false;
	return s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")] ==
	       '\0';
}

/* envFrom */

struct importing {
	struct pod *p;
	const struct pod_source *src;
	struct vars *vs;
	const char *prefix;
	const struct ctr_yaml_node *at;
};

static int text_value(struct pod *p, const struct ctr_yaml_node *at, const char *key,
		      const char *s, size_t n, struct val *out, struct ctr_err *e)
{
	if (!ctr_utf8_valid(s, n) || memchr(s, '\0', n))
		return pod_fail(p, at, e, "config.text",
				"the value of \"%s\" is no text: it cannot be a variable", key);
	out->text = arena_mem(&p->mem, s, n);
	return out->text ? 0 : ctr_fail_mem(e);
}

static int import_key(void *ctx, const char *key, const char *value, size_t n, bool text,
		      struct ctr_err *e)
{
	struct importing *im = ctx;
	struct var v = { .of_pod = true };

	if (!text)
		return 0;
	v.name = arena_fmt(&im->p->mem, "%s%s", im->prefix, key);
	if (!v.name)
		return ctr_fail_mem(e);
	if (!env_name(v.name)) {
		pod_warn(im->p, im->src, im->at, "env.name",
			 "\"%s\" is no name of a variable: left out, though newer kubelets set it", v.name);
		return 0;
	}
	if (text_value(im->p, im->at, key, value, n, &v.val, e) < 0)
		return -1;
	return set(im->p, im->vs, &v, e);
}

/* Finds what a reference names; *c is empty with success only when it is optional. */
static int referred(struct pod *p, const struct pod_source *src, const struct ctr_yaml_node *ref,
		    bool secret, struct config *c, bool *optional, struct ctr_err *e)
{
	const char *name;

	if (pod_str(p, ref, "name", &name, e) < 0 ||
	    ctr_yaml_bool(p->y, ref, "optional", false, optional, e) < 0 ||
	    config_find(p, src, secret, name, c, e) < 0)
		return -1;
	if (c->y || *optional)
		return 0;
	pod_fail(p, ref, e, "config.missing", "%s \"%s\" is not in the input",
		 secret ? "Secret" : "ConfigMap", name);
	return ctr_err_fix(e, "put it into the same stream");
}

static int import(struct pod *p, const struct pod_source *src, const struct ctr_yaml_node *from,
		  struct vars *vs, struct ctr_err *e)
{
	struct importing im = { .p = p, .src = src, .vs = vs, .at = from };
	const struct ctr_yaml_node *map, *secret;
	struct config c;
	bool optional;

	if (ctr_yaml_str(p->y, from, "prefix", &im.prefix, e) < 0 ||
	    ctr_yaml_map(p->y, from, "configMapRef", &map, e) < 0 ||
	    ctr_yaml_map(p->y, from, "secretRef", &secret, e) < 0)
		return -1;
	if (!im.prefix)
		im.prefix = "";
	if (!map == !secret)
		return pod_fail(p, from, e, "env.from",
				"envFrom needs one of configMapRef and secretRef");
	if (referred(p, src, map ? map : secret, secret != NULL, &c, &optional, e) < 0)
		return -1;
	return c.y ? config_each(&c, import_key, &im, e) : 0;
}

/* valueFrom */

struct seeking {
	struct pod *p;
	const struct ctr_yaml_node *at;
	const char *key;
	struct val *out;
	bool found;
};

static int seek_key(void *ctx, const char *key, const char *value, size_t n, bool text,
		    struct ctr_err *e)
{
	struct seeking *s = ctx;

	if (!text || strcmp(key, s->key) != 0)
		return 0;
	s->found = true;
	return text_value(s->p, s->at, key, value, n, s->out, e);
}

static int from_key(struct pod *p, const struct pod_source *src, const struct ctr_yaml_node *ref,
		    bool secret, struct val *out, bool *absent, struct ctr_err *e)
{
	struct seeking s = { .p = p, .at = ref, .out = out };
	struct config c;
	bool optional;

	if (pod_str(p, ref, "key", &s.key, e) < 0 ||
	    referred(p, src, ref, secret, &c, &optional, e) < 0)
		return -1;
	if (c.y && config_each(&c, seek_key, &s, e) < 0)
		return -1;
	*absent = !s.found;
	if (s.found || optional)
		return 0;
	pod_fail(p, ref, e, "config.key", "no key \"%s\" in %s", s.key,
		 secret ? "the Secret" : "the ConfigMap");
	return ctr_err_fix(e, "add the key, or say optional: true");
}

/* Labels and annotations that Kubernetes adds to pods. */
static const char *added_by_cluster(const char *key)
{
	static const char *const hashes[] = { "pod-template-hash", "controller-revision-hash" };
	static const char *const indices[] = { "apps.kubernetes.io/pod-index",
					       "batch.kubernetes.io/job-completion-index" };
	static const char *const uids[] = { "controller-uid", "batch.kubernetes.io/controller-uid" };
	static const char *const names[] = { "job-name", "batch.kubernetes.io/job-name" };

	for (size_t i = 0; i < 2; i++) {
		if (strcmp(key, hashes[i]) == 0)
			return "[-a-z0-9.]{1,63}";
		if (strcmp(key, indices[i]) == 0)
			return "[0-9]{1,10}";
		if (strcmp(key, uids[i]) == 0)
			return "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";
		if (strcmp(key, names[i]) == 0)
			return "[-a-z0-9.]{1,63}";
	}
	return strcmp(key, "statefulset.kubernetes.io/pod-name") == 0 ? "{{n}}" : NULL;
}

/* metadata.labels['k']: the template's, or what Kubernetes adds, or empty. */
static int from_map(struct pod *p, const char *path, const char *member, struct val *out,
		    struct ctr_err *e)
{
	const struct ctr_yaml_node *map;
	const char *open = strchr(path, '['), *v;
	size_t n = open ? strlen(open) : 0;
	char *key;

	if (n < 5 || open[1] != open[n - 2] || (open[1] != '\'' && open[1] != '"') || open[n - 1] != ']')
		return -1;
	key = arena_mem(&p->mem, open + 2, n - 4);
	if (!key)
		return ctr_fail_mem(e);
	if (ctr_yaml_map(p->y, p->obj->pod_meta, member, &map, e) < 0 ||
	    ctr_yaml_str(p->y, map, key, &v, e) < 0)
		return -1;
	if (v)
		out->text = v;
	else
		out->pattern = added_by_cluster(key);
	if (!v && !out->pattern)
		out->text = "";
	return 0;
}

static int from_field(struct pod *p, const struct ctr_yaml_node *ref, struct val *out,
		      struct ctr_err *e)
{
	static const struct {
		const char *path, *pattern;
	} fields[] = {
		{ "metadata.name", "{{n}}" },
		{ "metadata.namespace", "{{s}}" },
		{ "metadata.uid", "{{u}}" },
		{ "spec.nodeName", VAL_NODE },
		{ "status.hostIP", VAL_IP },
		{ "status.podIP", VAL_IP },
		{ "status.hostIPs", VAL_IP "(," VAL_IP ")?" },
		{ "status.podIPs", VAL_IP "(," VAL_IP ")?" },
	};
	const char *path;
	int rc = -1;

	if (pod_str(p, ref, "fieldPath", &path, e) < 0)
		return -1;
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		if (strcmp(path, fields[i].path) == 0) {
			out->pattern = fields[i].pattern;
			return 0;
		}
	}
	if (strcmp(path, "spec.serviceAccountName") == 0) {
		out->text = p->account;
		return 0;
	}
	if (strncmp(path, "metadata.labels[", 16) == 0)
		rc = from_map(p, path, "labels", out, e);
	else if (strncmp(path, "metadata.annotations[", 21) == 0)
		rc = from_map(p, path, "annotations", out, e);
	if (rc < 0 && e->code == CTR_OK)
		return pod_fail(p, ref, e, "env.field", "unknown fieldPath \"%s\"", path);
	return rc;
}

/* The container that a resourceFieldRef names, by default its own. */
static const struct ctr_yaml_node *named_container(struct pod *p, const char *name)
{
	static const char *const lists[] = { "containers", "initContainers" };

	for (size_t l = 0; l < 2; l++) {
		const struct ctr_yaml_node *list = ctr_yaml_get(p->obj->spec, lists[l]), *c;

		for (size_t i = 0; (c = ctr_yaml_at(list, i, NULL)); i++) {
			const char *s = ctr_yaml_text(ctr_yaml_get(c, "name"), NULL);

			if (s && strcmp(s, name) == 0)
				return c;
		}
	}
	return NULL;
}

static const char *quantity_of(const struct ctr_yaml_node *c, const char *kind, const char *what)
{
	const struct ctr_yaml_node *r = ctr_yaml_get(ctr_yaml_get(c, "resources"), kind);

	return ctr_yaml_text(ctr_yaml_get(r, what), NULL);
}

/* A limit that is not stated is what the node has; a request that is not stated is the limit, or 0. */
static int from_resource(struct pod *p, const struct container *own,
			 const struct ctr_yaml_node *ref, struct val *out, struct ctr_err *e)
{
	const struct ctr_yaml_node *c = own->node;
	const char *name, *resource, *divisor, *what, *amount;
	struct ctr_err why = { 0 };
	bool limit;
	uint64_t n;

	if (pod_str(p, ref, "resource", &resource, e) < 0 ||
	    ctr_yaml_str(p->y, ref, "containerName", &name, e) < 0)
		return -1;
	divisor = ctr_yaml_text(ctr_yaml_get(ref, "divisor"), NULL);
	if (!divisor || strcmp(divisor, "0") == 0)
		divisor = "1";
	if (name && !(c = named_container(p, name)))
		return pod_fail(p, ref, e, "env.resource", "no container \"%s\" in the pod", name);
	limit = strncmp(resource, "limits.", 7) == 0;
	if (!limit && strncmp(resource, "requests.", 9) != 0)
		return pod_fail(p, ref, e, "env.resource", "unknown resource \"%s\"", resource);
	what = resource + (limit ? 7 : 9);
	amount = quantity_of(c, limit ? "limits" : "requests", what);
	if (!amount && !limit)
		amount = quantity_of(c, "limits", what);
	if (!amount && limit) {
		out->pattern = VAL_NUMBER;
		return 0;
	}
	if (quantity_divide(amount ? amount : "0", divisor, &n, &why) < 0)
		return pod_fail(p, ref, e, "env.resource", "%s: %s", resource, why.msg);
	out->text = arena_fmt(&p->mem, "%llu", (unsigned long long)n);
	return out->text ? 0 : ctr_fail_mem(e);
}

static int value_from(struct pod *p, const struct pod_source *src, const struct container *c,
		      const struct ctr_yaml_node *from, struct val *out, bool *absent,
		      struct ctr_err *e)
{
	const struct ctr_yaml_node *r;

	*absent = false;
	if ((r = ctr_yaml_get(from, "configMapKeyRef")))
		return from_key(p, src, r, false, out, absent, e);
	if ((r = ctr_yaml_get(from, "secretKeyRef")))
		return from_key(p, src, r, true, out, absent, e);
	if ((r = ctr_yaml_get(from, "fieldRef")))
		return from_field(p, r, out, e);
	if ((r = ctr_yaml_get(from, "resourceFieldRef")))
		return from_resource(p, c, r, out, e);
	return pod_fail(p, from, e, "env.from", "unknown source of a value");
}

/*
 * env: a literal sees the entries of env before it. Whether it sees what only envFrom brings, accounts of the kubelet
 * differ: both outcomes are taken.
 */
struct scope {
	struct pod *p;
	const struct vars *own, *imported;
	struct val either;
};

static const struct val *earlier(void *ctx, const char *name, size_t n)
{
	struct scope *s = ctx;
	const struct var *v = var_find(s->own, name, n);
	struct ctr_buf b = { 0 };

	if (v)
		return &v->val;
	v = var_find(s->imported, name, n);
	if (!v)
		return NULL;
	ctr_buf_addc(&b, '(');
	val_escape(&b, v->val.text, strlen(v->val.text));
	ctr_buf_adds(&b, "|\\$\\(");
	val_escape(&b, v->name, n);
	ctr_buf_adds(&b, "\\))");
	s->either.pattern = arena_buf(&s->p->mem, &b);
	return s->either.pattern ? &s->either : NULL;
}

static int one_var(struct pod *p, const struct pod_source *src, const struct container *c,
		   const struct ctr_yaml_node *node, const struct vars *imported, struct vars *vs,
		   struct ctr_err *e)
{
	struct scope seen = { .p = p, .own = vs, .imported = imported };
	const struct ctr_yaml_node *from;
	struct var v = { .in_env = true, .of_pod = true, .written.text = "" };
	bool absent = false;
	const char *raw;

	if (pod_str(p, node, "name", &v.name, e) < 0 ||
	    ctr_yaml_str(p->y, node, "value", &raw, e) < 0 ||
	    ctr_yaml_map(p->y, node, "valueFrom", &from, e) < 0)
		return -1;
	if (*v.name == '\0' || strchr(v.name, '=') || strlen(v.name) > 512)
		return pod_fail(p, node, e, "env.name", "\"%s\" is no name of a variable", v.name);
	if (from && raw && *raw)
		return pod_fail(p, node, e, "env.from", "%s has both value and valueFrom", v.name);
	if (from) {
		if (value_from(p, src, c, from, &v.val, &absent, e) < 0)
			return -1;
	} else {
		v.written.text = raw ? raw : "";
		if (val_expand(&p->mem, v.written.text, earlier, &seen, &v.val, e) < 0)
			return -1;
	}
	return absent ? 0 : set(p, vs, &v, e);
}

/* What the runtime starts from: PATH, HOSTNAME, TERM, then the image's own. */
static int from_image(struct pod *p, const struct container *c, struct vars *vs, struct ctr_err *e)
{
	struct var path = { .name = "PATH", .val.text = DEFAULT_PATH };
	struct var host = { .name = "HOSTNAME", .val.pattern = "{{h}}" };
	struct var term = { .name = "TERM", .val.text = "xterm" };

	if (set(p, vs, &path, e) < 0 || set(p, vs, &host, e) < 0 || (c->tty && set(p, vs, &term, e) < 0))
		return -1;
	for (size_t i = 0; i < c->image->config.env.n; i++) {
		const char *s = c->image->config.env.v[i], *eq = strchr(s, '=');
		struct var v = { 0 };

		if (!eq || eq == s)
			continue;
		v.name = arena_mem(&p->mem, s, (size_t)(eq - s));
		v.val.text = eq + 1;
		if (!v.name)
			return ctr_fail_mem(e);
		if (set(p, vs, &v, e) < 0)
			return -1;
	}
	return 0;
}

static int merge(struct pod *p, struct vars *into, const struct vars *from, struct ctr_err *e)
{
	for (size_t i = 0; i < from->n; i++) {
		if (set(p, into, &from->v[i], e) < 0)
			return -1;
	}
	return 0;
}

/* The Job controller gives the containers of an indexed Job this variable unless they have it. */
static int job_index(struct pod *p, struct vars *own, struct ctr_err *e)
{
	const struct ctr_yaml_node *spec = ctr_yaml_get(p->obj->root, "spec");
	const char *mode;
	struct var v = { .name = "JOB_COMPLETION_INDEX",
			 .val.pattern = VAL_NUMBER,
			 .written.text = "",
			 .in_env = true,
			 .of_pod = true };

	if (p->obj->type == CTR_K8S_CRONJOB)
		spec = ctr_yaml_get(ctr_yaml_get(spec, "jobTemplate"), "spec");
	else if (p->obj->type != CTR_K8S_JOB)
		return 0;
	if (ctr_yaml_str(p->y, spec, "completionMode", &mode, e) < 0)
		return -1;
	if (!mode || strcmp(mode, "Indexed") != 0 || var_find(own, v.name, strlen(v.name)))
		return 0;
	return set(p, own, &v, e);
}

int container_env(struct pod *p, const struct pod_source *src, struct container *c,
		  struct ctr_err *e)
{
	const struct ctr_yaml_node *env, *froms, *node;
	struct vars imported = { 0 }, own = { 0 };

	if (ctr_yaml_seq(p->y, c->node, "env", &env, e) < 0 ||
	    ctr_yaml_seq(p->y, c->node, "envFrom", &froms, e) < 0)
		return -1;
	for (size_t i = 0; (node = ctr_yaml_at(froms, i, NULL)); i++) {
		if (import(p, src, node, &imported, e) < 0)
			return -1;
	}
	for (size_t i = 0; (node = ctr_yaml_at(env, i, NULL)); i++) {
		if (one_var(p, src, c, node, &imported, &own, e) < 0)
			return -1;
	}
	if (job_index(p, &own, e) < 0)
		return -1;
	if (from_image(p, c, &c->env, e) < 0 || merge(p, &c->env, &imported, e) < 0)
		return -1;
	return merge(p, &c->env, &own, e);
}
