/* Reference values on their way into a manifest: files, patches, and what an older manifest knew. */
#ifndef TOOLS_CTR_MANIFEST_REFS_H
#define TOOLS_CTR_MANIFEST_REFS_H

#include "manifest.h"

/* Adds the sets of a file: {"snp":[…],"tdx":[…]}, or that below the one key ReferenceValues. */
CTR_MUST int refs_load(struct ctr_manifest *m, const char *path, struct ctr_err *e);

/* Adds the sets of another manifest. */
CTR_MUST int refs_copy(struct ctr_manifest *m, const struct ctr_manifest *from, struct ctr_err *e);

/*
 * Applies a patch file (a JSON Patch or an array of them) to each set, in its canonical form, for which no
 * test operation fails. An operation that fails otherwise is an error, as is a set that is broken afterwards.
 */
CTR_MUST int refs_patch(struct ctr_manifest *m, const char *path, struct ctr_err *e);

/* Fills what is not known, set by set, from the set of `old` with the same platform and product. */
CTR_MUST int refs_fill(struct ctr_manifest *m, const struct ctr_manifest *old, struct ctr_err *e);

#endif
