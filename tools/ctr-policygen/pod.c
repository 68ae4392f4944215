#include "pod.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fields.h"
#include "quantity.h"

/* The pause container where no image is named: what every pause image since 3.5 says. */
#define PAUSE_ID 65535

int pod_fail(const struct pod *p, const struct ctr_yaml_node *n, struct ctr_err *e, const char *id,
	     const char *fmt, ...)
{
	bool had = e->code != CTR_OK;
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	ctr_yaml_fail(p->y, n ? n : p->obj->root, e, id, "%s: %s", p->title, text);
	return had ? ctr_wrap(e, "%s", p->title) : -1; /* an earlier failure gets position and name */
}

void pod_warn(const struct pod *p, const struct pod_source *src, const struct ctr_yaml_node *n,
	      const char *id, const char *fmt, ...)
{
	struct ctr_err at = { 0 };
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	/* the position comes from the same place as an error's */
	if (ctr_yaml_fail(p->y, n ? n : p->obj->root, &at, id, "-") < 0)
		ctr_log(src->log, CTR_WARN, id, at.where, at.line, at.col, "%s: %s", p->title, text);
}

int pod_str(const struct pod *p, const struct ctr_yaml_node *map, const char *key, const char **v,
	    struct ctr_err *e)
{
	if (ctr_yaml_str(p->y, map, key, v, e) < 0)
		return -1;
	if (!*v || **v == '\0')
		return pod_fail(p, map, e, "k8s.missing", "%s is missing", key);
	return 0;
}

void pod_free(struct pod *p)
{
	ctr_json_free(p->sysctls);
	arena_free(&p->mem);
	*p = (struct pod){ 0 };
}

/* The service account, also by the field's old name. */
static int account(struct pod *p, struct ctr_err *e)
{
	if (ctr_yaml_str(p->y, p->obj->spec, "serviceAccountName", &p->account, e) < 0)
		return -1;
	if ((!p->account || !*p->account) &&
	    ctr_yaml_str(p->y, p->obj->spec, "serviceAccount", &p->account, e) < 0)
		return -1;
	if (!p->account || !*p->account)
		p->account = "default";
	return 0;
}

/* Whether the pod has a token: the pod's word, then its service account's, else yes. */
static int token(struct pod *p, const struct pod_source *src, struct ctr_err *e)
{
	const struct ctr_yaml_node *root;
	const struct ctr_yaml *y;

	p->token = true;
	if (refs_find(src->refs, CTR_K8S_SERVICEACCOUNT, p->obj->ns, p->account, &y, &root, e) < 0)
		return -1;
	if (y && ctr_yaml_bool(y, root, "automountServiceAccountToken", true, &p->token, e) < 0)
		return -1;
	return ctr_yaml_bool(p->y, p->obj->spec, "automountServiceAccountToken", p->token, &p->token, e);
}

static int sysctls(struct pod *p, const struct ctr_yaml_node *sc, struct ctr_err *e)
{
	const struct ctr_yaml_node *list, *s;
	const char *name, *value;

	p->sysctls = ctr_json_new_object();
	if (!p->sysctls)
		return ctr_fail_mem(e);
	if (ctr_yaml_seq(p->y, sc, "sysctls", &list, e) < 0)
		return -1;
	for (size_t i = 0; (s = ctr_yaml_at(list, i, NULL)); i++) {
		if (pod_str(p, s, "name", &name, e) < 0 || pod_str(p, s, "value", &value, e) < 0)
			return -1;
		if (!ctr_json_set_string(p->sysctls, name, value))
			return ctr_fail_mem(e);
	}
	return 0;
}

/* Annotations that the runtime passes on to the guest with the pod's containers. */
static int passed_annotations(struct pod *p, struct ctr_err *e)
{
	static const char prefix[] = "io.katacontainers.";
	const struct ctr_yaml_node *map, *v;
	const char *key, *s, **to;

	if (ctr_yaml_map(p->y, p->obj->pod_meta, "annotations", &map, e) < 0)
		return -1;
	for (size_t i = 0; (v = ctr_yaml_at(map, i, &key)); i++) {
		if (strncmp(key, prefix, sizeof prefix - 1) != 0 || strcmp(key, CTR_ANN_POLICY) == 0 ||
		    strcmp(key, CTR_ANN_INITDATA) == 0)
			continue;
		if (strncmp(key, "io.katacontainers.pkg.", 22) == 0)
			return pod_fail(p, v, e, "field.refused", "%s: the runtime's own annotation",
					key);
		if (ctr_yaml_str(p->y, map, key, &s, e) < 0)
			return -1;
		for (int k = 0; k < 2; k++) {
			to = ARENA_PUSH(&p->mem, p->annotations.v, p->annotations.n);
			if (!to)
				return ctr_fail_mem(e);
			*to = k ? (s ? s : "") : key;
		}
	}
	return 0;
}

static int pod_level(struct pod *p, const struct pod_source *src, struct ctr_err *e)
{
	const struct ctr_yaml_node *spec = p->obj->spec, *sc;

	if (fields_check(p, src, e) < 0 || pod_names(p, e) < 0 || account(p, e) < 0 ||
	    token(p, src, e) < 0 || passed_annotations(p, e) < 0)
		return -1;
	if (ctr_yaml_bool(p->y, spec, "shareProcessNamespace", false, &p->shared_pids, e) < 0 ||
	    ctr_yaml_bool(p->y, spec, "enableServiceLinks", true, &p->service_links, e) < 0 ||
	    ctr_yaml_map(p->y, spec, "securityContext", &sc, e) < 0 ||
	    ctr_yaml_int(p->y, sc, "fsGroup", 0, 2147483647, -1, &p->fs_group, e) < 0)
		return -1;
	if (sysctls(p, sc, e) < 0)
		return -1;
	return pod_volumes(p, src, e);
}

/* GPUs by extended resource; Kubernetes wants limits for these. */
static int gpus(struct pod *p, const struct pod_source *src, struct container *c, struct ctr_err *e)
{
	const struct ctr_yaml_node *res, *limits, *v;
	struct ctr_err why = { 0 };
	const char *key;

	if (ctr_yaml_map(p->y, c->node, "resources", &res, e) < 0 ||
	    ctr_yaml_map(p->y, res, "limits", &limits, e) < 0)
		return -1;
	for (size_t i = 0; (v = ctr_yaml_at(limits, i, &key)); i++) {
		const char *s = ctr_yaml_text(v, NULL);
		uint64_t n;

		if (!settings_gpu(src->settings, key))
			continue;
		if (quantity_count(s ? s : "", &n, &why) < 0)
			return pod_fail(p, v, e, "quantity", "%s: %s", key, why.msg);
		c->gpus += n;
	}
	return 0;
}

/* The order matters: mounts look at privileges, commands at the environment. */
static int load_container(struct pod *p, const struct pod_source *src, struct container *c,
			  struct ctr_err *e)
{
	const char *image, *cwd;

	c->root_propagation = "";
	if (pod_str(p, c->node, "name", &c->name, e) < 0 ||
	    pod_str(p, c->node, "image", &image, e) < 0)
		return -1;
	if (!ctr_k8s_label(c->name))
		return pod_fail(p, c->node, e, "k8s.name", "container name \"%s\" is no DNS label",
				c->name);
	if (images_get(src->images, image, &c->image, e) < 0 ||
	    (src->verity && image_verity(src->images, c->image, e) < 0))
		return pod_fail(p, ctr_yaml_get(c->node, "image"), e, NULL, "-");
	if (ctr_yaml_str(p->y, c->node, "workingDir", &cwd, e) < 0 ||
	    ctr_yaml_bool(p->y, c->node, "tty", false, &c->tty, e) < 0 ||
	    ctr_yaml_bool(p->y, c->node, "stdin", false, &c->in, e) < 0 ||
	    ctr_yaml_str(p->y, c->node, "terminationMessagePath", &c->termination_path, e) < 0)
		return -1;
	if (c->termination_path && !*c->termination_path)
		c->termination_path = NULL; /* Kubernetes takes "" for absent */
	c->cwd = cwd && *cwd ? cwd : c->image->config.workdir;
	if (*c->cwd == '\0')
		c->cwd = "/";
	if (container_security(p, c, e) < 0 || container_user(p, src, c, e) < 0 ||
	    container_env(p, src, c, e) < 0 || container_commands(p, c, e) < 0 ||
	    container_mounts(p, src, c, e) < 0)
		return -1;
	return gpus(p, src, c, e);
}

static int add_container(struct pod *p, const struct pod_source *src,
			 const struct ctr_yaml_node *node, enum place place, size_t order,
			 struct ctr_err *e)
{
	struct container *c = ARENA_PUSH(&p->mem, p->c, p->n);
	const char *policy;

	if (!c)
		return ctr_fail_mem(e);
	*c = (struct container){ .node = node, .place = place, .order = order };
	if (ctr_yaml_str(p->y, node, "restartPolicy", &policy, e) < 0)
		return -1;
	if (place == PLACE_INIT && policy && strcmp(policy, "Always") == 0)
		c->place = PLACE_SIDECAR;
	if (load_container(p, src, c, e) < 0)
		return -1;
	for (size_t i = 0; i + 1 < p->n; i++) {
		if (strcmp(p->c[i].name, c->name) == 0)
			return pod_fail(p, node, e, "k8s.duplicate", "two containers \"%s\"", c->name);
	}
	return 0;
}

static int containers(struct pod *p, const struct pod_source *src, struct ctr_err *e)
{
	const struct ctr_yaml_node *inits, *apps, *node;
	size_t order = 0;

	if (ctr_yaml_seq(p->y, p->obj->spec, "initContainers", &inits, e) < 0 ||
	    ctr_yaml_seq(p->y, p->obj->spec, "containers", &apps, e) < 0)
		return -1;
	if (ctr_yaml_count(apps) == 0)
		return pod_fail(p, p->obj->spec, e, "k8s.missing", "containers is missing");
	for (size_t i = 0; (node = ctr_yaml_at(inits, i, NULL)); i++) {
		if (add_container(p, src, node, PLACE_INIT, order++, e) < 0)
			return -1;
	}
	for (size_t i = 0; (node = ctr_yaml_at(apps, i, NULL)); i++) {
		if (add_container(p, src, node, PLACE_APP, order, e) < 0)
			return -1;
	}
	return 0;
}

/* The sandbox's user: the pod's, else the image's with its group, else the built-in one. */
static int sandbox_user(struct pod *p, struct container *c, struct ctr_err *e)
{
	const struct ctr_yaml_node *sc;
	int64_t user, group;

	if (ctr_yaml_map(p->y, p->obj->spec, "securityContext", &sc, e) < 0 ||
	    ctr_yaml_int(p->y, sc, "runAsUser", 0, 2147483647, -1, &user, e) < 0 ||
	    ctr_yaml_int(p->y, sc, "runAsGroup", 0, 2147483647, -1, &group, e) < 0)
		return -1;
	c->uid = user >= 0 ? user : PAUSE_ID;
	c->gid = group >= 0 ? group : user >= 0 ? 0 : PAUSE_ID;
	c->gids = arena_get(&p->mem, sizeof *c->gids);
	if (!c->gids)
		return ctr_fail_mem(e);
	c->gids[0] = c->gid;
	c->n_gids = 1;
	return 0;
}

static int push_arg(struct pod *p, struct container *c, const char *s, struct ctr_err *e)
{
	struct val *v = ARENA_PUSH(&p->mem, c->args.v, c->args.n);

	if (!v)
		return ctr_fail_mem(e);
	v->text = s;
	return 0;
}

/* Only the process of a pause image is taken; under guest pull the guest runs its own bundle anyway. */
static int sandbox_process(struct pod *p, const struct pod_source *src, struct container *c,
			   struct ctr_err *e)
{
	struct var *path;

	if (src->settings->pause_image) {
		const struct ctr_oci_config *im;

		if (images_get(src->images, src->settings->pause_image, &c->image, e) < 0)
			return ctr_wrap(e, "pause_image");
		im = &c->image->config;
		for (size_t i = 0; i < im->entrypoint.n; i++) {
			if (push_arg(p, c, im->entrypoint.v[i], e) < 0)
				return -1;
		}
		for (size_t i = 0; i < im->cmd.n; i++) {
			if (push_arg(p, c, im->cmd.v[i], e) < 0)
				return -1;
		}
		c->cwd = *im->workdir ? im->workdir : "/";
	} else {
		c->cwd = "/";
		if (push_arg(p, c, "/pause", e) < 0)
			return -1;
	}
	path = ARENA_PUSH(&p->mem, c->env.v, c->env.n);
	if (!path)
		return ctr_fail_mem(e);
	*path = (struct var){ .name = "PATH", .val.text = DEFAULT_PATH };
	return 0;
}

static int sandbox(struct pod *p, const struct pod_source *src, struct ctr_err *e)
{
	struct container *c = ARENA_PUSH(&p->mem, p->c, p->n);

	if (!c)
		return ctr_fail_mem(e);
	*c = (struct container){
		.name = "",
		.place = PLACE_SANDBOX,
		.default_caps = true,
		.no_new_privs = true,
		.read_only = true,
		.root_propagation = "",
	};
	return sandbox_process(p, src, c, e) < 0 ? -1 : sandbox_user(p, c, e);
}

/* A privileged container makes the sandbox privileged for older runtimes: /sys is writable there. */
static void privileged_sandbox(struct pod *p)
{
	for (size_t i = 1; i < p->n; i++)
		p->c[0].privileged = p->c[0].privileged || p->c[i].privileged;
}

int pod_load(struct pod *p, const struct pod_source *src, const struct ctr_yaml *y,
	     const struct ctr_k8s_obj *obj, struct ctr_err *e)
{
	*p = (struct pod){ .y = y, .obj = obj };
	ctr_k8s_title(obj, p->title, sizeof p->title);
	if (pod_level(p, src, e) < 0 || sandbox(p, src, e) < 0 || containers(p, src, e) < 0)
		return strncmp(e->msg, p->title, strlen(p->title)) == 0 ? -1 : ctr_wrap(e, "%s", p->title);
	privileged_sandbox(p);
	return 0;
}
