/* The Coordinator: what all of its parts share. */
#ifndef TOOLS_CTR_COORDINATORD_COORD_H
#define TOOLS_CTR_COORDINATORD_COORD_H

#include <pthread.h>

#include "crypto_hpke.h"
#include "endorse.h"
#include "kube.h"
#include "lists.h"
#include "log.h"
#include "metrics.h"
#include "nonces.h"
#include "platform.h"
#include "state.h"
#include "verdict.h"

struct ctr_tls_server;
struct peers;

struct coord {
	/* set up once, then only read */
	struct ctr_log *log;
	struct ctr_metrics *metrics;
	struct ctr_platform *platform;
	struct ctr_hstore *store;
	struct nonces *nonces;
	struct ctr_secret hpke; /* what recovery is sealed to */
	uint8_t hpke_pub[CTR_X25519_SIZE];
	struct ctr_verify_opts verify; /* the time is set for each */
	struct ctr_collateral_opts from;
	struct ctr_kube_opts kube; /* for a store of that kind */
	struct ctr_snp_cache *snp;
	struct ctr_tdx_cache *tdx;
	struct ctr_tls_server *tls; /* of the transit engine; NULL: there is none */
	struct peers *peers;	    /* NULL: there are none */
	uint64_t cert_seconds;
	unsigned attests_max; /* workers that may wait for the platform at once: not all of them */
	bool owned;	      /* the first manifest too must be signed: by this key */
	uint8_t owner[CTR_SHA256_SIZE];

	atomic_uint attests;	       /* that wait for it now */
	pthread_mutex_t platform_lock; /* one at a time asks the platform */
	struct lists lists;
	pthread_mutex_t fetch; /* one worker at a time fetches what endorses a peer */
	pthread_mutex_t own_lock;
	struct ctr_evidence own; /* what endorses this machine's evidence, as it was last fetched */
	time_t own_at;		 /* coord_clock() then, 0: not yet */

	/* one at a time changes the history: what is below belongs to the holder */
	pthread_mutex_t change;
	struct ctr_history history;
	/* what is to be recovered must have this transition of a later manifest; zero: there is none */
	uint8_t newest[CTR_SHA256_SIZE];
	struct ctr_secret seed, salt; /* empty until the first manifest or recovery */
	struct ctr_root *root;	      /* never changes once it is there */

	pthread_mutex_t lock; /* for these alone, and for a moment */
	struct state *state;  /* NULL: no manifest yet, or recovery is waited for */
	bool recovering;      /* the store has a history that nobody here can read, or serve */
	time_t store_at;      /* coord_clock() when the store was last seen; 0: its own directory */
	atomic_bool ending;   /* the store is not waited for any more */
};

/*
 * Opens platform, store and caches of a zeroed c whose options are set. CTR_ENV when the platform
 * gives no report, and those of ctr_hstore_open and ctr_hstore_kube.
 */
CTR_MUST int coord_open(struct coord *c, const char *platform, const char *store,
			struct ctr_err *e);
void coord_close(struct coord *c);

/* The state, held: NULL with CTR_NO "coord.no-manifest" or "coord.recovering" when there is none.
 */
struct state *coord_state(struct coord *c, struct ctr_err *e);

/* Makes s, whose reference is taken, the state: from the next request on. The caller holds
 * `change`, and has set root, seed and salt. */
void coord_publish(struct coord *c, struct state *s);

/* Nothing is served from now on, until recovery: the store has a history that is not here, or a later
 * one. The peers are asked. */
void coord_recover(struct coord *c);

/* Whether s, or NULL, is the state: nobody came between. */
bool coord_serves(struct coord *c, const struct state *s);

/* Fetches what endorses this machine's evidence, for coord_evidence: the network may be slow. It
 * ends early when *stop turns true. */
CTR_MUST int coord_endorse(struct coord *c, const atomic_bool *stop, struct ctr_err *e);

/* Evidence of this machine for report_data, with what coord_endorse found; CBOR, appended. */
CTR_MUST int coord_evidence(struct coord *c, const uint8_t report_data[CTR_REPORT_DATA],
			    struct ctr_buf *cbor, struct ctr_err *e);

/* Seconds on a clock that nobody sets. */
time_t coord_clock(void);

#endif
