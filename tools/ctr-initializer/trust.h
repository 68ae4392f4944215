/* Is the one who answered the Coordinator of a manifest? */
#ifndef TOOLS_CTR_INITIALIZER_TRUST_H
#define TOOLS_CTR_INITIALIZER_TRUST_H

#include "handshake.h"
#include "tool_sources.h"

struct trust {
	const char *manifest; /* file, read each time: an update may have come */
	const char *url;
	struct ctr_sources *sources;
};

/*
 * Of struct session: asks for evidence under a fresh nonce and verifies it against the manifest,
 * which must be the active one byte for byte; the root and mesh CA that it is bound to are those of
 * j. ctx is a struct trust. CTR_NO with the name of the check that failed, "coordinator.root_ca",
 * "coordinator.mesh_ca", …; those of ctr_coordinator_attest, ctr_manifest_parse.
 */
int trust_check(void *ctx, const struct joined *j, struct ctr_err *e);

#endif
