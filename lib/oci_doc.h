/*
 * The JSON documents of an image: index, manifest, configuration (OCI image specification 1.1,
 * Docker schema 2).
 */
#ifndef LIB_OCI_DOC_H
#define LIB_OCI_DOC_H

#include "oci.h"

#define CTR_OCI_LAYERS 512   /* layers of an image */
#define CTR_OCI_ENTRIES 4096 /* entries of an index, and of each list in a configuration */

/*
 * "os/arch[/variant]"; the variants amd64/v1 and arm64/v8 are what the name alone says and read as
 * "".
 */
struct ctr_oci_platform {
	char os[32], arch[32], variant[32];
};
/* CTR_USAGE "platform". */
CTR_MUST int ctr_oci_platform_parse(const char *s, struct ctr_oci_platform *p, struct ctr_err *e);

struct ctr_oci_entry {
	struct ctr_oci_desc desc;
	bool is_index; /* by its media type */
	bool has_platform;
	struct ctr_oci_platform platform;
	char *ref_name;	  /* annotation org.opencontainers.image.ref.name, or NULL */
	char *image_name; /* annotation io.containerd.image.name, or NULL */
};

struct ctr_oci_index {
	struct ctr_oci_entry *v;
	size_t n;
};

struct ctr_oci_manifest {
	struct ctr_oci_desc config;
	struct ctr_oci_desc *layers; /* lowest first */
	size_t n_layers;	     /* 1 to CTR_OCI_LAYERS */
};

struct ctr_strs {
	char **v;
	size_t n;
};

/* What the runtime takes from an image. Absent and null read as "" and empty. */
struct ctr_oci_config {
	struct ctr_oci_platform platform; /* "" where the document does not say */
	char *user, *workdir;
	struct ctr_strs env, entrypoint, cmd;
	struct ctr_strs volumes;  /* paths in byte order */
	struct ctr_strs diff_ids; /* SHA-256 of each layer's uncompressed tar, lowest first */
};

/*
 * A manifest or an index, told apart by mediaType or, where that is absent, by content; the two
 * must agree. Exactly one of the outputs is set: *index or *manifest, the other is NULL.
 * CTR_FORMAT: "image.type" (schema 1, artifacts, unknown media types), "image.layer" (layers that
 * are not distributed, encrypted, or of an unknown type), "image.empty" (no layer),
 * "image.digest-form", "limit", and the json. ids. `name` is for messages.
 */
CTR_MUST int ctr_oci_doc_parse(const char *name, const char *p, size_t n,
			       struct ctr_oci_index **index, struct ctr_oci_manifest **manifest,
			       struct ctr_err *e);

/*
 * A manifest whose layers are files as they are (an artifact, as oras pushes them): the descriptor
 * of the only one, or, with a title, of the only one that has it as its annotation
 * org.opencontainers.image.title. Types of layers and configuration do not matter. CTR_FORMAT:
 * "artifact.layer" (none of that title, or more than one), "image.type" (an index too), "limit" and
 * those above.
 */
CTR_MUST int ctr_oci_artifact_parse(const char *name, const char *p, size_t n, const char *title,
				    struct ctr_oci_desc *file, struct ctr_err *e);

/*
 * An image configuration. CTR_FORMAT "image.config", "image.digest-form", "limit", and the json.
 * ids.
 */
CTR_MUST int ctr_oci_config_parse(const char *name, const char *p, size_t n,
				  struct ctr_oci_config *c, struct ctr_err *e);

/*
 * The entry of an index for a platform: the first that names it, else the only one that names none.
 * NULL when there is neither. A variant that was not asked for is not taken.
 */
const struct ctr_oci_entry *ctr_oci_pick(const struct ctr_oci_index *x,
					 const struct ctr_oci_platform *want);
/*
 * True when an image of platform `have` runs where `want` is asked for; empty parts of `have` fit
 * anything.
 */
bool ctr_oci_platform_fits(const struct ctr_oci_platform *have,
			   const struct ctr_oci_platform *want);

/* p[0..n) is what the descriptor says: CTR_FORMAT "image.size" or "image.digest". */
CTR_MUST int ctr_oci_verify(const struct ctr_oci_desc *d, const void *p, size_t n,
			    struct ctr_err *e);
/* "sha256:" and the digest of p[0..n). */
CTR_MUST int ctr_oci_digest(const void *p, size_t n, char digest[CTR_OCI_DIGEST],
			    struct ctr_err *e);

/* True for the media type of an image layer, of any compression. */
bool ctr_oci_is_layer(const char *media_type);

void ctr_oci_index_free(struct ctr_oci_index *x);
void ctr_oci_manifest_free(struct ctr_oci_manifest *m);
void ctr_oci_config_fini(struct ctr_oci_config *c);
void ctr_strs_fini(struct ctr_strs *s);

void ctr_oci_index_cleanup(struct ctr_oci_index **x);
void ctr_oci_manifest_cleanup(struct ctr_oci_manifest **m);
#define ctr_auto_oci_index CTR_AUTO(ctr_oci_index_cleanup)
#define ctr_auto_oci_manifest CTR_AUTO(ctr_oci_manifest_cleanup)

#endif
