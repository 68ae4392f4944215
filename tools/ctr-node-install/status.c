#include <string.h>

#include "cmd.h"
#include "owned.h"

static const struct ctr_opt opts[] = { ROW_ROOT, ROW_KIND, { 0 } };

struct drift {
	struct ctr_json *list;
	unsigned n;
};

static void add_drift(void *ctx, const char *path, const char *what)
{
	struct drift *d = ctx;
	struct ctr_json *o = d->list ? ctr_json_add_object(d->list) : NULL;

	d->n++;
	if (o && ctr_json_set_string(o, "path", path))
		ctr_json_set_string(o, "what", what);
}

/* The active version's part of containerd's configuration, against what we would write. */
static int config_drift(const struct node *n, const struct store_version *v, struct drift *d,
			struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf shim = { 0 }, conf = { 0 };
	ctr_auto_json struct ctr_json *record = NULL;
	auto_change struct change ch = { 0 };
	struct cd_runtime r;

	if (store_read(n->root, v, &record, &r, e) < 0)
		return -1;
	ctr_buf_addf(&shim, "%s/" KATA_SHIM, v->dir);
	ctr_buf_addf(&conf, "%s/" CONFIG_KATA, v->dir);
	r.shim = ctr_buf_str(&shim);
	r.config = ctr_buf_str(&conf);
	if (change_make(n, v->handler, &r, &ch, e) < 0)
		return -1;
	if (change_any(&ch))
		add_drift(d, n->config, "content");
	return 0;
}

/* A record that cannot be read is drift like any other; a configuration that cannot is an error. */
static int check(const struct args *a, const struct store_version *v, struct drift *d)
{
	struct ctr_err why = { 0 };

	if (store_check(a->root, v, add_drift, d, &why) == 0)
		return 0;
	add_drift(d, CONFIG_RECORD, "content");
	return -1;
}

static int one(const struct args *a, const struct store_version *v, struct ctr_json *list,
	       unsigned *drifts, struct ctr_err *e)
{
	struct ctr_json *o = ctr_json_add_object(list);
	auto_node struct node n = { 0 };
	struct drift d = { 0 };
	char active[STORE_ID + 1];
	bool on;

	if (args_node(a, v->handler, &n, e) < 0 || active_version(&n, v->handler, active, e) < 0)
		return -1;
	on = strcmp(active, v->id) == 0;
	ctr_json_set_string(o, "handler", v->handler);
	ctr_json_set_string(o, "version", v->id);
	ctr_json_set_string(o, "directory", v->dir);
	ctr_json_set_string(o, "configuration", n.config);
	ctr_json_set_bool(o, "active", on);
	d.list = ctr_json_set_array(o, "drift");
	if (check(a, v, &d) == 0 && on && config_drift(&n, v, &d, e) < 0)
		return -1;
	*drifts += d.n;
	return 0;
}

/* A handler whose version is gone: containerd names what is not there. */
static int dangling(const struct args *a, struct ctr_json *list, unsigned *drifts,
		    struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf text = { 0 };
	auto_node struct node n = { 0 };
	struct owned parts;
	bool exists;

	if (node_find(a->root, a->kind, "x", &n, e) < 0 ||
	    node_read(a->root, n.config, TDOC_MAX, &text, &exists, e) < 0 ||
	    owned_find(n.config, ctr_buf_str(&text), text.n, &parts, e) < 0)
		return -1;
	for (size_t i = 0; i < parts.n; i++) {
		ctr_auto_buf struct ctr_buf dir = { 0 }, real = { 0 };
		const char *handler = parts.v[i].name + strlen("handler:");
		char id[STORE_ID + 1];

		if (strncmp(parts.v[i].name, "handler:", strlen("handler:")) != 0)
			continue;
		if (active_version(&n, handler, id, e) < 0)
			return -1;
		ctr_buf_addf(&dir, STORE_DIR "/%s-%s", handler, id);
		if (node_path(a->root, ctr_buf_str(&dir), &real, &exists, e) < 0)
			return -1;
		if (exists && id[0])
			continue;
		ctr_json_add_string(list, handler);
		++*drifts;
	}
	return 0;
}

static int run(const struct args *a, struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *top = ctr_json_new_object();
	struct ctr_json *versions = ctr_json_set_array(top, "versions");
	struct ctr_json *lost = ctr_json_set_array(top, "dangling");
	struct store_list all;
	unsigned drifts = 0;
	bool pending;

	if (store_list(a->root, &all, e) < 0 || apply_pending(a->root, &pending, e) < 0)
		return -1;
	ctr_json_set_bool(top, "unfinished", pending);
	for (size_t i = 0; i < all.n; i++) {
		if (one(a, &all.v[i], versions, &drifts, e) < 0)
			return -1;
	}
	if (dangling(a, lost, &drifts, e) < 0 || ctr_json_print(top, 2, out, e) < 0)
		return -1;
	ctr_buf_addc(out, '\n');
	if (!drifts && !pending)
		return ctr_buf_ok(out, "status", e);
	ctr_fail(e, CTR_NO, "status.drift",
		 pending ? "an earlier run did not finish" : "%u differences", drifts);
	return ctr_err_fix(e, "install again with the same configuration");
}

int cmd_status(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	struct args a = { 0 };
	int first = 0;

	t->synopsis = "[options]";
	t->summary = "Prints as JSON what is installed, what containerd uses, and what differs "
		     "from its record.";
	t->example = "ctr-node-install status --root /host";
	t->opts = opts;
	if (args_read(t, argc, argv, &a, 0, &first, e) < 0)
		return -1;
	return t->served ? 0 : run(&a, out, e);
}
