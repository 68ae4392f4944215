/* What the words share that talk to a Coordinator. */
#ifndef TOOLS_CTR_MANIFEST_ONLINE_H
#define TOOLS_CTR_MANIFEST_ONLINE_H

#include "coordinator.h"
#include "tool_sources.h"

enum { ONLINE_FIRST = 100, ONLINE_URL = ONLINE_FIRST, ONLINE_ROOT_CA, ONLINE_LAST = CTR_SRC_LAST };

/* Rows of an option table. */
#define ONLINE_OPTS                                                                                \
	{ ONLINE_URL, "coordinator", 0, "URL", "the Coordinator" },                                \
		{ ONLINE_ROOT_CA, "coordinator-root-ca", 0, "FILE",                                \
		  "refuse a Coordinator with another root CA than this certificate" },             \
		CTR_SOURCES_LOCAL, CTR_SOURCES_NET, CTR_SOURCES_STRICT

struct online {
	struct ctr_sources from;
	const char *root_ca;
	struct ctr_buf pin; /* what it holds, empty without */
	struct ctr_coordinator c;
};
void online_init(struct online *o);
void online_free(struct online *o);

/* Takes an option of those rows (ONLINE_FIRST to ONLINE_LAST). */
CTR_MUST int online_opt(struct online *o, int id, const char *value, struct ctr_err *e);
/* After the options: "usage" without a URL. */
CTR_MUST int online_ready(struct online *o, struct ctr_log *log, struct ctr_err *e);

/*
 * Sends what changes the Coordinator, once: who repeats it when the answer was lost would do it
 * twice. As ctr_coordinator_post; without an answer the advice is that it may have been done.
 */
CTR_MUST int online_change(const struct online *o, const char *name, const char *json,
			   struct ctr_buf *body, char code[CTR_API_CODE], struct ctr_err *e);

/* The manifest of a file ("-": standard input): its bytes, and what they mean. */
CTR_MUST int online_manifest(const char *path, struct ctr_buf *bytes, struct ctr_manifest *m,
			     struct ctr_err *e);

#endif
