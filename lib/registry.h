/* Registries over HTTPS as an image source: the OCI distribution (Docker v2) API. */
#ifndef LIB_REGISTRY_H
#define LIB_REGISTRY_H

#include "http_curl.h"
#include "oci.h"
#include "regcred.h"

/* Borrowed: everything in it outlives the source. Lists end with NULL; a NULL list is empty. */
struct ctr_registry_opts {
	/*
	 * "HOST[:PORT]=BASE", BASE an https:// or http:// URL: images of that registry are asked for
	 * at BASE first, in the given order (the path of BASE comes in front of the repository:
	 * https://host/v2/PATH/REPOSITORY/…). What a mirror lacks or cannot give comes from the
	 * registry. Content is checked by digest; for a tag a mirror is trusted like the registry.
	 */
	const char *const *mirrors;
	const char *const *plain; /* "HOST[:PORT]" of registries that are asked over plain HTTP */
	struct ctr_http_opts http; /* its log is not used, `log` is */
	struct ctr_cred_opts creds;
	struct ctr_log *log; /* NULL: silent */
};

/*
 * A source (see oci.h) for every registry, free with src->free. Nothing is asked or loaded yet.
 * CTR_USAGE "registry.mirror": an entry of mirrors that is no HOST=BASE.
 *
 * 404 is "not found". Failures of its calls: CTR_ENV "registry.auth" (401 or 403: the credential
 * source that was tried is named), "registry.tls", "registry.connect", "registry.http" (any other
 * status or a broken transfer), "http.stopped", "http.library", "registry.helper"; CTR_FORMAT
 * "image.digest", "image.size", "image.ref", "limit" and those of regauth.h. Each names host and
 * repository.
 */
CTR_MUST int ctr_registry_new(const struct ctr_registry_opts *o, struct ctr_oci_source **out,
			      struct ctr_err *e);

/* HTTP requests made by this source so far: redirects, logins and repetitions counted. */
uint64_t ctr_registry_requests(const struct ctr_oci_source *s);

#endif
