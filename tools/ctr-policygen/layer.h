/*
 * One layer of at most 64 GiB unpacked, streamed once: its diff_id, its dm-verity root, and what it
 * does to the tracked paths.
 */
#ifndef TOOLS_CTR_POLICYGEN_LAYER_H
#define TOOLS_CTR_POLICYGEN_LAYER_H

#include "oci.h"
#include "tree.h"

struct layer_want {
	const struct paths *paths;
	bool verity;
	bool no_salt; /* else the salt is 32 zero bytes */
};

struct layer {
	char diff_id[CTR_OCI_DIGEST]; /* of the unpacked tar */
	char verity_root[65];	      /* hexadecimal, "" when it was not asked for */
	bool no_salt;
	struct tree tree;
};

struct layer_reader;
CTR_MUST int layer_reader_new(const char *media_type, const struct layer_want *w,
			      struct layer_reader **out, struct ctr_err *e);
/* A ctr_oci_sink; ctx is the reader. Fails as unpack.h, tar.h and tree.h say. */
CTR_MUST int layer_reader_add(void *ctx, const void *p, size_t n, struct ctr_err *e);
/* Checks the end and hands the result over. CTR_FORMAT "layer.diff-id" unless it is `diff_id`. */
CTR_MUST int layer_reader_end(struct layer_reader *r, const char *diff_id, struct layer **out,
			      struct ctr_err *e);
/* What has been seen so far; borrowed. */
const struct tree *layer_reader_tree(const struct layer_reader *r);
void layer_reader_free(struct layer_reader *r);

/* Text that the cache keeps of a layer, and back; CTR_FORMAT when it cannot be read. */
CTR_MUST int layer_build(const struct layer *l, struct ctr_buf *b, struct ctr_err *e);
CTR_MUST int layer_parse(const char *p, size_t n, struct layer **out, struct ctr_err *e);

/* True when l knows all that is wanted. */
bool layer_serves(const struct layer *l, const struct layer_want *w);
/* CTR_FORMAT "layer.diff-id". */
CTR_MUST int layer_check(const struct layer *l, const char *diff_id, struct ctr_err *e);

void layer_free(struct layer *l);
void layer_cleanup(struct layer **l);
void layer_reader_cleanup(struct layer_reader **r);
#define auto_layer CTR_AUTO(layer_cleanup)
#define auto_layer_reader CTR_AUTO(layer_reader_cleanup)

#endif
