#include "x509_show.h"

#include <string.h>

#include <openssl/x509v3.h>

#include "ca_claim.h"
#include "der.h"
#include "enc.h"
#include "x509.h"
#include "x509_names.h"

#define UTF8_STRING 0x0c

static void add_name(struct ctr_json *obj, const char *key, const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	ctr_auto_buf struct ctr_buf text = { 0 };
	char *p = NULL;
	long n = 0;

	/* what is not ASCII is escaped */
	if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0)
		n = BIO_get_mem_data(bio, &p);
	if (n > 0)
		ctr_buf_add(&text, p, (size_t)n);
	BIO_free(bio);
	ctr_json_set_string(obj, key, ctr_buf_str(&text));
}

static void add_octets(struct ctr_json *obj, const char *key, const ASN1_STRING *s)
{
	if (s)
		ctr_json_set_hex(obj, key, ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

static void add_window(struct ctr_json *obj, const X509 *c)
{
	char text[CTR_TIME_MAX];
	time_t from, until;

	if (!ctr_x509_window(c, &from, &until))
		return;
	ctr_json_set_string(obj, "not_before", ctr_time_print(from, text));
	ctr_json_set_string(obj, "not_after", ctr_time_print(until, text));
}

static int add_key(struct ctr_json *obj, const X509 *c, struct ctr_err *e)
{
	struct ctr_json *key = ctr_json_set_object(obj, "key");
	EVP_PKEY *k = X509_get0_pubkey(c);
	uint8_t spki[CTR_SHA256_SIZE];
	char curve[64] = "";

	if (ctr_x509_spki(c, spki, e) < 0)
		return -1;
	if (k && EVP_PKEY_is_a(k, "EC") &&
	    EVP_PKEY_get_group_name(k, curve, sizeof curve, NULL) == 1) {
		const char *nist = EC_curve_nid2nist(OBJ_txt2nid(curve));

		ctr_json_set_string(key, "type", "EC");
		ctr_json_set_string(key, "curve", nist ? nist : curve);
	} else if (k) {
		const char *type = EVP_PKEY_get0_type_name(k);

		ctr_json_set_string(key, "type", type ? type : "?");
		ctr_json_set_uint(key, "bits", (uint64_t)EVP_PKEY_get_bits(k));
	}
	ctr_json_set_hex(key, "spki_sha256", spki, sizeof spki);
	return 0;
}

static void add_basic(struct ctr_json *obj, X509 *c)
{
	uint32_t flags = X509_get_extension_flags(c);

	ctr_json_set_bool(obj, "ca", (flags & EXFLAG_CA) != 0);
	if ((flags & EXFLAG_CA) && X509_get_pathlen(c) >= 0)
		ctr_json_set_uint(obj, "pathlen", (uint64_t)X509_get_pathlen(c));
}

static void add_usage(struct ctr_json *obj, X509 *c)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} bits[] = {
		{ KU_DIGITAL_SIGNATURE, "digitalSignature" },
		{ KU_NON_REPUDIATION, "nonRepudiation" },
		{ KU_KEY_ENCIPHERMENT, "keyEncipherment" },
		{ KU_DATA_ENCIPHERMENT, "dataEncipherment" },
		{ KU_KEY_AGREEMENT, "keyAgreement" },
		{ KU_KEY_CERT_SIGN, "keyCertSign" },
		{ KU_CRL_SIGN, "cRLSign" },
		{ KU_ENCIPHER_ONLY, "encipherOnly" },
		{ KU_DECIPHER_ONLY, "decipherOnly" },
	};
	struct ctr_json *list;

	if (!(X509_get_extension_flags(c) & EXFLAG_KUSAGE))
		return;
	list = ctr_json_set_array(obj, "key_usage");
	for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
		if (X509_get_key_usage(c) & bits[i].bit)
			ctr_json_add_string(list, bits[i].name);
	}
}

/* The short name, "serverAuth", of what has one. */
static void add_oid(struct ctr_json *list, const ASN1_OBJECT *oid)
{
	int nid = OBJ_obj2nid(oid);
	char text[80] = "";

	if (nid == NID_undef)
		OBJ_obj2txt(text, sizeof text, oid, 1);
	ctr_json_add_string(list, nid == NID_undef ? text : OBJ_nid2sn(nid));
}

static void add_purpose(struct ctr_json *obj, const X509 *c)
{
	EXTENDED_KEY_USAGE *eku = X509_get_ext_d2i(c, NID_ext_key_usage, NULL, NULL);
	struct ctr_json *list = eku ? ctr_json_set_array(obj, "extended_key_usage") : NULL;

	for (int i = 0; list && i < sk_ASN1_OBJECT_num(eku); i++)
		add_oid(list, sk_ASN1_OBJECT_value(eku, i));
	EXTENDED_KEY_USAGE_free(eku);
}

/* kind: "DNS:" and the like in front. What has no text is told by its number (RFC 5280's tag). */
static void add_general(struct ctr_json *list, const GENERAL_NAME *name, bool kind)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	if (kind)
		ctr_buf_adds(&b, name->type == GEN_DNS	   ? "DNS:"
				 : name->type == GEN_URI   ? "URI:"
				 : name->type == GEN_IPADD ? "IP:"
							   : "");
	if (!ctr_x509_name_text(name, &b)) {
		ctr_buf_reset(&b);
		ctr_buf_addf(&b, "[%d]", name->type);
	}
	ctr_json_add_string(list, ctr_buf_str(&b));
}

static void add_sans(struct ctr_json *obj, const X509 *c)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(c, NID_subject_alt_name, NULL, NULL);
	struct ctr_json *list = names ? ctr_json_set_array(obj, "sans") : NULL;

	for (int i = 0; list && i < sk_GENERAL_NAME_num(names); i++)
		add_general(list, sk_GENERAL_NAME_value(names, i), false);
	GENERAL_NAMES_free(names);
}

static void add_trees(struct ctr_json *obj, const char *key,
		      const STACK_OF(GENERAL_SUBTREE) * trees)
{
	struct ctr_json *list = ctr_json_set_array(obj, key);

	for (int i = 0; i < sk_GENERAL_SUBTREE_num(trees); i++)
		add_general(list, sk_GENERAL_SUBTREE_value(trees, i)->base, true);
}

static void add_constraints(struct ctr_json *obj, const X509 *c)
{
	NAME_CONSTRAINTS *nc = X509_get_ext_d2i(c, NID_name_constraints, NULL, NULL);
	struct ctr_json *both;

	if (!nc)
		return;
	both = ctr_json_set_object(obj, "name_constraints");
	add_trees(both, "permitted", nc->permittedSubtrees);
	add_trees(both, "excluded", nc->excludedSubtrees);
	NAME_CONSTRAINTS_free(nc);
}

static bool add_claim(struct ctr_json *claims, const struct ctr_claim_kind *k, struct ctr_rd r)
{
	ctr_auto_buf struct ctr_buf text = { 0 };
	struct ctr_rd value;

	if (ctr_der_tlv(&r, k->text ? UTF8_STRING : CTR_DER_OCTETS, &value) < 0 ||
	    ctr_rd_end(&r) < 0 || ctr_claim_check(k, value.p, value.left, NULL) < 0)
		return false;
	if (k->text) {
		ctr_buf_add(&text, value.p, value.left);
		ctr_json_set_string(claims, k->name, ctr_buf_str(&text));
	} else {
		ctr_json_set_hex(claims, k->name, value.p, value.left);
	}
	return true;
}

/* A claim that is there, but not as it must be, is null. */
static void add_claims(struct ctr_json *obj, const X509 *c)
{
	struct ctr_json *claims = NULL;

	for (const struct ctr_claim_kind *k = ctr_claim_kinds; k->name; k++) {
		char oid[CTR_CLAIM_OID_MAX];
		struct ctr_rd r;
		int found;

		ctr_claim_oid(k, oid);
		found = ctr_x509_ext(c, oid, &r);
		if (found == 0)
			continue;
		if (!claims)
			claims = ctr_json_set_object(obj, "claims");
		if (found < 0 || !add_claim(claims, k, r))
			ctr_json_set_null(claims, k->name);
	}
}

static void add_critical(struct ctr_json *obj, const X509 *c)
{
	struct ctr_json *list = ctr_json_set_array(obj, "critical");

	for (int i = 0; i < X509_get_ext_count(c); i++) {
		X509_EXTENSION *x = X509_get_ext(c, i);

		if (X509_EXTENSION_get_critical(x))
			add_oid(list, X509_EXTENSION_get_object(x));
	}
}

static int fingerprint(struct ctr_json *obj, const X509 *c, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf der = { 0 };
	uint8_t h[CTR_SHA256_SIZE];

	if (ctr_x509_print(c, &der, e) < 0 || ctr_hash(CTR_SHA256, der.p, der.n, h, e) < 0)
		return -1;
	ctr_json_set_hex(obj, "sha256", h, sizeof h);
	return 0;
}

static int show(struct ctr_json *obj, X509 *c, struct ctr_err *e)
{
	const char *alg = OBJ_nid2ln(X509_get_signature_nid(c));

	add_name(obj, "subject", X509_get_subject_name(c));
	add_name(obj, "issuer", X509_get_issuer_name(c));
	add_octets(obj, "serial", X509_get0_serialNumber(c));
	ctr_json_set_uint(obj, "version", (uint64_t)X509_get_version(c) + 1);
	add_window(obj, c);
	ctr_json_set_string(obj, "signature_algorithm", alg ? alg : "?");
	if (add_key(obj, c, e) < 0)
		return -1;
	add_basic(obj, c);
	add_usage(obj, c);
	add_purpose(obj, c);
	add_sans(obj, c);
	add_constraints(obj, c);
	add_octets(obj, "subject_key_id", X509_get0_subject_key_id(c));
	add_octets(obj, "authority_key_id", X509_get0_authority_key_id(c));
	add_claims(obj, c);
	add_critical(obj, c);
	return fingerprint(obj, c, e);
}

int ctr_x509_show(const char *name, const void *pem, size_t n, struct ctr_json *list,
		  struct ctr_err *e)
{
	ctr_auto_chain struct ctr_chain chain = { 0 };

	if (ctr_x509_pem(pem, n, name, &chain, e) < 0)
		return -1;
	for (size_t i = 0; i < chain.n; i++) {
		struct ctr_json *obj = ctr_json_add_object(list);

		if (!obj)
			return ctr_fail_mem(e);
		if (show(obj, chain.v[i], e) < 0)
			return -1;
	}
	return 0;
}
