#include "image.h"

#include <search.h>
#include <string.h>

#include "oci_layout.h"

#define INDEX_DEPTH 2

struct known {
	struct image im; /* first: what the tree's users see */
	char *text;	 /* key: the reference as written */
	struct ctr_imgref ref;
	struct accounts *accounts;
};

struct images {
	struct ctr_oci_source *src[2]; /* in the order asked */
	size_t n_src;
	struct ctr_oci_source *layouts; /* owned, or NULL */
	struct ctr_oci_platform platform;
	void *tree; /* struct known by text */
	struct ctr_buf places;
	bool verity, no_salt;
	unsigned threads;
	struct ctr_log *log;
};

static int by_text(const void *a, const void *b)
{
	const struct known *x = a, *y = b;

	return strcmp(x->text, y->text);
}

static void known_free(void *p)
{
	struct known *k = p;

	if (!k)
		return;
	free(k->text);
	free(k->im.pinned);
	free(k->im.pull);
	free(k->im.layers);
	ctr_oci_config_fini(&k->im.config);
	free(k);
}

static void known_cleanup(struct known **k)
{
	known_free(*k);
}

void images_free(struct images *s)
{
	if (!s)
		return;
	tdestroy(s->tree, known_free);
	if (s->layouts)
		s->layouts->free(s->layouts);
	ctr_buf_free(&s->places);
	free(s);
}

static int open_sources(struct images *s, const struct image_opts *o, struct ctr_err *e)
{
	if (o->n_layouts > 0) {
		if (ctr_oci_layout_new(o->layouts, o->n_layouts, &s->layouts, e) < 0)
			return -1;
		s->src[s->n_src++] = s->layouts;
	}
	for (size_t i = 0; i < o->n_layouts; i++)
		ctr_buf_addf(&s->places, "%s%s", i ? ", " : "", o->layouts[i]);
	if (o->registry) {
		s->src[s->n_src++] = o->registry;
		ctr_buf_addf(&s->places, "%sthe registry", s->places.n ? ", " : "");
	}
	if (s->n_src == 0)
		ctr_buf_adds(&s->places, "nowhere: no layout and no registry was given");
	return ctr_buf_ok(&s->places, "image sources", e);
}

int images_new(const struct image_opts *o, struct images **out, struct ctr_err *e)
{
	struct images *s = calloc(1, sizeof *s);

	*out = NULL;
	if (!s)
		return ctr_fail_mem(e);
	s->verity = o->verity;
	s->no_salt = o->no_salt;
	s->threads = o->threads;
	s->log = o->log;
	if (ctr_oci_platform_parse(o->platform ? o->platform : "linux/amd64", &s->platform, e) < 0 ||
	    open_sources(s, o, e) < 0) {
		images_free(s);
		return -1;
	}
	*out = s;
	return 0;
}

static int missing(const struct images *s, const char *what, struct ctr_err *e)
{
	ctr_fail(e, CTR_ENV, "image.missing", "%s not found (searched: %s)", what, ctr_buf_str(&s->places));
	return ctr_err_fix(e, "check the name, or give the image with --image-layout");
}

/* The bytes of a manifest or index, checked here once more, whatever the source says it did. */
static int resolve(struct images *s, const struct ctr_imgref *ref, struct ctr_buf *body,
		   char digest[CTR_OCI_DIGEST], struct ctr_err *e)
{
	struct ctr_oci_desc d = { 0 };
	bool found = false;

	ctr_buf_reset(body);
	for (size_t i = 0; i < s->n_src && !found; i++) {
		if (s->src[i]->resolve(s->src[i], ref, body, digest, &found, e) < 0)
			return -1;
	}
	if (!found)
		return missing(s, ref->digest[0] ? ref->digest : "the tag was", e);
	memcpy(d.digest, ref->digest[0] ? ref->digest : digest, sizeof d.digest);
	d.size = body->n;
	if (ctr_oci_verify(&d, body->p, body->n, e) < 0)
		return -1;
	memcpy(digest, d.digest, sizeof d.digest);
	return 0;
}

static int no_platform(const struct images *s, struct ctr_err *e)
{
	const struct ctr_oci_platform *p = &s->platform;

	ctr_fail(e, CTR_FORMAT, "image.platform", "not built for %s/%s%s%s", p->os, p->arch, p->variant[0] ? "/" : "",
		 p->variant);
	return ctr_err_fix(e, "choose another image, or the platform with --platform");
}

/* From what the reference names down to the manifest for the platform. */
static int find_manifest(struct images *s, struct known *k, struct ctr_oci_manifest **m, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf body = { 0 };
	struct ctr_imgref at = k->ref;
	char digest[CTR_OCI_DIGEST];

	for (int depth = 0; depth <= INDEX_DEPTH; depth++) {
		ctr_auto_oci_index struct ctr_oci_index *x = NULL;
		const struct ctr_oci_entry *t;

		if (resolve(s, &at, &body, digest, e) < 0)
			return -1;
		if (depth == 0)
			memcpy(k->im.digest, digest, sizeof digest);
		if (ctr_oci_doc_parse("manifest", body.p, body.n, &x, m, e) < 0)
			return -1;
		if (*m)
			return 0;
		t = ctr_oci_pick(x, &s->platform);
		if (!t)
			return no_platform(s, e);
		memcpy(at.digest, t->desc.digest, sizeof at.digest);
	}
	return ctr_fail(e, CTR_FORMAT, "image.type", "indexes nested deeper than %d", INDEX_DEPTH);
}

static int to_buf(void *ctx, const void *p, size_t n, struct ctr_err *e)
{
	ctr_buf_add(ctx, p, n);
	return ctr_buf_ok(ctx, "image configuration", e);
}

static int load_config(struct images *s, struct known *k, const struct ctr_oci_desc *d, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	bool found = false;

	if (d->size > CTR_OCI_CONFIG_MAX)
		return ctr_fail(e, CTR_FORMAT, "limit", "a configuration larger than %zu bytes", CTR_OCI_CONFIG_MAX);
	ctr_buf_init(&b, CTR_OCI_CONFIG_MAX);
	for (size_t i = 0; i < s->n_src && !found; i++) {
		if (s->src[i]->blob(s->src[i], &k->ref, d, to_buf, &b, &found, e) < 0)
			return -1;
	}
	if (!found)
		return missing(s, d->digest, e);
	if (ctr_oci_verify(d, b.p, b.n, e) < 0)
		return -1;
	return ctr_oci_config_parse("configuration", b.p, b.n, &k->im.config, e);
}

static int fill_layers(struct image *im, const struct ctr_oci_manifest *m, struct ctr_err *e)
{
	if (im->config.diff_ids.n != m->n_layers)
		return ctr_fail(e, CTR_FORMAT, "image.layers", "%zu layers, and %zu diff_ids in the configuration",
				m->n_layers, im->config.diff_ids.n);
	im->layers = calloc(m->n_layers, sizeof *im->layers);
	if (!im->layers)
		return ctr_fail_mem(e);
	im->n_layers = m->n_layers;
	for (size_t i = 0; i < m->n_layers; i++) {
		im->layers[i].desc = m->layers[i];
		im->layers[i].diff_id = im->config.diff_ids.v[i];
	}
	return 0;
}

static int fill_names(struct known *k, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf pinned = { 0 }, pull = { 0 };

	ctr_imgref_pinned(k->text, k->im.digest, &pinned);
	ctr_imgref_pull_name(&k->ref, k->im.digest, &pull);
	if (ctr_buf_ok(&pinned, "image name", e) < 0 || ctr_buf_ok(&pull, "image name", e) < 0)
		return -1;
	k->im.pinned = ctr_give(pinned.p);
	k->im.pull = ctr_give(pull.p);
	return 0;
}

static int load(struct images *s, struct known *k, struct ctr_err *e)
{
	ctr_auto_oci_manifest struct ctr_oci_manifest *m = NULL;

	if (find_manifest(s, k, &m, e) < 0 || load_config(s, k, &m->config, e) < 0)
		return -1;
	if (!ctr_oci_platform_fits(&k->im.config.platform, &s->platform))
		return no_platform(s, e);
	if (fill_layers(&k->im, m, e) < 0)
		return -1;
	return fill_names(k, e);
}

int images_get(struct images *s, const char *text, const struct image **out, struct ctr_err *e)
{
	CTR_AUTO(known_cleanup) struct known *k = calloc(1, sizeof *k);
	struct known *const *hit;

	*out = NULL;
	if (!k)
		return ctr_fail_mem(e);
	k->text = strdup(text);
	if (!k->text)
		return ctr_fail_mem(e);
	hit = tfind(k, &s->tree, by_text);
	if (hit) {
		*out = &(*hit)->im;
		return 0;
	}
	if (ctr_imgref_parse(text, &k->ref, e) < 0)
		return -1;
	if (load(s, k, e) < 0)
		return ctr_wrap(e, "image %s", text);
	hit = tsearch(k, &s->tree, by_text);
	if (!hit)
		return ctr_fail_mem(e);
	*out = &ctr_give(k)->im;
	return 0;
}
