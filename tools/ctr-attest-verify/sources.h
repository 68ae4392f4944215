/* Where endorsements come from: the options that say so, the same for verification and fetch. */
#ifndef TOOLS_CTR_ATTEST_VERIFY_SOURCES_H
#define TOOLS_CTR_ATTEST_VERIFY_SOURCES_H

#include "endorse.h"
#include "tool.h"

enum { O_COLLATERAL = 100, O_CACHE, O_NO_CACHE, O_OFFLINE, O_KDS, O_PCS, O_ROOT_CRL, O_CA };

#define SOURCE_ROWS                                                                                          \
	{ O_CACHE, "cache", 0, "DIR", "endorsements that were fetched (default ~/.cache/ctr/collateral)" },  \
	{ O_NO_CACHE, "no-cache", 0, NULL, "neither read nor write a cache" },                               \
	{ O_KDS, "kds-url", 0, "URL", "instead of AMD's service" },                                          \
	{ O_PCS, "pcs-url", 0, "URL", "instead of Intel's service: a PCCS" },                                \
	{ O_ROOT_CRL, "root-crl-url", 0, "URL", "instead of where Intel has its root's list" },              \
	{ O_CA, "ca-file", 0, "FILE", "PEM roots for these services' TLS" }

struct sources {
	struct ctr_collateral_opts c;
	const char *cache;
	bool no_cache;
	struct ctr_buf cache_dir;
};

/* Takes an option of its own (true), or leaves it to the caller. */
bool sources_opt(struct sources *s, int id, const char *value);
/* After all options: cache directory, proxies, log. */
CTR_MUST int sources_ready(struct sources *s, struct ctr_log *log, struct ctr_err *e);
void sources_free(struct sources *s);

#endif
