#include "containerd.h"

#include <string.h>

#include "json.h"
#include "owned.h"

#define KATA_TYPE "io.containerd.kata.v2"

/* The plugin that has the runtimes, as a key: schema 3 split it in two. */
static const char *runtime_plugin(unsigned version)
{
	static const char *const name[] = {
		[1] = "cri",
		[2] = "\"io.containerd.grpc.v1.cri\"",
		[3] = "\"io.containerd.cri.v1.runtime\"",
		[4] = "\"io.containerd.cri.v1.runtime\"",
	};

	return name[version];
}

int cd_version(const char *file, const struct tdoc *d, unsigned *version, struct ctr_err *e)
{
	const struct tdoc_entry *v = tdoc_find(d, "version");

	*version = tdoc_blank(d) ? 0 : 1;
	if (!v)
		return 0;
	if (v->value && strlen(v->value) == 1 && *v->value >= '1' && *v->value <= '4') {
		*version = (unsigned)(*v->value - '0');
		return 0;
	}
	ctr_fail(e, CTR_FORMAT, "containerd.version", "%s, line %u: version = %s (expected 1 to 4)",
		 file, v->line, v->value ? v->value : "a table");
	return -1;
}

static void add_string(struct ctr_buf *b, const char *key, const char *value)
{
	ctr_buf_addf(b, "  %s = ", key);
	ctr_json_quote(b, value, strlen(value));
	ctr_buf_addc(b, '\n');
}

void cd_body(unsigned version, const struct cd_runtime *r, struct ctr_buf *b)
{
	const char *plugin = runtime_plugin(version);

	ctr_buf_addf(b, "[plugins.%s.containerd.runtimes.%s]\n", plugin, r->handler);
	add_string(b, "runtime_type", KATA_TYPE);
	add_string(b, "runtime_path", r->shim);
	ctr_buf_adds(b, "  privileged_without_host_devices = true\n"
			"  pod_annotations = [\"io.katacontainers.*\"]\n");
	if (r->snapshotter)
		add_string(b, "snapshotter", r->snapshotter);
	ctr_buf_addf(b, "[plugins.%s.containerd.runtimes.%s.options]\n", plugin, r->handler);
	add_string(b, "ConfigPath", r->config);
	if (r->snapshotter && version >= 3) {
		/* images are pulled by a plugin of their own, which has to know as well */
		ctr_buf_addf(b, "[plugins.\"io.containerd.cri.v1.images\".runtime_platforms.%s]\n",
			     r->handler);
		add_string(b, "snapshotter", r->snapshotter);
	}
}

void cd_proxy_body(const struct cd_runtime *r, struct ctr_buf *b)
{
	ctr_buf_addf(b, "[proxy_plugins.%s]\n", r->snapshotter);
	add_string(b, "type", "snapshot");
	add_string(b, "address", r->address);
}

bool cd_has_handler(const struct tdoc *d, unsigned version, const char *handler)
{
	ctr_auto_buf struct ctr_buf path = { 0 };

	ctr_buf_addf(&path, "plugins.%s.containerd.runtimes.%s",
		     runtime_plugin(version ? version : 2), handler);
	return tdoc_find(d, ctr_buf_str(&path)) != NULL;
}

const char *cd_kata_config(const struct tdoc *d, unsigned version, const char *handler)
{
	ctr_auto_buf struct ctr_buf path = { 0 };
	const struct tdoc_entry *v;

	ctr_buf_addf(&path, "plugins.%s.containerd.runtimes.%s.options.ConfigPath",
		     runtime_plugin(version ? version : 2), handler);
	v = tdoc_find(d, ctr_buf_str(&path));
	return v ? v->value : NULL;
}

static int taken(const struct cd_file *f, const char *what, const char *name, struct ctr_err *e)
{
	ctr_fail(e, CTR_FORMAT, "containerd.taken", "%s: %s %s is there already, and not ours",
		 f->name, what, name);
	return ctr_err_fix(e, "choose another name, or take it out of the file first");
}

/* A file as we look at it: our parts, the rest, and what both say. */
struct view {
	struct owned parts;
	struct ctr_buf rest, inside;
	struct tdoc all, others, ours;
};

static void view_free(struct view *v)
{
	ctr_buf_free(&v->rest);
	ctr_buf_free(&v->inside);
	tdoc_free(&v->all);
	tdoc_free(&v->others);
	tdoc_free(&v->ours);
}
#define auto_view CTR_AUTO(view_free)

/* In a template: behind a part of ours comes a table, an action or the end; a bare key would be
 * ours. */
static bool bare_key_follows(const char *p, size_t n, const struct owned_part *part)
{
	size_t at = part->to;

	while (at < n) {
		size_t end = at;

		while (at < n && (p[at] == ' ' || p[at] == '\t'))
			at++;
		if (at < n && !strchr("#\r\n", p[at]))
			return p[at] != '[' && !(p[at] == '{' && n - at > 1 && p[at + 1] == '{');
		for (end = at; end < n && p[end] != '\n';)
			end++;
		at = end + (end < n);
	}
	return false;
}

static int entangled(const char *file, struct ctr_err *e)
{
	ctr_fail(e, CTR_FORMAT, "containerd.entangled", "%s: other keys stand in a table of ours",
		 file);
	return ctr_err_fix(
		e, "move what follows our part in front of it, or give it a table's header");
}

static int view_make(const struct cd_file *f, const char *p, size_t n, struct view *v,
		     struct ctr_err *e)
{
	if (owned_find(f->name, p, n, &v->parts, e) < 0)
		return -1;
	owned_rest(p, n, &v->parts, &v->rest);
	owned_inside(p, &v->parts, &v->inside);
	if (ctr_buf_ok(&v->rest, f->name, e) < 0 || ctr_buf_ok(&v->inside, f->name, e) < 0)
		return -1;
	if (f->is_template) {
		for (size_t i = 0; i < v->parts.n; i++) {
			if (bare_key_follows(p, n, &v->parts.v[i]))
				return entangled(f->name, e);
		}
		return 0;
	}
	if (tdoc_parse(f->name, p, n, &v->all, e) < 0 ||
	    tdoc_parse(f->name, ctr_buf_str(&v->rest), v->rest.n, &v->others, e) < 0 ||
	    tdoc_parse(f->name, ctr_buf_str(&v->inside), v->inside.n, &v->ours, e) < 0)
		return -1;
	if (tdoc_is_sum(&v->all, &v->others, &v->ours))
		return 0;
	return entangled(f->name, e);
}

/* What was written reads as it should, and the bytes of others are the same. */
static int check(const struct cd_file *f, const struct view *before, const struct ctr_buf *out,
		 struct ctr_err *e)
{
	auto_view struct view after = { 0 };

	if (ctr_buf_ok(out, f->name, e) < 0 ||
	    view_make(f, ctr_buf_str(out), out->n, &after, e) < 0)
		return ctr_wrap(e, "after the change");
	if (!ctr_buf_same(&before->rest, &after.rest))
		return ctr_fail(e, CTR_FORMAT, "containerd.entangled",
				"%s: the change would reach beyond our part", f->name);
	return 0;
}

/* In a template the names can only be looked for as text. */
static bool mentions(const struct ctr_buf *text, const char *fmt, const char *name)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	ctr_buf_addf(&b, "%s%s]", fmt, name);
	return text->n && strstr(ctr_buf_str(text), ctr_buf_str(&b));
}

static int free_to_use(const struct cd_file *f, const struct view *v, unsigned version,
		       const struct cd_runtime *r, struct ctr_err *e)
{
	if (f->is_template ? mentions(&v->rest, ".containerd.runtimes.", r->handler)
			   : cd_has_handler(&v->others, version, r->handler))
		return taken(f, "the runtime handler", r->handler, e);
	return 0;
}

/* *ours: the proxy plugin is ours to write. One that says the same is somebody else's to keep. */
static int proxy_state(const struct cd_file *f, const struct view *v, const struct cd_runtime *r,
		       bool *ours, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf type = { 0 }, address = { 0 }, want = { 0 };
	const struct tdoc_entry *t, *a;

	*ours = r->snapshotter && r->address;
	if (!*ours)
		return 0;
	if (f->is_template)
		return mentions(&v->rest, "proxy_plugins.", r->snapshotter)
			       ? taken(f, "the snapshotter", r->snapshotter, e)
			       : 0;
	ctr_buf_addf(&type, "proxy_plugins.%s.type", r->snapshotter);
	ctr_buf_addf(&address, "proxy_plugins.%s.address", r->snapshotter);
	ctr_json_quote(&want, r->address, strlen(r->address));
	t = tdoc_find(&v->others, ctr_buf_str(&type));
	a = tdoc_find(&v->others, ctr_buf_str(&address));
	if (!t && !a)
		return 0;
	*ours = false;
	if (t && a && t->value && a->value && strcmp(t->value, "\"snapshot\"") == 0 &&
	    strcmp(a->value, ctr_buf_str(&want)) == 0)
		return 0;
	return taken(f, "the snapshotter", r->snapshotter, e);
}

/* owned_put on a text that is replaced by the result. */
static int put(struct ctr_buf *text, const char *file, const char *name, const char *body,
	       struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf out = { 0 };
	struct owned parts;

	if (owned_find(file, ctr_buf_str(text), text->n, &parts, e) < 0 ||
	    owned_put(ctr_buf_str(text), text->n, &parts, name, body, &out, e) < 0)
		return -1;
	ctr_buf_reset(text);
	ctr_buf_add(text, ctr_buf_str(&out), out.n);
	return ctr_buf_ok(text, file, e);
}

/* What has to stand in front of our tables in a file that is new, or that has only comments. */
static int put_start(const struct cd_file *f, const struct view *v, unsigned *version,
		     struct ctr_buf *text, struct ctr_err *e)
{
	char says_version[] = "version = 2\n";

	*version = f->version;
	if (!f->is_template && cd_version(f->name, &v->all, version, e) < 0)
		return -1;
	if (f->is_template)
		return f->created ? put(text, f->name, CD_CREATED, "{{ template \"base\" . }}\n", e)
				  : 0;
	if (*version)
		return 0;
	*version = f->version ? f->version : 2;
	says_version[10] = (char)('0' + *version);
	return put(text, f->name, f->created ? CD_CREATED : "version", says_version, e);
}

/* A snapshotter of ours that no handler of ours asks for any more. */
static const struct owned_part *unused_snapshotter(const char *p, const struct owned *o)
{
	static const char word[] = "snapshotter:";

	for (size_t i = 0; i < o->n; i++) {
		ctr_auto_buf struct ctr_buf in = { 0 }, ask = { 0 };

		if (strncmp(o->v[i].name, word, strlen(word)) != 0)
			continue;
		ctr_buf_addf(&ask, "snapshotter = \"%s\"", o->v[i].name + strlen(word));
		for (size_t k = 0; k < o->n; k++) {
			if (k != i)
				ctr_buf_add(&in, p + o->v[k].in, o->v[k].end - o->v[k].in);
		}
		if (!strstr(ctr_buf_str(&in), ctr_buf_str(&ask)))
			return &o->v[i];
	}
	return NULL;
}

static int drop(struct ctr_buf *text, const char *file, const char *name, const char *keep,
		struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf out = { 0 };
	struct owned parts;

	if (owned_find(file, ctr_buf_str(text), text->n, &parts, e) < 0)
		return -1;
	owned_drop(ctr_buf_str(text), text->n, &parts, name, keep, &out);
	ctr_buf_reset(text);
	ctr_buf_add(text, ctr_buf_str(&out), out.n);
	return ctr_buf_ok(text, file, e);
}

/* Takes out what served a handler that is gone, or that asks for another snapshotter now. */
static int drop_unused(struct ctr_buf *text, const char *file, const char *keep, struct ctr_err *e)
{
	const struct owned_part *unused;
	struct owned parts;

	if (owned_find(file, ctr_buf_str(text), text->n, &parts, e) < 0)
		return -1;
	unused = unused_snapshotter(ctr_buf_str(text), &parts);
	return unused ? drop(text, file, unused->name, keep, e) : 0;
}

/*
 * containerd 1.x forgets its built-in runc as soon as a file names any runtime: where nobody did,
 * our handler would leave the node without a default.
 */
static bool lacks_runc(const struct cd_file *f, const struct view *v, unsigned version)
{
	ctr_auto_buf struct ctr_buf runtimes = { 0 }, chosen = { 0 };
	const struct tdoc_entry *name;

	if (f->is_template || version > 2)
		return false;
	ctr_buf_addf(&runtimes, "plugins.%s.containerd.runtimes.", runtime_plugin(version));
	ctr_buf_addf(&chosen, "plugins.%s.containerd.default_runtime_name",
		     runtime_plugin(version));
	for (size_t i = 0; i < v->others.n; i++) {
		if (strncmp(v->others.v[i].path, ctr_buf_str(&runtimes), runtimes.n) == 0)
			return false;
	}
	name = tdoc_find(&v->others, ctr_buf_str(&chosen));
	return !name || !name->value || strcmp(name->value, "\"runc\"") == 0;
}

static int put_runc(const struct cd_file *f, unsigned version, struct ctr_buf *text,
		    struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf body = { 0 };

	ctr_buf_addf(&body,
		     "# containerd's default, which it leaves out once a file names a runtime\n"
		     "[plugins.%s.containerd.runtimes.runc]\n  runtime_type = "
		     "\"io.containerd.runc.v2\"\n",
		     runtime_plugin(version));
	return ctr_buf_ok(&body, f->name, e) < 0 ? -1 : put(text, f->name, "runc", body.p, e);
}

int cd_put(const struct cd_file *f, const struct cd_runtime *r, struct ctr_buf *out,
	   struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf text = { 0 }, body = { 0 }, proxy = { 0 }, name = { 0 };
	auto_view struct view v = { 0 };
	unsigned version = 0;
	bool own_proxy;

	if (f->n)
		ctr_buf_add(&text, f->p, f->n);
	if (view_make(f, ctr_buf_str(&text), text.n, &v, e) < 0 ||
	    put_start(f, &v, &version, &text, e) < 0 || free_to_use(f, &v, version, r, e) < 0 ||
	    proxy_state(f, &v, r, &own_proxy, e) < 0)
		return -1;
	if (lacks_runc(f, &v, version) && put_runc(f, version, &text, e) < 0)
		return -1;
	ctr_buf_addf(&name, "handler:%s", r->handler);
	cd_body(version, r, &body);
	if (ctr_buf_ok(&body, f->name, e) < 0 ||
	    put(&text, f->name, ctr_buf_str(&name), ctr_buf_str(&body), e) < 0)
		return -1;
	if (own_proxy) {
		cd_proxy_body(r, &proxy);
		ctr_buf_reset(&name);
		ctr_buf_addf(&name, "snapshotter:%s", r->snapshotter);
		if (put(&text, f->name, ctr_buf_str(&name), ctr_buf_str(&proxy), e) < 0)
			return -1;
	}
	if (drop_unused(&text, f->name, NULL, e) < 0)
		return -1;
	ctr_buf_add(out, ctr_buf_str(&text), text.n);
	return check(f, &v, out, e);
}

/* Others put tables of a later schema into a file whose version is ours: without it containerd
 * would read them as schema 1, and pass over them in silence. */
static const char *kept_version(const struct cd_file *f, const struct view *v)
{
	static const char *const names[] = { CD_CREATED, "version" };

	if (f->is_template || tdoc_blank(&v->others) || tdoc_find(&v->others, "version"))
		return NULL;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (owned_get(&v->parts, names[i]))
			return names[i];
	}
	return NULL;
}

int cd_drop(const struct cd_file *f, const char *handler, struct ctr_buf *out, bool *gone,
	    struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf text = { 0 }, name = { 0 };
	auto_view struct view v = { 0 };
	const char *keep;

	*gone = false;
	if (f->n)
		ctr_buf_add(&text, f->p, f->n);
	if (view_make(f, ctr_buf_str(&text), text.n, &v, e) < 0)
		return -1;
	keep = kept_version(f, &v);
	ctr_buf_addf(&name, "handler:%s", handler);
	if (owned_get(&v.parts, ctr_buf_str(&name)) &&
	    drop(&text, f->name, ctr_buf_str(&name), keep, e) < 0)
		return -1;
	if (drop_unused(&text, f->name, keep, e) < 0)
		return -1;
	ctr_buf_add(out, ctr_buf_str(&text), text.n);
	*gone = out->n == 0 && owned_get(&v.parts, CD_CREATED);
	return check(f, &v, out, e);
}
