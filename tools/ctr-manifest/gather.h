/* The policies that annotated Kubernetes YAML carries. */
#ifndef TOOLS_CTR_MANIFEST_GATHER_H
#define TOOLS_CTR_MANIFEST_GATHER_H

#include "initdata.h"
#include "k8s.h"
#include "log.h"
#include "manifest.h"

struct pod {
	const char *path;  /* the file */
	unsigned line;	   /* of the annotation */
	const char *title; /* "Deployment default/web" */
	const char *name;  /* host name: the pod's or the controller's */
	const char *secret_id;
	enum ctr_role role;
	struct ctr_policy policy;
};
typedef int (*pod_fn)(void *ctx, const struct pod *p, struct ctr_err *e);

/*
 * Calls fn for each pod (template) with a policy, in order of the files (none: standard input). A pod
 * without one is CTR_FORMAT "policy.missing" when its runtime class is a confidential one, and is skipped
 * otherwise. Refused too: both forms at once "policy.twice", an annotation outside the template
 * "policy.misplaced", a role other than coordinator with a policy "policy.role", a document that cannot
 * be read "initdata.…", and no policy at all "policy.none".
 */
CTR_MUST int gather(char **paths, int n, struct ctr_log *log, pod_fn fn, void *ctx,
		    struct ctr_err *e);

#endif
