/* JSON Patch (RFC 6902) over JSON Pointer (RFC 6901). */
#ifndef TOOLS_CTR_MANIFEST_PATCH_H
#define TOOLS_CTR_MANIFEST_PATCH_H

#include "json.h"

/*
 * Applies the operations (an array) to *doc, which is replaced; on failure, and when a test operation does
 * not hold (*holds false, not a failure), it is as it was. CTR_FORMAT with the place in the patch:
 * "patch.form" (no patch), "patch.pointer" (syntax), "patch.target" (what an operation needs is not there).
 */
CTR_MUST int patch_apply(struct ctr_json **doc, const struct ctr_jval *ops, bool *holds,
			 struct ctr_err *e);

#endif
