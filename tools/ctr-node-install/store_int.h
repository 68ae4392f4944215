/* What the parts of the store share: store.c (a version is named and made), store_fetch.c (its
 * files are brought), store_look.c (what is installed), store_delete.c. */
#ifndef TOOLS_CTR_NODE_INSTALL_STORE_INT_H
#define TOOLS_CTR_NODE_INSTALL_STORE_INT_H

#include "store.h"

/* SHA-256 of a file. CTR_ENV "open", "read". */
CTR_MUST int store_hash(const char *path, uint8_t out[CTR_HASH_MAX], struct ctr_err *e);

/* Makes the directory that path is in. */
CTR_MUST int store_parent(const char *path, struct ctr_err *e);

/* Where files come from; zeroed but for the options, opened when it is needed. */
struct store_web {
	const struct ctr_registry_opts *o;
	struct ctr_http *http;
	struct ctr_oci_source *registry;
};
void store_web_free(struct store_web *w);

/* Brings a file to its place below dir, checked and on the disk; sum is its SHA-256. */
CTR_MUST int store_fetch(const struct config_file *f, const char *dir, struct store_web *web,
			 uint8_t sum[CTR_SHA256_SIZE], struct ctr_err *e);

#endif
