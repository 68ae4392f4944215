#include "inject.h"

#include <string.h>

#include "json.h"
#include "oci.h"

#define VOLUME "contrast-secrets"
#define MOUNT_PATH "/contrast"
#define INITIALIZER "contrast-initializer"
#define CRYPTSETUP "contrast-cryptsetup"
#define MESH "contrast-service-mesh"

#define ANN_SKIP CTR_ANN_PREFIX "skip-initializer"
#define ANN_RENEW CTR_ANN_PREFIX "renew"
#define ANN_INGRESS CTR_ANN_PREFIX "servicemesh-ingress"
#define ANN_EGRESS CTR_ANN_PREFIX "servicemesh-egress"
#define ANN_ADMIN CTR_ANN_PREFIX "servicemesh-admin-interface-port"
#define ANN_SECURE_PV CTR_ANN_PREFIX "secure-pv"

struct job {
	struct ctr_yaml *y;
	const struct ctr_k8s_obj *o;
	const struct inject_opts *opts;
	char title[320];
};

/* A member of a list by its name, NULL when there is none; *at is its place. */
static const struct ctr_yaml_node *by_name(const struct ctr_yaml_node *list, const char *name,
					   size_t *at)
{
	const struct ctr_yaml_node *n;

	for (size_t i = 0; (n = ctr_yaml_at(list, i, NULL)); i++) {
		const char *s = ctr_yaml_text(ctr_yaml_get(n, "name"), NULL);

		if (s && strcmp(s, name) == 0) {
			if (at)
				*at = i;
			return n;
		}
	}
	return NULL;
}

static int setting(struct job *j, const char *key, const char **v, struct ctr_err *e)
{
	return ctr_k8s_setting(j->y, j->o, key, v, NULL, e);
}

/* An item into a list of the pod or a container, which is made when it is missing. */
static int add_item(struct job *j, const struct ctr_yaml_node *map, const char *key, size_t at,
		    const char *item, struct ctr_err *e)
{
	const struct ctr_yaml_node *list;
	ctr_auto_buf struct ctr_buf b = { 0 };

	if (ctr_yaml_seq(j->y, map, key, &list, e) < 0)
		return -1;
	if (list && ctr_yaml_count(list) > 0)
		return ctr_yaml_insert(j->y, list, at < ctr_yaml_count(list) ? at : ctr_yaml_count(list),
				       item, e);
	ctr_buf_adds(&b, "- ");
	for (const char *s = item; *s;) {
		size_t n = strcspn(s, "\n");

		if (s != item)
			ctr_buf_adds(&b, "\n  ");
		ctr_buf_add(&b, s, n);
		s += n + (s[n] == '\n');
	}
	if (ctr_buf_ok(&b, "item", e) < 0)
		return -1;
	return ctr_yaml_set(j->y, map, key, ctr_buf_str(&b), e);
}

/* An init container at its place in the order: behind those of the names before it. */
static int add_init(struct job *j, const char *name, const char *const *before, const char *item,
		    struct ctr_err *e)
{
	const struct ctr_yaml_node *list = ctr_yaml_get(j->o->spec, "initContainers");
	size_t at = 0, found;

	if (by_name(list, name, NULL) ||
	    by_name(ctr_yaml_get(j->o->spec, "containers"), name, NULL))
		return 0;
	for (; *before; before++) {
		if (by_name(list, *before, &found) && found + 1 > at)
			at = found + 1;
	}
	return add_item(j, j->o->spec, "initContainers", at, item, e);
}

/* An emptyDir of this name, added unless it is there. */
static int need_volume(struct job *j, const char *name, struct ctr_err *e)
{
	const struct ctr_yaml_node *v = by_name(ctr_yaml_get(j->o->spec, "volumes"), name, NULL);
	ctr_auto_buf struct ctr_buf b = { 0 };

	if (v && !ctr_yaml_get(v, "emptyDir"))
		return ctr_yaml_fail(j->y, v, e, "inject.volume",
				     "%s: volume \"%s\" must be an emptyDir", j->title, name);
	if (v)
		return 0;
	ctr_buf_addf(&b, "name: %s\nemptyDir: {}", name);
	if (ctr_buf_ok(&b, "volume", e) < 0)
		return -1;
	return add_item(j, j->o->spec, "volumes", SIZE_MAX, ctr_buf_str(&b), e);
}

/* Every container sees the secrets; those that the Initializer writes are read-only for the others. */
static const char *mount_of(const struct ctr_yaml_node *container)
{
	const char *name = ctr_yaml_text(ctr_yaml_get(container, "name"), NULL);

	return name && strcmp(name, INITIALIZER) == 0
		       ? "name: " VOLUME "\nmountPath: " MOUNT_PATH
		       : "name: " VOLUME "\nmountPath: " MOUNT_PATH "\nreadOnly: true";
}

static int mount_in(struct job *j, const char *list_key, struct ctr_err *e)
{
	const struct ctr_yaml_node *list = ctr_yaml_get(j->o->spec, list_key), *c, *m;

	for (size_t i = 0; (c = ctr_yaml_at(list, i, NULL)); i++) {
		const struct ctr_yaml_node *mounts = ctr_yaml_get(c, "volumeMounts");

		if (by_name(mounts, VOLUME, NULL))
			continue;
		for (size_t k = 0; (m = ctr_yaml_at(mounts, k, NULL)); k++) {
			const char *s = ctr_yaml_text(ctr_yaml_get(m, "mountPath"), NULL);

			if (s && strcmp(s, MOUNT_PATH) == 0)
				return ctr_yaml_fail(j->y, m, e, "inject.mount",
						     "%s: " MOUNT_PATH " is where the Initializer's files go",
						     j->title);
		}
		if (add_item(j, c, "volumeMounts", SIZE_MAX, mount_of(c), e) < 0)
			return -1;
	}
	return 0;
}

/* Nothing but a reference can stand in the snippets below. */
static int check_images(const struct inject_opts *o, struct ctr_err *e)
{
	struct ctr_imgref ref;

	if (ctr_imgref_parse(o->initializer_image, &ref, e) < 0)
		return ctr_wrap(e, "--initializer-image");
	return ctr_imgref_parse(o->mesh_image, &ref, e) < 0 ? ctr_wrap(e, "--mesh-image") : 0;
}

static int add_initializer(struct job *j, struct ctr_err *e)
{
	static const char *const before[] = { NULL };
	ctr_auto_buf struct ctr_buf b = { 0 };
	const char *renew;

	if (setting(j, ANN_RENEW, &renew, e) < 0)
		return -1;
	ctr_buf_addf(&b, "name: " INITIALIZER "\nimage: %s\n", j->opts->initializer_image);
	if (renew ? strcmp(renew, "true") == 0 : j->opts->renew)
		ctr_buf_adds(&b, "args: [--renew]\nrestartPolicy: Always\nstartupProbe:\n  exec:\n"
				 "    command: [ctr-initializer, --ready]\n  periodSeconds: 1\n"
				 "  timeoutSeconds: 5\n  failureThreshold: 3600\n");
	ctr_buf_adds(&b, "env:\n- name: COORDINATOR_HOST\n  value: ");
	ctr_json_quote(&b, j->opts->coordinator_host, strlen(j->opts->coordinator_host));
	/* as root, whatever the pod says for its own: the hardware's report is root's alone to ask for */
	ctr_buf_adds(&b, "\nsecurityContext:\n  runAsUser: 0\n  runAsNonRoot: false\nvolumeMounts:\n- name: " VOLUME
			 "\n  mountPath: " MOUNT_PATH);
	if (ctr_buf_ok(&b, "container", e) < 0)
		return -1;
	return add_init(j, INITIALIZER, before, ctr_buf_str(&b), e);
}

/* secure-pv: "device:mount", a block claim that is opened and mounted at an emptyDir of all containers. */
static int add_cryptsetup(struct job *j, const char *spec, struct ctr_err *e)
{
	static const char *const before[] = { INITIALIZER, NULL };
	const char *colon = strchr(spec, ':');
	ctr_auto_buf struct ctr_buf b = { 0 };
	ctr_auto char *device = NULL;

	device = colon ? strndup(spec, (size_t)(colon - spec)) : NULL;
	if (colon && !device)
		return ctr_fail_mem(e);
	if (!colon || !ctr_k8s_label(device) || !ctr_k8s_label(colon + 1))
		return ctr_yaml_fail(j->y, j->o->root, e, "inject.secure-pv",
				     "%s: " ANN_SECURE_PV " is \"%s\" (expected device:mount)", j->title,
				     spec);
	if (need_volume(j, colon + 1, e) < 0)
		return -1;
	ctr_buf_addf(&b, "name: " CRYPTSETUP "\nimage: %s\n", j->opts->initializer_image);
	ctr_buf_adds(&b, "command: [ctr-initializer, cryptsetup, --stay, --device, /dev/csi0, --mount, /state]\n"
			 "restartPolicy: Always\nsecurityContext:\n  privileged: true\n"
			 "  runAsUser: 0\n  runAsNonRoot: false\nstartupProbe:\n  exec:\n    command: [ctr-initializer, cryptsetup, --ready, /state]\n");
	ctr_buf_addf(&b, "volumeDevices:\n- name: %s\n  devicePath: /dev/csi0\nvolumeMounts:\n", device);
	ctr_buf_addf(&b, "- name: %s\n  mountPath: /state\n  mountPropagation: Bidirectional\n"
			 "- name: " VOLUME "\n  mountPath: " MOUNT_PATH "\n  readOnly: true", colon + 1);
	if (ctr_buf_ok(&b, "container", e) < 0)
		return -1;
	return add_init(j, CRYPTSETUP, before, ctr_buf_str(&b), e);
}

static void env_item(struct ctr_buf *b, const char *name, const char *value)
{
	if (!value)
		return;
	ctr_buf_addf(b, "- name: %s\n  value: ", name);
	ctr_json_quote(b, value, strlen(value));
	ctr_buf_addc(b, '\n');
}

static int add_mesh(struct job *j, struct ctr_err *e)
{
	static const char *const before[] = { INITIALIZER, CRYPTSETUP, NULL };
	const char *ingress, *egress, *admin;
	ctr_auto_buf struct ctr_buf b = { 0 };

	if (setting(j, ANN_INGRESS, &ingress, e) < 0 || setting(j, ANN_EGRESS, &egress, e) < 0 ||
	    setting(j, ANN_ADMIN, &admin, e) < 0)
		return -1;
	if (!ingress && !egress)
		return 0;
	ctr_buf_addf(&b, "name: " MESH "\nimage: %s\nrestartPolicy: Always\nenv:\n", j->opts->mesh_image);
	env_item(&b, "CONTRAST_INGRESS_PROXY_CONFIG", ingress ? ingress : "");
	env_item(&b, "CONTRAST_EGRESS_PROXY_CONFIG", egress);
	env_item(&b, "CONTRAST_ADMIN_PORT", admin);
	ctr_buf_adds(&b, "securityContext:\n  runAsUser: 0\n  runAsNonRoot: false\n  capabilities:\n    add: [NET_ADMIN]\n"
			 "startupProbe:\n  exec:\n    command: [test, -f, /ready]\n  periodSeconds: 1\n"
			 "  failureThreshold: 60\nvolumeMounts:\n- name: " VOLUME
			 "\n  mountPath: " MOUNT_PATH "\n  readOnly: true");
	if (ctr_buf_ok(&b, "container", e) < 0)
		return -1;
	return add_init(j, MESH, before, ctr_buf_str(&b), e);
}

static int containers(struct job *j, struct ctr_err *e)
{
	const char *skip, *role, *secure_pv;

	if (setting(j, ANN_SKIP, &skip, e) < 0 || setting(j, CTR_ANN_ROLE, &role, e) < 0 ||
	    setting(j, ANN_SECURE_PV, &secure_pv, e) < 0)
		return -1;
	if (j->opts->skip_initializer || (skip && strcmp(skip, "true") == 0) ||
	    (role && strcmp(role, "coordinator") == 0))
		return 0;
	if (check_images(j->opts, e) < 0 || need_volume(j, VOLUME, e) < 0 || add_initializer(j, e) < 0 ||
	    (secure_pv && add_cryptsetup(j, secure_pv, e) < 0) || add_mesh(j, e) < 0)
		return -1;
	if (mount_in(j, "initContainers", e) < 0)
		return -1;
	return mount_in(j, "containers", e);
}

static int runtime_class(struct job *j, struct ctr_err *e)
{
	const char *class, *want = j->opts->runtime_handler;

	if (ctr_yaml_str(j->y, j->o->spec, "runtimeClassName", &class, e) < 0)
		return -1;
	if (!want && !class)
		want = j->opts->default_class;
	if (!want || (class && strcmp(class, want) == 0))
		return 0;
	return ctr_yaml_set_string(j->y, j->o->spec, "runtimeClassName", want, e);
}

static int pin(struct job *j, const char *list_key, struct images *images, struct ctr_err *e)
{
	const struct ctr_yaml_node *list = ctr_yaml_get(j->o->spec, list_key), *c;

	for (size_t i = 0; (c = ctr_yaml_at(list, i, NULL)); i++) {
		const struct ctr_yaml_node *at = ctr_yaml_get(c, "image");
		const struct image *im;
		const char *ref;

		if (ctr_yaml_str(j->y, c, "image", &ref, e) < 0)
			return -1;
		if (!ref || *ref == '\0')
			continue; /* the pod's model says so with its name */
		if (images_get(images, ref, &im, e) < 0) {
			ctr_wrap(e, "%s", j->title);
			return ctr_yaml_fail(j->y, at, e, NULL, "-");
		}
		if (strcmp(im->pinned, ref) != 0 && ctr_yaml_replace(j->y, at, im->pinned, e) < 0)
			return -1;
	}
	return 0;
}

int inject(struct ctr_yaml *y, const struct ctr_k8s_obj *o, const struct inject_opts *opts,
	   struct images *images, struct ctr_err *e)
{
	struct job j = { .y = y, .o = o, .opts = opts };

	ctr_k8s_title(o, j.title, sizeof j.title);
	if (runtime_class(&j, e) < 0 || containers(&j, e) < 0)
		return -1;
	if (!opts->pin)
		return 0;
	return pin(&j, "initContainers", images, e) < 0 ? -1 : pin(&j, "containers", images, e);
}
