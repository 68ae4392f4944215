/* Owners' keys: from PEM files into the manifest. */
#ifndef TOOLS_CTR_MANIFEST_KEY_H
#define TOOLS_CTR_MANIFEST_KEY_H

#include "manifest.h"

/*
 * Reads a PEM file with a public or private key and adds its digest (EC) or the key itself (RSA) unless it
 * is there. CTR_FORMAT: "key.pem", "key.kind", "key.rsa" (crypto.h), the file in the message.
 */
CTR_MUST int key_add_owner(struct ctr_manifest *m, const char *path, struct ctr_err *e);
CTR_MUST int key_add_seedshare(struct ctr_manifest *m, const char *path, struct ctr_err *e);

#endif
