/* The policies that a manifest names, as the bytes that are measured. */
#ifndef TOOLS_CTR_MANIFEST_TEXTS_H
#define TOOLS_CTR_MANIFEST_TEXTS_H

#include "answer.h"
#include "log.h"
#include "manifest.h"

/*
 * Finds each policy of m, in its order: in a directory, as HASH.rego or HASH.toml or HASH, or in
 * annotated YAML. A Rego text that is not what was measured is tried as the initdata document that
 * ctr-policygen makes of it. CTR_FORMAT: "policy.absent", "policy.digest" (the file of that name
 * has another digest), and those of gather().
 */
CTR_MUST int texts_load(const char *path, const struct ctr_manifest *m, struct ctr_log *log,
			struct ctr_blobs *out, struct ctr_err *e);
void texts_free(struct ctr_blobs *b);

#endif
