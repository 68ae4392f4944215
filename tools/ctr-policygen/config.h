/* The contents of ConfigMaps and Secrets of the stream. */
#ifndef TOOLS_CTR_POLICYGEN_CONFIG_H
#define TOOLS_CTR_POLICYGEN_CONFIG_H

#include "pod.h"

struct config {
	const struct ctr_yaml *y; /* NULL: not in the stream */
	const struct ctr_yaml_node *root;
	bool secret;
};

/* Looks the object up in the pod's namespace. */
CTR_MUST int config_find(const struct pod *p, const struct pod_source *src, bool secret,
			 const char *name, struct config *c, struct ctr_err *e);

/*
 * Calls fn for each key in the order of the document: the value's n bytes, `text` when environment variables
 * take it (data of a ConfigMap, all of a Secret), dead after the call. stringData of a Secret wins over data.
 * CTR_FORMAT: "config.base64", "yaml.type".
 */
typedef int (*config_fn)(void *ctx, const char *key, const char *value, size_t n, bool text,
			 struct ctr_err *e);
CTR_MUST int config_each(const struct config *c, config_fn fn, void *ctx, struct ctr_err *e);

#endif
