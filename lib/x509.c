#include "x509.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "der.h"

void ctr_x509_cleanup(X509 **c)
{
	X509_free(*c);
}

void ctr_crl_cleanup(X509_CRL **c)
{
	X509_CRL_free(*c);
}

void ctr_chain_free(struct ctr_chain *c)
{
	for (size_t i = 0; i < c->n; i++)
		X509_free(c->v[i]);
	*c = (struct ctr_chain){ 0 };
}

int ctr_x509_der(const void *p, size_t n, const char *what, X509 **c, struct ctr_err *e)
{
	const unsigned char *at = p;

	*c = NULL;
	if (n && n <= CTR_CERT_MAX)
		*c = d2i_X509(NULL, &at, (long)n);
	if (*c && at == (const unsigned char *)p + n)
		return 0;
	X509_free(*c);
	*c = NULL;
	return ctr_fail(e, CTR_FORMAT, "x509.der", "%s: no single certificate in DER", what);
}

int ctr_crl_der(const void *p, size_t n, const char *what, X509_CRL **c, struct ctr_err *e)
{
	const unsigned char *at = p;

	*c = NULL;
	if (n && n <= ((size_t)1 << 20))
		*c = d2i_X509_CRL(NULL, &at, (long)n);
	if (*c && at == (const unsigned char *)p + n)
		return 0;
	X509_CRL_free(*c);
	*c = NULL;
	return ctr_fail(e, CTR_FORMAT, "x509.crl", "%s: no single revocation list in DER", what);
}

/* How many blocks begin; all of them must turn out to be certificates. Text around them is ignored
 * (RFC 7468 section 2). */
static size_t blocks(const char *p, size_t n)
{
	static const char begin[] = "-----BEGIN ";
	const char *at, *end = p + n;
	size_t count = 0;

	for (; (at = memmem(p, (size_t)(end - p), begin, sizeof begin - 1)); p = at + 1)
		count++;
	return count;
}

int ctr_x509_pem(const void *p, size_t n, const char *what, struct ctr_chain *c, struct ctr_err *e)
{
	bool good = false;
	BIO *bio;
	X509 *x;

	*c = (struct ctr_chain){ 0 };
	if (n && ((const char *)p)[n - 1] == '\0')
		n--;
	if (n == 0 || n > (size_t)CTR_CHAIN_MAX * 2 * CTR_CERT_MAX || memchr(p, 0, n))
		return ctr_fail(e, CTR_FORMAT, "x509.pem", "%s: no certificates in PEM", what);
	bio = BIO_new_mem_buf(p, (int)n);
	if (!bio)
		return ctr_fail_mem(e);
	while (c->n < CTR_CHAIN_MAX && (x = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
		c->v[c->n++] = x;
	good = c->n && c->n == blocks(p, n);
	BIO_free(bio);
	if (good)
		return 0;
	ctr_chain_free(c);
	return ctr_fail(e, CTR_FORMAT, "x509.pem", "%s: broken or too many certificates", what);
}

int ctr_x509_print(const X509 *c, struct ctr_buf *b, struct ctr_err *e)
{
	unsigned char *der = NULL;
	int n = i2d_X509(c, &der);

	if (n <= 0)
		return ctr_fail_mem(e);
	ctr_buf_add(b, der, (size_t)n);
	OPENSSL_free(der);
	return ctr_buf_ok(b, "certificate", e);
}

int ctr_x509_spki(const X509 *c, uint8_t out[CTR_SHA256_SIZE], struct ctr_err *e)
{
	unsigned char *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(c), &der), rc;

	if (n <= 0)
		return ctr_fail_mem(e);
	rc = ctr_hash(CTR_SHA256, der, (size_t)n, out, e);
	OPENSSL_free(der);
	return rc;
}

bool ctr_x509_cn(const X509 *c, bool issuer, char *b, size_t n)
{
	const X509_NAME *name = issuer ? X509_get_issuer_name(c) : X509_get_subject_name(c);
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	const ASN1_STRING *s;
	size_t len;

	*b = '\0';
	if (at < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0)
		return false;
	s = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
	len = (size_t)ASN1_STRING_length(s);
	if (len == 0 || len >= n ||
	    (ASN1_STRING_type(s) != V_ASN1_UTF8STRING &&
	     ASN1_STRING_type(s) != V_ASN1_PRINTABLESTRING))
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char ch = ASN1_STRING_get0_data(s)[i];

		if (ch < 0x20 || ch > 0x7e)
			return false;
		b[i] = (char)ch;
	}
	b[len] = '\0';
	return true;
}

bool ctr_x509_same_name(const X509 *c, const X509 *issuer)
{
	return X509_NAME_cmp(X509_get_issuer_name(c), X509_get_subject_name(issuer)) == 0;
}

/* The parameters must be those of the kind, and nothing else: a weaker hash under the right key is
 * no signature. */
static bool pss_sha384(const X509_ALGOR *alg)
{
	const ASN1_OBJECT *oid;
	const void *value;
	int type;
	RSA_PSS_PARAMS *pss = NULL;
	X509_ALGOR *mgf = NULL;
	bool ok = false;

	X509_ALGOR_get0(&oid, &type, &value, alg);
	if (OBJ_obj2nid(oid) != NID_rsassaPss || type != V_ASN1_SEQUENCE)
		return false;
	pss = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(RSA_PSS_PARAMS), alg->parameter);
	if (pss && pss->hashAlgorithm && pss->maskGenAlgorithm && pss->saltLength &&
	    OBJ_obj2nid(pss->maskGenAlgorithm->algorithm) == NID_mgf1 &&
	    pss->maskGenAlgorithm->parameter)
		mgf = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(X509_ALGOR),
						pss->maskGenAlgorithm->parameter);
	if (mgf)
		ok = OBJ_obj2nid(pss->hashAlgorithm->algorithm) == NID_sha384 &&
		     OBJ_obj2nid(mgf->algorithm) == NID_sha384 &&
		     ASN1_INTEGER_get(pss->saltLength) == 48 &&
		     (!pss->trailerField || ASN1_INTEGER_get(pss->trailerField) == 1);
	X509_ALGOR_free(mgf);
	RSA_PSS_PARAMS_free(pss);
	return ok;
}

static bool algorithm(const X509_ALGOR *alg, enum ctr_sig kind)
{
	const ASN1_OBJECT *oid;
	int type;

	if (kind == CTR_SIG_PSS_SHA384)
		return pss_sha384(alg);
	X509_ALGOR_get0(&oid, &type, NULL, alg);
	return OBJ_obj2nid(oid) == NID_ecdsa_with_SHA256 && type == V_ASN1_UNDEF;
}

bool ctr_x509_signed(X509 *c, const X509 *issuer, enum ctr_sig kind)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);
	const X509_ALGOR *outer;

	X509_get0_signature(NULL, &outer, c);
	return key && algorithm(outer, kind) &&
	       X509_ALGOR_cmp(outer, X509_get0_tbs_sigalg(c)) == 0 && X509_verify(c, key) == 1;
}

/* RFC 5280 section 5.1.1.2: what is signed names the same algorithm. OpenSSL compares for
 * certificates alone, and gives no access. */
static bool crl_algorithm_is_signed(const X509_CRL *c, const X509_ALGOR *outer)
{
	unsigned char *der = NULL;
	int n = i2d_X509_CRL(c, &der);
	struct ctr_rd all, list, tbs, rest;
	X509_ALGOR *inner = NULL;
	uint64_t version;
	bool same;

	ctr_rd_init(&all, der, n > 0 ? (size_t)n : 0);
	if (ctr_der_tlv(&all, CTR_DER_SEQUENCE, &list) == 0 &&
	    ctr_der_tlv(&list, CTR_DER_SEQUENCE, &tbs) == 0) {
		const unsigned char *at;

		rest = tbs;
		at = ctr_der_uint(&rest, 1, &version) == 0 ? rest.p
							   : tbs.p; /* version 1 does not say so */
		inner = d2i_X509_ALGOR(NULL, &at, (long)(tbs.p + tbs.left - at));
	}
	same = inner && X509_ALGOR_cmp(outer, inner) == 0;
	X509_ALGOR_free(inner);
	OPENSSL_free(der);
	return same;
}

bool ctr_crl_signed(X509_CRL *c, const X509 *issuer, enum ctr_sig kind)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);
	const X509_ALGOR *outer;

	X509_CRL_get0_signature(c, NULL, &outer);
	return key && algorithm(outer, kind) && crl_algorithm_is_signed(c, outer) &&
	       X509_CRL_verify(c, key) == 1;
}

bool ctr_x509_key_ec(const X509 *c, int curve)
{
	EVP_PKEY *key = X509_get0_pubkey(c);
	char name[32];
	size_t n;

	return key && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
	       EVP_PKEY_get_group_name(key, name, sizeof name, &n) == 1 &&
	       OBJ_txt2nid(name) == curve;
}

bool ctr_x509_key_rsa(const X509 *c, unsigned bits)
{
	EVP_PKEY *key = X509_get0_pubkey(c);

	return key && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
	       EVP_PKEY_get_bits(key) == (int)bits;
}

bool ctr_x509_is_ca(X509 *c, bool crl)
{
	uint32_t flags = X509_get_extension_flags(c),
		 want = KU_KEY_CERT_SIGN | (crl ? KU_CRL_SIGN : 0U);

	return (flags & EXFLAG_CA) && (flags & EXFLAG_KUSAGE) &&
	       (X509_get_key_usage(c) & want) == want;
}

bool ctr_x509_is_leaf(X509 *c)
{
	uint32_t flags = X509_get_extension_flags(c);

	return !(flags & EXFLAG_CA) &&
	       (!(flags & EXFLAG_KUSAGE) || !(X509_get_key_usage(c) & KU_KEY_CERT_SIGN));
}

static bool once(const X509 *c, int at)
{
	const ASN1_OBJECT *oid = X509_EXTENSION_get_object(X509_get_ext(c, at));

	return X509_get_ext_by_OBJ(c, oid, at) < 0;
}

bool ctr_x509_sound(X509 *c)
{
	if (X509_get_version(c) != X509_VERSION_3 ||
	    (X509_get_extension_flags(c) & (EXFLAG_INVALID | EXFLAG_CRITICAL)))
		return false;
	for (int i = 0; i < X509_get_ext_count(c); i++) {
		if (!once(c, i))
			return false;
	}
	return true;
}

static bool seconds(const ASN1_TIME *t, time_t *out)
{
	struct tm tm;

	*out = 0;
	if (!t || ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*out = timegm(&tm);
	return true;
}

bool ctr_x509_window(const X509 *c, time_t *from, time_t *until)
{
	return seconds(X509_get0_notBefore(c), from) && seconds(X509_get0_notAfter(c), until);
}

bool ctr_crl_window(const X509_CRL *c, time_t *from, time_t *until)
{
	return seconds(X509_CRL_get0_lastUpdate(c), from) &&
	       seconds(X509_CRL_get0_nextUpdate(c), until);
}

bool ctr_crl_of(const X509_CRL *l, const X509 *issuer)
{
	return X509_NAME_cmp(X509_CRL_get_issuer(l), X509_get_subject_name(issuer)) == 0;
}

bool ctr_crl_has(X509_CRL *l, const X509 *c)
{
	X509_REVOKED *r;

	return X509_CRL_get0_by_serial(l, &r, X509_get0_serialNumber(c)) != 0;
}

bool ctr_crl_sound(X509_CRL *l)
{
	for (int i = 0; i < X509_CRL_get_ext_count(l); i++) {
		const X509_EXTENSION *x = X509_CRL_get_ext(l, i);
		int nid = OBJ_obj2nid(X509_EXTENSION_get_object(X509_CRL_get_ext(l, i)));

		if (nid == NID_delta_crl || nid == NID_issuing_distribution_point)
			return false;
		if (X509_EXTENSION_get_critical(x) && nid != NID_crl_number &&
		    nid != NID_authority_key_identifier)
			return false;
	}
	return true;
}

int ctr_x509_ext(const X509 *c, const char *oid, struct ctr_rd *value)
{
	ASN1_OBJECT *o = OBJ_txt2obj(oid, 1);
	const ASN1_OCTET_STRING *s;
	int at, twice;

	ctr_rd_init(value, NULL, 0);
	if (!o)
		return -1;
	at = X509_get_ext_by_OBJ(c, o, -1);
	twice = at < 0 ? -1 : X509_get_ext_by_OBJ(c, o, at);
	ASN1_OBJECT_free(o);
	if (at < 0)
		return 0;
	if (twice >= 0)
		return -1;
	s = X509_EXTENSION_get_data(X509_get_ext(c, at));
	ctr_rd_init(value, ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
	return 1;
}

const char *ctr_time_print(time_t t, char *buf)
{
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(buf, CTR_TIME_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(buf, CTR_TIME_MAX, "?");
	return buf;
}

int ctr_time_parse(const char *s, time_t *t, struct ctr_err *e)
{
	char again[CTR_TIME_MAX];
	struct tm tm = { 0 };
	const char *end = strptime(s, "%Y-%m-%dT%H:%M:%SZ", &tm);

	*t = 0;
	if (end && *end == '\0') {
		*t = timegm(&tm);
		if (strcmp(ctr_time_print(*t, again), s) == 0)
			return 0;
	}
	return ctr_fail(e, CTR_FORMAT, "time", "\"%.40s\" (expected YYYY-MM-DDThh:mm:ssZ)", s);
}
