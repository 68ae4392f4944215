/*
 * The store of the Coordinator's history (ctr-coordinatord(8)): blobs and one small record,
 * `latest`, changed by compare-and-swap. Manifests and transitions are named by their SHA-256. The
 * policies that a transition brings are one blob with the transition's name (policies.h): a hundred
 * thousand are one write. The store is not trusted: manifests and transitions are checked against
 * their names here, the record (history.h) and policies (policies.h) by their readers.
 */
#ifndef LIB_HSTORE_H
#define LIB_HSTORE_H

#include <stdatomic.h>

#include "buf.h"
#include "hash.h"

enum ctr_blob { CTR_BLOB_MANIFEST, CTR_BLOB_POLICIES, CTR_BLOB_TRANSITION };
#define CTR_BLOB_KINDS 3
#define CTR_BLOB_POLICIES_MAX ((size_t)64 * 1024 * 1024) /* bytes of one blob, by kind */
#define CTR_BLOB_MANIFEST_MAX ((size_t)64 * 1024 * 1024)
#define CTR_BLOB_TRANSITION_MAX ((size_t)64)
#define CTR_LATEST_MAX ((size_t)1024) /* bytes of the record */

struct ctr_hstore;

/*
 * "dir:PATH": the directory is made (its parent must be there) with mode 0700, files with 0600. It
 * is held by one process until free. CTR_USAGE "store.spec"; CTR_ENV "store.open", "store.owner"
 * (another's, or writable by others), "store.busy" (a process has it). Errors of all calls below:
 * "memory", "limit" too.
 */
CTR_MUST int ctr_hstore_open(const char *spec, struct ctr_hstore **out, struct ctr_err *e);
void ctr_hstore_free(struct ctr_hstore *s); /* NULL is legal */
void ctr_hstore_cleanup(struct ctr_hstore **s);
#define ctr_auto_hstore CTR_AUTO(ctr_hstore_cleanup)

/* All of these may be called from several threads. */

/*
 * Appends the blob with that name, whole or not at all. CTR_ENV "store.missing" (there is none),
 * "store.read"; CTR_FORMAT "store.hash" (changed or cut), "store.kind" (no regular file, or too
 * large).
 */
CTR_MUST int ctr_hstore_get(struct ctr_hstore *s, enum ctr_blob kind,
			    const uint8_t name[CTR_SHA256_SIZE], struct ctr_buf *b,
			    struct ctr_err *e);

/*
 * Stores p[0..n) under that name, over whatever is there if that is not the same bytes. It is on
 * the disk for certain only after the next ctr_hstore_swap. CTR_ENV "store.write", CTR_FORMAT
 * "limit".
 */
CTR_MUST int ctr_hstore_put_as(struct ctr_hstore *s, enum ctr_blob kind,
			       const uint8_t name[CTR_SHA256_SIZE], const void *p, size_t n,
			       struct ctr_err *e);
/* The same, under their hash. */
CTR_MUST int ctr_hstore_put(struct ctr_hstore *s, enum ctr_blob kind, const void *p, size_t n,
			    uint8_t hash[CTR_SHA256_SIZE], struct ctr_err *e);

/* Appends the record; nothing when there is none yet. CTR_ENV "store.read", CTR_FORMAT
 * "store.kind". */
CTR_MUST int ctr_hstore_latest(struct ctr_hstore *s, struct ctr_buf *b, struct ctr_err *e);

/*
 * Replaces the record by p[0..n) if it is old[0..n_old) (n_old 0: if there is none), after all
 * blobs are on the disk. CTR_NO "history.conflict": it is another; CTR_ENV "store.write": it is as
 * it was; CTR_ENV "store.unsure": the disk failed so that it may be either. A process that dies
 * within leaves the old one or the new one.
 */
CTR_MUST int ctr_hstore_swap(struct ctr_hstore *s, const void *old, size_t n_old, const void *p,
			     size_t n, struct ctr_err *e);

/* Whether others change it, too: hstore_kube.h. */
bool ctr_hstore_shared(const struct ctr_hstore *s);

/*
 * Of a shared one: returns when the record is another than now[0..n), or may be (*changed);
 * otherwise after some 20 seconds, and soon when *stop turns true. CTR_ENV: nobody tells, so ask.
 */
CTR_MUST int ctr_hstore_wait(struct ctr_hstore *s, const void *now, size_t n,
			     const atomic_bool *stop, bool *changed, struct ctr_err *e);

#endif
