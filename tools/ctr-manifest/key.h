/* Owners' keys: from PEM files into the manifest, and new ones. */
#ifndef TOOLS_CTR_MANIFEST_KEY_H
#define TOOLS_CTR_MANIFEST_KEY_H

#include "manifest.h"

/*
 * Reads a PEM file with a public or private key and adds its digest (EC on P-256, P-384, P-521) or the key
 * itself (RSA). CTR_FORMAT: "key.pem" (none, encrypted), "key.kind" (another kind or curve), "key.rsa" (size).
 */
CTR_MUST int key_add_owner(struct ctr_manifest *m, const char *path, struct ctr_err *e);
CTR_MUST int key_add_seedshare(struct ctr_manifest *m, const char *path, struct ctr_err *e);

/* A new key: EC P-384 or RSA of 4096 bits, as PKCS #8 and SubjectPublicKeyInfo in PEM. `private` is wiped. */
CTR_MUST int key_generate(bool rsa, struct ctr_buf *private, struct ctr_buf *public,
			  struct ctr_err *e);

#endif
