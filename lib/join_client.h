/*
 * The asking side of /v1/mesh (ctr-api(7)): a pod that joins, and a Coordinator that
 * wants a peer's state.
 */
#ifndef LIB_JOIN_CLIENT_H
#define LIB_JOIN_CLIENT_H

#include "http_curl.h"
#include "join.h"

struct ctr_join_client {
	const char *url; /* of the Coordinator's API, no slash at the end */
	struct ctr_http *http;
	/* Evidence of this machine for report_data, CBOR, appended. */
	int (*evidence)(void *ctx, const uint8_t report_data[CTR_REPORT_DATA_SIZE],
			struct ctr_buf *cbor, struct ctr_err *e);
	void *ctx;
};

/* The keys of one handshake, and what was sent; the structure must not be used twice. */
struct ctr_join_keys {
	struct ctr_sign_key *cert;
	struct ctr_secret kem; /* what the answer is sealed to */
	struct ctr_join join;
	uint8_t nonce[CTR_NONCE_SIZE]; /* that the answer is for */
};
void ctr_join_keys_free(struct ctr_join_keys *k);
#define ctr_auto_join_keys CTR_AUTO(ctr_join_keys_free)

/*
 * Fresh keys into an empty *k, evidence for them under the Coordinator's nonce, posted to
 * URL/v1/mesh/NAME: the text of the 200, at most max bytes, into an empty *body. Nothing of the
 * answer is believed. "coordinator.refused": CTR_NO in the Coordinator's own words, else CTR_ENV;
 * CTR_ENV "join.challenge": no nonce came. Ids of ctr_http_do, of `evidence`, ctr_join_print,
 * ctr_hpke_generate.
 */
CTR_MUST int ctr_join_exchange(const struct ctr_join_client *c, const char *name, size_t max,
			       struct ctr_join_keys *k, struct ctr_buf *body, struct ctr_err *e);

/* The mesh CA that the Coordinator serves now, PEM, appended: a hint, nothing proves it. */
CTR_MUST int ctr_join_mesh_ca(const struct ctr_join_client *c, struct ctr_buf *mesh_ca,
			      struct ctr_err *e);

#endif
