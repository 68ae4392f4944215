/* The installer's configuration: what to fetch, and which runtime it makes. */
#ifndef TOOLS_CTR_NODE_INSTALL_CONFIG_H
#define TOOLS_CTR_NODE_INSTALL_CONFIG_H

#include "hash.h"
#include "json.h"
#include "oci.h"

#include "kata.h"

#define CONFIG_FILES 64
#define CONFIG_BASE "@@runtimeBase@@/"
#define CONFIG_KATA "etc/configuration.toml" /* we write it */
#define CONFIG_RECORD "install.json"	     /* likewise */

struct config_file {
	const char *url;       /* file:///absolute, https:// or oci:// */
	struct ctr_imgref ref; /* oci:// alone */
	const char *title;     /* likewise: of the file among several, or NULL */
	const char *path;      /* below the runtime's directory */
	unsigned mode;
	bool pinned; /* alg and digest are to be met */
	enum ctr_hash_alg alg;
	uint8_t digest[CTR_HASH_MAX];
};

struct config {
	struct ctr_json *json; /* owns the strings */
	struct config_file file[CONFIG_FILES];
	size_t n;
	const char *handler, *snapshotter, *address;
	struct kata kata;
};

/*
 * Reads it. CTR_FORMAT: "json.*", and "config.NAME" for a value that cannot be: url, path, mode,
 * integrity, handler, platform, snapshotter, file (one that the platform needs is not there),
 * value.
 */
CTR_MUST int config_load(const char *path, struct config *c, struct ctr_err *e);
void config_free(struct config *c);
#define auto_config CTR_AUTO(config_free)

/* A runtime handler's name: a label of DNS. */
bool config_handler_ok(const char *s);

#endif
