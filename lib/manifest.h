/* The manifest: which policies may run where (ctr-manifest(5); fields have Contrast's names). */
#ifndef LIB_MANIFEST_H
#define LIB_MANIFEST_H

#include "hash.h"
#include "json.h"
#include "snp.h"

#define CTR_MANIFEST_MAX CTR_JSON_MAX
#define CTR_SANS_MAX 256      /* of one policy */
#define CTR_SAN_LEN_MAX 1024  /* bytes */
#define CTR_SECRET_ID_MAX 1024 /* bytes */
#define CTR_REFS_MAX 1024     /* reference value sets of one kind */
#define CTR_IDS_MAX 16384     /* allowed chips or platforms of one set */
#define CTR_OWNERS_MAX 1024   /* keys of one kind */

enum ctr_role { CTR_ROLE_NONE, CTR_ROLE_COORDINATOR };

struct ctr_manifest_policy {
	uint8_t hash[CTR_SHA256_SIZE]; /* of the measured bytes: HOSTDATA */
	char **sans;		       /* DNS names, IP addresses, URIs, in order */
	size_t n_sans;
	char *secret_id; /* "" when the pod gets no workload secret */
	enum ctr_role role;
};

/* A digest or mask that the manifest may leave open (null): then nothing matches it. */
struct ctr_ref_hex {
	bool known;
	uint8_t v[64]; /* the first bytes count, as the field says */
};

/* Bits of the report's POLICY and PLATFORM_INFO fields; known is false for null. */
struct ctr_ref_bits {
	bool known;
	uint64_t v;
};

struct ctr_snp_ref {
	char *platform; /* "" when not given */
	enum ctr_snp_product product;
	struct ctr_ref_hex measurement; /* 48 bytes */
	int16_t tcb[CTR_TCB_N];	/* 0 to 255, -1 for null; FMC: -1 also where the product has none */
	struct ctr_ref_bits policy;   /* POLICY without the reserved bit 17 */
	struct ctr_ref_bits platform_info;
	uint64_t mitigation; /* required bits of the mitigation vectors */
	uint8_t (*chips)[64]; /* allowed CHIP_IDs; none: any */
	size_t n_chips;
};

struct ctr_tdx_ref {
	char *platform;
	struct ctr_ref_hex mrtd, mrseam, rtmr[4]; /* 48 bytes each */
	struct ctr_ref_hex xfam;		  /* 8 bytes, as in the quote */
	uint8_t (*piids)[16];			  /* allowed PIIDs; none: any */
	size_t n_piids;
	bool memory_integrity, smt_disabled, static_platform; /* required when true */
	uint32_t min_tcb_eval; /* TCB evaluation data number at least; 0: any */
};

struct ctr_seedshare_key {
	uint8_t *der; /* RSAPublicKey, PKCS #1 */
	size_t n;
	unsigned bits;
};

struct ctr_manifest {
	struct ctr_manifest_policy *policies;
	size_t n_policies, cap_policies;
	uint32_t *index; /* hash table over policies, index_n slots (a power of two), 0 is free */
	size_t index_n;
	struct ctr_snp_ref *snp;
	size_t n_snp;
	struct ctr_tdx_ref *tdx;
	size_t n_tdx;
	uint8_t (*owners)[CTR_SHA256_SIZE]; /* SHA-256 of the keys' SubjectPublicKeyInfo */
	size_t n_owners;
	struct ctr_seedshare_key *seedshare;
	size_t n_seedshare;
};

/* A zeroed manifest is an empty one. */
void ctr_manifest_free(struct ctr_manifest *m);
#define ctr_auto_manifest CTR_AUTO(ctr_manifest_free)

/*
 * Reads a manifest into an empty m. Strict: unknown fields, duplicate keys, wrong lengths and values are
 * CTR_FORMAT with the JSON path as position: "json.…" (json.h), "manifest.hash" (a policy's key), "manifest.san",
 * "manifest.role", "manifest.product", "manifest.count", "manifest.duplicate", "key.rsa". Old spellings of the owner keys
 * are taken (ctr-manifest(5)). What a sound manifest may still lack is for ctr-manifest check to say; a
 * verifier treats what is not known as never matching.
 */
CTR_MUST int ctr_manifest_parse(const char *name, const char *p, size_t n, struct ctr_manifest *m,
				struct ctr_err *e);
CTR_MUST int ctr_manifest_load(const char *path, struct ctr_manifest *m, struct ctr_err *e);

/* Appends {"snp":[…],"tdx":[…]} (either may be absent) to the sets of m; errors as above. */
CTR_MUST int ctr_manifest_add_refs(struct ctr_manifest *m, const struct ctr_jval *refs,
				   struct ctr_err *e);

/* Replaces the sets of m by those of `from`, which loses them. */
void ctr_manifest_move_refs(struct ctr_manifest *m, struct ctr_manifest *from);

/* The canonical text, appended: two blanks a level, policies sorted by hash, null for what is not known. */
CTR_MUST int ctr_manifest_print(const struct ctr_manifest *m, struct ctr_buf *b, struct ctr_err *e);
/* The same for ReferenceValues alone. */
CTR_MUST int ctr_manifest_print_refs(const struct ctr_manifest *m, struct ctr_buf *b,
				     struct ctr_err *e);

/* The policy with that hash, NULL for none. Constant time in the number of policies. */
struct ctr_manifest_policy *ctr_manifest_find(const struct ctr_manifest *m,
					      const uint8_t hash[CTR_SHA256_SIZE]);
/* A new, empty policy (its hash must not be there yet). The pointer holds until the next one is added. */
CTR_MUST int ctr_manifest_add(struct ctr_manifest *m, const uint8_t hash[CTR_SHA256_SIZE],
			      struct ctr_manifest_policy **p, struct ctr_err *e);

/*
 * What a subject alternative name is: a DNS name ("*" alone or as first label allowed, no trailing dot), an IP
 * address in canonical text, or a URI (scheme:// or urn:, printable ASCII).
 */
enum ctr_san { CTR_SAN_NONE, CTR_SAN_DNS, CTR_SAN_IP, CTR_SAN_URI };
enum ctr_san ctr_san_kind(const char *s);

/* Appends a name unless it is there. CTR_FORMAT "manifest.san", "manifest.count". */
CTR_MUST int ctr_manifest_add_san(struct ctr_manifest_policy *p, const char *san,
				  struct ctr_err *e);
void ctr_manifest_clear_sans(struct ctr_manifest_policy *p);
/* Any text of at most CTR_SECRET_ID_MAX bytes; "" for none. CTR_FORMAT "manifest.secret-id". */
CTR_MUST int ctr_manifest_set_secret(struct ctr_manifest_policy *p, const char *id,
				     struct ctr_err *e);

/* Add a key unless it is there; the second checks it ("key.rsa"). */
CTR_MUST int ctr_manifest_add_owner(struct ctr_manifest *m, const uint8_t digest[CTR_SHA256_SIZE],
				    struct ctr_err *e);
CTR_MUST int ctr_manifest_add_seedshare(struct ctr_manifest *m, const uint8_t *der, size_t n,
					struct ctr_err *e);

#endif
