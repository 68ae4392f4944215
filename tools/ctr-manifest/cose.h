/* COSE_Sign1 (RFC 9052 section 4.2): one signature over a payload. */
#ifndef TOOLS_CTR_MANIFEST_COSE_H
#define TOOLS_CTR_MANIFEST_COSE_H

#include "cbor.h"
#include "crypto_ec.h"

struct cose_sign1 {
	struct ctr_rd protected, payload, signature; /* borrowed */
	int64_t alg;
	struct ctr_rd content_type; /* text, empty: none */
};

/*
 * Reads the array of a COSE_Sign1. *headers is the tree of the protected headers, freed by the
 * caller. CTR_FORMAT "cbor.…", "cose.form" (not four parts, no algorithm, or a critical header that
 * is not understood).
 */
CTR_MUST int cose_parse(const struct ctr_cval *v, struct cose_sign1 *s, struct ctr_cbor **headers,
			struct ctr_err *e);

/*
 * Whether the signature, ES256 or ES384, is that of the key. CTR_FORMAT "cose.algorithm" (another
 * one, or not that of the key), CTR_NO "cose.signature".
 */
CTR_MUST int cose_verify(const struct cose_sign1 *s, const struct ctr_ec *key, struct ctr_err *e);

#endif
