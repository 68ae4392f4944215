/*
 * The history of manifests (ctr-api(7)): T = SHA-256(SHA-256(manifest) || T of the one before),
 * the first one before being 32 zero bytes. In the store a transition is the blob of these 64
 * bytes, so T is its name; `latest` names the last one, signed.
 */
#ifndef LIB_HISTORY_H
#define LIB_HISTORY_H

#include "hstore.h"

#define CTR_HISTORY_MAX 100000			      /* transitions */
#define CTR_HISTORY_BYTES ((size_t)256 * 1024 * 1024) /* of all manifests together */
#define CTR_LATEST_SIG_MAX 256			      /* bytes of the signature */

/* The history signing key (ctr-ca(1): P-384, with SHA-384), whoever holds it. */
struct ctr_signer {
	void *ctx;
	/* Appends a signature of at most CTR_LATEST_SIG_MAX bytes. */
	CTR_MUST int (*sign)(void *ctx, const void *p, size_t n, struct ctr_buf *sig,
			     struct ctr_err *e);
	CTR_MUST int (*verify)(void *ctx, const void *p, size_t n, const void *sig, size_t n_sig,
			       bool *good, struct ctr_err *e);
};

struct ctr_transition {
	uint8_t hash[CTR_SHA256_SIZE];	   /* T */
	uint8_t manifest[CTR_SHA256_SIZE]; /* SHA-256 of bytes[0..n), as they were sent */
	char *bytes;
	size_t n;
};

struct ctr_history {
	struct ctr_transition *v; /* oldest first */
	size_t n, cap, bytes;
	struct ctr_buf latest; /* the record of v[n - 1] as it is in the store */
};
void ctr_history_free(struct ctr_history *h); /* leaves an empty one, as = { 0 } */
#define ctr_auto_history CTR_AUTO(ctr_history_free)

/* T of the last transition, 32 zero bytes for none. */
void ctr_history_last(const struct ctr_history *h, uint8_t t[CTR_SHA256_SIZE]);

/* The T that manifest p[0..n) after `previous` has. */
CTR_MUST int ctr_history_next(const uint8_t previous[CTR_SHA256_SIZE], const void *p, size_t n,
			      uint8_t t[CTR_SHA256_SIZE], struct ctr_err *e);

/* Whether these manifests, oldest first, lead to t. CTR_NO "history.transition". Needs no store:
 * for clients. */
CTR_MUST int ctr_history_verify(const struct ctr_bytes *manifests, size_t n,
				const uint8_t t[CTR_SHA256_SIZE], struct ctr_err *e);

/*
 * The record: "ctr-latest-v1\n", T (32 bytes), then the signature over all that is before it.
 * CTR_FORMAT "history.latest".
 */
CTR_MUST int ctr_latest_parse(const void *p, size_t n, uint8_t t[CTR_SHA256_SIZE],
			      struct ctr_bytes *sig, struct ctr_err *e);

/* T of a record that the key signed. CTR_FORMAT "history.latest"; CTR_NO "history.signature". */
CTR_MUST int ctr_latest_verify(const struct ctr_buf *latest, const struct ctr_signer *key,
			       uint8_t t[CTR_SHA256_SIZE], struct ctr_err *e);

/* Whether the history has that transition. What has the last one of another begins with it. */
bool ctr_history_has(const struct ctr_history *h, const uint8_t t[CTR_SHA256_SIZE]);

/*
 * Reads the whole history into an empty h: the record and its signature, each transition back to
 * the first, each manifest. Nothing in the store: an empty history. CTR_FORMAT "history.latest",
 * "history.blob" (a transition that is not 64 bytes), "history.limit"; CTR_NO "history.signature";
 * and those of ctr_hstore_get. A store set back as a whole while nobody ran cannot be told from
 * here: the peers and the clients, who know T, tell.
 */
CTR_MUST int ctr_history_load(struct ctr_hstore *store, const struct ctr_signer *key,
			      struct ctr_history *h, struct ctr_err *e);

/*
 * Reads again what may have changed. Histories only grow: CTR_NO "history.rollback" when the one in
 * the store does not begin with h, or is gone; then, and on any other failure, h is as it was.
 */
CTR_MUST int ctr_history_refresh(struct ctr_hstore *store, const struct ctr_signer *key,
				 struct ctr_history *h, struct ctr_err *e);

struct ctr_update {
	struct ctr_bytes manifest;
	const struct ctr_bytes
		*policies; /* each named by the manifest, and each that it names, once */
	size_t n_policies;
	/* digests of those that earlier manifests name, sorted: the store has them */
	const uint8_t (*known)[CTR_SHA256_SIZE];
	size_t n_known;
	const uint8_t *previous; /* T that the manifest is to follow, 32 bytes; NULL for any */
};

/*
 * Makes u the last of h and of the store, or changes neither (blobs that nothing names may stay). h
 * belongs to the caller: readers must not use it meanwhile. CTR_NO "history.conflict" (another
 * update came first, or u->previous is not the last), "history.rollback" (the record is not the one
 * that h has, and no successor), "history.policy" (one that the manifest does not name, or twice),
 * "history.policy-missing"; CTR_FORMAT "history.limit", and those of ctr_manifest_parse and
 * ctr_hstore_put; CTR_ENV those of ctr_hstore_swap.
 */
CTR_MUST int ctr_history_append(struct ctr_hstore *store, const struct ctr_signer *key,
				const struct ctr_update *u, struct ctr_history *h,
				struct ctr_err *e);

#endif
