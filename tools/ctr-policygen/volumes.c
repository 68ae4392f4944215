/* Volumes of the pod, and what a container mounts of them. */
#include <string.h>

#include "config.h"
#include "path.h"

static int host_path(struct pod *p, const struct pod_source *src, struct volume *v,
		     const struct ctr_yaml_node *at, struct ctr_err *e)
{
	const char *path;

	if (pod_str(p, at, "path", &path, e) < 0)
		return -1;
	v->kind = VOL_PATH;
	v->path = path_clean(&p->mem, path);
	if (!v->path || (strncmp(v->path, "/dev/", 5) != 0 && strncmp(v->path, "/sys/", 5) != 0)) {
		pod_fail(p, at, e, "volume.host-path",
			 "hostPath \"%s\": the host would choose the content", path);
		return ctr_err_fix(e, "use an emptyDir, or a block volume that the pod encrypts");
	}
	pod_warn(p, src, at, "volume.guest-path", "hostPath \"%s\" is a path of the guest", path);
	return 0;
}

static int empty_dir(struct pod *p, struct volume *v, const struct ctr_yaml_node *at,
		     struct ctr_err *e)
{
	const char *medium;

	if (ctr_yaml_str(p->y, at, "medium", &medium, e) < 0)
		return -1;
	if (!medium || *medium == '\0')
		v->kind = VOL_DISK;
	else if (strcmp(medium, "Memory") == 0)
		v->kind = VOL_MEMORY;
	else
		return pod_fail(p, at, e, "volume.medium", "unsupported medium \"%s\"", medium);
	return 0;
}

static int volume_kind(struct pod *p, const struct pod_source *src, struct volume *v,
		       const char *kind, const struct ctr_yaml_node *at, struct ctr_err *e)
{
	if (strcmp(kind, "emptyDir") == 0)
		return empty_dir(p, v, at, e);
	if (strcmp(kind, "hostPath") == 0)
		return host_path(p, src, v, at, e);
	if (strcmp(kind, "persistentVolumeClaim") == 0 || strcmp(kind, "ephemeral") == 0) {
		v->kind = VOL_COPY;
		return 0;
	}
	v->kind = VOL_FILES;
	if (strcmp(kind, "configMap") == 0 || strcmp(kind, "secret") == 0 ||
	    strcmp(kind, "projected") == 0 || strcmp(kind, "downwardAPI") == 0)
		return volume_files(p, src, v, e);
	pod_fail(p, at, e, "volume.kind", "unsupported kind of volume \"%s\"", kind);
	return ctr_err_fix(e, "use emptyDir, configMap, secret, projected or a block claim");
}

static struct volume *find(struct pod *p, const char *name)
{
	for (size_t i = 0; i < p->n_volumes; i++) {
		if (strcmp(p->volumes[i].name, name) == 0)
			return &p->volumes[i];
	}
	return NULL;
}

static int volume_name(struct pod *p, const struct ctr_yaml_node *node, const char **name,
		       struct ctr_err *e)
{
	if (pod_str(p, node, "name", name, e) < 0)
		return -1;
	return ctr_k8s_label(*name) ? 0
				    : pod_fail(p, node, e, "k8s.name", "volume name \"%s\" is no DNS label",
					       *name);
}

static int add_volume(struct pod *p, const struct pod_source *src, const struct ctr_yaml_node *node,
		      struct ctr_err *e)
{
	const struct ctr_yaml_node *at;
	struct volume *v;
	const char *name, *kind;
	size_t kinds = 0;

	if (volume_name(p, node, &name, e) < 0)
		return -1;
	if (find(p, name))
		return pod_fail(p, node, e, "volume.duplicate", "two volumes \"%s\"", name);
	v = ARENA_PUSH(&p->mem, p->volumes, p->n_volumes);
	if (!v)
		return ctr_fail_mem(e);
	*v = (struct volume){ .name = name, .node = node };
	for (size_t i = 0; (at = ctr_yaml_at(node, i, &kind)); i++) {
		if (strcmp(kind, "name") == 0 || ctr_yaml_null(at))
			continue;
		if (volume_kind(p, src, v, kind, at, e) < 0)
			return -1;
		kinds++;
	}
	if (kinds > 1)
		return pod_fail(p, node, e, "volume.kind", "volume \"%s\" is of two kinds", name);
	return 0; /* of no kind at all: Kubernetes makes it an emptyDir, as the zeroed struct says */
}

/* A StatefulSet's claims are volumes of each pod; one of the same name in the template gives way. */
static int add_claims(struct pod *p, struct ctr_err *e)
{
	const struct ctr_yaml_node *spec = ctr_yaml_get(p->obj->root, "spec"), *list, *t;
	const char *name;

	if (p->obj->type != CTR_K8S_STATEFULSET)
		return 0;
	if (ctr_yaml_seq(p->y, spec, "volumeClaimTemplates", &list, e) < 0)
		return -1;
	for (size_t i = 0; (t = ctr_yaml_at(list, i, NULL)); i++) {
		struct volume *v;

		if (volume_name(p, ctr_yaml_get(t, "metadata"), &name, e) < 0)
			return -1;
		v = find(p, name);
		if (!v)
			v = ARENA_PUSH(&p->mem, p->volumes, p->n_volumes);
		if (!v)
			return ctr_fail_mem(e);
		*v = (struct volume){ .name = name, .node = t, .kind = VOL_COPY };
	}
	return 0;
}

int pod_volumes(struct pod *p, const struct pod_source *src, struct ctr_err *e)
{
	const struct ctr_yaml_node *list, *node;

	if (ctr_yaml_seq(p->y, p->obj->spec, "volumes", &list, e) < 0)
		return -1;
	for (size_t i = 0; (node = ctr_yaml_at(list, i, NULL)); i++) {
		if (add_volume(p, src, node, e) < 0)
			return -1;
	}
	/* image VOLUMEs share this one; no Kubernetes name is like it */
	struct volume *v = ARENA_PUSH(&p->mem, p->volumes, p->n_volumes);

	if (!v)
		return ctr_fail_mem(e);
	*v = (struct volume){ .name = "!", .kind = VOL_EMPTY };
	return add_claims(p, e);
}

static int propagation(struct pod *p, const struct ctr_yaml_node *node, struct mount *m,
		       struct ctr_err *e)
{
	const char *s;

	if (ctr_yaml_str(p->y, node, "mountPropagation", &s, e) < 0)
		return -1;
	if (!s || strcmp(s, "None") == 0)
		m->propagation = "rprivate";
	else if (strcmp(s, "HostToContainer") == 0)
		m->propagation = "rslave";
	else if (strcmp(s, "Bidirectional") == 0)
		m->propagation = "rshared";
	else
		return pod_fail(p, node, e, "mount.propagation", "unknown mountPropagation \"%s\"", s);
	return 0;
}

/* subPath of one file of a ConfigMap or Secret is that file's copy; anything else could lead elsewhere. */
static int sub_path(struct pod *p, const struct ctr_yaml_node *node, struct mount *m,
		    struct ctr_err *e)
{
	const char *s, *expr;

	if (ctr_yaml_str(p->y, node, "subPath", &s, e) < 0 ||
	    ctr_yaml_str(p->y, node, "subPathExpr", &expr, e) < 0)
		return -1;
	if (expr && *expr)
		return pod_fail(p, ctr_yaml_get(node, "subPathExpr"), e, "mount.sub-path",
				"subPathExpr is not supported");
	if (!s || *s == '\0')
		return 0;
	if (m->vol->kind == VOL_FILES) {
		for (size_t i = 0; i < m->vol->n_files; i++) {
			const struct vfile *f = &m->vol->files[i];

			if (strcmp(f->path, s) == 0 || (strcmp(f->path, "*") == 0 && !strchr(s, '/') &&
							strncmp(s, "..", 2) != 0)) {
				m->file = s;
				m->file_size = f->size;
				return 0;
			}
		}
	}
	pod_fail(p, ctr_yaml_get(node, "subPath"), e, "mount.sub-path",
		 "subPath \"%s\" is not a file of the volume", s);
	return ctr_err_fix(e, "mount the whole volume, or name one key of a ConfigMap or Secret");
}

static void warn_host_content(struct pod *p, const struct pod_source *src,
			      const struct ctr_yaml_node *node, struct volume *v)
{
	if (v->used)
		return;
	v->used = true;
	if (v->kind == VOL_COPY)
		pod_warn(p, src, node, "policy.host-content",
			 "volume \"%s\": the host chooses the content; use a block claim with secure-pv",
			 v->name);
	if (v->kind == VOL_FILES && v->config)
		pod_warn(p, src, node, "policy.host-content",
			 "volume \"%s\": the host can change the content of its files, only names and sizes are held",
			 v->name);
}

static int add_mount(struct pod *p, const struct pod_source *src, struct container *c,
		     const struct ctr_yaml_node *node, struct ctr_err *e)
{
	struct mount m = { 0 };
	const char *name, *path;
	struct volume *v;

	if (pod_str(p, node, "name", &name, e) < 0 || pod_str(p, node, "mountPath", &path, e) < 0 ||
	    ctr_yaml_bool(p->y, node, "readOnly", false, &m.ro, e) < 0)
		return -1;
	v = find(p, name);
	if (!v || v->kind == VOL_EMPTY)
		return pod_fail(p, node, e, "mount.volume", "no volume \"%s\" in the pod", name);
	m.vol = v;
	m.ro = m.ro || v->kind == VOL_FILES; /* kubelet mounts these read-only whatever the pod says */
	m.dest = path_clean(&p->mem, path);
	if (!m.dest || strcmp(m.dest, "/") == 0)
		return pod_fail(p, node, e, "mount.path", "mountPath \"%s\" is no clean path below /",
				path);
	for (size_t i = 0; i < c->n_mounts; i++) {
		if (strcmp(c->mounts[i].dest, m.dest) == 0)
			return pod_fail(p, node, e, "mount.duplicate", "two mounts at %s", m.dest);
	}
	if (propagation(p, node, &m, e) < 0 || sub_path(p, node, &m, e) < 0)
		return -1;
	if (strcmp(m.propagation, "rshared") == 0 && !c->privileged)
		return pod_fail(p, node, e, "mount.propagation",
				"Bidirectional needs a privileged container");
	if (strcmp(m.propagation, "rshared") == 0 ||
	    (strcmp(m.propagation, "rslave") == 0 && *c->root_propagation == '\0'))
		c->root_propagation = m.propagation;
	warn_host_content(p, src, node, v);
	struct mount *to = ARENA_PUSH(&p->mem, c->mounts, c->n_mounts);

	if (!to)
		return ctr_fail_mem(e);
	*to = m;
	return 0;
}

static bool covered(const struct container *c, const char *dest)
{
	for (size_t i = 0; i < c->n_mounts; i++) {
		if (strcmp(c->mounts[i].dest, dest) == 0)
			return true;
	}
	return false;
}

/*
 * The runtime gives a VOLUME of the image that the pod does not mount an anonymous directory of the host. The policy
 * takes it empty only; a name that another volume of the container uses too would let that one's files in.
 */
static int image_volumes(struct pod *p, const struct pod_source *src, struct container *c,
			 struct ctr_err *e)
{
	size_t own = c->n_mounts;

	for (size_t i = 0; i < c->image->config.volumes.n; i++) {
		const char *dest = path_clean(&p->mem, c->image->config.volumes.v[i]);
		struct mount *m;

		if (!dest || strcmp(dest, "/") == 0)
			return pod_fail(p, c->node, e, "image.volume",
					"the image's VOLUME \"%s\" is no clean path below /",
					c->image->config.volumes.v[i]);
		if (covered(c, dest))
			continue;
		for (size_t k = 0; k < own; k++) {
			if (c->mounts[k].vol->kind != VOL_DISK && c->mounts[k].vol->kind != VOL_MEMORY &&
			    strcmp(strrchr(c->mounts[k].dest, '/'), strrchr(dest, '/')) == 0) {
				pod_fail(p, c->node, e, "image.volume",
					 "the image's VOLUME %s is not mounted, and has the base name of %s",
					 dest, c->mounts[k].dest);
				return ctr_err_fix(e, "mount an emptyDir at %s", dest);
			}
		}
		pod_warn(p, src, c->node, "image.volume",
			 "the image's VOLUME %s is not mounted by the pod: held empty at start", dest);
		m = ARENA_PUSH(&p->mem, c->mounts, c->n_mounts);
		if (!m)
			return ctr_fail_mem(e);
		*m = (struct mount){ .dest = dest, .vol = find(p, "!"), .propagation = "rprivate" };
	}
	return 0;
}

static int add_device(struct pod *p, struct container *c, const struct ctr_yaml_node *node,
		      struct ctr_err *e)
{
	const char *name, *path;
	const struct volume *v;
	const char **to;

	if (pod_str(p, node, "name", &name, e) < 0 || pod_str(p, node, "devicePath", &path, e) < 0)
		return -1;
	v = find(p, name);
	if (!v || v->kind != VOL_COPY)
		return pod_fail(p, node, e, "mount.volume", "no claim \"%s\" in the pod", name);
	path = path_clean(&p->mem, path);
	if (!path || strncmp(path, "/dev/", 5) != 0 || strcmp(path, "/dev/trusted_store") == 0)
		return pod_fail(p, node, e, "device.path",
				"devicePath must be a clean path below /dev, other than trusted_store");
	for (size_t i = 0; i < c->devices.n; i++) {
		if (strcmp(c->devices.v[i], path) == 0)
			return pod_fail(p, node, e, "mount.duplicate", "two devices at %s", path);
	}
	to = ARENA_PUSH(&p->mem, c->devices.v, c->devices.n);
	if (!to)
		return ctr_fail_mem(e);
	*to = path;
	return 0;
}

/*
 * Another mount, by the name that the pod gives it. Unlike the others kubelet does not leave it out for one of the pod's
 * own at its place: two mounts there would be what no policy takes.
 */
static int check_termination_path(struct pod *p, const struct container *c, struct ctr_err *e)
{
	static const char *const taken[] = {
		"/etc/hosts",	   "/etc/hostname", "/etc/resolv.conf", "/var/run/secrets/kubernetes.io/serviceaccount",
		"/proc",	   "/dev",	    "/dev/pts",		"/dev/mqueue",
		"/dev/shm",	   "/sys",	    "/sys/fs/cgroup",
	};
	const struct ctr_yaml_node *at = ctr_yaml_get(c->node, "terminationMessagePath");
	const char *path = c->termination_path ? c->termination_path : "/dev/termination-log";
	bool twice = covered(c, path);

	if (!path_is_clean(path))
		return pod_fail(p, at, e, "mount.path",
				"terminationMessagePath \"%s\" is no clean path below /", path);
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
		twice = twice || strcmp(path, taken[i]) == 0;
	if (!twice)
		return 0;
	pod_fail(p, at ? at : c->node, e, "mount.duplicate", "%s is the terminationMessagePath and another mount",
		 path);
	return ctr_err_fix(e, "set terminationMessagePath to a path of its own");
}

int container_mounts(struct pod *p, const struct pod_source *src, struct container *c,
		     struct ctr_err *e)
{
	const struct ctr_yaml_node *mounts, *devices, *m;

	if (ctr_yaml_seq(p->y, c->node, "volumeMounts", &mounts, e) < 0 ||
	    ctr_yaml_seq(p->y, c->node, "volumeDevices", &devices, e) < 0)
		return -1;
	for (size_t i = 0; (m = ctr_yaml_at(mounts, i, NULL)); i++) {
		if (add_mount(p, src, c, m, e) < 0)
			return -1;
	}
	for (size_t i = 0; (m = ctr_yaml_at(devices, i, NULL)); i++) {
		if (add_device(p, c, m, e) < 0)
			return -1;
	}
	return image_volumes(p, src, c, e) < 0 ? -1 : check_termination_path(p, c, e);
}
