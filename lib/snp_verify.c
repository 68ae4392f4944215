#include "snp_verify.h"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>

#include "snp_chain.h"

/* A chain that was checked, shared by those who use it. */
struct entry {
	uint8_t key[CTR_SHA256_SIZE];
	struct ctr_snp_chain chain;
	unsigned refs; /* under the cache's lock, or of the only user */
};

#define SLOTS 64
struct ctr_snp_cache {
	pthread_mutex_t lock;
	struct entry *slot[SLOTS]; /* by the first byte of the key; a newer one takes the place */
};

int ctr_snp_cache_new(struct ctr_snp_cache **c, struct ctr_err *e)
{
	*c = calloc(1, sizeof **c);
	if (!*c || pthread_mutex_init(&(*c)->lock, NULL) != 0) {
		free(*c);
		*c = NULL;
		return ctr_fail_mem(e);
	}
	return 0;
}

static void put(struct ctr_snp_cache *c, struct entry *en)
{
	bool last;

	if (!en)
		return;
	if (c)
		pthread_mutex_lock(&c->lock);
	last = --en->refs == 0;
	if (c)
		pthread_mutex_unlock(&c->lock);
	if (last) {
		ctr_snp_chain_free(&en->chain);
		free(en);
	}
}

void ctr_snp_cache_free(struct ctr_snp_cache *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		put(c, c->slot[i]);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* Over all that the chain's checks depend on. */
static int chain_key(const struct ctr_evidence *ev, bool vlek, const struct ctr_verify_opts *o,
		     uint8_t out[CTR_SHA256_SIZE], struct ctr_err *e)
{
	static const enum ctr_item items[] = { CTR_VCEK, CTR_VLEK, CTR_ASK, CTR_ARK, CTR_CRL };
	static const uint8_t none[CTR_SHA256_SIZE];
	ctr_auto_hasher struct ctr_hasher *h = NULL;
	uint8_t head[2] = { vlek, (uint8_t)o->crl };

	if (ctr_hasher_new(CTR_SHA256, &h, e) < 0 || ctr_hasher_add(h, head, sizeof head, e) < 0 ||
	    ctr_hasher_add(h, o->test_root ? o->test_root : none, sizeof none, e) < 0)
		return -1;
	for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
		uint64_t n = ev->item[items[i]].n;

		if (ctr_hasher_add(h, &n, sizeof n, e) < 0 ||
		    ctr_hasher_add(h, ev->item[items[i]].p, n, e) < 0)
			return -1;
	}
	return ctr_hasher_end(h, out, e);
}

static struct entry *known(struct ctr_snp_cache *c, const uint8_t key[CTR_SHA256_SIZE])
{
	struct entry *en;

	pthread_mutex_lock(&c->lock);
	en = c->slot[key[0] % SLOTS];
	if (en && ctr_same(en->key, key, CTR_SHA256_SIZE))
		en->refs++;
	else
		en = NULL;
	pthread_mutex_unlock(&c->lock);
	return en;
}

static void keep(struct ctr_snp_cache *c, struct entry *en)
{
	struct entry *old;

	pthread_mutex_lock(&c->lock);
	old = c->slot[en->key[0] % SLOTS];
	c->slot[en->key[0] % SLOTS] = en;
	en->refs++;
	pthread_mutex_unlock(&c->lock);
	put(c, old);
}

static int chain(const struct ctr_evidence *ev, bool vlek, const struct ctr_verify_opts *o,
		 struct ctr_snp_cache *c, struct entry **out, struct ctr_err *e)
{
	uint8_t key[CTR_SHA256_SIZE];

	*out = NULL;
	if (c && chain_key(ev, vlek, o, key, e) < 0)
		return -1;
	if (c && (*out = known(c, key)))
		return 0;
	*out = calloc(1, sizeof **out);
	if (!*out)
		return ctr_fail_mem(e);
	(*out)->refs = 1;
	if (ctr_snp_chain_check(ev, vlek, o, &(*out)->chain, e) < 0) {
		put(NULL, *out);
		*out = NULL;
		return -1;
	}
	if (c) {
		memcpy((*out)->key, key, sizeof key);
		keep(c, *out);
	}
	return 0;
}

_Static_assert(CTR_SNP_LINKS <= CTR_EXPIRIES, "a place for each");

static void check_times(const struct ctr_snp_chain *ch, time_t at, struct ctr_checks *cs,
			struct ctr_snp_result *r)
{
	char from[CTR_TIME_MAX], until[CTR_TIME_MAX], now[CTR_TIME_MAX], both[2 * CTR_TIME_MAX + 8];

	for (size_t i = 0; i < ch->n_windows; i++) {
		time_t a = ch->window[i].from, b = ch->window[i].until;

		snprintf(both, sizeof both, "%s to %s", ctr_time_print(a, from),
			 ctr_time_print(b, until));
		ctr_check(cs, ch->window[i].check, a <= at && at <= b, both,
			  ctr_time_print(at, now), "%s%s", ch->window[i].what,
			  a <= at && at <= b ? ""
			  : at > b	     ? ": expired, get a new one"
					     : ": not valid yet");
		r->expiry[r->n_expiry++] = (struct ctr_expiry){ ch->window[i].what, b };
		if (!r->expires_item || b < r->expires) {
			r->expires = b;
			r->expires_item = ch->window[i].what;
		}
	}
}

/* CPUID against the chain: a report of version 2 has none, and is held by its chain alone. */
static void check_product(const struct ctr_snp_chain *ch, struct ctr_checks *cs,
			  struct ctr_snp_result *r)
{
	enum ctr_snp_product cpu = ctr_snp_cpuid_product(&r->report);
	char fms[24];

	if (ch->product == CTR_PRODUCTS) {
		ctr_check_skip(cs, "snp.report.product", "the chain's product is not known");
		return;
	}
	if (r->report.version < 3) {
		ctr_check_skip(cs, "snp.report.product",
			       "a report of version 2 does not say the product");
		r->product = ch->product;
		return;
	}
	snprintf(fms, sizeof fms, "%s (%02x/%02x/%02x)",
		 cpu == CTR_PRODUCTS ? "unknown" : ctr_snp_product_names[cpu],
		 r->report.cpuid_family, r->report.cpuid_model, r->report.cpuid_stepping);
	if (ctr_check(cs, "snp.report.product", cpu == ch->product,
		      ctr_snp_product_names[ch->product], fms,
		      "CPUID family, model and stepping of the report against the chain"))
		r->product = ch->product;
}

/* The certificate is for one chip at one TCB; the report must be of both. */
static void check_binding(const struct ctr_snp_chain *ch, struct ctr_checks *cs,
			  struct ctr_snp_result *r)
{
	static const uint8_t zero[64];
	struct ctr_snp_svn reported;
	char want[64], got[64];
	bool layout;

	if (!ch->has_vek) {
		ctr_check_skip(cs, "snp.report.tcb", "the certificate is not readable");
		ctr_check_skip(cs, "snp.report.chip_id", "the certificate is not readable");
		return;
	}
	layout = ctr_snp_svn(ch->vek.product, r->report.reported_tcb, &reported) == 0;
	ctr_check(cs, "snp.report.tcb",
		  layout && ctr_same(&reported, &ch->vek.tcb, sizeof reported),
		  ctr_snp_svn_print(ch->vek.product, &ch->vek.tcb, want),
		  ctr_snp_svn_print(ch->vek.product, &reported, got),
		  "REPORTED_TCB against the certificate's%s",
		  layout ? "" : "; bytes that the product reserves are not zero");
	if (ch->vek.vlek)
		ctr_check_skip(cs, "snp.report.chip_id",
			       "a VLEK is the cloud provider's (%s), not of one chip", ch->vek.csp);
	else if (ctr_same(r->report.chip_id, zero, sizeof zero))
		ctr_check(cs, "snp.report.chip_id", false, "the chip of the VCEK", "zero",
			  "the host masks CHIP_ID (MASK_CHIP_ID): switch that off, or sign with a "
			  "VLEK");
	else
		ctr_check_bytes(cs, "snp.report.chip_id", ch->vek.hwid, r->report.chip_id, 64,
				"CHIP_ID against hwID of the VCEK");
}

/* The report's numbers are little-endian; OpenSSL wants DER, and refuses what is not from 1 to n-1.
 */
static bool verify_signature(EVP_PKEY *key, const struct ctr_snp_report *r, struct ctr_err *e)
{
	uint8_t digest[48], *der = NULL;
	BIGNUM *x = BN_lebin2bn(r->r, sizeof r->r, NULL), *y = BN_lebin2bn(r->s, sizeof r->s, NULL);
	ECDSA_SIG *sig = ECDSA_SIG_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	bool ok = false;
	int n = 0;

	if (x && y && sig && ECDSA_SIG_set0(sig, x, y) == 1) {
		x = y = NULL; /* the signature has them */
		n = i2d_ECDSA_SIG(sig, &der);
	}
	if (n > 0 && ctx && ctr_hash(CTR_SHA384, r->raw, CTR_SNP_SIGNED_SIZE, digest, e) == 0)
		ok = EVP_PKEY_verify_init(ctx) == 1 &&
		     EVP_PKEY_verify(ctx, der, (size_t)n, digest, sizeof digest) == 1;
	EVP_PKEY_CTX_free(ctx);
	OPENSSL_free(der);
	ECDSA_SIG_free(sig);
	BN_free(x);
	BN_free(y);
	return ok;
}

static void check_signature(const struct ctr_snp_chain *ch, struct ctr_checks *cs,
			    struct ctr_snp_result *r, bool signed_at_all, struct ctr_err *e)
{
	bool ok;

	if (!signed_at_all || !ch->key) {
		ctr_check_skip(cs, "snp.report.signature",
			       ch->key ? "the report is not signed" : "no key to check it with");
		return;
	}
	ok = verify_signature(ch->key, &r->report, e);
	ctr_check(cs, "snp.report.signature", ok, "ECDSA P-384 with SHA-384 by the leaf's key",
		  ok ? "so" : "no signature of that key", NULL);
}

int ctr_snp_verify(const struct ctr_evidence *ev, const struct ctr_verify_opts *o,
		   struct ctr_snp_cache *cache, struct ctr_checks *cs, struct ctr_snp_result *r,
		   struct ctr_err *e)
{
	size_t failed = cs->failed;
	enum ctr_snp_key signer;
	struct entry *en;
	bool is_signed;

	*r = (struct ctr_snp_result){ .product = CTR_PRODUCTS };
	if (ctr_snp_parse((const uint8_t *)ev->item[CTR_REPORT].p, ev->item[CTR_REPORT].n,
			  &r->report, e) < 0)
		return -1;
	signer = ctr_snp_signing_key(&r->report);
	if (chain(ev, signer == CTR_SNP_VLEK, o, cache, &en, e) < 0)
		return -1;
	is_signed = (signer == CTR_SNP_VCEK || signer == CTR_SNP_VLEK) &&
		    !(r->report.signer_info & CTR_SNP_SIGNER_MASK_CHIP_KEY);
	ctr_check(cs, "snp.report.signer", is_signed,
		  "SIGNING_KEY VCEK or VLEK, MASK_CHIP_KEY clear", is_signed ? "so" : "not so",
		  "SIGNER_INFO 0x%x", r->report.signer_info);
	ctr_checks_append(cs, &en->chain.checks);
	check_times(&en->chain, o->at, cs, r);
	check_product(&en->chain, cs, r);
	check_binding(&en->chain, cs, r);
	check_signature(&en->chain, cs, r, is_signed, e);
	r->has_vek = en->chain.has_vek;
	r->vek = en->chain.vek;
	r->authenticated = cs->failed == failed && !cs->bad;
	put(cache, en);
	return cs->bad ? ctr_fail_mem(e) : 0;
}
