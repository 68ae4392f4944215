/* Registry credentials from Docker's config.json and its relatives, and from credential helpers. */
#ifndef LIB_REGCRED_H
#define LIB_REGCRED_H

#include "buf.h"

#define CTR_CRED_FILE_MAX ((size_t)1024 * 1024)

/* A missing file is passed over unless it is required (named by the user). */
struct ctr_cred_file {
	const char *path;
	bool required;
};

/* Borrowed. The first file that has credentials for the host wins. */
struct ctr_cred_opts {
	const struct ctr_cred_file *file;
	size_t nfile;
	unsigned helper_s; /* seconds for a credential helper; 0: 60 */
};

struct ctr_cred {
	struct ctr_buf user, secret; /* set .wipe before; terminated texts without NUL bytes */
	bool identity;	       /* secret is a refresh token for the token server, not a password */
	struct ctr_buf source; /* where it is from, for messages */
};
void ctr_cred_init(struct ctr_cred *c);
void ctr_cred_free(struct ctr_cred *c);
#define ctr_auto_cred CTR_AUTO(ctr_cred_free)

/*
 * How well a key of "auths" fits: 0 not at all, else 1 + the length of its repository path. Hosts
 * are compared whole, port included, without regard to case; a path fits at the ends of components
 * only. A scheme is dropped, and with one also the paths v1 and v2; index.docker.io and
 * registry-1.docker.io are docker.io. `registry` is host[:port] in that form.
 */
size_t ctr_cred_match(const char *key, const char *registry, const char *repository);

/*
 * Looks for credentials for repository at registry; *found false when there are none. In a file
 * the most specific entry of credHelpers and auths wins, then credsStore is asked. CTR_FORMAT
 * "registry.credentials" (file or entry is broken), CTR_ENV "registry.helper", "open". No message
 * holds a secret. A helper is docker-credential-NAME on the PATH, run without a shell.
 */
CTR_MUST int ctr_cred_find(const struct ctr_cred_opts *o, const char *registry,
			   const char *repository, struct ctr_cred *c, bool *found,
			   struct ctr_err *e);

/* For messages: "looked in A, B", or that no file was named. */
void ctr_cred_places(const struct ctr_cred_opts *o, struct ctr_buf *b);

#endif
