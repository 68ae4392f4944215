/* What the Coordinator serves at one moment: made whole, never changed, held by reference. */
#ifndef TOOLS_CTR_COORDINATORD_STATE_H
#define TOOLS_CTR_COORDINATORD_STATE_H

#include <stdatomic.h>

#include "answer.h"
#include "ca.h"
#include "history.h"
#include "manifest.h"

struct state {
	atomic_uint refs;
	const struct ctr_root *root; /* lives as long as the process */
	struct ctr_mesh *mesh;
	struct ctr_manifest manifest;	     /* the active one */
	uint8_t transition[CTR_SHA256_SIZE]; /* T */
	size_t generation;		     /* manifests in the history */
	struct ctr_buf manifests, policies;  /* of the history, as items of JSON arrays */
	uint8_t (*known)[CTR_SHA256_SIZE];   /* digests of `policies`, sorted */
	size_t n_known;
};

struct state_from {
	const struct ctr_root *root;
	struct ctr_mesh *mesh;		/* the mesh CA; taken over on success */
	const struct state *old;	/* what was served before, NULL for nothing */
	const struct ctr_transition *v; /* what follows it, at least one; only borrowed */
	size_t n;
	const struct ctr_bytes *policies; /* that they name; NULL: `store` has them */
	size_t n_policies;
	struct ctr_hstore *store;
};

/*
 * A snapshot with one reference. The policies that are given are taken as they are: that they are
 * those of the manifest, ctr_history_append says. CTR_FORMAT "state.limit": no client would take an
 * answer of this size (CTR_ANSWER_MAX); those of ctr_manifest_parse, ctr_hstore_get and
 * ctr_policies_parse.
 */
CTR_MUST int state_new(struct state_from *from, struct state **out, struct ctr_err *e);

struct state *state_hold(struct state *s); /* another reference */
void state_drop(struct state *s);	   /* NULL is legal */
void state_cleanup(struct state **s);
#define auto_state CTR_AUTO(state_cleanup)

#endif
