#include "pki.h"

#include <string.h>
#include <sys/stat.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "enc.h"
#include "file.h"

static void add_name(X509_NAME *n, const char *field, const char *value)
{
	PKI_MUST(X509_NAME_add_entry_by_txt(n, field, MBSTRING_ASC, (const unsigned char *)value,
					    -1, -1, 0) == 1);
}

static void set_serial(X509 *c, const char *hex)
{
	unsigned char random[16];
	BIGNUM *n = NULL;

	if (hex) {
		PKI_MUST(BN_hex2bn(&n, hex));
	} else {
		PKI_MUST(RAND_bytes(random, sizeof random) == 1);
		random[0] = (random[0] & 0x7f) | 0x40;
		n = BN_bin2bn(random, sizeof random, NULL);
	}
	PKI_MUST(n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(c)));
	BN_free(n);
}

static void add_conf(X509 *c, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *x;

	X509V3_set_ctx(&ctx, issuer, c, NULL, NULL, 0);
	x = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	PKI_MUST(x && X509_add_ext(c, x, -1) == 1);
	X509_EXTENSION_free(x);
}

static void add_usual(X509 *c, const struct pki_cert *o, X509 *issuer)
{
	char text[160];

	if (o->key_ids) {
		add_conf(c, issuer, NID_subject_key_identifier, "hash");
		add_conf(c, issuer, NID_authority_key_identifier, "keyid");
	}
	if (o->ca && o->pathlen >= 0) {
		snprintf(text, sizeof text, "critical,CA:TRUE,pathlen:%d", o->pathlen);
		add_conf(c, issuer, NID_basic_constraints, text);
	} else if (o->ca) {
		add_conf(c, issuer, NID_basic_constraints, "critical,CA:TRUE");
	} else if (o->usage) { /* AMD's leaves have neither */
		add_conf(c, issuer, NID_basic_constraints, "critical,CA:FALSE");
	}
	if (o->usage)
		add_conf(c, issuer, NID_key_usage, o->usage);
	if (o->crl_url) {
		snprintf(text, sizeof text, "URI:%s", o->crl_url);
		add_conf(c, issuer, NID_crl_distribution_points, text);
	}
}

X509 *pki_new(const struct pki_cert *o, EVP_PKEY *key, const struct pki_ca *by)
{
	X509 *c = X509_new();
	X509_NAME *name = X509_NAME_new();

	PKI_MUST(c && name && X509_set_version(c, X509_VERSION_3) == 1);
	for (const char *const *p = o->base; *p; p += 2)
		add_name(name, p[0], p[1]);
	add_name(name, "CN", o->cn);
	set_serial(c, o->serial);
	PKI_MUST(X509_set_subject_name(c, name) == 1 && X509_set_pubkey(c, key) == 1 &&
		 X509_set_issuer_name(c, by->cert ? X509_get_subject_name(by->cert) : name) == 1 &&
		 ASN1_TIME_set(X509_getm_notBefore(c), o->from) &&
		 ASN1_TIME_set(X509_getm_notAfter(c), o->until));
	X509_NAME_free(name);
	add_usual(c, o, by->cert ? by->cert : c);
	return c;
}

void pki_ext(X509 *c, const char *oid, const void *p, size_t n)
{
	ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *s = ASN1_OCTET_STRING_new();
	X509_EXTENSION *x;

	PKI_MUST(obj && s && ASN1_OCTET_STRING_set(s, p, (int)n) == 1);
	x = X509_EXTENSION_create_by_OBJ(NULL, obj, 0, s);
	PKI_MUST(x && X509_add_ext(c, x, -1) == 1);
	X509_EXTENSION_free(x);
	ASN1_OCTET_STRING_free(s);
	ASN1_OBJECT_free(obj);
}

void pki_change(X509 *c, const char *text)
{
	bool more = *text == '+';
	char oid[64];
	uint8_t value[1024];
	struct ctr_err e = { 0 };
	const char *hex = strchr(text, '=');
	ASN1_OBJECT *obj;
	int at;

	snprintf(oid, sizeof oid, "%.*s", hex ? (int)(hex - text - more) : 0, text + more);
	obj = OBJ_txt2obj(oid, 1);
	if (!hex || !obj || strlen(++hex) / 2 > sizeof value ||
	    ctr_hex_parse(hex, strlen(hex), value, strlen(hex) / 2, &e) < 0) {
		fprintf(stderr, "%s: expected OID=HEX\n", text);
		exit(2);
	}
	while (!more && (at = X509_get_ext_by_OBJ(c, obj, -1)) >= 0)
		X509_EXTENSION_free(X509_delete_ext(c, at));
	if (*hex)
		pki_ext(c, oid, value, strlen(hex) / 2);
	ASN1_OBJECT_free(obj);
}

static EVP_MD_CTX *signer(const struct pki_ca *by)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *k;
	bool pss = by->alg == PKI_PSS_SHA384;

	PKI_MUST(ctx && EVP_DigestSignInit(ctx, &k, pss ? EVP_sha384() : EVP_sha256(), NULL,
					   by->key) == 1);
	if (pss)
		PKI_MUST(EVP_PKEY_CTX_set_rsa_padding(k, RSA_PKCS1_PSS_PADDING) == 1 &&
			 EVP_PKEY_CTX_set_rsa_pss_saltlen(k, 48) == 1 &&
			 EVP_PKEY_CTX_set_rsa_mgf1_md(k, EVP_sha384()) == 1);
	return ctx;
}

void pki_sign(X509 *c, const struct pki_ca *by)
{
	EVP_MD_CTX *ctx = signer(by);

	PKI_MUST(X509_sign_ctx(c, ctx) > 0);
	EVP_MD_CTX_free(ctx);
}

static void crl_exts(X509_CRL *l, const struct pki_ca *by)
{
	X509V3_CTX ctx;
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	X509_EXTENSION *x;

	PKI_MUST(number && ASN1_INTEGER_set(number, 1) == 1 &&
		 X509_CRL_add1_ext_i2d(l, NID_crl_number, number, 0, 0) == 1);
	ASN1_INTEGER_free(number);
	X509V3_set_ctx(&ctx, by->cert, NULL, NULL, l, 0);
	x = X509V3_EXT_conf_nid(NULL, &ctx, NID_authority_key_identifier, "keyid");
	PKI_MUST(x && X509_CRL_add_ext(l, x, -1) == 1);
	X509_EXTENSION_free(x);
}

X509_CRL *pki_crl(const struct pki_ca *by, X509 *const *revoked, size_t n, time_t from,
		  time_t until)
{
	X509_CRL *l = X509_CRL_new();
	ASN1_TIME *t = ASN1_TIME_set(NULL, from), *next = ASN1_TIME_set(NULL, until);
	EVP_MD_CTX *ctx;

	PKI_MUST(l && t && next && X509_CRL_set_version(l, X509_CRL_VERSION_2) == 1 &&
		 X509_CRL_set_issuer_name(l, X509_get_subject_name(by->cert)) == 1 &&
		 X509_CRL_set1_lastUpdate(l, t) == 1 && X509_CRL_set1_nextUpdate(l, next) == 1);
	crl_exts(l, by);
	for (size_t i = 0; i < n; i++) {
		X509_REVOKED *r = X509_REVOKED_new();

		PKI_MUST(r &&
			 X509_REVOKED_set_serialNumber(r, X509_get_serialNumber(revoked[i])) == 1 &&
			 X509_REVOKED_set_revocationDate(r, t) == 1 &&
			 X509_CRL_add0_revoked(l, r) == 1);
	}
	PKI_MUST(X509_CRL_sort(l) == 1);
	ctx = signer(by);
	PKI_MUST(X509_CRL_sign_ctx(l, ctx) > 0);
	EVP_MD_CTX_free(ctx);
	ASN1_TIME_free(t);
	ASN1_TIME_free(next);
	return l;
}

static EVP_PKEY *make_key(const char *kind)
{
	return strcmp(kind, "RSA") == 0 ? EVP_RSA_gen(4096) : EVP_EC_gen(kind);
}

EVP_PKEY *pki_key(const char *dir, const char *name, const char *kind)
{
	struct ctr_buf path = { 0 };
	EVP_PKEY *key = NULL;
	BIO *mem;
	char *p;
	long n;
	FILE *f;

	ctr_buf_addf(&path, "%s/%s.key", dir, name);
	f = fopen(ctr_buf_str(&path), "r");
	if (f) {
		key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
		fclose(f);
		PKI_MUST(key);
		ctr_buf_free(&path);
		return key;
	}
	key = make_key(kind);
	mem = BIO_new(BIO_s_mem());
	PKI_MUST(key && mem &&
		 PEM_write_bio_PKCS8PrivateKey(mem, key, NULL, NULL, 0, NULL, NULL) == 1);
	n = BIO_get_mem_data(mem, &p);
	ctr_buf_reset(&path);
	ctr_buf_addf(&path, "%s.key", name);
	pki_write(dir, ctr_buf_str(&path), p, (size_t)n, 0600);
	BIO_free(mem);
	ctr_buf_free(&path);
	return key;
}

void pki_der(const X509 *c, struct ctr_buf *b)
{
	unsigned char *p = NULL;
	int n = i2d_X509(c, &p);

	PKI_MUST(n > 0);
	ctr_buf_add(b, p, (size_t)n);
	OPENSSL_free(p);
}

void pki_pem(const X509 *c, struct ctr_buf *b)
{
	BIO *mem = BIO_new(BIO_s_mem());
	char *p;
	long n;

	PKI_MUST(mem && PEM_write_bio_X509(mem, c) == 1);
	n = BIO_get_mem_data(mem, &p);
	ctr_buf_add(b, p, (size_t)n);
	BIO_free(mem);
}

void pki_raw_sign(EVP_PKEY *key, const void *p, size_t n, struct ctr_buf *hex)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char der[128], raw[64];
	const unsigned char *q = der;
	size_t len = sizeof der;
	ECDSA_SIG *sig;

	PKI_MUST(ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
		 EVP_DigestSign(ctx, der, &len, p, n) == 1);
	sig = d2i_ECDSA_SIG(NULL, &q, (long)len);
	PKI_MUST(sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32) == 32 &&
		 BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32) == 32);
	ctr_hex_add(hex, raw, sizeof raw);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
}

void pki_write(const char *dir, const char *name, const void *p, size_t n, unsigned mode)
{
	ctr_auto_buf struct ctr_buf path = { 0 };
	struct ctr_err e = { 0 };

	ctr_buf_addf(&path, "%s/%s", dir, name);
	if (path.bad || ctr_mkdirs(dir, 0755, &e) < 0 ||
	    ctr_file_write(path.p, p, n, mode, &e) < 0) {
		fprintf(stderr, "%s/%s: %s\n", dir, name, e.msg);
		exit(4);
	}
}

void pki_write_cert(const char *dir, const char *name, const X509 *c)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	pki_der(c, &b);
	pki_write(dir, name, b.p, b.n, 0644);
}

void pki_write_crl(const char *dir, const char *name, X509_CRL *c)
{
	unsigned char *p = NULL;
	int n = i2d_X509_CRL(c, &p);

	PKI_MUST(n > 0);
	pki_write(dir, name, p, (size_t)n, 0644);
	OPENSSL_free(p);
}

time_t pki_time(const char *s)
{
	struct tm tm = { 0 };
	const char *end = strptime(s, "%Y-%m-%dT%H:%M:%SZ", &tm);

	if (!end || *end) {
		fprintf(stderr, "%s: no time (expected 2026-11-24T10:00:00Z)\n", s);
		exit(2);
	}
	return timegm(&tm);
}

const char *pki_time_text(time_t t, char buf[32])
{
	struct tm tm;

	PKI_MUST(gmtime_r(&t, &tm) && strftime(buf, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0);
	return buf;
}

void pki_tlv(struct ctr_buf *b, unsigned tag, const void *p, size_t n)
{
	ctr_buf_addc(b, (char)tag);
	if (n >= 256) {
		ctr_buf_addc(b, (char)0x82);
		ctr_buf_addc(b, (char)(n >> 8));
	} else if (n >= 128) {
		ctr_buf_addc(b, (char)0x81);
	}
	ctr_buf_addc(b, (char)n);
	ctr_buf_add(b, p, n);
}

void pki_int(struct ctr_buf *b, unsigned v)
{
	unsigned char x[4] = { 0, (unsigned char)(v >> 16), (unsigned char)(v >> 8),
			       (unsigned char)v };
	size_t from = 3;

	while (from > 0 && (x[from] & 0x80 || v >> (8 * (4 - from))))
		from--;
	pki_tlv(b, 2, x + from, sizeof x - from);
}
