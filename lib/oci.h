/*
 * Where images come from: references, descriptors, and the interface of a source (an image layout on disk,
 * a registry, a cache in front of another source).
 */
#ifndef LIB_OCI_H
#define LIB_OCI_H

#include <stdint.h>

#include "buf.h"

#define CTR_OCI_DIGEST 72 /* "sha256:" + 64 digits + NUL */
#define CTR_OCI_MANIFEST_MAX ((size_t)4 * 1024 * 1024)
#define CTR_OCI_CONFIG_MAX ((size_t)8 * 1024 * 1024)

/* A reference as containerd normalises it: busybox is docker.io/library/busybox:latest. */
struct ctr_imgref {
	char registry[256];	     /* host[:port], "docker.io" by default */
	char repository[256];	     /* "library/busybox" */
	char tag[129];		     /* "" when there is none (a digest alone) */
	char digest[CTR_OCI_DIGEST]; /* "" when there is none */
};

/* Distribution reference grammar, only sha256 digests. CTR_FORMAT "image.ref". */
CTR_MUST int ctr_imgref_parse(const char *s, struct ctr_imgref *ref, struct ctr_err *e);

/* The text for a manifest, appended: the user's own spelling s (name or name:tag) with @digest. */
void ctr_imgref_pinned(const char *s, const char *digest, struct ctr_buf *b);
/* What containerd asks the guest to pull, appended: full name, tag dropped, "@", digest. */
void ctr_imgref_pull_name(const struct ctr_imgref *ref, const char *digest, struct ctr_buf *b);

/* True for "sha256:" and 64 lower-case digits. */
bool ctr_oci_digest_ok(const char *s);

/* A content descriptor (OCI image specification, descriptor.md). */
struct ctr_oci_desc {
	char digest[CTR_OCI_DIGEST];
	uint64_t size;	      /* bytes */
	char media_type[128];
};

typedef int (*ctr_oci_sink)(void *ctx, const void *p, size_t n, struct ctr_err *e);

/*
 * A source. Both calls return 0 with *found false when the source does not have it, -1 when it cannot
 * tell. resolve gives the raw bytes of the manifest or index that ref names (by digest when it has one,
 * else by tag) and the digest of these bytes, checked. blob streams a blob into sink, which sees bytes before
 * the whole was checked: the call fails with CTR_FORMAT "image.digest" or "image.size" at the end if they
 * were not what desc says, so nothing a sink gathered may be used before it returns 0.
 * Safe to call from several threads at once.
 */
struct ctr_oci_source {
	int (*resolve)(struct ctr_oci_source *s, const struct ctr_imgref *ref, struct ctr_buf *body,
		       char digest[CTR_OCI_DIGEST], bool *found, struct ctr_err *e);
	int (*blob)(struct ctr_oci_source *s, const struct ctr_imgref *ref,
		    const struct ctr_oci_desc *desc, ctr_oci_sink sink, void *ctx, bool *found,
		    struct ctr_err *e);
	void (*free)(struct ctr_oci_source *s);
};

#endif
