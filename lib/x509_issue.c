#include "x509_issue.h"

#include <stdio.h>
#include <string.h>

#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "crypto_rfc6979.h"
#include "crypto_sign_int.h"
#include "crypto_spki.h"
#include "der.h"
#include "der_write.h"
#include "manifest.h"
#include "x509.h"
#include "x509_names.h"

#define KEY_ID_SIZE 20
#define CN_MAX 64

/* Tags that der.h has not. */
enum {
	BIT_STRING = 0x03,
	UTF8_STRING = 0x0c,
	UTC_TIME = 0x17,
	GENERALIZED_TIME = 0x18,
	SET = 0x31,
	KEY_ID = 0x80,	   /* [0] of AuthorityKeyIdentifier */
	VERSION = 0xa0,	   /* [0] of TBSCertificate */
	EXTENSIONS = 0xa3, /* [3] of it */
};

struct oid {
	uint8_t n, v[9];
};
static const struct oid common_name = { 3, { 0x55, 0x04, 0x03 } },
			key_id = { 3, { 0x55, 0x1d, 0x0e } }, usage = { 3, { 0x55, 0x1d, 0x0f } },
			alt_name = { 3, { 0x55, 0x1d, 0x11 } }, basic = { 3, { 0x55, 0x1d, 0x13 } },
			constraints = { 3, { 0x55, 0x1d, 0x1e } },
			issuer_key_id = { 3, { 0x55, 0x1d, 0x23 } },
			purpose = { 3, { 0x55, 0x1d, 0x25 } },
			server_auth = { 8, { 0x2b, 6, 1, 5, 5, 7, 3, 1 } },
			client_auth = { 8, { 0x2b, 6, 1, 5, 5, 7, 3, 2 } },
			ecdsa_sha256 = { 8, { 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2 } },
			ecdsa_sha384 = { 8, { 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3 } };

struct ctr_issuer {
	const struct ctr_sign_key *key;
	struct ctr_buf name; /* the subject, in DER */
	uint8_t key_id[KEY_ID_SIZE];
	NAME_CONSTRAINTS *nc; /* NULL: any name */
	time_t from, until;
};

static int read_issuer(struct ctr_issuer *i, X509 *c, struct ctr_err *e)
{
	const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(c);
	uint8_t *name = NULL;
	int n;

	if (!ctr_x509_sound(c) || !ctr_x509_is_ca(c, true) || !id ||
	    ASN1_STRING_length(id) != KEY_ID_SIZE || !ctr_x509_window(c, &i->from, &i->until) ||
	    EVP_PKEY_eq(X509_get0_pubkey(c), ctr_sign_key_evp(i->key)) != 1)
		return ctr_fail(e, CTR_FORMAT, "x509.issuer",
				"not the certificate of a CA with this key");
	memcpy(i->key_id, ASN1_STRING_get0_data(id), KEY_ID_SIZE);
	i->nc = X509_get_ext_d2i(c, NID_name_constraints, NULL, NULL);
	n = i2d_X509_NAME(X509_get_subject_name(c), &name);
	if (n <= 0)
		return ctr_fail_mem(e);
	ctr_buf_add(&i->name, name, (size_t)n);
	OPENSSL_free(name);
	return ctr_buf_ok(&i->name, "name", e);
}

int ctr_issuer_new(const struct ctr_sign_key *key, const void *der, size_t n,
		   struct ctr_issuer **out, struct ctr_err *e)
{
	ctr_auto_x509 X509 *c = NULL;
	struct ctr_issuer *i;

	*out = NULL;
	if (ctr_x509_der(der, n, "CA certificate", &c, e) < 0)
		return -1;
	i = calloc(1, sizeof *i);
	if (!i)
		return ctr_fail_mem(e);
	i->key = key;
	if (read_issuer(i, c, e) < 0) {
		ctr_issuer_free(i);
		return -1;
	}
	*out = i;
	return 0;
}

void ctr_issuer_free(struct ctr_issuer *i)
{
	if (!i)
		return;
	ctr_buf_free(&i->name);
	NAME_CONSTRAINTS_free(i->nc);
	free(i);
}

void ctr_issuer_window(const struct ctr_issuer *i, time_t *from, time_t *until)
{
	*from = i->from;
	*until = i->until;
}

/* --- the parts of a certificate, each appended in DER --- */

static void put_oid(struct ctr_buf *b, const struct oid *o)
{
	ctr_der_put(b, CTR_DER_OID, o->v, o->n);
}

static int put_serial(struct ctr_buf *b, const uint8_t *given, struct ctr_err *e)
{
	uint8_t serial[CTR_SERIAL_SIZE];

	if (given)
		memcpy(serial, given, sizeof serial);
	else if (RAND_bytes(serial, sizeof serial) != 1)
		return ctr_fail(e, CTR_ENV, "x509.issue", "no random numbers");
	/* positive, and of the same length always */
	serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40);
	ctr_der_put(b, CTR_DER_INTEGER, serial, sizeof serial);
	return 0;
}

static void put_algorithm(struct ctr_buf *b, const struct ctr_sign_key *key)
{
	size_t at = ctr_der_open(b, CTR_DER_SEQUENCE);

	put_oid(b, ctr_sign_key_half(key) == 48 ? &ecdsa_sha384 : &ecdsa_sha256);
	ctr_der_close(b, at);
}

static void put_name(struct ctr_buf *b, const char *cn)
{
	size_t name = ctr_der_open(b, CTR_DER_SEQUENCE), rdn, pair;

	if (*cn) {
		rdn = ctr_der_open(b, SET);
		pair = ctr_der_open(b, CTR_DER_SEQUENCE);
		put_oid(b, &common_name);
		ctr_der_put(b, UTF8_STRING, cn, strlen(cn));
		ctr_der_close(b, pair);
		ctr_der_close(b, rdn);
	}
	ctr_der_close(b, name);
}

/* UTCTime until 2049, GeneralizedTime from then on (RFC 5280 section 4.1.2.5). */
static void put_time(struct ctr_buf *b, time_t t)
{
	char text[32] = "";
	struct tm tm;
	bool utc = gmtime_r(&t, &tm) && tm.tm_year >= 50 && tm.tm_year < 150;

	if (strftime(text, sizeof text, "%Y%m%d%H%M%SZ", &tm) != 15)
		b->bad = CTR_BUF_LIMIT;
	if (utc)
		ctr_der_put(b, UTC_TIME, text + 2, 13);
	else
		ctr_der_put(b, GENERALIZED_TIME, text, 15);
}

static void put_window(struct ctr_buf *b, time_t from, time_t until)
{
	size_t at = ctr_der_open(b, CTR_DER_SEQUENCE);

	put_time(b, from);
	put_time(b, until);
	ctr_der_close(b, at);
}

/* An extension up to its value; what is added until ext_end is that. */
struct ext {
	size_t all, value;
};

static struct ext ext_begin(struct ctr_buf *b, const void *oid, size_t n, bool critical)
{
	struct ext x;

	x.all = ctr_der_open(b, CTR_DER_SEQUENCE);
	ctr_der_put(b, CTR_DER_OID, oid, n);
	if (critical)
		ctr_der_put(b, CTR_DER_BOOLEAN, "\xff", 1);
	x.value = ctr_der_open(b, CTR_DER_OCTETS);
	return x;
}

static void ext_end(struct ctr_buf *b, struct ext x)
{
	ctr_der_close(b, x.value);
	ctr_der_close(b, x.all);
}

static void put_basic(struct ctr_buf *b, const uint8_t *pathlen)
{
	struct ext x = ext_begin(b, basic.v, basic.n, true);
	size_t at = ctr_der_open(b, CTR_DER_SEQUENCE);

	if (pathlen) {
		ctr_der_put(b, CTR_DER_BOOLEAN, "\xff", 1);
		ctr_der_put(b, CTR_DER_INTEGER, pathlen, 1);
	}
	ctr_der_close(b, at);
	ext_end(b, x);
}

/* Bits of key usage, the first one being the highest (section 4.2.1.3). */
enum { DIGITAL_SIGNATURE = 0x80, KEY_ENCIPHERMENT = 0x20, CERT_SIGN = 0x04, CRL_SIGN = 0x02 };

static void put_usage(struct ctr_buf *b, unsigned bits)
{
	struct ext x = ext_begin(b, usage.v, usage.n, true);
	uint8_t v[2] = { 0, (uint8_t)bits };

	/* bits that are not used, then the bits: none of the former is left over */
	while (!(bits >> v[0] & 1))
		v[0]++;
	ctr_der_put(b, BIT_STRING, v, sizeof v);
	ext_end(b, x);
}

static void put_purpose(struct ctr_buf *b)
{
	struct ext x = ext_begin(b, purpose.v, purpose.n, false);
	size_t at = ctr_der_open(b, CTR_DER_SEQUENCE);

	put_oid(b, &server_auth);
	put_oid(b, &client_auth);
	ctr_der_close(b, at);
	ext_end(b, x);
}

static void put_key_ids(struct ctr_buf *b, const uint8_t *own, const uint8_t *issuer)
{
	struct ext x = ext_begin(b, key_id.v, key_id.n, false);
	size_t at;

	ctr_der_put(b, CTR_DER_OCTETS, own, KEY_ID_SIZE);
	ext_end(b, x);
	x = ext_begin(b, issuer_key_id.v, issuer_key_id.n, false);
	at = ctr_der_open(b, CTR_DER_SEQUENCE);
	ctr_der_put(b, KEY_ID, issuer, KEY_ID_SIZE);
	ctr_der_close(b, at);
	ext_end(b, x);
}

/* The first 160 bits of SHA-256 over the key (RFC 7093 section 2, method 1): what follows the
 * algorithm and the count of unused bits. */
static int key_id_of(const void *spki, size_t n, uint8_t id[KEY_ID_SIZE], struct ctr_err *e)
{
	uint8_t h[CTR_SHA256_SIZE];
	struct ctr_rd r, all, alg, bits;
	uint8_t unused;

	ctr_rd_init(&r, spki, n);
	if (ctr_der_tlv(&r, CTR_DER_SEQUENCE, &all) < 0 ||
	    ctr_der_tlv(&all, CTR_DER_SEQUENCE, &alg) < 0 ||
	    ctr_der_tlv(&all, BIT_STRING, &bits) < 0 || ctr_rd_u8(&bits, &unused) < 0)
		return ctr_fail(e, CTR_FORMAT, "ca.key", "no SubjectPublicKeyInfo");
	if (ctr_hash(CTR_SHA256, bits.p, bits.left, h, e) < 0)
		return -1;
	memcpy(id, h, KEY_ID_SIZE);
	return 0;
}

/* --- whole certificates --- */

struct tbs {
	const uint8_t *serial; /* NULL: random */
	const char *cn;
	const struct ctr_buf *issuer; /* its name, NULL: the same */
	const struct ctr_sign_key *signer;
	time_t from, until;
	const void *spki;
	size_t n_spki;
};

/* All up to the extensions (section 4.1), whose place is given: tbs_end closes both. */
struct open {
	size_t tbs, outer, list;
};

static int tbs_begin(struct ctr_buf *b, const struct tbs *t, struct open *o, struct ctr_err *e)
{
	size_t at;

	o->tbs = ctr_der_open(b, CTR_DER_SEQUENCE);
	at = ctr_der_open(b, VERSION);
	ctr_der_put(b, CTR_DER_INTEGER, "\x02", 1);
	ctr_der_close(b, at);
	if (put_serial(b, t->serial, e) < 0)
		return -1;
	put_algorithm(b, t->signer);
	if (t->issuer)
		ctr_buf_add(b, t->issuer->p, t->issuer->n);
	else
		put_name(b, t->cn);
	put_window(b, t->from, t->until);
	put_name(b, t->cn);
	ctr_buf_add(b, t->spki, t->n_spki);
	o->outer = ctr_der_open(b, EXTENSIONS);
	o->list = ctr_der_open(b, CTR_DER_SEQUENCE);
	return 0;
}

static int tbs_end(struct ctr_buf *b, const struct open *o, struct ctr_err *e)
{
	ctr_der_close(b, o->list);
	ctr_der_close(b, o->outer);
	ctr_der_close(b, o->tbs);
	return ctr_buf_ok(b, "certificate", e);
}

/* Appends the certificate; `again`: with the signature that does not vary. */
static int sign(const struct ctr_buf *tbs, const struct ctr_sign_key *key, bool again,
		struct ctr_buf *der, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf sig = { 0 };
	enum ctr_hash_alg alg = ctr_sign_key_half(key) == 48 ? CTR_SHA384 : CTR_SHA256;
	size_t all;

	ctr_buf_addc(&sig, 0); /* no unused bits */
	if ((again ? ctr_rfc6979_sign(ctr_sign_key_evp(key), tbs->p, tbs->n, &sig, e)
		   : ctr_sign_der(key, alg, tbs->p, tbs->n, &sig, e)) < 0)
		return -1;
	all = ctr_der_open(der, CTR_DER_SEQUENCE);
	ctr_buf_add(der, tbs->p, tbs->n);
	put_algorithm(der, key);
	ctr_der_put(der, BIT_STRING, sig.p, sig.n);
	ctr_der_close(der, all);
	return ctr_buf_ok(der, "certificate", e);
}

static int put_constraints(struct ctr_buf *b, const struct ctr_ca_spec *s, struct ctr_err *e)
{
	struct ext x;

	if (s->n_permitted == 0)
		return 0;
	x = ext_begin(b, constraints.v, constraints.n, true);
	if (ctr_x509_constraints(s->permitted, s->n_permitted, b, e) < 0)
		return -1;
	ext_end(b, x);
	return 0;
}

int ctr_x509_issue_ca(const struct ctr_ca_spec *s, const struct ctr_sign_key *key,
		      const struct ctr_issuer *by, struct ctr_buf *der, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf spki = { 0 }, b = { 0 };
	struct tbs t = { .serial = s->serial,
			 .cn = s->name,
			 .issuer = by ? &by->name : NULL,
			 .signer = by ? by->key : key,
			 .from = s->from,
			 .until = s->until };
	uint8_t id[KEY_ID_SIZE];
	struct open o;

	if (ctr_sign_key_spki(key, &spki, e) < 0 || key_id_of(spki.p, spki.n, id, e) < 0)
		return -1;
	t.spki = spki.p;
	t.n_spki = spki.n;
	if (tbs_begin(&b, &t, &o, e) < 0)
		return -1;
	put_basic(&b, &s->pathlen);
	put_usage(&b, CERT_SIGN | CRL_SIGN);
	put_key_ids(&b, id, by ? by->key_id : id);
	if (put_constraints(&b, s, e) < 0 || tbs_end(&b, &o, e) < 0)
		return -1;
	return sign(&b, t.signer, s->again, der, e);
}

/* "" when no name of the leaf can be a common name. */
static const char *cn_of(const struct ctr_leaf_spec *s)
{
	for (size_t i = 0; i < s->n_sans; i++) {
		if (s->sans[i][0] != '*' && strlen(s->sans[i]) <= CN_MAX &&
		    ctr_san_kind(s->sans[i]) == CTR_SAN_DNS)
			return s->sans[i];
	}
	return s->n_sans > 0 ? "" : "mesh certificate";
}

static int put_sans(struct ctr_buf *b, const struct ctr_leaf_spec *s, bool critical,
		    struct ctr_err *e)
{
	struct ext x;

	if (s->n_sans == 0)
		return 0;
	x = ext_begin(b, alt_name.v, alt_name.n, critical);
	if (ctr_x509_sans(s->sans, s->n_sans, b, e) < 0)
		return -1;
	ext_end(b, x);
	return 0;
}

static void put_exts(struct ctr_buf *b, const struct ctr_leaf_spec *s)
{
	for (size_t i = 0; i < s->n_exts; i++) {
		const struct ctr_cert_ext *c = &s->exts[i];
		struct ext x = ext_begin(b, c->oid, c->n_oid, false);

		ctr_der_put(b, c->text ? UTF8_STRING : CTR_DER_OCTETS, c->p, c->n);
		ext_end(b, x);
	}
}

/* What no verifier would accept is not given out. */
static int check(const struct ctr_buf *der, const struct ctr_issuer *by, struct ctr_err *e)
{
	ctr_auto_x509 X509 *c = NULL;

	if (der->n > CTR_CERT_MAX)
		return ctr_fail(e, CTR_FORMAT, "ca.san",
				"the names are too long: a certificate of more than %d bytes",
				CTR_CERT_MAX);
	if (!by->nc)
		return 0;
	if (ctr_x509_der(der->p, der->n, "certificate", &c, e) < 0)
		return -1;
	/* this looks at the names that reading the extensions left in the certificate */
	if (ctr_x509_sound(c) && NAME_CONSTRAINTS_check(c, by->nc) == X509_V_OK)
		return 0;
	return ctr_fail(e, CTR_FORMAT, "ca.san",
			"a name that the name constraints of the CA do not permit");
}

int ctr_x509_issue_leaf(const struct ctr_leaf_spec *s, const struct ctr_issuer *by,
			struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 }, der = { 0 };
	struct tbs t = { .cn = cn_of(s),
			 .issuer = &by->name,
			 .signer = by->key,
			 .from = s->from,
			 .until = s->until,
			 .spki = s->spki,
			 .n_spki = s->n_spki };
	uint8_t id[KEY_ID_SIZE];
	struct open o;
	bool rsa;

	if (ctr_spki_check(s->spki, s->n_spki, &rsa, e) < 0 ||
	    key_id_of(s->spki, s->n_spki, id, e) < 0 || tbs_begin(&b, &t, &o, e) < 0)
		return -1;
	put_basic(&b, NULL);
	put_usage(&b, DIGITAL_SIGNATURE | (rsa ? KEY_ENCIPHERMENT : 0U));
	put_purpose(&b);
	put_key_ids(&b, id, by->key_id);
	if (put_sans(&b, s, !*t.cn, e) < 0)
		return -1;
	put_exts(&b, s);
	if (tbs_end(&b, &o, e) < 0 || sign(&b, by->key, false, &der, e) < 0 ||
	    check(&der, by, e) < 0)
		return -1;
	ctr_buf_add(out, der.p, der.n);
	return ctr_buf_ok(out, "certificate", e);
}
