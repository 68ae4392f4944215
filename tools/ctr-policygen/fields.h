/* Every field of a pod that Kubernetes knows, and what it means to a policy. */
#ifndef TOOLS_CTR_POLICYGEN_FIELDS_H
#define TOOLS_CTR_POLICYGEN_FIELDS_H

#include "pod.h"

/*
 * Goes over the pod spec. What would weaken the policy or cannot be held is refused: "field.refused"; what the
 * policy ignores although people rely on it, and what is unknown, gives a warning.
 */
CTR_MUST int fields_check(const struct pod *p, const struct pod_source *src, struct ctr_err *e);

#endif
