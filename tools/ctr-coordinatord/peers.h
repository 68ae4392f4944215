/*
 * Recovery from another Coordinator of the deployment: POST /v1/mesh/recover, the client's side.
 *
 * What is trusted before: the hardware, and nothing else. The store is the host's; only the seed
 * tells whether it is genuine. Anybody can answer at a peer's address, and a host can make a store,
 * sign it with a seed of its own and hand us both. So what must hold is tied together, and nothing
 * is served before all of it does:
 *
 *   1. The seed derives the key that signed the record of our store (restore_load). Then the
 *      history that we read is the one that the holder of this seed had.
 *   2. The peer's transition hash and number of manifests are those of our store. T names the whole
 *      history, so the peer serves the manifest that we will serve. A peer that is behind is
 *      refused; one that is ahead says that the store is: then we wait, and read the store again.
 *   3. The peer's evidence satisfies the last manifest of that history, with the role of a
 *      Coordinator, and is bound to the sealed state, which opens with a key that we made for this
 *      request alone: whoever this manifest permits as Coordinator gave us this very state, now.
 *      Evidence from /v1/attest would not do: HPKE does not say who sealed, so a host could relay
 *      the evidence of a genuine peer and seal a state of its own.
 *
 * By 3, who verifies that we serve manifest M knows that our seed came from code that M calls a
 * Coordinator, as ours is; and that one had made it, or was given it by a seed share owner, or by
 * the same steps. A host that makes up store, seed and manifest gets a Coordinator that serves the
 * made up manifest under another root CA: no more than if it started a new deployment, for our
 * memory holds nothing of the true one yet. Clients tell by the manifest and the root CA.
 *
 * That is why --initial-owner-key, which demands more of a new deployment, excludes peers: the
 * history does not hold the signature of its first manifest.
 *
 * The peer demands as much of us: the role of a Coordinator by the manifest that it serves, and
 * that its own store was not changed under it (api_mesh.c).
 *
 * The mesh CA is taken over, key and certificates: pods that one of the two certified are served by
 * both. After recovery by a seed share owner there is a new one; so that is refused while a peer
 * serves, unless it is forced.
 */
#ifndef TOOLS_CTR_COORDINATORD_PEERS_H
#define TOOLS_CTR_COORDINATORD_PEERS_H

#include "coord.h"

#define PEERS_MAX 16

/* The peers at n URLs, which are copied; c->from is set. CTR_USAGE "http.url". */
struct peers;
CTR_MUST int peers_new(struct coord *c, const char *const *urls, size_t n, struct peers **out,
		       struct ctr_err *e);
void peers_free(struct peers *p); /* NULL is legal, as below */

/*
 * If recovery is waited for, a thread asks all peers in turn until it is over, with pauses that
 * grow up to a minute; with a store that others change, whenever it is waited for again. Each refusal is in the log: the ids of ctr_join_exchange, ctr_peer_….
 * restore_load, ctr_mesh_load and appraise; CTR_NO "peer.older" (the peer's history is shorter than
 * the store's), "peer.transition" (as long, and another); CTR_ENV "peer.newer" (the store is
 * behind).
 */
CTR_MUST int peers_start(struct peers *p, struct ctr_err *e);
void peers_now(struct peers *p);  /* ends a pause: asks at once if recovery is waited for */
void peers_stop(struct peers *p); /* waits for the thread's end */

/*
 * Fails with CTR_NO "coord.peer" when one serves; CTR_ENV "coord.busy" while another request asks.
 * Takes at most some 16 seconds. What they answer is not verified: it is a reason to wait, not to
 * trust.
 */
CTR_MUST int peers_none_serves(struct peers *p, struct ctr_err *e);

#endif
