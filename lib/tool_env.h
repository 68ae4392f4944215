/* What the environment says of the way to the web, for the tools that fetch. Beside lib/tool.h:
 * this one reads the environment (ENVIRONMENT of their pages). */
#ifndef LIB_TOOL_ENV_H
#define LIB_TOOL_ENV_H

#include "http_curl.h"

/* The first variable if it says something, else the second; NULL when neither is set. */
const char *ctr_tool_env(const char *a, const char *b);

/* The proxies; http_proxy in small letters alone, as a server's request can set the other. */
void ctr_tool_env_proxies(struct ctr_http_opts *o);

#endif
