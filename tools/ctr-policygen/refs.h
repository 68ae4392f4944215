/* The stream's ConfigMaps, Secrets and service accounts, for pods that refer to them. */
#ifndef TOOLS_CTR_POLICYGEN_REFS_H
#define TOOLS_CTR_POLICYGEN_REFS_H

#include "file.h"
#include "k8s.h"

struct refs;

/* The spool holds the stream; it must live as long. */
CTR_MUST int refs_new(struct ctr_spool *stream, struct refs **out, struct ctr_err *e);
void refs_free(struct refs *r);
void refs_cleanup(struct refs **r);
#define refs_auto CTR_AUTO(refs_cleanup)

/*
 * Notes what the document at [at, at + n) of the stream defines; y is that document, line0 its first line in file
 * `name` (kept as pointer). Two objects of one kind, namespace and name are refused: "refs.duplicate".
 */
CTR_MUST int refs_note(struct refs *r, struct ctr_yaml *y, const char *name, unsigned line0,
		       uint64_t at, size_t n, struct ctr_err *e);

/*
 * The object, or *root NULL when the stream has none. An object without namespace serves any. Borrow
 * briefly: the document stays loaded for the next fifteen look-ups at least.
 */
CTR_MUST int refs_find(struct refs *r, enum ctr_k8s_kind kind, const char *ns, const char *name,
		       const struct ctr_yaml **y, const struct ctr_yaml_node **root,
		       struct ctr_err *e);

#endif
