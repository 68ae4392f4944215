/* What a cluster's runtime adds or a person allows: --settings FILE, JSON, all optional. */
#ifndef TOOLS_CTR_POLICYGEN_SETTINGS_H
#define TOOLS_CTR_POLICYGEN_SETTINGS_H

#include "json.h"

/*
 * { "pause_image": REF        the sandbox container's image; default: the built-in pause
 *   "read_logs": bool         the host may read stdout and stderr (default false)
 *   "exec": [[ARG...]...]     commands allowed in every container besides probes and hooks
 *   "env": {NAME: PATTERN}    variables that a webhook adds: optional, value matches; see pattern.h
 *   "mounts": [{"destination","type","source","options":[...]}]   optional mounts of the runtime, one at a
 *                             destination; the source is a clean path or the name of a file system
 *   "image_accounts": bool    users and groups come from the image's files too (default true); false
 *                             where the guest pulls images and the runtime does not see them
 *   "gpu_resources": [NAME]   extended resources that stand for GPUs (default nvidia.com/pgpu) }
 */
struct settings {
	struct ctr_json *json; /* owns the rest; NULL without a file */
	const char *pause_image;
	bool read_logs, image_accounts;
};

/*
 * path NULL gives the defaults. CTR_FORMAT with the JSON path: "json.*", "settings.exec", "settings.env",
 * "settings.pattern", "settings.mount", "limit".
 */
CTR_MUST int settings_load(const char *path, struct settings *s, struct ctr_err *e);
void settings_free(struct settings *s);

/* True when the extended resource stands for a GPU. */
bool settings_gpu(const struct settings *s, const char *resource);

#endif
