/* What a Coordinator answers to POST /v1/attest (ctr-api(7)): history, certificates, and
 * evidence bound to both. */
#ifndef LIB_ANSWER_H
#define LIB_ANSWER_H

#include "hash.h"
#include "json.h"

#define CTR_ANSWER_MAX CTR_JSON_MAX /* bytes of the JSON text */
#define CTR_ANSWER_HISTORY 100000   /* manifests */
#define CTR_ANSWER_POLICIES 1000000
#define CTR_NONCE_SIZE 32
#define CTR_HPKE_KEY_SIZE 32
#define CTR_REPORT_DATA_SIZE 64

struct ctr_blobs {
	struct ctr_buf *v;
	size_t n;
};

/* A zeroed one is empty. While the Coordinator waits for recovery there is no state: no manifests,
 * policies, certificates. */
struct ctr_answer {
	struct ctr_buf evidence;    /* CBOR, lib/evidence.h */
	struct ctr_blobs manifests; /* as they were set, oldest first: the last one is active */
	struct ctr_blobs policies;  /* of all of them, in any order */
	struct ctr_buf root_ca, mesh_ca; /* PEM, as the bytes that are hashed */
	uint8_t hpke_key[CTR_HPKE_KEY_SIZE];
	uint8_t transition[CTR_SHA256_SIZE]; /* T, zero without state */
};
void ctr_answer_free(struct ctr_answer *a);
#define ctr_auto_answer CTR_AUTO(ctr_answer_free)

/*
 * Reads the JSON text into an empty answer: binary fields in base64, all fields there (state fields
 * absent or empty in recovery), others refused. The history is recomputed: T must be that of the
 * manifests. CTR_FORMAT: "json.…", "base64", "answer.size" (a fixed-size field), "answer.history"
 * (T is not that of the manifests), "answer.count", "answer.version" (not v1).
 */
CTR_MUST int ctr_answer_parse(const char *name, const char *p, size_t n, struct ctr_answer *a,
			      struct ctr_err *e);
CTR_MUST int ctr_answer_print(const struct ctr_answer *a, struct ctr_buf *b, struct ctr_err *e);

/*
 * What the evidence must be bound to: H(nonce || T || H(root_ca) || H(mesh_ca) || hpke_key), then
 * 32 zero bytes. Without state T is no byte at all, and the certificates are empty.
 */
CTR_MUST int ctr_answer_report_data(const struct ctr_answer *a, const uint8_t nonce[CTR_NONCE_SIZE],
				    uint8_t out[CTR_REPORT_DATA_SIZE], struct ctr_err *e);

/* The policies by their digests; borrows from the answer. The policy of a digest, NULL for none. */
struct ctr_answer_index;
CTR_MUST int ctr_answer_index_new(const struct ctr_answer *a, struct ctr_answer_index **x,
				  struct ctr_err *e);
const struct ctr_buf *ctr_answer_policy(const struct ctr_answer_index *x,
					const uint8_t digest[CTR_SHA256_SIZE]);
void ctr_answer_index_free(struct ctr_answer_index *x);

#endif
