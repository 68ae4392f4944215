#include <string.h>

#include "enc.h"
#include "chain.h"

#define OID "1.3.6.1.4.1.3704.1"

static const char *const amd[] = {
	"OU",	       "Engineering", "C",  "US", "L",
	"Santa Clara", "ST",	      "CA", "O",  "Advanced Micro Devices",
	NULL
};

/* The parts of a TCB and what follows OID.3. in the certificate; -1: not on this product. */
static const struct part {
	const char *name;
	int oid;
} parts[] = { { "bl", 1 }, { "tee", 2 }, { "snp", 3 }, { "ucode", 8 }, { "fmc", 9 } };
#define PARTS 5

static const struct product {
	const char *name, *extension;
	unsigned serial;
	bool turin;
	unsigned tcb[PARTS];
} products[] = {
	{ "Milan", "Milan-B0", 0x10000, false, { 4, 0, 24, 219, 0 } },
	{ "Genoa", "Genoa", 0x20000, false, { 10, 0, 23, 84, 0 } },
	{ "Turin", "Turin", 0x30000, true, { 1, 1, 4, 81, 1 } },
};

struct leaf {
	const struct product *p;
	unsigned tcb[PARTS];
	char chip[129];
};

static void usage(const char *what, const char *text)
{
	fprintf(stderr, "simchain: %s: %s\n", what, text);
	exit(2);
}

/* "bl=4,tee=0" over what the product has. */
static void read_tcb(struct leaf *l, const char *text)
{
	while (text && *text) {
		size_t i = 0, n = strcspn(text, "=");
		char *end;

		while (i < PARTS &&
		       (strlen(parts[i].name) != n || strncmp(parts[i].name, text, n) != 0))
			i++;
		if (i == PARTS || text[n] != '=')
			usage("--tcb", text);
		l->tcb[i] = (unsigned)strtoul(text + n + 1, &end, 10);
		if ((*end && *end != ',') || l->tcb[i] > 255)
			usage("--tcb", text);
		text = *end ? end + 1 : end;
	}
}

/* The whole chip id in hexadecimal: Turin's has 8 bytes and zeros behind. */
static void read_chip(struct leaf *l, const struct chain_opts *o)
{
	static const char *const usual =
		"c0ffee5117c0ffee000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
		"202122232425262728292a2b2c2d2e2f3031323334353637";
	size_t n = l->p->turin ? 16 : 128;
	const char *id = o->chip_id ? o->chip_id : usual;

	if (o->chip_id && strlen(id) != n)
		usage("--chip-id", id);
	memset(l->chip, '0', 128);
	memcpy(l->chip, id, n);
}

static struct leaf read_leaf(const struct chain_opts *o)
{
	struct leaf l = { 0 };

	for (size_t i = 0; i < 3; i++) {
		if (strcmp(products[i].name, o->product) == 0)
			l.p = &products[i];
	}
	if (!l.p)
		usage("--product", o->product);
	memcpy(l.tcb, l.p->tcb, sizeof l.tcb);
	read_tcb(&l, o->tcb);
	read_chip(&l, o);
	return l;
}

static void ext_int(X509 *c, const char *suffix, unsigned v)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	char oid[64];

	snprintf(oid, sizeof oid, OID ".%s", suffix);
	pki_int(&b, v);
	pki_ext(c, oid, b.p, b.n);
}

static void ext_text(X509 *c, const char *suffix, const char *s)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	char oid[64];

	snprintf(oid, sizeof oid, OID ".%s", suffix);
	pki_tlv(&b, 0x16, s, strlen(s));
	pki_ext(c, oid, b.p, b.n);
}

static void ext_hwid(X509 *c, const struct leaf *l)
{
	uint8_t id[64];
	struct ctr_err e = { 0 };

	if (ctr_hex_parse(l->chip, 128, id, 64, &e) < 0)
		usage("--chip-id", e.msg);
	pki_ext(c, OID ".4", id, l->p->turin ? 8 : 64);
}

/* AMD 57230, chapter 3: order and presence as in real ones. */
static void exts(X509 *c, const struct leaf *l, const struct chain_opts *o)
{
	char suffix[8];

	ext_int(c, "1", l->p->turin ? 1 : 0);
	ext_text(c, "2", o->vlek ? l->p->name : l->p->extension);
	for (int i = l->p->turin ? 5 : 4; i <= 7; i++) {
		snprintf(suffix, sizeof suffix, "3.%d", i);
		ext_int(c, suffix, 0);
	}
	for (size_t i = 0; i < PARTS; i++) {
		if (parts[i].oid == 9 && !l->p->turin)
			continue;
		snprintf(suffix, sizeof suffix, "3.%d", parts[i].oid);
		ext_int(c, suffix, l->tcb[i]);
	}
	if (o->vlek)
		ext_text(c, "5", o->csp_id);
	else
		ext_hwid(c, l);
	for (size_t i = 0; i < o->next; i++)
		pki_change(c, o->ext[i]);
}

static struct pki_ca make_ca(const struct chain_opts *o, const struct product *p,
			     const char *prefix, const char *file, unsigned serial,
			     const struct pki_ca *by)
{
	char cn[64], hex[16], url[96];
	struct pki_cert c = { .base = amd,
			      .cn = cn,
			      .serial = hex,
			      .ca = true,
			      .key_ids = true,
			      .usage = by ? "critical,keyCertSign" : "critical,keyCertSign,cRLSign",
			      .pathlen = by ? 0 : -1,
			      .crl_url = url };
	struct pki_ca ca = { .key = pki_key(o->keys, file, "RSA"), .alg = PKI_PSS_SHA384 };

	snprintf(cn, sizeof cn, "%s-%s", prefix, p->name);
	snprintf(hex, sizeof hex, "%06X", serial);
	snprintf(url, sizeof url, "https://kdsintf.amd.com/%s/v1/%s/crl", o->vlek ? "vlek" : "vcek",
		 p->name);
	c.from = o->ca_from ? o->ca_from : pki_time("2020-10-22T00:00:00Z");
	c.until = o->ca_until ? o->ca_until : pki_time("2045-10-22T00:00:00Z");
	ca.cert = pki_new(&c, ca.key, by ? by : &ca);
	pki_sign(ca.cert, by ? by : &ca);
	return ca;
}

static void write_values(const struct chain_opts *o, const struct leaf *l)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	ctr_buf_addf(&b, "{\n  \"product\": \"%s\",\n", l->p->name);
	for (size_t i = 0; i < PARTS; i++) {
		if (parts[i].oid != 9 || l->p->turin)
			ctr_buf_addf(&b, "  \"%s\": %u,\n", parts[i].name, l->tcb[i]);
	}
	if (o->vlek) /* such hosts mask the chip id */
		ctr_buf_adds(&b, "  \"signer_info\": \"0x4\",\n");
	else
		ctr_buf_addf(&b, "  \"chip_id\": \"%s\",\n", l->chip);
	ctr_buf_adds(&b, "  \"measurement\": \"51a0c0de");
	for (int i = 0; i < 44; i++)
		ctr_buf_addf(&b, "%02x", i);
	ctr_buf_adds(&b, "\",\n  \"report_id\": \"1d");
	for (int i = 0; i < 31; i++)
		ctr_buf_addf(&b, "%02x", 0xe0 - i);
	ctr_buf_adds(&b, "\"\n}\n");
	pki_write(o->dir, "snp.json", b.p, b.n, 0644);
}

static void write_crl(const struct chain_opts *o, const struct pki_ca *ark, X509 *ask)
{
	X509 *revoked = ask;
	X509_CRL *l;

	if (o->no_crl)
		return;
	if (o->revoked && strcmp(o->revoked, "ark") == 0)
		revoked = ark->cert;
	else if (o->revoked && strcmp(o->revoked, "ask") != 0)
		usage("--revoked", "ark or ask");
	l = pki_crl(ark, &revoked, o->revoked ? 1 : 0, o->crl_from, o->crl_until);
	pki_write_crl(o->dir, "crl.der", l);
	X509_CRL_free(l);
}

void chain_snp(const struct chain_opts *o)
{
	struct leaf l = read_leaf(o);
	const char *kind = o->vlek ? "vlek" : "vcek";
	struct pki_cert c = { .base = amd,
			      .cn = o->vlek ? "SEV-VLEK" : "SEV-VCEK",
			      .serial = "00",
			      .from = o->from,
			      .until = o->until };
	struct pki_ca ark = make_ca(o, l.p, "ARK", "ark", l.p->serial, NULL);
	struct pki_ca ask = make_ca(o, l.p, o->vlek ? "SEV-VLEK" : "SEV", o->vlek ? "asvk" : "ask",
				    l.p->serial + (o->vlek ? 0x101 : 1), &ark);
	EVP_PKEY *key = pki_key(o->dir, kind, "P-384");
	X509 *cert = pki_new(&c, key, &ask);
	ctr_auto_buf struct ctr_buf pem = { 0 };

	exts(cert, &l, o);
	pki_sign(cert, &ask);
	pki_write_cert(o->dir, o->vlek ? "vlek.der" : "vcek.der", cert);
	pki_write_cert(o->dir, "ask.der", ask.cert);
	pki_write_cert(o->dir, "ark.der", ark.cert);
	pki_pem(ask.cert, &pem);
	pki_pem(ark.cert, &pem);
	pki_write(o->dir, "cert_chain.pem", pem.p, pem.n, 0644);
	write_crl(o, &ark, ask.cert);
	write_values(o, &l);
	X509_free(cert);
	X509_free(ask.cert);
	X509_free(ark.cert);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ask.key);
	EVP_PKEY_free(ark.key);
}
