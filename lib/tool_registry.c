#include "tool_registry.h"

#include <stdlib.h>

#include "tool_env.h"

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

int ctr_tool_registry_env(struct ctr_tool_registry *r, const char *ca_file, struct ctr_log *log,
			  struct ctr_err *e)
{
	r->o.http = (struct ctr_http_opts){
		.ca_file = ca_file ? ca_file : ctr_tool_env("CURL_CA_BUNDLE", "SSL_CERT_FILE"),
		.log = log,
	};
	ctr_tool_env_proxies(&r->o.http);
	r->o.log = log;
	return logins(r, e);
}

void ctr_tool_registry_free(struct ctr_tool_registry *r)
{
	for (size_t i = 0; i < 2; i++)
		ctr_buf_free(&r->path[i]);
}
