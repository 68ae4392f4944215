/* Certificates of a deployment's CA as others hand them over: do they belong together, what do they
 * carry? */
#ifndef LIB_X509_MESH_H
#define LIB_X509_MESH_H

#include "crypto_sign.h"

/*
 * The intermediate and the self-signed mesh CA, of one name and for `key`, and the root that the
 * intermediate is by: each one certificate in PEM. Appends the first two in DER. "ca.mesh":
 * CTR_FORMAT for what cannot be read, CTR_NO for what does not belong together. Validity is not
 * looked at.
 */
CTR_MUST int ctr_x509_mesh(const struct ctr_sign_key *key, const struct ctr_buf *intermediate,
			   const struct ctr_buf *mesh_ca, const struct ctr_buf *root,
			   struct ctr_buf *intermediate_der, struct ctr_buf *mesh_ca_der,
			   struct ctr_err *e);

/* The content of the only extension with that OID of a certificate in DER, which is an OCTET STRING
 * of n_value bytes. CTR_FORMAT "x509.der", "ca.claim". */
CTR_MUST int ctr_x509_octets(const void *der, size_t n, const char *oid, uint8_t *value,
			     size_t n_value, struct ctr_err *e);

#endif
