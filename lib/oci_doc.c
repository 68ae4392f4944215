#include "oci_doc.h"

#include <string.h>

#include "enc.h"
#include "hash.h"
#include "oci_json.h"

#define OCI "application/vnd.oci.image."
#define DOCKER "application/vnd.docker."

enum kind { NONE, INDEX, MANIFEST, SCHEMA1 };

static const struct {
	const char *media_type;
	enum kind kind;
} documents[] = {
	{ OCI "index.v1+json", INDEX },
	{ DOCKER "distribution.manifest.list.v2+json", INDEX },
	{ OCI "manifest.v1+json", MANIFEST },
	{ DOCKER "distribution.manifest.v2+json", MANIFEST },
	{ DOCKER "distribution.manifest.v1+json", SCHEMA1 },
	{ DOCKER "distribution.manifest.v1+prettyjws", SCHEMA1 },
};

static const char *const layers[] = {
	OCI "layer.v1.tar",
	OCI "layer.v1.tar+gzip",
	OCI "layer.v1.tar+zstd",
	DOCKER "image.rootfs.diff.tar",
	DOCKER "image.rootfs.diff.tar.gzip",
	DOCKER "image.rootfs.diff.tar.zstd",
};

static const char *const configs[] = {
	OCI "config.v1+json",
	DOCKER "container.image.v1+json",
};

#define COUNT(a) (sizeof(a) / sizeof *(a))

static bool among(const char *const *v, size_t n, const char *s)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(v[i], s) == 0)
			return true;
	}
	return false;
}

bool ctr_oci_is_layer(const char *media_type)
{
	return among(layers, COUNT(layers), media_type);
}

static enum kind kind_of(const char *media_type)
{
	for (size_t i = 0; i < COUNT(documents); i++) {
		if (strcmp(documents[i].media_type, media_type) == 0)
			return documents[i].kind;
	}
	return NONE;
}

void ctr_oci_index_free(struct ctr_oci_index *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < x->n; i++) {
		free(x->v[i].ref_name);
		free(x->v[i].image_name);
	}
	free(x->v);
	free(x);
}

void ctr_oci_manifest_free(struct ctr_oci_manifest *m)
{
	if (!m)
		return;
	free(m->layers);
	free(m);
}

void ctr_oci_index_cleanup(struct ctr_oci_index **x)
{
	ctr_oci_index_free(*x);
}

void ctr_oci_manifest_cleanup(struct ctr_oci_manifest **m)
{
	ctr_oci_manifest_free(*m);
}

int ctr_oci_digest(const void *p, size_t n, char digest[CTR_OCI_DIGEST], struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	uint8_t sum[CTR_SHA256_SIZE];

	digest[0] = '\0';
	if (ctr_hash(CTR_SHA256, p, n, sum, e) < 0)
		return -1;
	ctr_buf_adds(&b, "sha256:");
	ctr_hex_add(&b, sum, sizeof sum);
	if (ctr_buf_ok(&b, "digest", e) < 0)
		return -1;
	memcpy(digest, b.p, CTR_OCI_DIGEST);
	return 0;
}

int ctr_oci_verify(const struct ctr_oci_desc *d, const void *p, size_t n, struct ctr_err *e)
{
	char have[CTR_OCI_DIGEST];

	if (n != d->size)
		return ctr_fail(e, CTR_FORMAT, "image.size", "%s: %zu bytes (expected %llu)",
				d->digest, n, (unsigned long long)d->size);
	if (ctr_oci_digest(p, n, have, e) < 0)
		return -1;
	if (strcmp(have, d->digest) != 0)
		return ctr_fail(e, CTR_FORMAT, "image.digest", "%s: the content has digest %s",
				d->digest, have);
	return 0;
}

static int descriptor(const struct ctr_jval *v, struct ctr_oci_desc *d, struct ctr_err *e)
{
	struct ctr_jval digest = ctr_jget(v, "digest"), size = ctr_jget(v, "size");
	const char *s;

	if (ctr_jobject(v, e) < 0 || ctr_oci_digest_at(&digest, &s, e) < 0 ||
	    ctr_juint(&size, (uint64_t)1 << 50, &d->size, e) < 0)
		return -1;
	memcpy(d->digest, s, CTR_OCI_DIGEST);
	return ctr_oci_text(v, "mediaType", d->media_type, sizeof d->media_type, e);
}

const struct ctr_oci_entry *ctr_oci_pick(const struct ctr_oci_index *x,
					 const struct ctr_oci_platform *want)
{
	const struct ctr_oci_entry *bare = NULL;
	size_t n_bare = 0;

	for (size_t i = 0; i < x->n; i++) {
		const struct ctr_oci_entry *t = &x->v[i];

		if (!t->has_platform) {
			bare = t;
			n_bare++;
		} else if (t->platform.os[0] && t->platform.arch[0] &&
			   ctr_oci_platform_fits(&t->platform, want)) {
			return t;
		}
	}
	return n_bare == 1 ? bare : NULL;
}

static int unknown_type(const char *name, const char *what, const char *type, struct ctr_err *e)
{
	ctr_fail(e, CTR_FORMAT, "image.type", "%s: %s \"%s\" is not that of a container image",
		 name, what, type);
	return ctr_err_fix(e, "name a container image, not another kind of artifact");
}

/* mediaType and the members must tell the same story: a text that reads as both is refused. */
static int classify(const char *name, const struct ctr_jval *root, enum kind *kind,
		    struct ctr_err *e)
{
	struct ctr_jval list = ctr_jget(root, "manifests"), config = ctr_jget(root, "config");
	struct ctr_jval layer = ctr_jget(root, "layers"), fs = ctr_jget(root, "fsLayers");
	struct ctr_jval version = ctr_jget(root, "schemaVersion");
	enum kind shape = ctr_jhas(&list) ? INDEX : ctr_jhas(&config) ? MANIFEST : NONE;
	char type[128];
	uint64_t v;

	if (ctr_jobject(root, e) < 0 || ctr_oci_text(root, "mediaType", type, sizeof type, e) < 0 ||
	    ctr_juint(&version, 1000, &v, e) < 0)
		return -1;
	*kind = type[0] ? kind_of(type) : shape;
	if (v == 1 || ctr_jhas(&fs) || *kind == SCHEMA1) {
		ctr_fail(e, CTR_FORMAT, "image.type", "%s: a manifest of the old Docker schema 1",
			 name);
		return ctr_err_fix(e, "push the image again with a current tool");
	}
	if (v != 2)
		return ctr_fail(e, CTR_FORMAT, "image.type", "%s: schema version %llu (expected 2)",
				name, (unsigned long long)v);
	if (type[0] && *kind == NONE)
		return unknown_type(name, "media type", type, e);
	if (shape == NONE || *kind != shape ||
	    (shape == INDEX && (ctr_jhas(&config) || ctr_jhas(&layer))))
		return ctr_fail(e, CTR_FORMAT, "image.type",
				"%s: the members do not fit the media type \"%s\"", name, type);
	return 0;
}

static int annotation(const struct ctr_jval *entry, const char *key, char **dst, struct ctr_err *e)
{
	struct ctr_jval all = ctr_jget(entry, "annotations"), v;

	if (!ctr_jhas(&all))
		return 0;
	if (ctr_jobject(&all, e) < 0)
		return -1;
	v = ctr_jget(&all, key);
	return ctr_jhas(&v) ? ctr_oci_strdup(&v, dst, e) : 0;
}

static int entry(const struct ctr_jval *v, struct ctr_oci_entry *t, struct ctr_err *e)
{
	struct ctr_jval p;

	if (descriptor(v, &t->desc, e) < 0)
		return -1;
	t->is_index = kind_of(t->desc.media_type) == INDEX;
	p = ctr_jget(v, "platform");
	t->has_platform = ctr_jhas(&p);
	if (t->has_platform &&
	    (ctr_jobject(&p, e) < 0 || ctr_oci_platform_at(&p, &t->platform, e) < 0))
		return -1;
	if (annotation(v, "org.opencontainers.image.ref.name", &t->ref_name, e) < 0)
		return -1;
	return annotation(v, "io.containerd.image.name", &t->image_name, e);
}

static int parse_index(const struct ctr_jval *root, struct ctr_oci_index **out, struct ctr_err *e)
{
	struct ctr_jval list = ctr_jget(root, "manifests");
	ctr_auto_oci_index struct ctr_oci_index *x = calloc(1, sizeof *x);
	size_t n;

	if (!x)
		return ctr_fail_mem(e);
	if (ctr_oci_array(&list, CTR_OCI_ENTRIES, &n, e) < 0)
		return -1;
	x->v = calloc(n ? n : 1, sizeof *x->v);
	if (!x->v)
		return ctr_fail_mem(e);
	for (struct ctr_jval v = ctr_jfirst(&list); n > 0 && v.v; v = ctr_jnext(&v)) {
		if (entry(&v, &x->v[x->n++], e) < 0)
			return -1;
	}
	*out = ctr_give(x);
	return 0;
}

static int check_layer(const struct ctr_jval *v, const char *type, struct ctr_err *e)
{
	if (ctr_oci_is_layer(type))
		return 0;
	if (strstr(type, "foreign") || strstr(type, "nondistributable"))
		ctr_jfail(v, e, "image.layer",
			  "a layer that is not distributed with the image (%s)", type);
	else if (strstr(type, "encrypted"))
		ctr_jfail(v, e, "image.layer", "an encrypted layer (%s)", type);
	else
		ctr_jfail(v, e, "image.layer", "unknown layer type \"%s\"", type);
	return ctr_err_fix(e, "build the image with plain, gzip or zstd layers of its own");
}

static int parse_manifest(const char *name, const struct ctr_jval *root,
			  struct ctr_oci_manifest **out, struct ctr_err *e)
{
	struct ctr_jval config = ctr_jget(root, "config"), list = ctr_jget(root, "layers");
	ctr_auto_oci_manifest struct ctr_oci_manifest *m = calloc(1, sizeof *m);
	size_t n;

	if (!m)
		return ctr_fail_mem(e);
	if (descriptor(&config, &m->config, e) < 0)
		return -1;
	if (!among(configs, COUNT(configs), m->config.media_type))
		return unknown_type(name, "configuration of type", m->config.media_type, e);
	if (ctr_oci_array(&list, CTR_OCI_LAYERS, &n, e) < 0)
		return -1;
	if (n == 0)
		return ctr_fail(e, CTR_FORMAT, "image.empty", "%s: an image without layers", name);
	m->layers = calloc(n, sizeof *m->layers);
	if (!m->layers)
		return ctr_fail_mem(e);
	for (struct ctr_jval v = ctr_jfirst(&list); v.v; v = ctr_jnext(&v)) {
		struct ctr_oci_desc *d = &m->layers[m->n_layers++];

		if (descriptor(&v, d, e) < 0 || check_layer(&v, d->media_type, e) < 0)
			return -1;
	}
	*out = ctr_give(m);
	return 0;
}

static int read_doc(const char *name, const char *p, size_t n, struct ctr_json **j,
		    struct ctr_jval *root, enum kind *kind, struct ctr_err *e)
{
	if (ctr_json_parse(name, p, n, j, e) < 0)
		return -1;
	*root = ctr_jroot(*j);
	return classify(name, root, kind, e);
}

int ctr_oci_doc_parse(const char *name, const char *p, size_t n, struct ctr_oci_index **index,
		      struct ctr_oci_manifest **manifest, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *j = NULL;
	struct ctr_jval root;
	enum kind kind;

	*index = NULL;
	*manifest = NULL;
	if (read_doc(name, p, n, &j, &root, &kind, e) < 0)
		return -1;
	return kind == INDEX ? parse_index(&root, index, e)
			     : parse_manifest(name, &root, manifest, e);
}

static int has_title(const struct ctr_jval *layer, const char *title, bool *has, struct ctr_err *e)
{
	ctr_auto char *own = NULL;

	if (annotation(layer, "org.opencontainers.image.title", &own, e) < 0)
		return -1;
	*has = !title || (own && strcmp(own, title) == 0);
	return 0;
}

int ctr_oci_artifact_parse(const char *name, const char *p, size_t n, const char *title,
			   struct ctr_oci_desc *file, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *j = NULL;
	struct ctr_jval root, list;
	size_t layers_n, found = 0;
	enum kind kind;

	*file = (struct ctr_oci_desc){ 0 };
	if (read_doc(name, p, n, &j, &root, &kind, e) < 0)
		return -1;
	if (kind != MANIFEST)
		return ctr_fail(e, CTR_FORMAT, "image.type",
				"%s: an index (expected the manifest of an artifact)", name);
	list = ctr_jget(&root, "layers");
	if (ctr_oci_array(&list, CTR_OCI_LAYERS, &layers_n, e) < 0)
		return -1;
	for (struct ctr_jval v = ctr_jfirst(&list); layers_n > 0 && v.v; v = ctr_jnext(&v)) {
		struct ctr_oci_desc d = { 0 };
		bool has;

		if (descriptor(&v, &d, e) < 0 || has_title(&v, title, &has, e) < 0)
			return -1;
		if (has)
			*file = d;
		found += has;
	}
	if (found == 1)
		return 0;
	ctr_fail(e, CTR_FORMAT, "artifact.layer", "%s: %zu of %zu files are meant by %s%s", name,
		 found, layers_n, title ? "#" : "a reference without #NAME", title ? title : "");
	return ctr_err_fix(e, "name the file's org.opencontainers.image.title behind #");
}
