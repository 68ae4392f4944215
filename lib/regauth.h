/* Answers a registry's 401: Basic, the token protocol, and the tokens in hand. */
#ifndef LIB_REGAUTH_H
#define LIB_REGAUTH_H

#include "http_curl.h"
#include "regcred.h"

/* Whom the answer is for. */
struct ctr_regauth_to {
	const char *base;	/* "https://host[:port]": where requests go */
	const char *registry;	/* host[:port] under which credentials are looked up */
	const char *repository;
};

/* Credentials and tokens of one run; safe to use from several threads at once. */
struct ctr_regauth;
CTR_MUST int ctr_regauth_new(struct ctr_http *h, const struct ctr_cred_opts *o,
			     struct ctr_log *log, struct ctr_regauth **out, struct ctr_err *e);
void ctr_regauth_free(struct ctr_regauth *a); /* NULL is legal */

/*
 * The Authorization value known for `to` into b (set .wipe), empty when there is none that is
 * still valid.
 */
CTR_MUST int ctr_regauth_get(struct ctr_regauth *a, const struct ctr_regauth_to *to,
			     struct ctr_buf *b, struct ctr_err *e);

/*
 * Finds a new Authorization value after `resp`, a 401 that came from to->base itself although (or
 * because) `used` was sent ("" for none); ctr_regauth_get then gives it. Basic credentials go to
 * to->base, and to the realm of a Bearer challenge: over https when to->base is https, and for a
 * plain HTTP registry only to its own host, since anybody on the way could have named the realm.
 * CTR_ENV "registry.auth" (no credentials, or refused), CTR_FORMAT "registry.challenge",
 * "registry.realm", "registry.token", and what ctr_cred_find and ctr_http_do fail with.
 */
CTR_MUST int ctr_regauth_answer(struct ctr_regauth *a, const struct ctr_regauth_to *to,
				const struct ctr_http_resp *resp, const struct ctr_buf *used,
				struct ctr_err *e);

/* What was tried for `to`, for messages: "credentials from FILE (entry "x")", or where none were. */
void ctr_regauth_tried(struct ctr_regauth *a, const struct ctr_regauth_to *to, struct ctr_buf *b);

#endif
