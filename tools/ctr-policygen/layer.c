#include "layer.h"

#include <string.h>

#include "enc.h"
#include "hash.h"
#include "json.h"
#include "unpack.h"
#include "verity.h"

#define UNPACKED_MAX ((uint64_t)64 << 30)

struct layer_reader {
	struct unpack *unpack;
	struct ctr_hasher *sha;
	struct verity *verity; /* NULL when not wanted */
	struct tar *tar;
	struct layer *layer;
};

void layer_free(struct layer *l)
{
	if (!l)
		return;
	tree_fini(&l->tree);
	free(l);
}

void layer_cleanup(struct layer **l)
{
	layer_free(*l);
}

void layer_reader_free(struct layer_reader *r)
{
	if (!r)
		return;
	unpack_free(r->unpack);
	ctr_hasher_free(r->sha);
	verity_free(r->verity);
	tar_free(r->tar);
	layer_free(r->layer);
	free(r);
}

void layer_reader_cleanup(struct layer_reader **r)
{
	layer_reader_free(*r);
}

static int on_tar(void *ctx, const void *p, size_t n, struct ctr_err *e)
{
	struct layer_reader *r = ctx;

	if (ctr_hasher_add(r->sha, p, n, e) < 0 ||
	    (r->verity && verity_add(r->verity, p, n, e) < 0))
		return -1;
	return tar_add(r->tar, p, n, e);
}

int layer_reader_new(const char *media_type, const struct layer_want *w, struct layer_reader **out,
		     struct ctr_err *e)
{
	static const uint8_t zeros[32];
	auto_layer_reader struct layer_reader *r = calloc(1, sizeof *r);

	*out = NULL;
	if (!r)
		return ctr_fail_mem(e);
	r->layer = calloc(1, sizeof *r->layer);
	if (!r->layer)
		return ctr_fail_mem(e);
	r->layer->no_salt = w->no_salt;
	if (tree_init(&r->layer->tree, w->paths, e) < 0 ||
	    ctr_hasher_new(CTR_SHA256, &r->sha, e) < 0 ||
	    unpack_new(media_type, UNPACKED_MAX, on_tar, r, &r->unpack, e) < 0)
		return -1;
	if (tar_new(&(struct tar_events){ tree_entry, tree_data, &r->layer->tree }, &r->tar, e) < 0)
		return -1;
	if (w->verity && verity_new(zeros, w->no_salt ? 0 : sizeof zeros, &r->verity, e) < 0)
		return -1;
	*out = ctr_give(r);
	return 0;
}

int layer_reader_add(void *ctx, const void *p, size_t n, struct ctr_err *e)
{
	struct layer_reader *r = ctx;

	return unpack_add(r->unpack, p, n, e);
}

static int hex(const uint8_t *p, size_t n, char *dst, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	ctr_hex_add(&b, p, n);
	if (ctr_buf_ok(&b, "digest", e) < 0)
		return -1;
	memcpy(dst, b.p, 2 * n + 1);
	return 0;
}

int layer_check(const struct layer *l, const char *diff_id, struct ctr_err *e)
{
	if (strcmp(l->diff_id, diff_id) == 0)
		return 0;
	return ctr_fail(e, CTR_FORMAT, "layer.diff-id", "unpacks to %s (the configuration says %s)",
			l->diff_id, diff_id);
}

int layer_reader_end(struct layer_reader *r, const char *diff_id, struct layer **out,
		     struct ctr_err *e)
{
	uint8_t sum[CTR_SHA256_SIZE], root[VERITY_ROOT];

	*out = NULL;
	if (unpack_end(r->unpack, e) < 0 || tar_end(r->tar, e) < 0 ||
	    ctr_hasher_end(r->sha, sum, e) < 0)
		return -1;
	memcpy(r->layer->diff_id, "sha256:", 7);
	if (hex(sum, sizeof sum, r->layer->diff_id + 7, e) < 0 ||
	    layer_check(r->layer, diff_id, e) < 0)
		return -1;
	if (r->verity && (verity_end(r->verity, root, e) < 0 ||
			  hex(root, sizeof root, r->layer->verity_root, e) < 0))
		return -1;
	*out = ctr_give(r->layer);
	return 0;
}

const struct tree *layer_reader_tree(const struct layer_reader *r)
{
	return &r->layer->tree;
}

bool layer_serves(const struct layer *l, const struct layer_want *w)
{
	if (w->verity && (!l->verity_root[0] || l->no_salt != w->no_salt))
		return false;
	return paths_cover(&l->tree.paths, w->paths);
}

/* One letter a type, in the order of enum node_type. */
static const char letters[] = "-dfshx";

/* Paths and targets are any bytes, JSON strings are not. */
static bool set_bytes(struct ctr_json *o, const char *key, const void *p, size_t n)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	ctr_base64_add(&b, p, n);
	return !b.bad && ctr_json_set_string(o, key, ctr_buf_str(&b));
}

static int get_bytes(const struct ctr_jval *o, const char *key, struct ctr_buf *b,
		     struct ctr_err *e)
{
	struct ctr_jval v = ctr_jget(o, key);
	const char *s;

	ctr_buf_reset(b);
	if (ctr_jstring(&v, &s, e) < 0)
		return -1;
	return ctr_base64_parse(s, strlen(s), b, e);
}

int layer_build(const struct layer *l, struct ctr_buf *b, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *j = ctr_json_new_object();
	struct ctr_json *list = ctr_json_set_array(j, "nodes");
	bool ok = ctr_json_set_string(j, "diff_id", l->diff_id) &&
		  ctr_json_set_string(j, "verity", l->verity_root) &&
		  ctr_json_set_bool(j, "no_salt", l->no_salt);

	for (size_t i = 0; ok && i < l->tree.paths.n; i++) {
		const struct node *n = &l->tree.v[i];
		struct ctr_json *o = ctr_json_add_object(list);
		const char *path = l->tree.paths.v[i], *target = n->target ? n->target : "";

		ok = set_bytes(o, "path", path, strlen(path)) &&
		     ctr_json_set_bool(o, "leaf", l->tree.paths.leaf[i]) &&
		     ctr_json_set_string(o, "type", (char[]){ letters[n->type], '\0' }) &&
		     ctr_json_set_bool(o, "hides", n->hides) &&
		     set_bytes(o, "target", target, strlen(target)) &&
		     set_bytes(o, "data", n->data.p, n->data.n);
	}
	return ok ? ctr_json_print(j, 0, b, e) : ctr_fail_mem(e);
}

static int parse_paths(const struct ctr_jval *list, struct paths *p, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf path = { 0 };

	for (struct ctr_jval v = ctr_jfirst(list); v.v; v = ctr_jnext(&v)) {
		struct ctr_jval leaf = ctr_jget(&v, "leaf");
		bool is_leaf;

		if (get_bytes(&v, "path", &path, e) < 0 || ctr_jbool(&leaf, &is_leaf, e) < 0 ||
		    paths_add(p, ctr_buf_str(&path), is_leaf, e) < 0)
			return -1;
	}
	return 0;
}

static int parse_node(const struct ctr_jval *v, const struct tree *t, struct ctr_err *e)
{
	struct ctr_jval type = ctr_jget(v, "type"), hides = ctr_jget(v, "hides");
	ctr_auto_buf struct ctr_buf b = { 0 };
	const char *s, *letter;
	struct node *n;

	if (get_bytes(v, "path", &b, e) < 0 || ctr_jstring(&type, &s, e) < 0)
		return -1;
	n = tree_at(t, ctr_buf_str(&b));
	letter = strlen(s) == 1 ? strchr(letters, *s) : NULL;
	if (!n || !letter || n->target || n->data.n)
		return ctr_jfail(v, e, "layer.cache", "malformed node");
	n->type = (enum node_type)(letter - letters);
	if (ctr_jbool(&hides, &n->hides, e) < 0 || get_bytes(v, "target", &b, e) < 0)
		return -1;
	if (n->type == NODE_SYMLINK || n->type == NODE_HARDLINK) {
		n->target = strdup(ctr_buf_str(&b));
		if (!n->target)
			return ctr_fail_mem(e);
	}
	return get_bytes(v, "data", &n->data, e);
}

static int parse_layer(const struct ctr_jval *root, struct layer *l, struct ctr_err *e)
{
	struct ctr_jval id = ctr_jget(root, "diff_id"), verity = ctr_jget(root, "verity");
	struct ctr_jval no_salt = ctr_jget(root, "no_salt"), list = ctr_jget(root, "nodes");
	CTR_AUTO(paths_fini) struct paths paths = { 0 };
	const char *s, *hash;

	if (ctr_jstring(&id, &s, e) < 0 || ctr_jstring(&verity, &hash, e) < 0 ||
	    ctr_jbool(&no_salt, &l->no_salt, e) < 0 || ctr_jarray(&list, e) < 0)
		return -1;
	if (!ctr_oci_digest_ok(s) || (*hash && strspn(hash, "0123456789abcdef") != 64) ||
	    strlen(hash) > 64)
		return ctr_jfail(root, e, "layer.cache", "malformed digest");
	memcpy(l->diff_id, s, CTR_OCI_DIGEST);
	memcpy(l->verity_root, hash, strlen(hash) + 1);
	if (parse_paths(&list, &paths, e) < 0 || tree_init(&l->tree, &paths, e) < 0)
		return -1;
	for (struct ctr_jval v = ctr_jfirst(&list); v.v; v = ctr_jnext(&v)) {
		if (parse_node(&v, &l->tree, e) < 0)
			return -1;
	}
	return 0;
}

int layer_parse(const char *p, size_t n, struct layer **out, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *j = NULL;
	auto_layer struct layer *l = calloc(1, sizeof *l);
	struct ctr_jval root;

	*out = NULL;
	if (!l)
		return ctr_fail_mem(e);
	if (ctr_json_parse("cached layer", p, n, &j, e) < 0)
		return -1;
	root = ctr_jroot(j);
	if (parse_layer(&root, l, e) < 0)
		return -1;
	*out = ctr_give(l);
	return 0;
}
