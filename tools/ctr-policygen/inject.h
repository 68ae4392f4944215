/* What is added to a pod before its policy is made: edits of the YAML. */
#ifndef TOOLS_CTR_POLICYGEN_INJECT_H
#define TOOLS_CTR_POLICYGEN_INJECT_H

#include "image.h"
#include "k8s.h"

struct inject_opts {
	const char *initializer_image, *mesh_image;
	const char *coordinator_host;
	const char *runtime_handler;  /* NULL: leave runtimeClassName */
	const char *default_class;    /* for pods without one */
	bool skip_initializer, renew, pin;
};

/*
 * Sets the runtime class, adds Initializer, secure-pv and mesh containers with their volumes as options and annotations
 * say, and pins images. What is there already is left alone. CTR_FORMAT "inject.*" at the node that is in the way.
 */
CTR_MUST int inject(struct ctr_yaml *y, const struct ctr_k8s_obj *o, const struct inject_opts *opts,
		    struct images *images, struct ctr_err *e);

#endif
