#include "stream.h"

#include <string.h>

#include "docs.h"
#include "enc.h"
#include "policy.h"
#include "refs.h"

/* All annotations of an object together, keys included (Kubernetes' TotalAnnotationSizeLimitB). */
#define ANNOTATIONS_MAX 262144
#define DOCS_MAX 1000000 /* ten times what a manifest is made for */

struct doc {
	const char *name; /* of its file */
	uint64_t at;
	size_t len;
	unsigned line;
};

struct stream {
	const struct stream_opts *o;
	struct images *images;
	struct ctr_spool in;
	struct arena mem;
	struct doc *docs;
	size_t n_docs;
	struct refs *refs;
	struct ctr_initdata_packer *packer;
	struct ctr_spool *out;
	bool explained;
	char last;    /* byte of the output so far */
	bool content; /* more than comments is in the output */
};

static void stream_free(struct stream *s)
{
	ctr_initdata_packer_free(s->packer);
	refs_free(s->refs);
	ctr_spool_free(&s->in);
	arena_free(&s->mem);
}

/* Documents that cannot define anything are not parsed twice. */
static bool may_define(const char *p, size_t n)
{
	static const char *const kinds[] = { "ConfigMap", "Secret", "ServiceAccount", "List" };

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (memmem(p, n, kinds[i], strlen(kinds[i])))
			return true;
	}
	return false;
}

static int note(struct stream *s, const struct ctr_docs *d, struct ctr_err *e)
{
	ctr_auto_yaml struct ctr_yaml *y = NULL;
	struct doc *doc;

	if (s->n_docs == DOCS_MAX)
		return ctr_fail(e, CTR_FORMAT, "limit", "%s: more than %d documents", d->name, DOCS_MAX);
	doc = ARENA_PUSH(&s->mem, s->docs, s->n_docs);
	if (!doc)
		return ctr_fail_mem(e);
	*doc = (struct doc){ .name = d->name, .at = s->in.n, .len = d->len, .line = d->line };
	if (ctr_spool_add(&s->in, d->text, d->len, e) < 0)
		return -1;
	if (!may_define(d->text, d->len))
		return 0;
	if (ctr_yaml_parse(d->name, d->line, d->text, d->len, &y, e) < 0)
		return -1;
	return refs_note(s->refs, y, doc->name, doc->line, doc->at, doc->len, e);
}

static int gather(struct stream *s, struct ctr_err *e)
{
	for (size_t i = 0; i < s->o->n_files; i++) {
		ctr_auto_docs struct ctr_docs d = { 0 };
		bool more = true;

		if (ctr_docs_open(&d, s->o->files[i], e) < 0)
			return -1;
		while (more) {
			if (ctr_docs_next(&d, &more, e) < 0 || (more && note(s, &d, e) < 0))
				return -1;
		}
	}
	return 0;
}

static size_t annotation_bytes(const struct ctr_yaml_node *map)
{
	const struct ctr_yaml_node *v;
	size_t total = 0, n;
	const char *key;

	for (size_t i = 0; (v = ctr_yaml_at(map, i, &key)); i++)
		total += strlen(key) + (ctr_yaml_text(v, &n) ? n : 0);
	return total;
}

/* The policy's text as the pod carries it. */
static int packed(struct stream *s, const struct pod *p, struct ctr_buf *value, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf data = { 0 }, whole = { 0 };
	uint8_t digest[CTR_SHA256_SIZE];

	if (policy_data(p, s->o->settings, &data, e) < 0)
		return -1;
	if (s->o->form == CTR_FORM_INITDATA)
		return ctr_initdata_packer_pack(s->packer, ctr_buf_str(&data), data.n, value, digest, e);
	ctr_buf_add(&whole, rules_rego, policy_rules());
	ctr_buf_add(&whole, ctr_buf_str(&data), data.n);
	if (ctr_buf_ok(&whole, "policy", e) < 0)
		return -1;
	ctr_base64_add(value, whole.p, whole.n);
	return ctr_buf_ok(value, "policy", e);
}

/* Puts the annotation on the pod, making what is missing above it. */
static int set_annotation(struct ctr_yaml *y, const struct ctr_k8s_obj *o, const char *key,
			  const char *value, struct ctr_err *e)
{
	const struct ctr_yaml_node *meta = o->pod_meta, *map;

	if (ctr_yaml_null(meta)) {
		if (ctr_yaml_set(y, o->pod, "metadata", "{}", e) < 0)
			return -1;
		meta = ctr_yaml_get(o->pod, "metadata");
	}
	if (ctr_yaml_map(y, meta, "annotations", &map, e) < 0)
		return -1;
	if (!map) {
		if (ctr_yaml_set(y, meta, "annotations", "{}", e) < 0)
			return -1;
		map = ctr_yaml_get(meta, "annotations");
	}
	return ctr_yaml_set_string(y, map, key, value, e);
}

static int annotate(struct stream *s, struct ctr_yaml *y, const struct ctr_k8s_obj *o,
		    const struct pod *p, struct ctr_err *e)
{
	bool init = s->o->form == CTR_FORM_INITDATA;
	const char *key = init ? CTR_ANN_INITDATA : CTR_ANN_POLICY, *old;
	ctr_auto_buf struct ctr_buf value = { 0 };
	const struct ctr_yaml_node *at;
	size_t total;

	if (ctr_k8s_annotation(y, o, init ? CTR_ANN_POLICY : CTR_ANN_INITDATA, &old, &at, e) < 0)
		return -1;
	if (old) {
		pod_fail(p, at, e, "policy.form", "a policy of the other form is on the pod already");
		return ctr_err_fix(e, "remove that annotation, or use --format=%s",
				   init ? "policy" : "initdata");
	}
	if (packed(s, p, &value, e) < 0 || ctr_k8s_annotation(y, o, key, &old, NULL, e) < 0)
		return -1;
	total = annotation_bytes(ctr_yaml_get(o->pod_meta, "annotations")) + strlen(key) + value.n;
	if (old)
		total -= strlen(key) + strlen(old);
	ctr_log(s->o->log, CTR_INFO, "policy.size", NULL, 0, 0, "%s: annotation of %zu bytes", p->title,
		value.n);
	if (total > ANNOTATIONS_MAX) {
		pod_fail(p, NULL, e, "policy.too-large",
			 "the annotations make %zu bytes (Kubernetes takes %d)", total, ANNOTATIONS_MAX);
		return ctr_err_fix(e, "split the pod, or shorten its environment");
	}
	if (old && strcmp(old, value.p) == 0)
		return 0;
	return set_annotation(y, o, key, value.p, e);
}

static bool to_explain(const struct stream_opts *o, const struct ctr_k8s_obj *obj)
{
	const char *slash = strchr(o->explain, '/'), *name = obj->name ? obj->name : obj->generate_name;

	if (slash && (strlen(obj->kind) != (size_t)(slash - o->explain) ||
		      strncasecmp(obj->kind, o->explain, strlen(obj->kind)) != 0))
		return false;
	return strcmp(name, slash ? slash + 1 : o->explain) == 0;
}

static int explain(struct stream *s, const struct pod *p, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	s->explained = true;
	if (policy_explain(p, s->o->settings, &b, e) < 0)
		return -1;
	return ctr_spool_add(s->out, ctr_buf_str(&b), b.n, e);
}

static int one_pod(struct stream *s, struct ctr_yaml *y, const struct ctr_k8s_obj *o,
		   struct ctr_err *e)
{
	struct pod_source src = { s->images, s->refs, s->o->settings, s->o->log, s->o->verity };
	pod_auto struct pod p = { 0 };

	if (inject(y, o, &s->o->inject, s->images, e) < 0 || pod_load(&p, &src, y, o, e) < 0)
		return -1;
	return s->o->explain ? explain(s, &p, e) : annotate(s, y, o, &p, e);
}

static int one_object(void *ctx, struct ctr_yaml *y, const struct ctr_k8s_obj *o, struct ctr_err *e)
{
	struct stream *s = ctx;
	const char *class;
	char title[320];

	if (!o->has_pod || (s->o->explain && !to_explain(s->o, o)))
		return 0;
	if (ctr_yaml_str(y, o->spec, "runtimeClassName", &class, e) < 0)
		return -1;
	if (s->o->all || ctr_k8s_class_matches(class, s->o->classes))
		return one_pod(s, y, o, e);
	ctr_k8s_title(o, title, sizeof title);
	ctr_log(s->o->log, CTR_INFO, "pod.left", NULL, 0, 0, "%s: left alone, its runtime class is %s",
		title, class ? class : "not set");
	return 0;
}

/* The first line that is neither blank nor a comment; the end when there is none. */
static const char *first_line(const char *p, const char *end)
{
	while (p < end) {
		const char *at = p;

		while (at < end && (*at == ' ' || *at == '\t' || *at == '\r'))
			at++;
		if (at < end && *at != '#' && *at != '\n')
			return p;
		at = memchr(at, '\n', (size_t)(end - at));
		p = at ? at + 1 : end;
	}
	return end;
}

/*
 * Two files are two streams: where the second has no start mark of its own it gets one. Directives are none, and
 * want an end mark before them.
 */
static int join(struct stream *s, size_t i, const char *p, size_t n, struct ctr_err *e)
{
	const char *first = first_line(p, p + n), *mark = "---\n";
	bool content = s->content;

	s->content = content || first < p + n;
	if (i == 0 || s->docs[i].name == s->docs[i - 1].name || s->out->n == 0)
		return 0;
	if (s->last != '\n' && ctr_spool_add(s->out, "\n", 1, e) < 0)
		return -1;
	if (!content || (p + n - first >= 3 && strncmp(first, mark, 3) == 0))
		return 0;
	if (first < p + n && *first == '%')
		mark = "...\n";
	return ctr_spool_add(s->out, mark, 4, e);
}

static int one_doc(struct stream *s, size_t i, struct ctr_buf *text, struct ctr_err *e)
{
	ctr_auto_yaml struct ctr_yaml *y = NULL;
	ctr_auto_buf struct ctr_buf changed = { 0 };
	const struct doc *d = &s->docs[i];
	const char *p;
	size_t n;

	ctr_buf_reset(text);
	if (ctr_spool_read(&s->in, d->at, d->len, text, e) < 0)
		return -1;
	p = ctr_buf_str(text);
	n = text->n;
	if (ctr_yaml_parse(d->name, d->line, p, n, &y, e) < 0)
		return -1;
	if (ctr_k8s_objects(y, one_object, s, e) < 0)
		return -1;
	if (s->o->explain)
		return 0;
	if (ctr_yaml_edited(y)) {
		if (ctr_yaml_emit(y, &changed, e) < 0)
			return -1;
		p = changed.p;
		n = changed.n;
	}
	if (join(s, i, p, n, e) < 0 || ctr_spool_add(s->out, p, n, e) < 0)
		return -1;
	s->last = n ? p[n - 1] : s->last;
	return 0;
}

static int run(struct stream *s, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf text = { 0 };

	if (refs_new(&s->in, &s->refs, e) < 0 || gather(s, e) < 0 ||
	    ctr_initdata_packer_new(rules_rego, policy_rules(), &s->packer, e) < 0)
		return -1;
	for (size_t i = 0; i < s->n_docs; i++) {
		if (one_doc(s, i, &text, e) < 0)
			return -1;
	}
	if (s->o->explain && !s->explained)
		return ctr_fail(e, CTR_FORMAT, "explain.missing", "no pod \"%s\" in the input",
				s->o->explain);
	return 0;
}

int stream_run(const struct stream_opts *o, struct images *images, struct ctr_spool *out,
	       struct ctr_err *e)
{
	struct stream s = { .o = o, .images = images, .out = out };
	int rc;

	ctr_spool_init(&s.in);
	rc = run(&s, e);
	stream_free(&s);
	return rc;
}
