/* What the environment says of registries and the web, for the tools that fetch: logins, proxies,
 * CA file. Beside lib/tool.h: this one reads the environment (ENVIRONMENT of their pages). */
#ifndef LIB_TOOL_REGISTRY_H
#define LIB_TOOL_REGISTRY_H

#include "registry.h"

/* The structure must stay where it is: `o` points into it. */
struct ctr_tool_registry {
	struct ctr_registry_opts o; /* messages go to its log; o.http is good for the web too */
	/* what it stands on */
	struct ctr_buf path[2];
	struct ctr_cred_file file[3];
};

/* Fills a zeroed one; ca_file NULL is that of the environment, else the system's. */
CTR_MUST int ctr_tool_registry_env(struct ctr_tool_registry *r, const char *ca_file,
				   struct ctr_log *log, struct ctr_err *e);
void ctr_tool_registry_free(struct ctr_tool_registry *r);
#define ctr_auto_tool_registry CTR_AUTO(ctr_tool_registry_free)

#endif
