/*
 * What is installed, below /opt/ctr on the node:
 *
 *	HANDLER-ID/	a version: its files, etc/configuration.toml and install.json, the record of
 *it .new-*, .old-*	a version on its way in or out; nothing refers to it
 *	.state/		the lock, the journal, backups, and for each handler the file that names it
 */
#ifndef TOOLS_CTR_NODE_INSTALL_STORE_H
#define TOOLS_CTR_NODE_INSTALL_STORE_H

#include "config.h"
#include "containerd.h"
#include "registry.h"

#define STORE_DIR "/opt/ctr"
#define STORE_STATE STORE_DIR "/.state"
#define STORE_ID 16 /* digits of a version's id */
#define STORE_VERSIONS 64

/* A version's directory, as the node sees it. */
struct store_version {
	char handler[64], id[STORE_ID + 1];
	char dir[128];
};

struct store_list {
	struct store_version v[STORE_VERSIONS];
	size_t n;
};

/* The version that a configuration makes: the same in, the same out. Files of this machine without
 * integrity are read. CTR_ENV "open", "read". */
CTR_MUST int store_name(const struct config *c, struct store_version *v, struct ctr_err *e);

/* Kata's configuration of that version. */
void store_kata(const struct config *c, const struct store_version *v, struct ctr_buf *b);

/* What containerd has to be told; strings point into v, c and the two buffers. */
void store_runtime(const struct config *c, const struct store_version *v, struct ctr_buf *shim,
		   struct ctr_buf *conf, struct cd_runtime *r);

/*
 * Fetches, checks and installs the version, unless it is there and sound (*made false). It appears
 * whole or not at all. CTR_NO "integrity": bytes that are not those asked for. CTR_ENV: "http.*",
 * "fetch.status", "write", "fetch.missing" (not in the registry) and those of registry.h;
 * CTR_FORMAT "artifact.layer", "image.*".
 */
CTR_MUST int store_install(const char *root, const struct config *c, const struct store_version *v,
			   const struct ctr_registry_opts *web, bool *made, struct ctr_err *e);

/* The versions on the node, sorted by name. */
CTR_MUST int store_list(const char *root, struct store_list *l, struct ctr_err *e);

/* Called for each file that is not as its record says; what: "missing", "content", "mode",
 * "unknown". */
typedef void (*store_drift_fn)(void *ctx, const char *path, const char *what);
/* The record of a version, and its runtime in r, with strings in *record (the caller frees it).
 * CTR_FORMAT "store.record". */
CTR_MUST int store_read(const char *root, const struct store_version *v, struct ctr_json **record,
			struct cd_runtime *r, struct ctr_err *e);
CTR_MUST int store_check(const char *root, const struct store_version *v, store_drift_fn fn,
			 void *ctx, struct ctr_err *e);

/* Takes a version out: it is out of the way at once, then deleted. */
CTR_MUST int store_remove(const char *root, const struct store_version *v, struct ctr_err *e);
/* Deletes all of STORE_DIR, backups too, when there is no version in it. */
CTR_MUST int store_tidy(const char *root, struct ctr_err *e);
/* Deletes what an interrupted run left behind. */
CTR_MUST int store_sweep(const char *root, struct ctr_err *e);
/* Deletes a directory and all below it; absent is fine. Links are not followed. */
CTR_MUST int store_delete(const char *real, struct ctr_err *e);

#endif
