/* Keeps in a new manifest what a person put into the one before it. */
#ifndef TOOLS_CTR_MANIFEST_MERGE_H
#define TOOLS_CTR_MANIFEST_MERGE_H

#include "log.h"
#include "manifest.h"

/*
 * Policies: one with an old hash keeps that entry's SANs and workload secret ID, one with an old workload
 * secret ID (the workload changed, so its hash did) keeps the SANs. Old entries that nothing took up are
 * warned of. Keys: the old ones are added. Roles come from the YAML alone.
 */
CTR_MUST int merge_old(struct ctr_manifest *m, const struct ctr_manifest *old, const char *name,
		       struct ctr_log *log, struct ctr_err *e);

/* Policies of `m` in the order of their workload secret IDs, for merge_lookup; freed by the caller. */
CTR_MUST int merge_index(const struct ctr_manifest *m, struct ctr_manifest_policy ***index,
			 struct ctr_err *e);
/* One policy with that ID, NULL for none or when the ID is empty or not unique. */
struct ctr_manifest_policy *merge_lookup(struct ctr_manifest_policy *const *index, size_t n,
					 const char *secret_id);

#endif
