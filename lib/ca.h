/*
 * The certificate authority of a deployment (ctr-ca(1)): what the seed decides, and a
 * mesh CA for each manifest. One root, and one mesh CA, serve any number of threads.
 *
 * All that the seed decides is HKDF-SHA256 (RFC 5869): extracted once, with the salt as salt and
 * the seed as input, then expanded with these contexts, 0 being one byte:
 *
 *   "root ca key"               56 bytes  P-384 key as ctr_key_p384_from makes it of them
 *   "history signing key"       56 bytes  the same
 *   "root ca serial"            16 bytes  serial number, its first two bits being 0 and 1
 *   "workload secret" || 0 || ID  64 bytes
 *   "transit key" || 0 || ID      32 bytes
 *
 * The root certificate is signed after RFC 6979, its dates are fixed.
 */
#ifndef LIB_CA_H
#define LIB_CA_H

#include <time.h>

#include "history.h" /* struct ctr_signer */

#define CTR_SEED_SIZE 64
#define CTR_SALT_SIZE 32
#define CTR_WORKLOAD_SECRET_SIZE 64
#define CTR_TRANSIT_KEY_SIZE 32
#define CTR_MESH_DAYS 3650 /* a mesh CA, unless it is said */
#define CTR_ISSUE_DAYS 30  /* a mesh certificate, the same */
#define CTR_ISSUE_SKEW 300 /* seconds that certificates begin before they are made */

/* Root CA key (P-384) and its certificate, history signing key (P-384), the secret that the others
 * are derived from. Wiped when freed. */
struct ctr_root;

/* seed and salt have their sizes ("ca.seed", CTR_FORMAT, otherwise). The same seed and salt give
 * the same certificate, byte for byte. */
CTR_MUST int ctr_root_derive(const struct ctr_secret *seed, const struct ctr_secret *salt,
			     struct ctr_root **out, struct ctr_err *e);
void ctr_root_free(struct ctr_root *r); /* NULL is legal */
void ctr_root_cleanup(struct ctr_root **r);
#define ctr_auto_root CTR_AUTO(ctr_root_cleanup)

const struct ctr_buf *ctr_root_pem(const struct ctr_root *r); /* the certificate */
struct ctr_signer ctr_root_signer(const struct ctr_root *r);  /* the history key; borrows r */
const struct ctr_buf *ctr_root_history_pem(const struct ctr_root *r); /* its public half */

/* The private keys in PEM (PKCS #8), for whoever must have them. The caller frees *pem. */
CTR_MUST int ctr_root_ca_key(const struct ctr_root *r, struct ctr_secret *pem, struct ctr_err *e);
CTR_MUST int ctr_root_history_key(const struct ctr_root *r, struct ctr_secret *pem,
				  struct ctr_err *e);

/* What a workload secret ID stands for: never empty (CTR_USAGE "ca.secret-id"). The caller frees
 * *out. */
CTR_MUST int ctr_root_workload_secret(const struct ctr_root *r, const char *id,
				      struct ctr_secret *out, struct ctr_err *e);
CTR_MUST int ctr_root_transit_key(const struct ctr_root *r, const char *id, struct ctr_secret *out,
				  struct ctr_err *e);

/* A mesh CA: one fresh P-256 key, an intermediate certificate for it by the root, and a self-signed
 * one of the same name. */
struct ctr_mesh;
struct ctr_mesh_opts {
	time_t now;
	unsigned days;		      /* 0: CTR_MESH_DAYS */
	const char *const *permitted; /* names that leaves may have (x509_names.h); none: any */
	size_t n_permitted;
};
/* CTR_USAGE "ca.permit", "ca.validity" (now is before the root's begin, or past the year 9999). */
CTR_MUST int ctr_mesh_new(const struct ctr_root *r, const struct ctr_mesh_opts *o,
			  struct ctr_mesh **out, struct ctr_err *e);
/*
 * From what ctr_mesh_key and the two certificates gave; the key must be that of both certificates,
 * the intermediate signed by `root` (PEM). "ca.mesh": CTR_FORMAT for what cannot be read, CTR_NO
 * for what does not belong together.
 */
CTR_MUST int ctr_mesh_load(const struct ctr_secret *key, const struct ctr_buf *intermediate,
			   const struct ctr_buf *mesh_ca, const struct ctr_buf *root,
			   struct ctr_mesh **out, struct ctr_err *e);
void ctr_mesh_free(struct ctr_mesh *m);
void ctr_mesh_cleanup(struct ctr_mesh **m);
#define ctr_auto_mesh CTR_AUTO(ctr_mesh_cleanup)
CTR_MUST int ctr_mesh_key(const struct ctr_mesh *m, struct ctr_secret *pem, struct ctr_err *e);
const struct ctr_buf *ctr_mesh_pem(const struct ctr_mesh *m);	       /* self-signed mesh CA */
const struct ctr_buf *ctr_mesh_intermediate(const struct ctr_mesh *m); /* by the root */
/* Within these, both included, both certificates are valid. */
void ctr_mesh_window(const struct ctr_mesh *m, time_t *from, time_t *until);

/* What a mesh certificate says besides its names: the verified claims, each an extension of its own
 * (ca_claim.h). */
struct ctr_claim {
	const char *name;	/* of the table in ca_claim.c */
	struct ctr_bytes value; /* text or bytes, as the table says */
};

struct ctr_issue {
	struct ctr_bytes spki;	 /* the key, SubjectPublicKeyInfo DER: P-256, P-384, or RSA 2048 and
				    more */
	const char *const *sans; /* DNS names, IP addresses, URIs (ctr_san_kind) */
	size_t n_sans;
	const struct ctr_claim *claims;
	size_t n_claims;
	time_t now;
	uint64_t seconds; /* validity; cut to the CA's own */
};
/* The chain in PEM, appended: leaf, then intermediate. CTR_FORMAT "ca.key", "ca.san", "ca.claim";
 * CTR_USAGE "ca.validity" (no seconds, or the CA is not valid now). */
CTR_MUST int ctr_mesh_issue(const struct ctr_mesh *m, const struct ctr_issue *i,
			    struct ctr_buf *chain, struct ctr_err *e);

/* The policy digest that a mesh certificate (DER) carries. CTR_FORMAT "x509.der", "ca.claim"
 * without one. */
CTR_MUST int ctr_mesh_policy(const void *der, size_t n, uint8_t hash[CTR_SHA256_SIZE],
			     struct ctr_err *e);

#endif
