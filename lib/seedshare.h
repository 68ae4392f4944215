/*
 * The document that the answer to the first manifest holds: the seed, encrypted for each seed share
 * owner. {"SeedShares":[{"PublicKey":hex,"EncryptedSeed":base64}…],"Salt":base64}
 */
#ifndef LIB_SEEDSHARE_H
#define LIB_SEEDSHARE_H

#include "ca.h"
#include "manifest.h"

#define CTR_SEEDSHARE_LABEL "seedshare"		      /* of RSA-OAEP */
#define CTR_SEEDSHARES_MAX ((size_t)16 * 1024 * 1024) /* bytes of the document */

/* A share of a seed of CTR_SEED_SIZE bytes, and a salt of CTR_SALT_SIZE, for each
 * SeedshareOwnerPubKey of m, in their order; without one, an empty list. Appended. CTR_FORMAT
 * "seedshare.size" (of seed or salt), "key.rsa"; CTR_ENV "rsa.encrypt". */
CTR_MUST int ctr_seedshares_make(const struct ctr_manifest *m, const struct ctr_secret *seed,
				 const struct ctr_secret *salt, struct ctr_buf *json,
				 struct ctr_err *e);

/*
 * Opens the share for the private key in PEM. The caller frees *seed and *salt, which are empty on
 * failure; name and key_name are for messages. Nothing in the document is authentic but what the
 * share's encryption protects, and anybody may have made that: the history's signature tells
 * whether it is the seed of this deployment. CTR_FORMAT "json.…", "base64", "seedshare.limit" (of
 * the document), "seedshare.count", "seedshare.duplicate" (two for one key), "seedshare.size" (of
 * seed or salt); those of lib/crypto_rsa.h for the key; CTR_NO "seedshare.none": no share is for
 * this key; "rsa.decrypt": it does not open.
 */
CTR_MUST int ctr_seedshares_open(const char *name, const char *p, size_t n, const char *key_name,
				 const struct ctr_buf *pem, struct ctr_secret *seed,
				 struct ctr_secret *salt, struct ctr_err *e);

#endif
