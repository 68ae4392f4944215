/* The layers of all images, each read once, several at a time. */
#ifndef TOOLS_CTR_POLICYGEN_LAYERSET_H
#define TOOLS_CTR_POLICYGEN_LAYERSET_H

#include "layer.h"
#include "oci_cache.h"
#include "progress.h"

struct layerset_opts {
	struct ctr_oci_source *const *src; /* asked in order; borrowed, as is the store */
	size_t n_src;
	struct ctr_store *store; /* keeps what was found out, or NULL */
	unsigned threads;	 /* 0: one for each core */
	struct ctr_progress *progress; /* told of the bytes as they travel, or NULL */
};

struct layerset;
CTR_MUST int layerset_new(const struct layerset_opts *o, struct layerset **out, struct ctr_err *e);
void layerset_free(struct layerset *s);

struct layer_job {
	const struct ctr_oci_desc *desc;
	const char *diff_id;
	const struct layer *layer; /* out: lives until the next load that wants more of it */
};

/*
 * Fills in job[0..n).layer, all of them knowing what is wanted, or fails: with the failure of the
 * lowest layer, whatever the number of threads, the layer's digest in front. CTR_ENV
 * "image.missing" when no source has a layer.
 */
CTR_MUST int layerset_load(struct layerset *s, const struct ctr_imgref *ref, struct layer_job *job,
			   size_t n, const struct layer_want *want, struct ctr_err *e);

#endif
