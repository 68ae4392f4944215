#include "tool_env.h"

#include <stdlib.h>

const char *ctr_tool_env(const char *a, const char *b)
{
	const char *v = getenv(a);

	return v && *v ? v : getenv(b);
}

void ctr_tool_env_proxies(struct ctr_http_opts *o)
{
	o->http_proxy = getenv("http_proxy");
	o->https_proxy = ctr_tool_env("HTTPS_PROXY", "https_proxy");
	o->no_proxy = ctr_tool_env("NO_PROXY", "no_proxy");
}
