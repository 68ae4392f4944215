/* What a cluster's runtime adds or a person allows: --settings FILE, JSON, all optional. */
#ifndef TOOLS_CTR_POLICYGEN_SETTINGS_H
#define TOOLS_CTR_POLICYGEN_SETTINGS_H

#include "json.h"

/*
 * { "pause_image": REF        the sandbox container's image; default: the built-in pause
 *   "read_logs": bool         the host may read stdout and stderr (default false)
 *   "exec": [[ARG...]...]     commands allowed in every container besides probes and hooks
 *   "env": {NAME: PATTERN}    variables that a webhook adds: optional, value matches
 *   "mounts": [{"destination","type","source","options":[...]}]   optional mounts of the runtime
 *   "gpu_resources": [NAME]   extended resources that stand for GPUs (default nvidia.com/pgpu) }
 */
struct settings {
	struct ctr_json *json; /* owns the rest; NULL without a file */
	const char *pause_image;
	bool read_logs;
};

/* path NULL gives the defaults. CTR_FORMAT with the JSON path: "json.*", "settings.pattern", "settings.mount". */
CTR_MUST int settings_load(const char *path, struct settings *s, struct ctr_err *e);
void settings_free(struct settings *s);

/* True when the extended resource stands for a GPU. */
bool settings_gpu(const struct settings *s, const char *resource);


#endif
