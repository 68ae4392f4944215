/* Where endorsements come from, as the options of the subcommands say: over lib/collateral.h. */
#ifndef TOOLS_CTR_ATTEST_VERIFY_SOURCES_H
#define TOOLS_CTR_ATTEST_VERIFY_SOURCES_H

#include "endorse.h"
#include "tool.h"

enum {
	SRC_FIRST = 200,
	SRC_DIR = SRC_FIRST,
	SRC_KDS,
	SRC_PCS,
	SRC_ROOT_CRL,
	SRC_CA,
	SRC_TIMEOUT,
	SRC_CACHE,
	SRC_NO_CACHE,
	SRC_OFFLINE,
	SRC_LAST = SRC_OFFLINE
};

/* Rows of an option table: the services, and what comes before they are asked. */
#define SOURCES_NET                                                                                \
	{ SRC_KDS, "kds-url", 0, "URL", "ask there instead of AMD's service: a caching proxy" },   \
		{ SRC_PCS, "pcs-url", 0, "URL", "ask there instead of Intel's service: a PCCS" },  \
		{ SRC_ROOT_CRL, "root-crl-url", 0, "URL", "where the list of Intel's root is" },   \
		{ SRC_CA, "ca-file", 0, "FILE", "PEM roots for HTTPS that replace the system's" }, \
	{                                                                                          \
		SRC_TIMEOUT, "timeout", 0, "SECONDS", "for one answer (default 30)"                \
	}
#define SOURCES_LOCAL                                                                              \
	{ SRC_DIR, "collateral", 0, "DIR", "directory of endorsements, as fetch fills it" },       \
		{ SRC_CACHE, "cache", 0, "DIR",                                                    \
		  "cache (default $XDG_CACHE_HOME/ctr/collateral)" },                              \
		{ SRC_NO_CACHE, "no-cache", 0, NULL, "neither read nor write the cache" },         \
	{                                                                                          \
		SRC_OFFLINE, "offline", 0, NULL, "never use the network"                           \
	}

struct sources {
	struct ctr_collateral_opts c;
	struct ctr_buf cache;
	bool no_cache;
};
void sources_free(struct sources *s);

/* Takes an option of those rows (SRC_FIRST to SRC_LAST). */
CTR_MUST int sources_opt(struct sources *s, int id, const char *value, struct ctr_err *e);
/* After the options: the default cache, proxies from the environment, the judgement of items;
 * messages go to log. */
CTR_MUST int sources_ready(struct sources *s, time_t at, struct ctr_log *log, struct ctr_err *e);

#endif
