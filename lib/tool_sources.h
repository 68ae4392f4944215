/*
 * The options of whoever verifies evidence: where endorsements come from (lib/collateral.h), and
 * how strictly they are looked at. Beside lib/tool.h: this one reads the environment.
 */
#ifndef LIB_TOOL_SOURCES_H
#define LIB_TOOL_SOURCES_H

#include "collateral.h"
#include "tool.h"

enum {
	CTR_SRC_FIRST = 200,
	CTR_SRC_DIR = CTR_SRC_FIRST,
	CTR_SRC_KDS,
	CTR_SRC_PCS,
	CTR_SRC_ROOT_CRL,
	CTR_SRC_CA,
	CTR_SRC_TIMEOUT,
	CTR_SRC_CACHE,
	CTR_SRC_NO_CACHE,
	CTR_SRC_OFFLINE,
	CTR_SRC_CRL,
	CTR_SRC_TCB,
	CTR_SRC_TEST_ROOT,
	CTR_SRC_LAST = CTR_SRC_TEST_ROOT
};

/* Rows of an option table: the services, what comes before they are asked, how strict it is. */
#define CTR_SOURCES_NET                                                                            \
	{ CTR_SRC_KDS, "kds-url", 0, "URL",                                                        \
	  "ask there instead of AMD's service: a caching proxy" },                                 \
		{ CTR_SRC_PCS, "pcs-url", 0, "URL",                                                \
		  "ask there instead of Intel's service: a PCCS" },                                \
		{ CTR_SRC_ROOT_CRL, "root-crl-url", 0, "URL",                                      \
		  "where the list of Intel's root is" },                                           \
		{ CTR_SRC_CA, "ca-file", 0, "FILE",                                                \
		  "PEM roots for HTTPS that replace the system's" },                               \
	{                                                                                          \
		CTR_SRC_TIMEOUT, "timeout", 0, "SECONDS", "for one answer (default 30)"            \
	}
#define CTR_SOURCES_LOCAL                                                                          \
	{ CTR_SRC_DIR, "collateral", 0, "DIR", "directory of endorsements, as fetch fills it" },   \
		{ CTR_SRC_CACHE, "cache", 0, "DIR",                                                \
		  "cache (default $XDG_CACHE_HOME/ctr/collateral)" },                              \
		{ CTR_SRC_NO_CACHE, "no-cache", 0, NULL, "neither read nor write the cache" },     \
	{                                                                                          \
		CTR_SRC_OFFLINE, "offline", 0, NULL, "fetch no endorsement from the network"       \
	}
#define CTR_SOURCES_STRICT                                                                         \
	{ CTR_SRC_CRL, "crl", 0, "MODE", "required, if-available (default) or never" },            \
		{ CTR_SRC_TCB, "tcb", 0, "MODE",                                                   \
		  "TDX: TCB info and QE identity: required (default) or if-available" },           \
	{                                                                                          \
		CTR_SRC_TEST_ROOT, "insecure-test-root", 0, "FILE",                                \
			"trust this root certificate instead of the vendors'"                      \
	}

struct ctr_sources {
	struct ctr_collateral_opts c;
	struct ctr_verify_opts verify;
	/* what the two stand on */
	struct ctr_buf cache;
	bool no_cache;
	const char *test_root;
	uint8_t pin[CTR_SHA256_SIZE];
};
/* Verifies as of `now`. The structure must stay where it is. */
void ctr_sources_init(struct ctr_sources *s, time_t now);
void ctr_sources_free(struct ctr_sources *s);

/* Takes an option of those rows (CTR_SRC_FIRST to CTR_SRC_LAST). */
CTR_MUST int ctr_sources_opt(struct ctr_sources *s, int id, const char *value, struct ctr_err *e);
/* After the options: the root for tests ("x509.der", "x509.pem"), the default cache, proxies from
 * the environment, the judgement of items; messages go to log. */
CTR_MUST int ctr_sources_ready(struct ctr_sources *s, struct ctr_log *log, struct ctr_err *e);

#endif
