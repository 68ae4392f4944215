/* The verdict as an EAT attestation result (draft-ietf-rats-ear, draft-ietf-rats-ar4si). */
#ifndef TOOLS_CTR_ATTEST_VERIFY_EAR_H
#define TOOLS_CTR_ATTEST_VERIFY_EAR_H

#include "verify.h"

/* The claims set as members of obj. */
CTR_MUST int ear_claims(const struct job *j, const struct ctr_verdict *v, struct ctr_json *obj,
			struct ctr_err *e);

/* The claims set as a signed JWT (RFC 7519, ES256 or ES384 by the key), appended. */
CTR_MUST int ear_jwt(const struct job *j, const struct ctr_json *claims, struct ctr_buf *out,
		     struct ctr_err *e);

#endif
