#include <string.h>

#include "stream.h"
#include "tool.h"
#include "tool_registry.h"

#define MANY 32

#ifndef CTR_IMAGES
#define CTR_IMAGES "ghcr.io/confidential-container-tools"
#endif

enum {
	O_CLASS = 1, O_ALL, O_HANDLER, O_SKIP_INITIALIZER, O_RENEW, O_INITIALIZER, O_MESH, O_HOST, O_NO_PIN, O_LAYOUT,
	O_CACHE, O_NO_CACHE, O_REFRESH, O_OFFLINE, O_MIRROR, O_PLAIN, O_CA, O_PLATFORM, O_SETTINGS,
	O_FORMAT, O_EXPLAIN, O_VERITY, O_PROGRESS,
};

static const struct ctr_opt options[] = {
	{ O_CLASS, "runtime-class", 0, "PREFIX", "take pods of this runtime class (repeatable)" },
	{ O_ALL, "all", 'a', NULL, "take every pod, add the class where it is missing" },
	{ O_HANDLER, "runtime-handler", 0, "NAME", "runtimeClassName that the pods get" },
	{ O_SKIP_INITIALIZER, "skip-initializer", 0, NULL, "add no containers" },
	{ O_RENEW, "renew", 0, NULL, "the Initializer stays, and renews the certificates" },
	{ O_INITIALIZER, "initializer-image", 0, "REF", "image of the Initializer" },
	{ O_MESH, "mesh-image", 0, "REF", "image of the service mesh sidecar" },
	{ O_HOST, "coordinator-host", 0, "HOST", "where the Initializer finds the Coordinator" },
	{ O_NO_PIN, "no-pin", 0, NULL, "leave image references as they are" },
	{ O_LAYOUT, "image-layout", 0, "DIR", "an OCI layout, or a directory of them (repeatable)" },
	{ O_CACHE, "cache", 0, "DIR", "image cache (default $XDG_CACHE_HOME/ctr)" },
	{ O_NO_CACHE, "no-cache", 0, NULL, "neither read nor write a cache" },
	{ O_REFRESH, "refresh", 0, NULL, "ask registries again for tags in the cache" },
	{ O_OFFLINE, "offline", 0, NULL, "never use the network" },
	{ O_MIRROR, "mirror", 0, "HOST=URL", "ask URL before registry HOST (repeatable)" },
	{ O_PLAIN, "plain-http", 0, "HOST", "registry without TLS (repeatable)" },
	{ O_CA, "ca-file", 0, "FILE", "PEM roots for registries" },
	{ O_PLATFORM, "platform", 0, "OS/ARCH", "of multi-platform images (default linux/amd64)" },
	{ O_SETTINGS, "settings", 0, "FILE", "what the cluster adds or allows (JSON)" },
	{ O_FORMAT, "format", 0, "initdata|policy", "annotation that carries the policy" },
	{ O_EXPLAIN, "explain", 0, "NAME", "say in words what the policy of a pod allows" },
	{ O_VERITY, "verity", 0, NULL, "also allow layers pulled by the host, by root hash" },
	{ O_PROGRESS, "progress", 0, "auto|text|json|none", "of reading images (default auto: on a terminal)" },
	{ 0, NULL, 0, NULL, NULL },
};

static struct ctr_tool tool = {
	.name = "ctr-policygen",
	.synopsis = "[options] [file ...]",
	.summary = "Adds runtime policies to the pods in a stream of Kubernetes YAML.",
	.example = "kubectl get -o yaml deploy,cm,secret | ctr-policygen > annotated.yaml",
	.opts = options,
};

struct list {
	const char *v[MANY + 1];
	size_t n;
};

struct opts {
	struct stream_opts stream;
	struct list classes, layouts, mirrors, plain;
	const char *cache, *ca_file, *platform, *settings_file;
	struct settings settings;
	bool no_cache, refresh, offline;
	enum ctr_progress_mode progress;
};

static int add(struct list *l, const char *value, struct ctr_err *e)
{
	if (l->n == MANY)
		return ctr_fail(e, CTR_USAGE, "usage", "more than %d of one option", MANY);
	l->v[l->n++] = value;
	return 0;
}

static int format(struct opts *o, const char *value, struct ctr_err *e)
{
	if (strcmp(value, "initdata") != 0 && strcmp(value, "policy") != 0)
		return ctr_fail(e, CTR_USAGE, "usage", "--format=%s (expected initdata or policy)", value);
	o->stream.form = *value == 'i' ? CTR_FORM_INITDATA : CTR_FORM_POLICY;
	return 0;
}

static int on_option(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct opts *o = ctx;
	struct inject_opts *in = &o->stream.inject;

	switch (id) {
	case O_CLASS: return add(&o->classes, value, e);
	case O_LAYOUT: return add(&o->layouts, value, e);
	case O_MIRROR: return add(&o->mirrors, value, e);
	case O_PLAIN: return add(&o->plain, value, e);
	case O_FORMAT: return format(o, value, e);
	case O_ALL: o->stream.all = true; return 0;
	case O_HANDLER: in->runtime_handler = value; return 0;
	case O_SKIP_INITIALIZER: in->skip_initializer = true; return 0;
	case O_RENEW: in->renew = true; return 0;
	case O_INITIALIZER: in->initializer_image = value; return 0;
	case O_MESH: in->mesh_image = value; return 0;
	case O_HOST: in->coordinator_host = value; return 0;
	case O_NO_PIN: in->pin = false; return 0;
	case O_CACHE: o->cache = value; return 0;
	case O_NO_CACHE: o->no_cache = true; return 0;
	case O_REFRESH: o->refresh = true; return 0;
	case O_OFFLINE: o->offline = true; return 0;
	case O_CA: o->ca_file = value; return 0;
	case O_PLATFORM: o->platform = value; return 0;
	case O_SETTINGS: o->settings_file = value; return 0;
	case O_PROGRESS: return ctr_progress_parse(value, &o->progress, e);
	case O_EXPLAIN: o->stream.explain = value; return 0;
	default: o->stream.verity = true; return 0;
	}
}

/* $XDG_CACHE_HOME/ctr, else ~/.cache/ctr, else none. */
static int cache_dir(const struct opts *o, struct ctr_buf *b, struct ctr_err *e)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (o->no_cache)
		return 0;
	if (o->cache)
		ctr_buf_adds(b, o->cache);
	else if (xdg && *xdg == '/')
		ctr_buf_addf(b, "%s/ctr", xdg);
	else if (home && *home == '/')
		ctr_buf_addf(b, "%s/.cache/ctr", home);
	return ctr_buf_ok(b, "cache directory", e);
}

static int with_images(struct opts *o, struct ctr_oci_source *reg, struct ctr_spool *out,
		       struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf cache = { 0 };
	struct image_opts io = {
		.layouts = o->layouts.v,
		.n_layouts = o->layouts.n,
		.registry = reg,
		.refresh = o->refresh,
		.platform = o->platform,
		.verity = o->stream.verity,
		.log = &tool.log,
		.progress = tool.log.progress,
	};
	struct images *images = NULL;
	int rc;

	if (cache_dir(o, &cache, e) < 0)
		return -1;
	io.cache = cache.n ? cache.p : NULL;
	if (images_new(&io, &images, e) < 0)
		return -1;
	rc = stream_run(&o->stream, images, out, e);
	images_free(images);
	return rc;
}

static int run(struct opts *o, struct ctr_err *e)
{
	ctr_auto_tool_registry struct ctr_tool_registry r = { 0 };
	struct ctr_oci_source *reg = NULL;
	ctr_auto_spool struct ctr_spool out;
	int rc = -1;

	ctr_spool_init(&out);
	r.o.mirrors = o->mirrors.v;
	r.o.plain = o->plain.v;
	o->stream.settings = &o->settings;
	o->stream.log = &tool.log;
	if (settings_load(o->settings_file, &o->settings, e) == 0 &&
	    ctr_tool_registry_env(&r, o->ca_file, &tool.log, e) == 0 &&
	    (o->offline || ctr_registry_new(&r.o, &reg, e) == 0) && with_images(o, reg, &out, e) == 0)
		rc = ctr_spool_send(&out, STDOUT_FILENO, "standard output", e);
	if (reg)
		reg->free(reg);
	settings_free(&o->settings);
	return rc;
}

int main(int argc, char **argv)
{
	static const char *const standard_input[] = { "-" };
	struct ctr_progress progress;
	struct ctr_err e = { 0 };
	struct opts o = {
		.stream.inject = { .initializer_image = CTR_IMAGES "/ctr-initializer:" CTR_VERSION,
				   .mesh_image = CTR_IMAGES "/ctr-mesh-proxy:" CTR_VERSION,
				   .coordinator_host = "coordinator-ready",
				   .default_class = "contrast-cc",
				   .pin = true },
	};
	int first;

	ctr_tool_init(&tool);
	if (ctr_tool_opts(&tool, argc, argv, on_option, &o, &first, &e) < 0)
		return ctr_tool_die(&tool, &e);
	if (tool.served)
		return ctr_tool_close(&tool);
	o.stream.classes = o.classes.n ? o.classes.v : NULL;
	o.stream.files = first < argc ? (const char *const *)argv + first : standard_input;
	o.stream.n_files = first < argc ? (size_t)(argc - first) : 1;
	ctr_progress_init(&progress, tool.name, tool.log.level < CTR_WARN ? CTR_PROGRESS_NONE : o.progress);
	tool.log.progress = &progress;
	if (run(&o, &e) < 0)
		return ctr_tool_die(&tool, &e);
	return ctr_tool_close(&tool);
}
