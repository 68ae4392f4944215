/*
 * A pod joins the mesh: POST /v1/mesh/cert, and the same handshake by a Coordinator that asks a
 * peer for its state, POST /v1/mesh/recover (ctr-api(7)). What both sides share.
 */
#ifndef LIB_JOIN_H
#define LIB_JOIN_H

#include "answer.h"
#include "crypto_hpke.h"
#include "crypto_sign.h"

#define CTR_JOIN_MAX ((size_t)64 * 1024) /* bytes of the JSON text, either way */
#define CTR_JOIN_SECRET_SIZE 64		 /* a workload secret */
#define CTR_JOIN_HEADER_MAX 128		 /* for a challenge with its NUL */
#define CTR_JOIN_SCHEME "contrast-attestation-v1"

/* A request's body; a zeroed one is empty. */
struct ctr_join {
	struct ctr_buf evidence; /* CBOR (ctr-evidence(5)); not looked into here */
	struct ctr_buf cert_key; /* SubjectPublicKeyInfo in DER, P-256 or P-384 */
	uint8_t kem_key[CTR_X25519_SIZE];
	struct ctr_buf signature; /* ECDSA in DER, SHA-256, by cert_key over cert_key || kem_key ||
				     nonce */
};
void ctr_join_free(struct ctr_join *j);
#define ctr_auto_join CTR_AUTO(ctr_join_free)

/*
 * Reads {"evidence","cert_pub_key","kem_pub_key","signature"}, binary fields in base64, into an
 * empty *j; nothing is verified. CTR_FORMAT: "json.…", "base64", "join.size" (the text, or a field,
 * is too long or too short).
 */
CTR_MUST int ctr_join_parse(const char *name, const char *p, size_t n, struct ctr_join *j,
			    struct ctr_err *e);
/* Compact JSON, appended. CTR_FORMAT "join.size" when the other side would refuse it. */
CTR_MUST int ctr_join_print(const struct ctr_join *j, struct ctr_buf *b, struct ctr_err *e);

/* SHA-512(cert_key || kem_key || nonce): what the evidence must be for. */
CTR_MUST int ctr_join_report_data(const struct ctr_join *j, const uint8_t nonce[CTR_NONCE_SIZE],
				  uint8_t out[CTR_REPORT_DATA_SIZE], struct ctr_err *e);

/* Replaces the signature; key is that of cert_key (ctr_sign_key_spki), kem_key is set. CTR_ENV
 * "key.sign". */
CTR_MUST int ctr_join_sign(struct ctr_join *j, const struct ctr_sign_key *key,
			   const uint8_t nonce[CTR_NONCE_SIZE], struct ctr_err *e);
/* Whether the signature is by cert_key: CTR_NO "join.signature"; CTR_FORMAT those of
 * ctr_ecdsa_verify. */
CTR_MUST int ctr_join_verify(const struct ctr_join *j, const uint8_t nonce[CTR_NONCE_SIZE],
			     struct ctr_err *e);

/*
 * WWW-Authenticate and Authorization have the same form: contrast-attestation-v1 nonce="BASE64".
 * The parser takes exactly that (the scheme in any case, RFC 9110 section 11.1), one challenge and
 * nothing beside it. header may be NULL. CTR_FORMAT "join.authorization".
 */
void ctr_join_challenge(const uint8_t nonce[CTR_NONCE_SIZE], char *b, size_t n);
CTR_MUST int ctr_join_nonce(const char *header, uint8_t nonce[CTR_NONCE_SIZE], struct ctr_err *e);

/* The answer to /v1/mesh/cert; a zeroed one is empty. */
struct ctr_join_answer {
	struct ctr_buf cert_chain; /* PEM: the leaf, then the intermediate */
	struct ctr_buf mesh_ca;	   /* PEM, self-signed */
	struct ctr_buf root_ca;	   /* PEM */
	struct ctr_buf
		sealed; /* the workload secret, sealed to kem_key (ctr_join_info); n 0: none */
};
void ctr_join_answer_free(struct ctr_join_answer *a);
#define ctr_auto_join_answer CTR_AUTO(ctr_join_answer_free)

/*
 * {"version","cert_chain","mesh_ca","root_ca","sealed_secret"?}: all but the version in base64.
 * CTR_FORMAT: "json.…", "base64", "join.version" (not v1), "join.size" (the text is too long, a
 * certificate is empty, the sealed secret is not of its size).
 */
CTR_MUST int ctr_join_answer_parse(const char *name, const char *p, size_t n,
				   struct ctr_join_answer *a, struct ctr_err *e);
CTR_MUST int ctr_join_answer_print(const struct ctr_join_answer *a, struct ctr_buf *b,
				   struct ctr_err *e);

/* HPKE's info of the sealed secret: "contrast mesh secret v1" || nonce, appended. */
void ctr_join_info(const uint8_t nonce[CTR_NONCE_SIZE], struct ctr_buf *info);

/*
 * The answer to GET /v1/mesh/ca: {"version","mesh_ca"}, the PEM in base64. Anybody may ask, nothing
 * proves it: who has a certificate by another mesh CA joins again. Appended; ids as above.
 */
CTR_MUST int ctr_join_ca_parse(const char *name, const char *p, size_t n, struct ctr_buf *mesh_ca,
			       struct ctr_err *e);
CTR_MUST int ctr_join_ca_print(const struct ctr_buf *mesh_ca, struct ctr_buf *b, struct ctr_err *e);

#endif
