#include "image.h"

#include <search.h>
#include <string.h>

#include "layerset.h"
#include "oci_layout.h"

#define INDEX_DEPTH 2
#define ROUNDS 16 /* of reading the layers, each led on by a link */

struct known {
	struct image im; /* first: what the tree's users see */
	char *text;	 /* key: the reference as written */
	struct ctr_imgref ref;
	struct accounts *accounts;
};

struct images {
	struct ctr_oci_source *src[2]; /* in the order asked */
	size_t n_src;
	struct ctr_oci_source *layouts, *cached; /* owned, or NULL */
	struct ctr_store *store;		 /* owned, or NULL */
	struct layerset *layers;
	struct ctr_oci_platform platform;
	void *tree; /* struct known by text */
	struct ctr_buf places;
	bool verity, no_salt;
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
	accounts_free(k->accounts);
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
	layerset_free(s->layers);
	if (s->layouts)
		s->layouts->free(s->layouts);
	if (s->cached)
		s->cached->free(s->cached);
	ctr_store_free(s->store);
	ctr_buf_free(&s->places);
	free(s);
}

static int open_sources(struct images *s, const struct image_opts *o, struct ctr_err *e)
{
	if (o->cache && ctr_store_open(o->cache, &s->store, e) < 0)
		return -1;
	if (o->n_layouts > 0) {
		if (ctr_oci_layout_new(o->layouts, o->n_layouts, &s->layouts, e) < 0)
			return -1;
		s->src[s->n_src++] = s->layouts;
	}
	for (size_t i = 0; i < o->n_layouts; i++)
		ctr_buf_addf(&s->places, "%s%s", i ? ", " : "", o->layouts[i]);
	if (o->registry) {
		if (s->store &&
		    ctr_oci_cache_new(s->store, o->registry, o->refresh, &s->cached, e) < 0)
			return -1;
		s->src[s->n_src++] = s->cached ? s->cached : o->registry;
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
	s->log = o->log;
	if (ctr_oci_platform_parse(o->platform ? o->platform : "linux/amd64", &s->platform, e) <
		    0 ||
	    open_sources(s, o, e) < 0 ||
	    layerset_new(&(struct layerset_opts){ s->src, s->n_src, s->store, o->threads, o->progress },
			 &s->layers, e) < 0) {
		images_free(s);
		return -1;
	}
	*out = s;
	return 0;
}

static int missing(const struct images *s, const char *what, struct ctr_err *e)
{
	ctr_fail(e, CTR_ENV, "image.missing", "%s not found (searched: %s)", what,
		 ctr_buf_str(&s->places));
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

	ctr_fail(e, CTR_FORMAT, "image.platform", "not built for %s/%s%s%s", p->os, p->arch,
		 p->variant[0] ? "/" : "", p->variant);
	return ctr_err_fix(e, "choose another image, or the platform with --platform");
}

/* From what the reference names down to the manifest for the platform. */
static int find_manifest(struct images *s, struct known *k, struct ctr_oci_manifest **m,
			 struct ctr_err *e)
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

static int load_config(struct images *s, struct known *k, const struct ctr_oci_desc *d,
		       struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	bool found = false;

	if (d->size > CTR_OCI_CONFIG_MAX)
		return ctr_fail(e, CTR_FORMAT, "limit", "a configuration larger than %zu bytes",
				CTR_OCI_CONFIG_MAX);
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
		return ctr_fail(e, CTR_FORMAT, "image.layers",
				"%zu layers, and %zu diff_ids in the configuration", m->n_layers,
				im->config.diff_ids.n);
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
	if (s->log)
		ctr_log(s->log, CTR_INFO, "image", NULL, 0, 0, "%s is %s", text, k->im.digest);
	*out = &ctr_give(k)->im;
	return 0;
}

/* Every image came out of a struct known, whose first member it is. */
static struct known *known_of(struct images *s, const struct image *im)
{
	struct known *const *hit = tfind(im, &s->tree, by_text);

	return hit ? *hit : NULL;
}

static int load_layers(struct images *s, struct known *k, const struct layer_want *want,
		       const struct tree **tree, struct ctr_err *e)
{
	struct layer_job *job = calloc(k->im.n_layers, sizeof *job);
	int rc;

	if (!job)
		return ctr_fail_mem(e);
	for (size_t i = 0; i < k->im.n_layers; i++) {
		job[i].desc = &k->im.layers[i].desc;
		job[i].diff_id = k->im.layers[i].diff_id;
	}
	rc = layerset_load(s->layers, &k->ref, job, k->im.n_layers, want, e);
	for (size_t i = 0; rc == 0 && i < k->im.n_layers; i++) {
		tree[i] = &job[i].layer->tree;
		if (want->verity)
			memcpy(k->im.layers[i].verity_root, job[i].layer->verity_root, 65);
	}
	free(job);
	return rc;
}

static int accounts_of(struct known *k, const struct node *const file[2], struct ctr_err *e)
{
	const struct ctr_buf none = { 0 };
	const struct ctr_buf *passwd = file[0] ? &file[0]->data : &none,
			     *group = file[1] ? &file[1]->data : &none;

	return accounts_parse(passwd->p, passwd->n, group->p, group->n, &k->accounts, e);
}

static const char *const path[] = { "etc/passwd", "etc/group" };

static int first_paths(struct paths *p, struct ctr_err *e)
{
	return paths_add(p, path[0], true, e) < 0 ? -1 : paths_add(p, path[1], true, e);
}

/* Reads the layers until no link leads to a path that was not looked at. */
static int merge(struct images *s, struct known *k, struct paths *paths, const struct tree **tree,
		 struct ctr_err *e)
{
	for (int round = 0; round < ROUNDS; round++) {
		const struct layer_want want = { paths, s->verity, s->no_salt };
		const struct node *file[2];
		bool again = false;

		if (load_layers(s, k, &want, tree, e) < 0)
			return -1;
		for (int i = 0; i < 2; i++) {
			ctr_auto_buf struct ctr_buf need = { 0 };

			if (tree_resolve(tree, k->im.n_layers, path[i], &file[i], &need, e) < 0 ||
			    (need.n && paths_add(paths, need.p, true, e) < 0))
				return -1;
			again |= need.n > 0;
		}
		if (!again)
			return accounts_of(k, file, e);
	}
	return ctr_fail(e, CTR_FORMAT, "image.links", "/etc/passwd or /etc/group: too many links");
}

int image_accounts(struct images *s, const struct image *im, const struct accounts **out,
		   struct ctr_err *e)
{
	struct known *k = known_of(s, im);
	CTR_AUTO(paths_fini) struct paths paths = { 0 };
	const struct tree **tree;
	int rc = 0;

	*out = NULL;
	if (!k->accounts) {
		tree = calloc(im->n_layers, sizeof *tree);
		if (!tree)
			return ctr_fail_mem(e);
		rc = first_paths(&paths, e) < 0 ? -1 : merge(s, k, &paths, tree, e);
		free(tree);
	}
	*out = k->accounts;
	return rc < 0 ? ctr_wrap(e, "image %s", k->text) : 0;
}

int image_verity(struct images *s, const struct image *im, struct ctr_err *e)
{
	struct known *k = known_of(s, im);
	CTR_AUTO(paths_fini) struct paths paths = { 0 };
	/* the accounts' paths too: the layer may never be read again */
	const struct layer_want want = { &paths, true, s->no_salt };
	const struct tree **tree;
	int rc;

	if (im->layers[0].verity_root[0])
		return 0;
	tree = calloc(im->n_layers, sizeof *tree);
	if (!tree)
		return ctr_fail_mem(e);
	rc = first_paths(&paths, e) < 0 ? -1 : load_layers(s, k, &want, tree, e);
	free(tree);
	return rc < 0 ? ctr_wrap(e, "image %s", k->text) : 0;
}
