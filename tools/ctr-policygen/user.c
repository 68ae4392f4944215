/* User and groups of a container, as kubelet and containerd find them. */
#include <string.h>

#include "pod.h"

#define ID_MAX 2147483647

static int add_gid(struct pod *p, struct container *c, int64_t gid, struct ctr_err *e)
{
	size_t i = 0, n = c->n_gids;
	int64_t *to;

	while (i < n && c->gids[i] < gid)
		i++;
	if (i < n && c->gids[i] == gid)
		return 0;
	to = ARENA_PUSH(&p->mem, c->gids, c->n_gids);
	if (!to)
		return ctr_fail_mem(e);
	memmove(c->gids + i + 1, c->gids + i, (n - i) * sizeof *c->gids);
	c->gids[i] = gid;
	return 0;
}

struct member {
	struct pod *p;
	struct container *c;
};

static int member_of(void *ctx, int64_t gid, struct ctr_err *e)
{
	struct member *m = ctx;

	return add_gid(m->p, m->c, gid, e);
}

/* runAsUser and the like: the container's before the pod's. -1 when neither says. */
static int run_as(struct pod *p, const struct ctr_yaml_node *node, const char *key, int64_t *id,
		  struct ctr_err *e)
{
	const struct ctr_yaml_node *own, *pods;

	if (ctr_yaml_map(p->y, node, "securityContext", &own, e) < 0 ||
	    ctr_yaml_map(p->y, p->obj->spec, "securityContext", &pods, e) < 0 ||
	    ctr_yaml_int(p->y, own, key, 0, ID_MAX, -1, id, e) < 0)
		return -1;
	return *id < 0 ? ctr_yaml_int(p->y, pods, key, 0, ID_MAX, -1, id, e) : 0;
}

/* The user half of the image's User: kubelet does not pass the group half on. */
static int image_user(struct pod *p, struct container *c, const struct accounts *acc,
		      struct ctr_err *e)
{
	const char *user = c->image->config.user;
	size_t n = strcspn(user, ":");
	const struct account *a;
	struct ctr_err why = { 0 };
	uint64_t id;
	char *name;

	c->uid = 0;
	if (n == 0)
		return 0;
	name = arena_mem(&p->mem, user, n);
	if (!name)
		return ctr_fail_mem(e);
	if (name[strspn(name, "0123456789")] == '\0') {
		if (ctr_number(name, "user", 0, ID_MAX, &id, &why) < 0)
			return pod_fail(p, c->node, e, "user.range", "the image's user %s is too large",
					name);
		c->uid = (int64_t)id;
		return 0;
	}
	a = accounts_by_name(acc, name);
	if (!a) {
		pod_fail(p, c->node, e, "user.unknown",
			 "the image's user \"%s\" is not in its /etc/passwd", name);
		return ctr_err_fix(e, "set runAsUser and runAsGroup");
	}
	if (a->uid < 0 || a->uid > ID_MAX || a->gid < 0 || a->gid > ID_MAX)
		return pod_fail(p, c->node, e, "user.range", "the ids of user \"%s\" are out of range",
				name);
	c->uid = a->uid;
	return 0;
}

static int pod_groups(struct pod *p, struct container *c, struct ctr_err *e)
{
	const struct ctr_yaml_node *sc, *list, *g;
	size_t n;

	if (p->fs_group >= 0 && add_gid(p, c, p->fs_group, e) < 0)
		return -1;
	if (ctr_yaml_map(p->y, p->obj->spec, "securityContext", &sc, e) < 0 ||
	    ctr_yaml_seq(p->y, sc, "supplementalGroups", &list, e) < 0)
		return -1;
	for (size_t i = 0; (g = ctr_yaml_at(list, i, NULL)); i++) {
		const char *s = ctr_yaml_text(g, &n);
		struct ctr_err why = { 0 };
		uint64_t id;

		if (!s || ctr_yaml_type(g) != CTR_YAML_INT ||
		    ctr_number(s, "group", 0, ID_MAX, &id, &why) < 0)
			return pod_fail(p, g, e, "yaml.type", "supplementalGroups: expected a group id");
		if (add_gid(p, c, (int64_t)id, e) < 0)
			return -1;
	}
	return 0;
}

/*
 * Where the guest pulls the image the runtime has no files of it, so that what comes from them is not what the
 * runtime will ask for. Said aloud, since the pod would be refused at start.
 */
static void warn_guest_pull(struct pod *p, const struct pod_source *src, const struct container *c,
			    bool by_name, int64_t group, bool member)
{
	if (by_name || (group < 0 && c->gid != 0) || member)
		pod_warn(p, src, c->node, "user.from-image",
			 "container \"%s\": user or groups come from the image's files; where the guest pulls images, set runAsUser, runAsGroup and supplementalGroups",
			 c->name);
}

/* kubelet would not start it; a host that does would find it allowed. */
static int check_non_root(struct pod *p, const struct container *c, struct ctr_err *e)
{
	const struct ctr_yaml_node *own, *pods;
	bool non_root;

	if (ctr_yaml_map(p->y, c->node, "securityContext", &own, e) < 0 ||
	    ctr_yaml_map(p->y, p->obj->spec, "securityContext", &pods, e) < 0 ||
	    ctr_yaml_bool(p->y, pods, "runAsNonRoot", false, &non_root, e) < 0 ||
	    ctr_yaml_bool(p->y, own, "runAsNonRoot", non_root, &non_root, e) < 0)
		return -1;
	if (!non_root || c->uid != 0)
		return 0;
	pod_fail(p, c->node, e, "user.root", "container \"%s\" would run as root, against runAsNonRoot",
		 c->name);
	return ctr_err_fix(e, "set runAsUser");
}

int container_user(struct pod *p, const struct pod_source *src, struct container *c,
		   struct ctr_err *e)
{
	static const struct accounts none = { 0 };
	struct member m = { p, c };
	const struct accounts *acc = &none;
	const struct account *a;
	int64_t user, group;
	size_t before;

	if (run_as(p, c->node, "runAsUser", &user, e) < 0 ||
	    run_as(p, c->node, "runAsGroup", &group, e) < 0)
		return -1;
	if (src->settings->image_accounts && image_accounts(src->images, c->image, &acc, e) < 0)
		return pod_fail(p, ctr_yaml_get(c->node, "image"), e, NULL, "-");
	c->uid = user;
	if ((user < 0 && image_user(p, c, acc, e) < 0) || check_non_root(p, c, e) < 0)
		return -1;
	a = accounts_by_uid(acc, c->uid);
	c->gid = group >= 0 ? group : a ? a->gid : 0;
	if (c->gid < 0 || c->gid > ID_MAX)
		return pod_fail(p, c->node, e, "user.range", "the primary group is out of range");
	if (add_gid(p, c, c->gid, e) < 0)
		return -1;
	before = c->n_gids;
	if (a && accounts_groups_of(acc, a->name, member_of, &m, e) < 0)
		return -1;
	warn_guest_pull(p, src, c,
			user < 0 && c->image->config.user[strspn(c->image->config.user, "0123456789:")],
			group, c->n_gids > before);
	return pod_groups(p, c, e);
}
