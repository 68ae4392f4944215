#include "snp_cert.h"

#include <stdio.h>
#include <string.h>

#include "der.h"

#define OID "1.3.6.1.4.1.3704.1."

static int bad(struct ctr_err *e, const char *name, const char *why)
{
	return ctr_fail(e, CTR_FORMAT, "snp.cert", "certificate extension %s: %s", name, why);
}

/* 1 and the value, 0 when it is absent, -1 when it is there twice. */
static int find(const X509 *c, const char *oid, const char *name, struct ctr_rd *v,
		struct ctr_err *e)
{
	int n = ctr_x509_ext(c, oid, v);

	return n < 0 ? bad(e, name, "there twice") : n;
}

static int spl(const X509 *c, const char *oid, const char *name, bool must, uint8_t *out,
	       struct ctr_err *e)
{
	struct ctr_rd v;
	uint64_t x = 0;
	int n = find(c, oid, name, &v, e);

	*out = 0;
	if (n < 0)
		return -1;
	if (n == 0)
		return must ? bad(e, name, "missing") : 0;
	if (ctr_der_uint(&v, 255, &x) < 0 || ctr_rd_end(&v) < 0)
		return bad(e, name, "no INTEGER from 0 to 255 in DER");
	*out = (uint8_t)x;
	return 0;
}

static int text(const X509 *c, const char *oid, const char *name, char *b, size_t size,
		struct ctr_err *e)
{
	struct ctr_rd v;
	int n = find(c, oid, name, &v, e);

	*b = '\0';
	if (n > 0 && (ctr_der_ia5(&v, b, size) < 0 || ctr_rd_end(&v) < 0 || *b == '\0'))
		return bad(e, name, "no IA5String of a sane length");
	return n;
}

/* "Milan-B0" and "Milan" are one product. */
static int product(const X509 *c, struct ctr_snp_vek *v, struct ctr_err *e)
{
	char name[32];
	int n = text(c, OID "2", "productName", name, sizeof name, e);

	if (n <= 0)
		return n < 0 ? -1 : bad(e, "productName", "missing");
	v->product = ctr_snp_product_find(name, strcspn(name, "-"));
	return v->product == CTR_PRODUCTS ? bad(e, "productName", "not one of Milan, Genoa, Turin")
					  : 0;
}

/* Turin has no SPL4 and has FMC; what the older ones reserve must be zero. */
static int tcb(const X509 *c, struct ctr_snp_vek *v, struct ctr_err *e)
{
	static const struct {
		const char *oid, *name;
		int part; /* of the TCB, -1 for reserved */
	} rows[] = {
		{ OID "3.1", "blSPL", CTR_TCB_BOOTLOADER },
		{ OID "3.2", "teeSPL", CTR_TCB_TEE },
		{ OID "3.3", "snpSPL", CTR_TCB_SNP },
		{ OID "3.8", "ucodeSPL", CTR_TCB_MICROCODE },
		{ OID "3.9", "fmcSPL", CTR_TCB_FMC },
		{ OID "3.4", "spl4", -1 },
		{ OID "3.5", "spl5", -1 },
		{ OID "3.6", "spl6", -1 },
		{ OID "3.7", "spl7", -1 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int part = rows[i].part;
		uint8_t x;

		if (spl(c, rows[i].oid, rows[i].name, part >= 0 && part < ctr_snp_svn_n(v->product),
			&x, e) < 0)
			return -1;
		if (x && (part < 0 || part >= ctr_snp_svn_n(v->product)))
			return bad(e, rows[i].name,
				   "not zero, for a product that does not have it");
		if (part >= 0)
			v->tcb.v[part] = x;
	}
	return 0;
}

/* The bytes themselves are the value, or an OCTET STRING around them. */
static int hwid(const X509 *c, struct ctr_snp_vek *v, struct ctr_err *e)
{
	size_t want = v->product == CTR_TURIN ? 8 : 64;
	struct ctr_rd x;
	int n = find(c, OID "4", "hwID", &x, e);

	if (n <= 0)
		return n;
	if (x.left == want ? ctr_rd_copy(&x, v->hwid, want) < 0
			   : ctr_der_octets(&x, v->hwid, want) < 0)
		return bad(e, "hwID", "not as long as the product's chip id");
	return ctr_rd_end(&x) < 0 ? bad(e, "hwID", "bytes behind it") : 1;
}

static int kind(const X509 *c, struct ctr_snp_vek *v, struct ctr_err *e)
{
	char name[64];
	int chip, provider;

	if (!ctr_x509_cn(c, false, name, sizeof name) ||
	    (strcmp(name, "SEV-VCEK") != 0 && strcmp(name, "SEV-VLEK") != 0))
		return ctr_fail(e, CTR_FORMAT, "snp.cert",
				"the common name is neither SEV-VCEK nor SEV-VLEK");
	v->vlek = name[5] == 'L';
	chip = hwid(c, v, e);
	provider = chip < 0 ? -1 : text(c, OID "5", "cspID", v->csp, sizeof v->csp, e);
	if (provider < 0)
		return -1;
	if (v->vlek)
		return chip || !provider ? bad(e, chip ? "hwID" : "cspID",
					       chip ? "there in a VLEK" : "missing in a VLEK")
					 : 0;
	return !chip || provider ? bad(e, chip ? "cspID" : "hwID",
				       chip ? "there in a VCEK" : "missing in a VCEK")
				 : 0;
}

int ctr_snp_vek_read(const X509 *c, struct ctr_snp_vek *v, struct ctr_err *e)
{
	uint8_t version;

	*v = (struct ctr_snp_vek){ .product = CTR_PRODUCTS };
	if (spl(c, OID "1", "structVersion", true, &version, e) < 0 || product(c, v, e) < 0)
		return -1;
	if (version != (v->product == CTR_TURIN))
		return bad(e, "structVersion", "not that of the product (1 for Turin, else 0)");
	return tcb(c, v, e) < 0 || kind(c, v, e) < 0 ? -1 : 0;
}

void ctr_snp_vek_claims(const struct ctr_snp_vek *v, struct ctr_json *obj)
{
	struct ctr_json *t;

	ctr_json_set_string(obj, "kind", v->vlek ? "vlek" : "vcek");
	ctr_json_set_string(obj, "product", ctr_snp_product_names[v->product]);
	t = ctr_json_set_object(obj, "tcb");
	for (int i = 0; i < ctr_snp_svn_n(v->product); i++)
		ctr_json_set_uint(t, ctr_snp_tcb_short[i], v->tcb.v[i]);
	if (v->vlek)
		ctr_json_set_string(obj, "csp_id", v->csp);
	else
		ctr_json_set_hex(obj, "hwid", v->hwid, v->product == CTR_TURIN ? 8 : 64);
}
