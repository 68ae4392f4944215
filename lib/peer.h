/*
 * What a Coordinator hands to one that has lost its state: the answer of POST /v1/mesh/recover,
 * whose request is that of lib/join.h (ctr-api(7)).
 */
#ifndef LIB_PEER_H
#define LIB_PEER_H

#include "join.h"

#define CTR_PEER_SEED 64
#define CTR_PEER_SALT 32
#define CTR_PEER_MAX ((size_t)1 << 20) /* bytes of the answer: its evidence is endorsed */

/* The state of one manifest; a zeroed one is empty. */
struct ctr_peer_state {
	uint64_t generation;		      /* manifests in the history */
	uint8_t transition[CTR_SHA256_SIZE];  /* T of the last one */
	struct ctr_secret seed, salt;	      /* of their sizes */
	struct ctr_secret mesh_key;	      /* of the mesh CA, PEM */
	struct ctr_buf intermediate, mesh_ca; /* certificates of that key, PEM */
};
void ctr_peer_state_free(struct ctr_peer_state *s);
#define ctr_auto_peer_state CTR_AUTO(ctr_peer_state_free)

/*
 * The plaintext of sealed_state:
 * {"generation","transition_hash","seed","salt","mesh_key","intermediate","mesh_ca"}, all but the
 * number in base64. b is made one that is wiped. The reader gets an empty *s. CTR_FORMAT "json.…",
 * "base64", "peer.size".
 */
CTR_MUST int ctr_peer_state_parse(const struct ctr_secret *text, struct ctr_peer_state *s,
				  struct ctr_err *e);
CTR_MUST int ctr_peer_state_print(const struct ctr_peer_state *s, struct ctr_buf *b,
				  struct ctr_err *e);

/*
 * {"version","sealed_state","evidence"}. sealed_state is sealed to the request's kem_key with
 * ctr_peer_info. HPKE does not say who sealed: the evidence does, it is for ctr_peer_report_data.
 */
struct ctr_peer_answer {
	struct ctr_buf sealed, evidence;
};
void ctr_peer_answer_free(struct ctr_peer_answer *a);
#define ctr_auto_peer_answer CTR_AUTO(ctr_peer_answer_free)
/* CTR_FORMAT "json.…", "base64", "peer.version", "peer.size". */
CTR_MUST int ctr_peer_answer_parse(const char *name, const char *p, size_t n,
				   struct ctr_peer_answer *a, struct ctr_err *e);
CTR_MUST int ctr_peer_answer_print(const struct ctr_peer_answer *a, struct ctr_buf *b,
				   struct ctr_err *e);

/* "contrast mesh recover v1" || nonce, appended. */
void ctr_peer_info(const uint8_t nonce[CTR_NONCE_SIZE], struct ctr_buf *info);
/* SHA-512("contrast mesh recover v1" || nonce || sealed_state): the nonce is that of the request.
 */
CTR_MUST int ctr_peer_report_data(const struct ctr_peer_answer *a,
				  const uint8_t nonce[CTR_NONCE_SIZE],
				  uint8_t out[CTR_REPORT_DATA_SIZE], struct ctr_err *e);

#endif
