/* Reference values from a CoRIM (draft-ietf-rats-corim): the reference triples of its CoMIDs, as
 * sets of the manifest. */
#ifndef TOOLS_CTR_MANIFEST_CORIM_H
#define TOOLS_CTR_MANIFEST_CORIM_H

#include <time.h>

#include "crypto_ec.h"
#include "manifest.h"

#define CORIM_MAX ((size_t)16 << 20) /* bytes */

struct corim_opts {
	const struct ctr_ec *key; /* a signed CoRIM must be signed by it; NULL: none is taken */
	bool plain;		  /* an unsigned CoRIM is taken */
	int product; /* enum ctr_snp_product of SEV-SNP sets, -1: not known, none is taken */
	time_t now;
};

/*
 * Adds the sets of the CoRIM p[0..n), signed or not. What the sets cannot say is never left out
 * silently: a triple with such a restriction is refused. GuestPolicy and PlatformInfo stay open.
 * Errors: CTR_FORMAT "cbor.…", "cose.…", "corim.form", "corim.profile" (none, or one that is not
 * known), "corim.unsupported", "corim.digest", "corim.empty"; CTR_NO "cose.signature",
 * "corim.unsigned" (and plain is not set), "corim.key" (signed, and there is no key),
 * "corim.expired"; CTR_USAGE "corim.product".
 */
CTR_MUST int corim_read(const void *p, size_t n, const struct corim_opts *o, struct ctr_manifest *m,
			struct ctr_err *e);

/* The same from a file, with the key's file or NULL. */
CTR_MUST int corim_load(const char *path, const char *key, bool plain, int product,
			struct ctr_manifest *m, struct ctr_err *e);

#endif
