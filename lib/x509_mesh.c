#include "x509_mesh.h"

#include <string.h>

#include "crypto_sign_int.h"
#include "der.h"
#include "x509.h"

static int read_one(const struct ctr_buf *pem, const char *what, struct ctr_chain *c,
		    struct ctr_err *e)
{
	struct ctr_err why = { 0 };

	if (ctr_x509_pem(pem->p, pem->n, what, c, &why) < 0)
		return ctr_fail(e, CTR_FORMAT, "ca.mesh", "%s", why.msg);
	if (c->n == 1 && ctr_x509_sound(c->v[0]) && ctr_x509_is_ca(c->v[0], true))
		return 0;
	ctr_chain_free(c);
	return ctr_fail(e, CTR_FORMAT, "ca.mesh", "%s: not the one certificate of a CA", what);
}

static bool by(X509 *c, const X509 *issuer, int alg)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);

	return ctr_x509_same_name(c, issuer) && X509_get_signature_nid(c) == alg && key &&
	       X509_verify(c, key) == 1;
}

static bool is_for(const X509 *c, const struct ctr_sign_key *key)
{
	EVP_PKEY *own = X509_get0_pubkey(c);

	return own && EVP_PKEY_eq(own, ctr_sign_key_evp(key)) == 1;
}

static int not_one(struct ctr_err *e, const char *what)
{
	return ctr_fail(e, CTR_NO, "ca.mesh", "the files of the mesh CA do not belong together: %s",
			what);
}

int ctr_x509_mesh(const struct ctr_sign_key *key, const struct ctr_buf *intermediate,
		  const struct ctr_buf *mesh_ca, const struct ctr_buf *root,
		  struct ctr_buf *intermediate_der, struct ctr_buf *mesh_ca_der, struct ctr_err *e)
{
	ctr_auto_chain struct ctr_chain i = { 0 }, m = { 0 }, r = { 0 };

	if (read_one(intermediate, "intermediate", &i, e) < 0 ||
	    read_one(mesh_ca, "mesh CA", &m, e) < 0 || read_one(root, "root CA", &r, e) < 0)
		return -1;
	if (!is_for(i.v[0], key) || !is_for(m.v[0], key))
		return not_one(e, "a certificate is for another key");
	if (X509_NAME_cmp(X509_get_subject_name(i.v[0]), X509_get_subject_name(m.v[0])) != 0)
		return not_one(e, "the certificates have different names");
	if (!ctr_x509_key_ec(r.v[0], NID_secp384r1) || !by(r.v[0], r.v[0], NID_ecdsa_with_SHA384) ||
	    !by(i.v[0], r.v[0], NID_ecdsa_with_SHA384))
		return not_one(e, "the intermediate is not by this root");
	if (!by(m.v[0], m.v[0], NID_ecdsa_with_SHA256))
		return not_one(e, "the mesh CA is not signed by itself");
	return ctr_x509_print(i.v[0], intermediate_der, e) < 0
		       ? -1
		       : ctr_x509_print(m.v[0], mesh_ca_der, e);
}

int ctr_x509_octets(const void *der, size_t n, const char *oid, uint8_t *value, size_t n_value,
		    struct ctr_err *e)
{
	ctr_auto_x509 X509 *c = NULL;
	struct ctr_rd r;

	memset(value, 0, n_value);
	if (ctr_x509_der(der, n, "certificate", &c, e) < 0)
		return -1;
	if (ctr_x509_ext(c, oid, &r) == 1 && ctr_der_octets(&r, value, n_value) == 0 &&
	    ctr_rd_end(&r) == 0)
		return 0;
	memset(value, 0, n_value);
	return ctr_fail(e, CTR_FORMAT, "ca.claim", "the certificate has no such claim (%s)", oid);
}
