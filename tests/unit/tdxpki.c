#include "tdxpki.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "enc.h"
#include "hash.h"
#include "t.h"
#include "x509.h"

#define DAY 86400

static const uint8_t comp[16] = { 5, 5, 2, 2, 4, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 200 };
#define FMSPC "20b06f070000"
#define PCEID "0001"
#define MRSIGNER "dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5"
#define ZERO48                                                                                     \
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000" \
	"00000000"

void pki_der(struct ctr_buf *b, uint8_t tag, const void *p, size_t n)
{
	ctr_buf_addc(b, (char)tag);
	if (n > 0xff)
		ctr_buf_add(b, (uint8_t[]){ 0x82, (uint8_t)(n >> 8), (uint8_t)n }, 3);
	else if (n > 0x7f)
		ctr_buf_add(b, (uint8_t[]){ 0x81, (uint8_t)n }, 2);
	else
		ctr_buf_addc(b, (char)n);
	ctr_buf_add(b, p, n);
}

/* SEQUENCE { OID base.arc[.arc2], value } */
static void member(struct ctr_buf *b, int arc, int arc2, uint8_t tag, const void *p, size_t n)
{
	uint8_t oid[11] = { 0x2a, 0x86, 0x48, 0x86,	    0xf8,	  0x4d,
			    0x01, 0x0d, 0x01, (uint8_t)arc, (uint8_t)arc2 };
	ctr_auto_buf struct ctr_buf one = { 0 };

	pki_der(&one, 6, oid, arc2 ? 11 : 10);
	pki_der(&one, tag, p, n);
	pki_der(b, 0x30, one.p, one.n);
}

static void svn_member(struct ctr_buf *b, int arc2, unsigned v)
{
	uint8_t bytes[2] = { 0, (uint8_t)v };

	member(b, 2, arc2, 2, v < 0x80 ? bytes + 1 : bytes, v < 0x80 ? 1 : 2);
}

void pki_sgx_extension(struct ctr_buf *b)
{
	ctr_auto_buf struct ctr_buf tcb = { 0 }, conf = { 0 }, all = { 0 };
	uint8_t bytes[16];

	for (int i = 0; i < 16; i++)
		svn_member(&tcb, i + 1, comp[i]);
	svn_member(&tcb, 17, 13);
	member(&tcb, 2, 18, 4, comp, 16);
	for (int i = 1; i <= 3; i++)
		member(&conf, 7, i, 1, (uint8_t[]){ i == 2 ? 0 : 0xff }, 1);
	memset(bytes, 0xaa, 16);
	member(&all, 1, 0, 4, bytes, 16);
	member(&all, 2, 0, 0x30, tcb.p, tcb.n);
	member(&all, 3, 0, 4, "\x00\x01", 2);
	member(&all, 4, 0, 4, "\x20\xb0\x6f\x07\x00\x00", 6);
	member(&all, 5, 0, 10, "\x01", 1);
	memset(bytes, 0xbb, 16);
	member(&all, 6, 0, 4, bytes, 16);
	member(&all, 7, 0, 0x30, conf.p, conf.n);
	pki_der(b, 0x30, all.p, all.n);
}

static EVP_PKEY *new_key(const char *curve)
{
	EVP_PKEY *k = EVP_EC_gen(curve);

	assert_non_null(k);
	return k;
}

static void add_ext(X509 *c, const char *oid, bool critical, const void *p, size_t n)
{
	ASN1_OBJECT *o = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *s = ASN1_OCTET_STRING_new();
	X509_EXTENSION *x;

	assert_true(o && s && ASN1_OCTET_STRING_set(s, p, (int)n) == 1);
	x = X509_EXTENSION_create_by_OBJ(NULL, o, critical, s);
	assert_true(x && X509_add_ext(c, x, -1) == 1);
	X509_EXTENSION_free(x);
	ASN1_OCTET_STRING_free(s);
	ASN1_OBJECT_free(o);
}

static void set_name(X509 *c, const char *cn)
{
	X509_NAME *n = X509_get_subject_name(c);

	assert_int_equal(X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC,
						    (const unsigned char *)cn, -1, -1, 0),
			 1);
}

/* Not signed yet. */
static X509 *new_cert(const char *cn, EVP_PKEY *key, const X509 *issuer, bool ca, time_t from,
		      time_t until)
{
	static long serial = 1000;
	X509 *c = X509_new();

	assert_non_null(c);
	assert_int_equal(X509_set_version(c, X509_VERSION_3), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(c), serial++), 1);
	set_name(c, cn);
	assert_int_equal(X509_set_issuer_name(c, X509_get_subject_name(issuer ? issuer : c)), 1);
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(c), from));
	assert_non_null(ASN1_TIME_set(X509_getm_notAfter(c), until));
	assert_int_equal(X509_set_pubkey(c, key), 1);
	if (ca)
		add_ext(c, "2.5.29.19", true, "\x30\x03\x01\x01\xff", 5);
	else
		add_ext(c, "2.5.29.19", true, "\x30\x00", 2);
	add_ext(c, "2.5.29.15", true, ca ? "\x03\x02\x01\x06" : "\x03\x02\x06\xc0", 4);
	return c;
}

static void sign_cert(X509 *c, EVP_PKEY *by)
{
	assert_true(X509_sign(c, by, EVP_sha256()) > 0);
}

static void sign(EVP_PKEY *key, const void *p, size_t n, uint8_t rs[64])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t der[80];
	const uint8_t *at = der;
	size_t len = sizeof der;
	ECDSA_SIG *sig;

	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestSign(ctx, der, &len, p, n), 1);
	sig = d2i_ECDSA_SIG(NULL, &at, (long)len);
	assert_non_null(sig);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(sig), rs, 32), 32);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(sig), rs + 32, 32), 32);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
}

static void crl(struct ctr_buf *out, const X509 *issuer, EVP_PKEY *by, time_t from, time_t until,
		const X509 *revoked, bool partial)
{
	X509_CRL *l = X509_CRL_new();
	ASN1_TIME *t = ASN1_TIME_set(NULL, from);
	uint8_t *der = NULL;
	int n;

	assert_true(X509_CRL_set_version(l, X509_CRL_VERSION_2) == 1 &&
		    X509_CRL_set_issuer_name(l, X509_get_subject_name(issuer)) == 1 &&
		    X509_CRL_set1_lastUpdate(l, t) == 1);
	assert_non_null(ASN1_TIME_set(t, until));
	assert_int_equal(X509_CRL_set1_nextUpdate(l, t), 1);
	if (revoked) {
		X509_REVOKED *r = X509_REVOKED_new();
		ASN1_INTEGER *serial = ASN1_INTEGER_dup(X509_get0_serialNumber(revoked));

		assert_true(r && serial && X509_REVOKED_set_serialNumber(r, serial) == 1 &&
			    X509_REVOKED_set_revocationDate(r, t) == 1 &&
			    X509_CRL_add0_revoked(l, r) == 1);
		ASN1_INTEGER_free(serial);
	}
	if (partial) {
		ASN1_INTEGER *base = ASN1_INTEGER_new();

		assert_int_equal(X509_CRL_add1_ext_i2d(l, NID_delta_crl, base, 1, 0), 1);
		ASN1_INTEGER_free(base);
	}
	assert_true(X509_CRL_sort(l) == 1 && X509_CRL_sign(l, by, EVP_sha256()) > 0);
	n = i2d_X509_CRL(l, &der);
	assert_true(n > 0);
	ctr_buf_add(out, der, (size_t)n);
	OPENSSL_free(der);
	ASN1_TIME_free(t);
	X509_CRL_free(l);
}

static void pem(struct ctr_buf *b, X509 *const *c, size_t n)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p = NULL;
	long len;

	for (size_t i = 0; i < n; i++)
		assert_int_equal(PEM_write_bio_X509(bio, c[i]), 1);
	len = BIO_get_mem_data(bio, &p);
	ctr_buf_add(b, p, (size_t)len);
	BIO_free(bio);
}

/* {"NAME":OBJECT,"signature":"…"} */
static void signed_text(struct ctr_buf *out, const char *name, const struct ctr_buf *obj,
			EVP_PKEY *by)
{
	uint8_t rs[64];

	sign(by, obj->p, obj->n, rs);
	ctr_buf_addf(out, "{\"%s\":%s,\"signature\":\"", name, obj->p);
	ctr_hex_add(out, rs, sizeof rs);
	ctr_buf_adds(out, "\"}\n");
}

static void components(struct ctr_buf *b, const char *name, const uint8_t v[16])
{
	ctr_buf_addf(b, "\"%s\":[", name);
	for (int i = 0; i < 16; i++)
		ctr_buf_addf(b, "%s{\"svn\":%u}", i ? "," : "", v[i]);
	ctr_buf_adds(b, "]");
}

static void platform_level(struct ctr_buf *b, uint8_t loader, const char *date, const char *status,
			   const char *more)
{
	/* the first two do not count for module version 1 */
	const uint8_t tdx[16] = { 255, 255, loader };

	ctr_buf_adds(b, "{\"tcb\":{");
	components(b, "sgxtcbcomponents", comp);
	ctr_buf_adds(b, ",\"pcesvn\":13,");
	components(b, "tdxtcbcomponents", tdx);
	ctr_buf_addf(b, "},\"tcbDate\":\"%sT00:00:00Z\",\"tcbStatus\":\"%s\"%s}", date, status,
		     more);
}

static void head(struct ctr_buf *b, const char *id, unsigned version, bool old, bool future)
{
	char from[CTR_TIME_MAX], until[CTR_TIME_MAX];

	ctr_buf_addf(b,
		     "{\"id\":\"%s\",\"version\":%u,\"issueDate\":\"%s\",\"nextUpdate\":\"%s\","
		     "\"tcbEvaluationDataNumber\":%u,",
		     id, version, ctr_time_print(future ? PKI_NOW + 1 : PKI_NOW, from),
		     ctr_time_print(old ? PKI_NOW - 1 : PKI_NOW + 7 * DAY, until),
		     version == 3 ? 20U : 21U);
}

static void tcb_info(const struct pki *p, struct ctr_buf *out, EVP_PKEY *by)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	head(&b, "TDX", 3, p->flaw == TCB_OLD, p->flaw == TCB_FUTURE);
	ctr_buf_addf(&b, "\"fmspc\":\"%s\",\"pceId\":\"%s\",\"tcbType\":0,",
		     p->flaw == TCB_FMSPC ? "20b06f070001" : FMSPC,
		     p->flaw == TCB_PCEID ? "0000" : PCEID);
	ctr_buf_adds(&b, "\"tdxModule\":{\"mrsigner\":\"" ZERO48
			 "\",\"attributes\":\"0000000000000000\","
			 "\"attributesMask\":\"FFFFFFFFFFFFFFFF\"},\"tdxModuleIdentities\":[{"
			 "\"id\":\"TDX_01\",\"mrsigner\":\"" ZERO48
			 "\",\"attributes\":\"0000000000000000\",\"attributesMask\":\"");
	ctr_buf_adds(&b, p->flaw == MODULE_RESERVED ? "0000000000000000" : "FFFFFFFFFFFFFFFF");
	ctr_buf_adds(&b, "\",\"tcbLevels\":["
			 "{\"tcb\":{\"isvsvn\":7},\"tcbDate\":\"2025-01-01T00:00:00Z\","
			 "\"tcbStatus\":\"UpToDate\"},");
	ctr_buf_addf(
		&b,
		"{\"tcb\":{\"isvsvn\":4},\"tcbDate\":\"2024-01-01T00:00:00Z\",\"tcbStatus\":\"%s\","
		"\"advisoryIDs\":[\"TEST-SA-0001\",\"TEST-SA-0002\"]}]}],\"tcbLevels\":[",
		p->module_status);
	platform_level(&b, 3, "2025-01-01", "UpToDate", "");
	ctr_buf_adds(&b, ",");
	platform_level(&b, 2, "2024-01-01", p->platform_status,
		       ",\"advisoryIDs\":[\"TEST-SA-0002\",\"TEST-SA-0003\"]");
	ctr_buf_adds(&b, "]}");
	signed_text(out, "tcbInfo", &b, by);
}

static void qe_identity(const struct pki *p, struct ctr_buf *out, EVP_PKEY *by)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	head(&b, "TD_QE", 2, p->flaw == QE_OLD, p->flaw == QE_FUTURE);
	ctr_buf_adds(
		&b,
		"\"miscselect\":\"00000000\",\"miscselectMask\":\"FFFFFFFF\",\"attributes\":"
		"\"11000000000000000000000000000000\","
		"\"attributesMask\":\"FBFFFFFFFFFFFFFF0000000000000000\",\"mrsigner\":\"" MRSIGNER
		"\",\"isvprodid\":2,\"tcbLevels\":["
		"{\"tcb\":{\"isvsvn\":6},\"tcbDate\":\"2025-01-01T00:00:00Z\",\"tcbStatus\":"
		"\"UpToDate\"},"
		"{\"tcb\":{\"isvsvn\":4},\"tcbDate\":\"2024-01-01T00:00:00Z\",\"tcbStatus\":"
		"\"OutOfDate\"}]}");
	signed_text(out, "enclaveIdentity", &b, by);
}

static void zeros(struct ctr_buf *b, size_t n)
{
	while (n--)
		ctr_buf_addc(b, 0);
}

static void le(struct ctr_buf *b, size_t v, size_t n)
{
	for (; n--; v >>= 8)
		ctr_buf_addc(b, (char)(v & 0xff));
}

static void quote_signed_part(const struct pki *p, struct ctr_buf *b)
{
	le(b, p->v5 ? 5 : 4, 2);
	le(b, 2, 2);
	le(b, 0x81, 4);
	zeros(b, 4);
	ctr_buf_add(b, "\x93\x9a\x72\x33\xf7\x9c\x4c\xa9\x94\x0a\x0d\xb3\x95\x7f\x06\x07", 16);
	zeros(b, 20);
	if (p->v5) {
		le(b, 3, 2);
		le(b, 648, 4);
	}
	ctr_buf_add(b, p->svn, 16);
	zeros(b, 48);
	ctr_buf_addc(b, p->flaw == MODULE_MRSIGNER);
	zeros(b, 47);
	ctr_buf_addc(b, p->flaw == MODULE_ATTRIBUTES || p->flaw == MODULE_RESERVED);
	zeros(b, 7);
	le(b, 0x10000000, 8);
	le(b, 0x602e7, 8);
	zeros(b, 48 * 8 + 64);
	if (p->v5) {
		ctr_buf_add(b, p->svn2, 16);
		zeros(b, 48);
	}
}

static void qe_report(const struct pki *p, struct ctr_buf *b, const uint8_t bound[32])
{
	uint8_t mrsigner[32];

	T_OK(ctr_hex_parse(MRSIGNER, 64, mrsigner, 32, e));
	mrsigner[31] ^= p->flaw == QE_MRSIGNER;
	zeros(b, 16);
	ctr_buf_addc(b, p->flaw == QE_MISCSELECT);
	zeros(b, 31);
	ctr_buf_addc(b, p->flaw == QE_ATTRIBUTES
				? 0x13
				: 0x15); /* DEBUG is bit 1, and bit 2 is not under the mask */
	zeros(b, 15 + 32 + 32);
	ctr_buf_add(b, mrsigner, 32);
	zeros(b, 96);
	le(b, p->flaw == QE_ISVPRODID ? 1 : 2, 2);
	le(b, p->flaw == QE_LEVEL ? 3 : p->qe_svn, 2);
	zeros(b, 60);
	ctr_buf_add(b, bound, 32);
	ctr_buf_addc(b, p->flaw == BINDING_TAIL);
	zeros(b, 31);
}

/* Uncompressed point without its first byte. */
static void point(EVP_PKEY *key, uint8_t xy[64])
{
	uint8_t b[65];
	size_t n;

	assert_int_equal(EVP_PKEY_get_octet_string_param(key, "pub", b, sizeof b, &n), 1);
	assert_int_equal(n, 65);
	memcpy(xy, b + 1, 64);
}

static void quote(const struct pki *p, struct ctr_buf *out, const struct ctr_buf *chain)
{
	ctr_auto_buf struct ctr_buf sig = { 0 }, qe = { 0 }, body = { 0 };
	EVP_PKEY *att = new_key("P-256"), *other = new_key("P-256");
	uint8_t xy[64 + 4], bound[32], rs[64], qe_rs[64];

	quote_signed_part(p, &body);
	sign(p->flaw == QUOTE_SIGNATURE ? other : att, body.p, body.n, rs);
	point(att, xy);
	xy[63] ^= p->flaw == OFF_CURVE;
	memcpy(xy + 64, "auth", 4);
	T_OK(ctr_hash(CTR_SHA256, xy, sizeof xy, bound, e));
	bound[0] ^= p->flaw == BINDING;
	qe_report(p, &qe, bound);
	assert_int_equal(qe.n, 384);
	if (p->flaw == LEAF_CURVE)
		memset(qe_rs, 1, 64);
	else
		sign(p->flaw == QE_SIGNATURE ? other : p->pck_key, qe.p, qe.n, qe_rs);
	ctr_buf_add(&qe, qe_rs, 64);
	le(&qe, 4, 2);
	ctr_buf_adds(&qe, "auth");
	le(&qe, 5, 2);
	le(&qe, chain->n, 4);
	ctr_buf_add(&qe, chain->p, chain->n);
	ctr_buf_add(&sig, rs, 64);
	ctr_buf_add(&sig, xy, 64);
	le(&sig, 6, 2);
	le(&sig, qe.n, 4);
	ctr_buf_add(&sig, qe.p, qe.n);
	ctr_buf_add(out, body.p, body.n);
	le(out, sig.n, 4);
	ctr_buf_add(out, sig.p, sig.n);
	EVP_PKEY_free(att);
	EVP_PKEY_free(other);
}

struct authority {
	EVP_PKEY *root_key, *ca_key, *tcb_key, *qe_key, *other_key;
	X509 *root, *other_root, *ca, *leaf, *tcb_signer, *qe_signer;
};

static X509 *new_leaf(const struct pki *p, const struct authority *a)
{
	time_t from = PKI_NOW - (p->flaw == LEAF_FUTURE ? -1 : DAY),
	       until = PKI_NOW + (p->flaw == LEAF_OLD ? -1 : 300L * DAY);
	X509 *c = new_cert(p->flaw == LEAF_NAME ? "Intel SGX TCB Signing"
						: "Intel SGX PCK Certificate",
			   p->pck_key, a->ca, p->flaw == LEAF_CA, from, until);
	ctr_auto_buf struct ctr_buf ext = { 0 };

	pki_sgx_extension(&ext);
	ext.p[ext.n - 1] ^= p->flaw == EXT_BROKEN; /* the last BOOLEAN */
	if (p->flaw != NO_EXT)
		add_ext(c, "1.2.840.113741.1.13.1", false, ext.p, ext.n);
	if (p->flaw == EXT_TWICE)
		add_ext(c, "1.2.840.113741.1.13.1", false, ext.p, ext.n);
	if (p->flaw == CRITICAL_EXT)
		add_ext(c, "1.2.3.4", true, "\x05\x00", 2);
	sign_cert(c, p->flaw == BY_ROOT ? a->root_key : a->ca_key);
	return c;
}

static X509 *new_signer(const struct authority *a, EVP_PKEY *key, const char *cn, bool old)
{
	X509 *c = new_cert(cn, key, a->root, false, PKI_NOW - 2 * DAY,
			   PKI_NOW + (old ? -1 : 300L * DAY));

	sign_cert(c, a->root_key);
	return c;
}

static void found(struct pki *p, struct authority *a)
{
	static const char signer[] = "Intel SGX TCB Signing", root[] = "Intel SGX Root CA";
	time_t from = PKI_NOW - 1000L * DAY, until = PKI_NOW + 1000L * DAY;

	a->root_key = new_key("P-256");
	a->ca_key = new_key("P-256");
	a->tcb_key = new_key("P-256");
	a->qe_key = new_key("P-256");
	a->other_key = new_key("P-256");
	p->pck_key = new_key(p->flaw == LEAF_CURVE ? "P-384" : "P-256");
	a->root = new_cert(root, a->root_key, NULL, true, from, until);
	sign_cert(a->root, a->root_key);
	a->other_root = new_cert(root, a->other_key, NULL, true, from, until);
	sign_cert(a->other_root, a->other_key);
	a->ca = new_cert(p->flaw == CA_NAME ? "Some CA" : "Intel SGX PCK Platform CA", a->ca_key,
			 a->root, p->flaw != CA_FLAG, from, until);
	sign_cert(a->ca, a->root_key);
	a->leaf = new_leaf(p, a);
	a->tcb_signer = new_signer(
		a, a->tcb_key, p->flaw == TCB_SIGNER_NAME ? "Intel SGX PCK Certificate" : signer,
		p->flaw == TCB_SIGNER_OLD);
	a->qe_signer = new_signer(a, a->qe_key,
				  p->flaw == QE_SIGNER_NAME ? "Intel SGX PCK Certificate" : signer,
				  p->flaw == QE_SIGNER_OLD);
	T_OK(ctr_x509_spki(p->flaw == OTHER_ROOT ? a->other_root : a->root, p->root_spki, e));
}

static void lists(struct pki *p, const struct authority *a)
{
	const X509 *root_hit = p->flaw == CA_REVOKED	       ? a->ca
			       : p->flaw == TCB_SIGNER_REVOKED ? a->tcb_signer
			       : p->flaw == QE_SIGNER_REVOKED  ? a->qe_signer
			       : p->flaw == OTHERS_REVOKED     ? a->leaf
							       : NULL;
	const X509 *pck_hit = p->flaw == LEAF_REVOKED	  ? a->leaf
			      : p->flaw == OTHERS_REVOKED ? a->ca
							  : NULL;

	crl(&p->ev.item[CTR_ROOT_CRL], a->root,
	    p->flaw == ROOT_CRL_KEY ? a->other_key : a->root_key,
	    PKI_NOW + (p->flaw == ROOT_CRL_FUTURE ? 1 : -DAY),
	    PKI_NOW + (p->flaw == ROOT_CRL_OLD ? -1 : 100 * DAY), root_hit,
	    p->flaw == ROOT_CRL_PARTIAL);
	crl(&p->ev.item[CTR_PCK_CRL], p->flaw == PCK_CRL_ISSUER ? a->root : a->ca,
	    p->flaw == PCK_CRL_KEY ? a->other_key : a->ca_key, PKI_NOW - DAY,
	    PKI_NOW + (p->flaw == PCK_CRL_OLD ? -1 : 3 * DAY), pck_hit, false);
}

static void free_authority(struct authority *a)
{
	EVP_PKEY *keys[] = { a->root_key, a->ca_key, a->tcb_key, a->qe_key, a->other_key };
	X509 *certs[] = { a->root, a->other_root, a->ca, a->leaf, a->tcb_signer, a->qe_signer };

	for (size_t i = 0; i < 5; i++)
		EVP_PKEY_free(keys[i]);
	for (size_t i = 0; i < 6; i++)
		X509_free(certs[i]);
}

struct pki pki_default(void)
{
	return (struct pki){ .svn = { 7, 1, 3 },
			     .svn2 = { 7, 1, 3 },
			     .qe_svn = 6,
			     .platform_status = "OutOfDate",
			     .module_status = "OutOfDate" };
}

void pki_build(struct pki *p)
{
	struct authority a = { 0 };
	ctr_auto_buf struct ctr_buf chain = { 0 };

	if (p->flaw == MODULE_VERSION)
		p->svn[1] = 2;
	if (p->flaw == MODULE_LEVEL)
		p->svn[0] = 3;
	if (p->flaw == PLATFORM_LEVEL)
		p->svn[2] = 1;
	found(p, &a);
	lists(p, &a);
	pem(&chain, (X509 *[]){ a.leaf, a.ca, a.root }, p->flaw == NO_ROOT ? 2 : 3);
	quote(p, &p->ev.item[CTR_REPORT], &chain);
	tcb_info(p, &p->ev.item[CTR_TCB_INFO], p->flaw == TCB_SIGNATURE ? a.other_key : a.tcb_key);
	qe_identity(p, &p->ev.item[CTR_QE_IDENTITY],
		    p->flaw == QE_ID_SIGNATURE ? a.other_key : a.qe_key);
	pem(&p->ev.item[CTR_TCB_INFO_CHAIN],
	    (X509 *[]){ a.tcb_signer, p->flaw == TCB_ROOT ? a.other_root : a.root, a.root },
	    p->flaw == TCB_CHAIN_LONG ? 3 : 2);
	pem(&p->ev.item[CTR_QE_IDENTITY_CHAIN],
	    (X509 *[]){ a.qe_signer, p->flaw == QE_ROOT ? a.other_root : a.root }, 2);
	p->ev.tee = CTR_TEE_TDX;
	free_authority(&a);
}

void pki_free(struct pki *p)
{
	for (size_t i = 0; i < CTR_ITEMS; i++)
		ctr_buf_free(&p->ev.item[i]);
	EVP_PKEY_free(p->pck_key);
	p->pck_key = NULL;
}
