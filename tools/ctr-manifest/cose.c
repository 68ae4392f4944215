#include "cose.h"

#define COSE_MAX ((size_t)16 << 20)

enum { HEADER_ALG = 1, HEADER_CRIT = 2, HEADER_TYPE = 3 };

/* RFC 9053, and the fully specified ones of RFC 9864. */
static size_t key_size(int64_t alg)
{
	switch (alg) {
	case -7:
	case -9:
		return 32;
	case -35:
	case -51:
		return 48;
	default:
		return 0;
	}
}

static int protected_headers(struct cose_sign1 *s, struct ctr_cbor **tree, struct ctr_err *e)
{
	struct ctr_cval map, alg, crit, type;

	if (ctr_cbor_parse(s->protected.p, s->protected.left, 0, tree, e) < 0)
		return ctr_wrap(e, "protected headers");
	map = ctr_croot(*tree);
	if (ctr_cmap(&map, e) < 0)
		return -1;
	alg = ctr_cget_int(&map, HEADER_ALG);
	crit = ctr_cget_int(&map, HEADER_CRIT);
	type = ctr_cget_int(&map, HEADER_TYPE);
	if (crit.there)
		return ctr_cfail(&crit, e, "cose.form", "critical headers are not supported");
	if (ctr_cint(&alg, &s->alg, e) < 0)
		return -1;
	return type.there ? ctr_ctext(&type, 256, &s->content_type, e) : 0;
}

int cose_parse(const struct ctr_cval *v, struct cose_sign1 *s, struct ctr_cbor **headers,
	       struct ctr_err *e)
{
	struct ctr_cval protected, unprotected, payload, signature;

	*s = (struct cose_sign1){ 0 };
	*headers = NULL;
	if (ctr_carray(v, e) < 0)
		return -1;
	if (ctr_ccount(v) != 4)
		return ctr_cfail(v, e, "cose.form", "COSE_Sign1 of %zu parts (expected 4)",
				 ctr_ccount(v));
	protected = ctr_cfirst(v);
	unprotected = ctr_cnext(&protected);
	payload = ctr_cnext(&unprotected);
	signature = ctr_cnext(&payload);
	if (ctr_cbytes(&protected, COSE_MAX, &s->protected, e) < 0 ||
	    ctr_cmap(&unprotected, e) < 0 || ctr_cbytes(&payload, COSE_MAX, &s->payload, e) < 0 ||
	    ctr_cbytes(&signature, COSE_MAX, &s->signature, e) < 0)
		return -1;
	return protected_headers(s, headers, e);
}

int cose_verify(const struct cose_sign1 *s, const struct ctr_ec *key, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf signed_bytes = { 0 };
	struct ctr_rd sig = s->signature, r, t;
	bool good = false;

	if (key_size(s->alg) != key->size)
		return ctr_fail(e, CTR_FORMAT, "cose.algorithm",
				"signed with COSE algorithm %lld (expected ES256 or ES384, "
				"whichever the key is for)",
				(long long)s->alg);
	ctr_cbor_array(&signed_bytes, 4);
	ctr_cbor_text(&signed_bytes, "Signature1");
	ctr_cbor_bytes(&signed_bytes, s->protected.p, s->protected.left);
	ctr_cbor_bytes(&signed_bytes, NULL, 0);
	ctr_cbor_bytes(&signed_bytes, s->payload.p, s->payload.left);
	if (ctr_buf_ok(&signed_bytes, "signed bytes", e) < 0)
		return -1;
	if (ctr_rd_take(&sig, key->size, &r) == 0 && ctr_rd_take(&sig, key->size, &t) == 0 &&
	    ctr_rd_end(&sig) == 0 &&
	    ctr_ec_verify(key, signed_bytes.p, signed_bytes.n, r.p, t.p, &good, e) < 0)
		return -1;
	return good ? 0
		    : ctr_fail(e, CTR_NO, "cose.signature", "the signature is not that of the key");
}
