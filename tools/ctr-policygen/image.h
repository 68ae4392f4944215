/* Images by reference: what a policy needs to know of them, from layouts, registries and the cache.
 */
#ifndef TOOLS_CTR_POLICYGEN_IMAGE_H
#define TOOLS_CTR_POLICYGEN_IMAGE_H

#include "log.h"
#include "oci_doc.h"
#include "passwd.h"

struct image_opts {
	const char *const *layouts; /* asked first, in order */
	size_t n_layouts;
	struct ctr_oci_source *registry; /* asked next; borrowed, may be NULL */
	const char *cache;		 /* directory, or NULL for none */
	bool refresh;			 /* ask for tags again that the cache knows */
	const char *platform;		 /* NULL is linux/amd64 */
	bool verity;			 /* compute root hashes whenever a layer is read */
	bool no_salt;			 /* verity without salt; default is 32 zero bytes */
	unsigned threads;		 /* for layers; 0: one for each core */
	struct ctr_log *log;		 /* may be NULL */
	struct ctr_progress *progress;	 /* of reading layers; may be NULL */
};

struct image_layer {
	struct ctr_oci_desc desc;
	const char *diff_id;
	char verity_root[65]; /* hexadecimal; "" until image_verity */
};

/* Lives as long as its struct images. */
struct image {
	char *pinned; /* the reference as written with @digest: for the YAML */
	char *pull;   /* full name, no tag, @digest: what the guest is asked to pull */
	char digest[CTR_OCI_DIGEST]; /* what the reference names: of the index if that is one */
	struct ctr_oci_config config;
	struct image_layer *layers; /* lowest first; as many as config.diff_ids.n */
	size_t n_layers;
};

struct images;

/* Opens the layouts and the cache. The strings of `o` are copied or not needed later. */
CTR_MUST int images_new(const struct image_opts *o, struct images **out, struct ctr_err *e);
void images_free(struct images *s);

/*
 * The image that `ref` names for the platform, remembered by the text of `ref`. No layer is read.
 * Not for several threads at once (nor are the two below). CTR_ENV "image.missing" when no source
 * has it, naming the places searched; CTR_FORMAT "image.digest" or "image.size" for other content
 * than promised, "image.platform", "image.layers" (manifest and configuration do not agree), and
 * the ids of oci.h and oci_doc.h.
 */
CTR_MUST int images_get(struct images *s, const char *ref, const struct image **out,
			struct ctr_err *e);

/*
 * /etc/passwd and /etc/group of the merged file system; an absent file is an empty one. Reads each
 * layer once, in parallel, unless remembered; again only when a symbolic link leads elsewhere.
 * CTR_FORMAT "image.passwd" (no file, too large), "image.links", and what layer.h says.
 */
CTR_MUST int image_accounts(struct images *s, const struct image *im, const struct accounts **out,
			    struct ctr_err *e);

/* Fills verity_root of every layer. */
CTR_MUST int image_verity(struct images *s, const struct image *im, struct ctr_err *e);

#endif
