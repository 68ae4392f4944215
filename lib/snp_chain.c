#include "snp_chain.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "trust.h"

const uint8_t ctr_snp_roots[CTR_PRODUCTS][CTR_SHA256_SIZE] = {
	[CTR_MILAN] = { 0x9f, 0x05, 0x6b, 0xee, 0x44, 0x37, 0x7e, 0x29, 0x30, 0x8c, 0xb5,
			0xff, 0xa8, 0x95, 0xbd, 0xfb, 0x62, 0xd1, 0x88, 0x81, 0xfa, 0x6b,
			0xed, 0x8d, 0x6f, 0x07, 0x5b, 0x02, 0x04, 0x08, 0x9c, 0xb9 },
	[CTR_GENOA] = { 0x42, 0x9a, 0x69, 0xc9, 0x42, 0x2a, 0xa2, 0x58, 0xee, 0x4d, 0x8d,
			0xb5, 0xfc, 0xda, 0x9c, 0x64, 0x70, 0xef, 0x15, 0xf8, 0xcd, 0x5a,
			0x9c, 0xeb, 0xd6, 0xcb, 0xc7, 0xd9, 0x0b, 0x86, 0x38, 0x31 },
	[CTR_TURIN] = { 0x4f, 0x12, 0x54, 0x10, 0x56, 0x3a, 0x2a, 0xb9, 0xa5, 0x03, 0x56,
			0xf9, 0x24, 0x3f, 0x6f, 0xe0, 0xb6, 0xf7, 0x3d, 0xe9, 0x86, 0x03,
			0xf5, 0x3f, 0x90, 0x33, 0x9c, 0x70, 0xe9, 0xd7, 0xad, 0x08 },
};

/* The certificates while they are looked at. */
struct certs {
	X509 *vek, *ask, *ark;
	X509_CRL *crl;
};

static void certs_free(struct certs *c)
{
	X509_free(c->vek);
	X509_free(c->ask);
	X509_free(c->ark);
	X509_CRL_free(c->crl);
}

void ctr_snp_chain_free(struct ctr_snp_chain *ch)
{
	ctr_checks_free(&ch->checks);
	EVP_PKEY_free(ch->key);
	*ch = (struct ctr_snp_chain){ 0 };
}

/* From the evidence, else the shipped one. */
static int authority(const struct ctr_buf *given, enum ctr_snp_product product,
		     enum ctr_amd_ca kind, const char *what, X509 **c, struct ctr_err *e)
{
	struct ctr_rd shipped;

	if (given->n)
		return ctr_x509_der(given->p, given->n, what, c, e);
	if (product == CTR_PRODUCTS)
		return ctr_fail(e, CTR_ENV, "collateral.missing",
				"no %s, and the leaf's product is not known", what);
	shipped = ctr_trust_amd(product, kind);
	return ctr_x509_der(shipped.p, shipped.left, what, c, e);
}

/* "SEV-Milan" under "SEV-": the product of that name. */
static enum ctr_snp_product named(const X509 *c, bool issuer, const char *prefix)
{
	size_t n = strlen(prefix);
	char cn[64];

	if (!ctr_x509_cn(c, issuer, cn, sizeof cn) || strncmp(cn, prefix, n) != 0)
		return CTR_PRODUCTS;
	return ctr_snp_product_find(cn + n, strlen(cn + n));
}

static int load(const struct ctr_evidence *ev, bool vlek, struct certs *c, struct ctr_err *e)
{
	const struct ctr_buf *leaf = &ev->item[vlek ? CTR_VLEK : CTR_VCEK];
	enum ctr_snp_product product;

	/* the other kind is better than none: then the check of the kind says what is wrong */
	if (leaf->n == 0)
		leaf = &ev->item[vlek ? CTR_VCEK : CTR_VLEK];
	if (leaf->n == 0)
		return ctr_fail(e, CTR_ENV, "collateral.missing", "the report's %s is not there",
				vlek ? "VLEK" : "VCEK");
	if (ctr_x509_der(leaf->p, leaf->n, "VCEK or VLEK", &c->vek, e) < 0)
		return -1;
	product = named(c->vek, true, vlek ? "SEV-VLEK-" : "SEV-");
	if (authority(&ev->item[CTR_ASK], product, vlek ? CTR_AMD_ASVK : CTR_AMD_ASK, "ASK or ASVK",
		      &c->ask, e) < 0 ||
	    authority(&ev->item[CTR_ARK], product, CTR_AMD_ARK, "ARK", &c->ark, e) < 0)
		return -1;
	return ev->item[CTR_CRL].n
		       ? ctr_crl_der(ev->item[CTR_CRL].p, ev->item[CTR_CRL].n, "CRL", &c->crl, e)
		       : 0;
}

static int check_root(const struct certs *c, const struct ctr_verify_opts *o,
		      struct ctr_snp_chain *ch, struct ctr_err *e)
{
	uint8_t spki[CTR_SHA256_SIZE];
	const uint8_t *want = o->test_root;

	if (ctr_x509_spki(c->ark, spki, e) < 0)
		return -1;
	ctr_check(&ch->checks, "snp.chain.names", ch->product != CTR_PRODUCTS,
		  "ARK, ASK or ASVK and leaf of one product",
		  ch->product == CTR_PRODUCTS ? "other names" : ctr_snp_product_names[ch->product],
		  "common names ARK-PRODUCT, SEV-PRODUCT or SEV-VLEK-PRODUCT, and each issuer the "
		  "next one's subject");
	if (!want && ch->product == CTR_PRODUCTS)
		ctr_check_skip(&ch->checks, "snp.chain.root", "the product is not known");
	else
		ctr_check_bytes(&ch->checks, "snp.chain.root",
				want ? want : ctr_snp_roots[ch->product], spki, sizeof spki,
				"SHA-256 of the root's public key against the pinned one");
	return 0;
}

static void check_signatures(const struct certs *c, struct ctr_snp_chain *ch)
{
	static const char pss[] = "RSASSA-PSS with SHA-384, MGF1 SHA-384 and a salt of 48 bytes";
	bool ark = ctr_x509_signed(c->ark, c->ark, CTR_SIG_PSS_SHA384),
	     ask = ctr_x509_signed(c->ask, c->ark, CTR_SIG_PSS_SHA384);
	bool vek = ctr_x509_signed(c->vek, c->ask, CTR_SIG_PSS_SHA384);

	ctr_check(&ch->checks, "snp.chain.ark",
		  ark && ctr_x509_sound(c->ark) && ctr_x509_is_ca(c->ark, true), pss,
		  ark ? "signed" : "not signed so", "the ARK signs itself, and is a CA");
	ctr_check(&ch->checks, "snp.chain.ask",
		  ask && ctr_x509_sound(c->ask) && ctr_x509_is_ca(c->ask, false), pss,
		  ask ? "signed" : "not signed so", "the ARK signs the ASK or ASVK, which is a CA");
	ctr_check(&ch->checks, "snp.chain.vek",
		  vek && ctr_x509_sound(c->vek) && ctr_x509_is_leaf(c->vek), pss,
		  vek ? "signed" : "not signed so", "the ASK signs a VCEK, the ASVK a VLEK");
}

static void check_leaf(const struct certs *c, bool vlek, struct ctr_snp_chain *ch)
{
	bool p384 = ctr_x509_key_ec(c->vek, NID_secp384r1);
	struct ctr_err why = { 0 };

	ch->has_vek = ctr_snp_vek_read(c->vek, &ch->vek, &why) == 0;
	ctr_check(&ch->checks, "snp.vek.extensions", ch->has_vek, "all of a VCEK or VLEK, exact",
		  ch->has_vek ? "so" : why.msg, NULL);
	ctr_check(&ch->checks, "snp.vek.key", p384, "EC key on P-384", p384 ? "so" : "another key",
		  NULL);
	if (p384 && X509_get0_pubkey(c->vek) && EVP_PKEY_up_ref(X509_get0_pubkey(c->vek)) == 1)
		ch->key = X509_get0_pubkey(c->vek);
	if (!ch->has_vek) {
		ctr_check_skip(&ch->checks, "snp.vek.kind", "the certificate is not readable");
		return;
	}
	ctr_check(&ch->checks, "snp.vek.kind", ch->vek.vlek == vlek, vlek ? "VLEK" : "VCEK",
		  ch->vek.vlek ? "VLEK" : "VCEK",
		  "SIGNING_KEY of the report against the certificate");
	ctr_check(&ch->checks, "snp.vek.product",
		  ch->product != CTR_PRODUCTS && ch->vek.product == ch->product,
		  ch->product == CTR_PRODUCTS ? "a product of the chain"
					      : ctr_snp_product_names[ch->product],
		  ctr_snp_product_names[ch->vek.product],
		  "productName of the certificate against its issuer");
}

static void window(struct ctr_snp_chain *ch, const char *check, const char *what, bool known,
		   time_t from, time_t until)
{
	/* what has no readable bounds is never valid */
	ch->window[ch->n_windows].check = check;
	ch->window[ch->n_windows].what = what;
	ch->window[ch->n_windows].from = known ? from : 1;
	ch->window[ch->n_windows++].until = known ? until : 0;
}

static void windows(const struct certs *c, struct ctr_snp_chain *ch)
{
	const X509 *const certs[3] = { c->vek, c->ask, c->ark };
	static const char *const names[3] = { "VCEK or VLEK", "ASK or ASVK", "ARK" };
	static const char *const checks[3] = { "snp.vek.validity", "snp.ask.validity",
					       "snp.ark.validity" };
	time_t from = 0, until = 0;
	bool known;

	for (int i = 0; i < 3; i++) {
		known = ctr_x509_window(certs[i], &from, &until);
		window(ch, checks[i], names[i], known, from, until);
	}
}

static int check_crl(const struct certs *c, enum ctr_crl_mode mode, struct ctr_snp_chain *ch,
		     struct ctr_err *e)
{
	bool good, listed;
	time_t from = 0, until = 0;

	if (mode == CTR_CRL_REQUIRED && !c->crl)
		return ctr_fail(e, CTR_ENV, "collateral.missing",
				"a revocation list is required, and there is none");
	if (mode == CTR_CRL_NEVER || !c->crl) {
		ctr_check_skip(&ch->checks, "snp.crl",
			       mode == CTR_CRL_NEVER ? "not asked for" : "no list at hand");
		return 0;
	}
	good = ctr_crl_of(c->crl, c->ark) && ctr_crl_signed(c->crl, c->ark, CTR_SIG_PSS_SHA384) &&
	       ctr_crl_sound(c->crl);
	ctr_check(&ch->checks, "snp.crl.signature", good,
		  "a complete list, issued and signed by the ARK", good ? "so" : "not so",
		  "get a fresh list of the product from AMD's KDS");
	listed = ctr_crl_has(c->crl, c->ask) || ctr_crl_has(c->crl, c->ark);
	ctr_check(&ch->checks, "snp.crl.revoked", !listed, "ASK or ASVK not listed",
		  listed ? "listed" : "not listed",
		  "AMD has revoked the intermediate: this chip's reports are worth nothing");
	good = ctr_crl_window(c->crl, &from, &until);
	window(ch, "snp.crl.validity", "CRL", good, from, until);
	return 0;
}

/* The names must agree all the way; the leaf's issuer says VCEK or VLEK side too. */
static enum ctr_snp_product chain_product(const struct certs *c, bool vlek)
{
	const char *prefix = vlek ? "SEV-VLEK-" : "SEV-";
	enum ctr_snp_product p = named(c->ask, false, prefix);

	if (named(c->vek, true, prefix) != p || named(c->ark, false, "ARK-") != p ||
	    !ctr_x509_same_name(c->vek, c->ask) || !ctr_x509_same_name(c->ask, c->ark) ||
	    !ctr_x509_same_name(c->ark, c->ark))
		return CTR_PRODUCTS;
	return p;
}

int ctr_snp_chain_check(const struct ctr_evidence *ev, bool vlek, const struct ctr_verify_opts *o,
			struct ctr_snp_chain *ch, struct ctr_err *e)
{
	CTR_AUTO(certs_free) struct certs c = { 0 };

	*ch = (struct ctr_snp_chain){ .product = CTR_PRODUCTS };
	if (load(ev, vlek, &c, e) < 0)
		return -1;
	ch->product = chain_product(&c, vlek);
	if (check_root(&c, o, ch, e) < 0)
		return -1;
	check_signatures(&c, ch);
	check_leaf(&c, vlek, ch);
	windows(&c, ch);
	return check_crl(&c, o->crl, ch, e);
}
