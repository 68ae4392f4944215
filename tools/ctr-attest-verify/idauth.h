/* ID block and ID authentication page of SEV-SNP (AMD 56860, SNP_LAUNCH_FINISH), and keys and
 * signatures as AMD writes them. */
#ifndef TOOLS_CTR_ATTEST_VERIFY_IDAUTH_H
#define TOOLS_CTR_ATTEST_VERIFY_IDAUTH_H

#include "crypto_ec.h"
#include "hash.h"

#define ID_BLOCK 96
#define ID_AUTH 4096
#define AMD_KEY 0x404
#define ID_DIGEST 48

struct id_block {
	uint8_t launch_digest[ID_DIGEST], family_id[16], image_id[16];
	uint32_t guest_svn;
	uint64_t policy;
};
void id_block_print(const struct id_block *b, uint8_t out[ID_BLOCK]);

/* A P-384 key: u32 curve 2, coordinates of 72 bytes, little endian, zeros. CTR_FORMAT "key.kind"
 * for another curve. */
CTR_MUST int amd_key_print(const struct ctr_ec *k, uint8_t out[AMD_KEY], struct ctr_err *e);
/* SHA-384 of that: what the report calls ID_KEY_DIGEST and AUTHOR_KEY_DIGEST. */
CTR_MUST int amd_key_digest(const struct ctr_ec *k, uint8_t out[ID_DIGEST], struct ctr_err *e);

struct amd_sig {
	uint8_t r[CTR_EC_MAX], s[CTR_EC_MAX]; /* big endian */
};

struct id_auth {
	uint32_t id_algo, author_algo; /* 1: ECDSA P-384 with SHA-384; author 0: there is none */
	struct amd_sig block_sig, key_sig;
	uint8_t id_key[AMD_KEY], author_key[AMD_KEY];
};

/* Reads the page p[0..n). CTR_FORMAT "idauth.size", "idauth.algorithm", "idauth.signature",
 * "idauth.reserved". */
CTR_MUST int id_auth_parse(const void *p, size_t n, struct id_auth *a, struct ctr_err *e);

#endif
