/* The cache on disk: a store of small files, and a source that keeps what another one gave. */
#ifndef LIB_OCI_CACHE_H
#define LIB_OCI_CACHE_H

#include "oci.h"

/*
 * DIR/blobs/sha256/HEX  manifests and configurations, named by their content and checked on every
 * read DIR/refs/HEX          what a tag named, HEX being the SHA-256 of the reference's full text
 * DIR/derived/HEX       what was worked out from a layer, HEX being the layer's digest
 * Refs and derived files cannot be checked against their names: whoever may write to the directory
 * is trusted with them. So it must belong to the caller and be writable by nobody else; it is made
 * with mode 0700, files with 0600. Each file is replaced whole, so any number of processes may
 * share the directory.
 */
struct ctr_store;
enum ctr_store_kind { CTR_STORE_BLOBS, CTR_STORE_REFS, CTR_STORE_DERIVED };

/*
 * CTR_ENV "cache.owner" when somebody else could have written there, "cache.open" when it cannot be
 * used.
 */
CTR_MUST int ctr_store_open(const char *dir, struct ctr_store **out, struct ctr_err *e);
void ctr_store_free(struct ctr_store *s);
/*
 * Appends the file's bytes; *found false when there is none. Blobs that are not what their name
 * says are gone then.
 */
CTR_MUST int ctr_store_get(struct ctr_store *s, enum ctr_store_kind kind, const char *hex,
			   size_t max, struct ctr_buf *b, bool *found, struct ctr_err *e);
CTR_MUST int ctr_store_put(struct ctr_store *s, enum ctr_store_kind kind, const char *hex,
			   const void *p, size_t n, struct ctr_err *e);
void ctr_store_drop(struct ctr_store *s, enum ctr_store_kind kind, const char *hex);

/*
 * Puts the store in front of `inner`. Both are borrowed and must outlive it. Manifests and
 * configurations are kept, layers pass through. A tag seen before is answered from the store,
 * unless `refresh`.
 */
CTR_MUST int ctr_oci_cache_new(struct ctr_store *store, struct ctr_oci_source *inner, bool refresh,
			       struct ctr_oci_source **out, struct ctr_err *e);

#endif
