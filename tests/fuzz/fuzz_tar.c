/* needs: tools/ctr-policygen/layer.c tools/ctr-policygen/tree.c tools/ctr-policygen/tar.c */
/* needs: tools/ctr-policygen/unpack.c tools/ctr-policygen/verity.c */
#include <string.h>

#include "../../tools/ctr-policygen/layer.h"
#include "rd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * The first failure's id, "" for an archive that is taken; *file is what is at etc/passwd then.
 * Broken zstd is found out sooner or later depending on the pieces, so there all refusals are one.
 */
static const char *run(const char *type, struct ctr_rd r, size_t piece, struct ctr_buf *file)
{
	CTR_AUTO(paths_fini) struct paths paths = { 0 };
	const struct layer_want want = { .paths = &paths, .verity = true };
	auto_layer_reader struct layer_reader *reader = NULL;
	auto_layer struct layer *l = NULL;
	ctr_auto_buf struct ctr_buf need = { 0 };
	const struct tree *stack[1];
	const struct node *at;
	struct ctr_err e = { 0 };
	struct ctr_rd part;

	if (paths_add(&paths, "etc/passwd", true, &e) < 0 || paths_add(&paths, "x", true, &e) < 0 ||
	    layer_reader_new(type, &want, &reader, &e) < 0)
		abort();
	while (r.left > 0) {
		if (ctr_rd_take(&r, r.left < piece ? r.left : piece, &part) < 0)
			abort();
		if (layer_reader_add(reader, part.p, part.left, &e) < 0)
			return strcmp(type, "tar+zstd") == 0 ? "refused" : e.id;
	}
	/* no archive has the digest asked for, so that is as far as a good one gets */
	if (layer_reader_end(reader, "none", &l, &e) == 0 || e.code == CTR_OK)
		abort();
	if (strcmp(e.id, "layer.diff-id") != 0)
		return strcmp(type, "tar+zstd") == 0 ? "refused" : e.id;
	stack[0] = layer_reader_tree(reader);
	e = (struct ctr_err){ 0 };
	if (tree_resolve(stack, 1, "etc/passwd", &at, &need, &e) < 0)
		return e.id;
	ctr_buf_addf(file, "%s:", ctr_buf_str(&need));
	if (at)
		ctr_buf_add(file, at->data.p, at->data.n);
	return "";
}

/* A layer of one of three packings (first byte), in pieces and whole: the outcome must be the same.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const types[] = { "tar", "tar+gzip", "tar+zstd" };
	ctr_auto_buf struct ctr_buf a = { 0 }, b = { 0 };
	const char *whole, *pieces;
	struct ctr_rd r;
	uint8_t first;

	ctr_rd_init(&r, data, size);
	if (ctr_rd_u8(&r, &first) < 0)
		return 0;
	whole = run(types[first % 3], r, SIZE_MAX, &a);
	pieces = run(types[first % 3], r, (size_t)first / 3 + 1, &b);
	if (strcmp(whole, pieces) != 0 || a.n != b.n ||
	    !ctr_same(ctr_buf_str(&a), ctr_buf_str(&b), a.n))
		abort();
	return 0;
}
