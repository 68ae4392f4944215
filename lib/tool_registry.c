#include "tool_registry.h"

#include <stdlib.h>

/* REGISTRY_AUTH_FILE alone if it is set, else Docker's file and then that of Podman and its
 * relatives. */
static int logins(struct ctr_tool_registry *r, struct ctr_err *e)
{
	const char *named = getenv("REGISTRY_AUTH_FILE"), *home = getenv("HOME");
	const char *docker = getenv("DOCKER_CONFIG"), *run = getenv("XDG_RUNTIME_DIR");
	size_t n = 0;

	if (named && *named) {
		r->file[n++] = (struct ctr_cred_file){ named, true };
	} else {
		if (docker && *docker)
			ctr_buf_addf(&r->path[0], "%s/config.json", docker);
		else if (home && *home)
			ctr_buf_addf(&r->path[0], "%s/.docker/config.json", home);
		if (run && *run)
			ctr_buf_addf(&r->path[1], "%s/containers/auth.json", run);
	}
	for (size_t i = 0; i < 2; i++) {
		if (ctr_buf_ok(&r->path[i], "path", e) < 0)
			return -1;
		if (r->path[i].n)
			r->file[n++] = (struct ctr_cred_file){ r->path[i].p, false };
	}
	r->o.creds = (struct ctr_cred_opts){ .file = r->file, .nfile = n };
	return 0;
}

static const char *env2(const char *a, const char *b)
{
	const char *v = getenv(a);

	return v && *v ? v : getenv(b);
}

int ctr_tool_registry_env(struct ctr_tool_registry *r, const char *ca_file, struct ctr_log *log,
			  struct ctr_err *e)
{
	r->o.http = (struct ctr_http_opts){
		.ca_file = ca_file ? ca_file : env2("CURL_CA_BUNDLE", "SSL_CERT_FILE"),
		.http_proxy = getenv("http_proxy"),
		.https_proxy = env2("HTTPS_PROXY", "https_proxy"),
		.no_proxy = env2("NO_PROXY", "no_proxy"),
		.log = log,
	};
	r->o.log = log;
	return logins(r, e);
}

void ctr_tool_registry_free(struct ctr_tool_registry *r)
{
	for (size_t i = 0; i < 2; i++)
		ctr_buf_free(&r->path[i]);
}
