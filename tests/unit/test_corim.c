/* needs: tools/ctr-manifest/corim.c tools/ctr-manifest/corim_snp.c tools/ctr-manifest/corim_tdx.c */
/* needs: tools/ctr-manifest/cose.c tools/ctr-manifest/refs.c tools/ctr-manifest/patch.c */
#include "t.h"

#include <openssl/ecdsa.h>
#include <openssl/pem.h>

#include "../../tools/ctr-manifest/corim.h"
#include "cbor.h"
#include "crypto.h"

#define AMD "tag:amd.com,2025:snp-corim-profile"
#define AMD_2024 "tag:amd.com,2024:snp-corim-profile"
static const char chip_class[] = "\xd0\x5e\x6d\x1b\x9f\x46\x4a\xe2\xa6\x10\xce\x3e\x6e\xe7\xe1\x53",
		  seam_class[] = "\x60\x86\x48\x01\x86\xf8\x4d\x01\x02\x03\x04\x03",
		  intel[] = "\x60\x86\x48\x01\x86\xf8\x4d\x01\x10\x01";

/* What a document is made of; zero members are left out. */
struct doc {
	const char *profile; /* NULL: Intel's; "": none */
	struct ctr_buf triples;
	size_t n;
	int64_t until;
};

/* The document: #6.501 {0: id, 1: [506(CoMID)], 3: profile, 4: validity}. */
static void print(const struct doc *d, struct ctr_buf *b)
{
	ctr_auto_buf struct ctr_buf mid = { 0 };
	bool profile = !d->profile || *d->profile;

	ctr_cbor_map(&mid, 2);
	ctr_cbor_uint(&mid, 1);
	ctr_cbor_map(&mid, 1);
	ctr_cbor_uint(&mid, 0);
	ctr_cbor_text(&mid, "test");
	ctr_cbor_uint(&mid, 4);
	ctr_cbor_map(&mid, 1);
	ctr_cbor_uint(&mid, 0);
	ctr_cbor_array(&mid, d->n);
	ctr_buf_add(&mid, ctr_buf_str(&d->triples), d->triples.n);
	ctr_cbor_tag(b, 501);
	ctr_cbor_map(b, 2 + profile + (d->until != 0));
	ctr_cbor_uint(b, 0);
	ctr_cbor_text(b, "id");
	ctr_cbor_uint(b, 1);
	ctr_cbor_array(b, 1);
	ctr_cbor_tag(b, 506);
	ctr_cbor_bytes(b, mid.p, mid.n);
	if (profile) {
		ctr_cbor_uint(b, 3);
		ctr_cbor_tag(b, d->profile ? 32 : 111);
		if (d->profile)
			ctr_cbor_text(b, d->profile);
		else
			ctr_cbor_bytes(b, intel, sizeof intel - 1);
	}
	if (d->until) {
		ctr_cbor_uint(b, 4);
		ctr_cbor_map(b, 1);
		ctr_cbor_uint(b, 1);
		ctr_cbor_tag(b, 1);
		ctr_cbor_int(b, d->until);
	}
}

/* The head of a triple: environment of this class, then `measurements` items follow. */
static void triple(struct doc *d, uint64_t tag, const char *class, size_t n, size_t measurements)
{
	struct ctr_buf *b = &d->triples;

	d->n++;
	ctr_cbor_array(b, 2);
	ctr_cbor_map(b, 1);
	ctr_cbor_uint(b, 0);
	ctr_cbor_map(b, 1);
	ctr_cbor_uint(b, 0);
	ctr_cbor_tag(b, tag);
	ctr_cbor_bytes(b, class, n);
	ctr_cbor_array(b, measurements);
}

static void digest(struct ctr_buf *b, uint64_t alg, uint8_t fill, size_t n)
{
	uint8_t v[64];

	memset(v, fill, sizeof v);
	ctr_cbor_array(b, 1);
	ctr_cbor_array(b, 2);
	ctr_cbor_uint(b, alg);
	ctr_cbor_bytes(b, v, n);
}

/* {0: key, 1: {2: [[7, …]]}} */
static void measured(struct doc *d, uint64_t key, uint8_t fill)
{
	struct ctr_buf *b = &d->triples;

	ctr_cbor_map(b, 2);
	ctr_cbor_uint(b, 0);
	ctr_cbor_uint(b, key);
	ctr_cbor_uint(b, 1);
	ctr_cbor_map(b, 1);
	ctr_cbor_uint(b, 2);
	digest(b, 7, fill, 48);
}

static void least_tcb(struct doc *d, uint64_t key, uint64_t tag, uint64_t v)
{
	struct ctr_buf *b = &d->triples;

	ctr_cbor_map(b, 2);
	ctr_cbor_uint(b, 0);
	ctr_cbor_uint(b, key);
	ctr_cbor_uint(b, 1);
	ctr_cbor_map(b, 1);
	ctr_cbor_uint(b, 1);
	ctr_cbor_tag(b, tag);
	ctr_cbor_uint(b, v);
}

static int read_doc(const struct doc *d, int product, struct ctr_manifest *m, struct ctr_err *e)
{
	const struct corim_opts o = { .plain = true, .product = product, .now = 1000 };
	ctr_auto_buf struct ctr_buf b = { 0 };

	print(d, &b);
	return corim_read(b.p, b.n, &o, m, e);
}

static void snp_sets(void **s)
{
	static const struct {
		const char *profile;
		uint64_t measurement, tcb;
	} layouts[] = { { AMD, 0, 7 }, { AMD_2024, 641, 647 } };

	(void)s;
	for (size_t i = 0; i < 2; i++) {
		ctr_auto_manifest struct ctr_manifest m = { 0 };
		struct doc d = { .profile = layouts[i].profile };
		uint8_t want[48];

		triple(&d, 37, chip_class, 16, 2);
		measured(&d, layouts[i].measurement, 5);
		least_tcb(&d, layouts[i].tcb, 553, 0xd616000000000003);
		triple(&d, 37, chip_class, 16, 1);
		measured(&d, layouts[i].measurement, 6);
		T_OK(read_doc(&d, CTR_MILAN, &m, e));
		assert_int_equal(m.n_snp, 2);
		memset(want, 5, sizeof want);
		T_MEM(m.snp[0].measurement.v, want, 48);
		assert_int_equal(m.snp[0].product, CTR_MILAN);
		assert_int_equal(m.snp[0].tcb[CTR_TCB_BOOTLOADER], 3);
		assert_int_equal(m.snp[0].tcb[CTR_TCB_TEE], 0);
		assert_int_equal(m.snp[0].tcb[CTR_TCB_SNP], 22);
		assert_int_equal(m.snp[0].tcb[CTR_TCB_MICROCODE], 214);
		assert_false(m.snp[0].policy.known || m.snp[0].platform_info.known);
		assert_int_equal(m.snp[1].tcb[CTR_TCB_SNP], -1);
		ctr_buf_free(&d.triples);
	}
}

static void turin_has_other_places(void **s)
{
	ctr_auto_manifest struct ctr_manifest m = { 0 };
	struct doc d = { .profile = AMD };

	(void)s;
	triple(&d, 37, chip_class, 16, 2);
	measured(&d, 0, 5);
	least_tcb(&d, 7, 553, 0x5100000004030201);
	T_OK(read_doc(&d, CTR_TURIN, &m, e));
	assert_int_equal(m.snp[0].tcb[CTR_TCB_FMC], 1);
	assert_int_equal(m.snp[0].tcb[CTR_TCB_BOOTLOADER], 2);
	assert_int_equal(m.snp[0].tcb[CTR_TCB_TEE], 3);
	assert_int_equal(m.snp[0].tcb[CTR_TCB_SNP], 4);
	assert_int_equal(m.snp[0].tcb[CTR_TCB_MICROCODE], 0x51);
	ctr_buf_free(&d.triples);
}

/* MRTD and RTMR1 of a guest, and the module: registers by number or name. */
static void tdx_doc(struct doc *d)
{
	struct ctr_buf *b = &d->triples;

	triple(d, 111, "\x2a\x03", 2, 1);
	ctr_cbor_map(b, 1);
	ctr_cbor_uint(b, 1);
	ctr_cbor_map(b, 2);
	ctr_cbor_uint(b, 14);
	ctr_cbor_map(b, 2);
	ctr_cbor_uint(b, 1);
	digest(b, 7, 8, 48);
	ctr_cbor_text(b, "rtmr2");
	digest(b, 7, 9, 48);
	ctr_cbor_int(b, -83);
	digest(b, 7, 7, 48);
	triple(d, 111, seam_class, sizeof seam_class - 1, 1);
	ctr_cbor_map(b, 1);
	ctr_cbor_uint(b, 1);
	ctr_cbor_map(b, 1);
	ctr_cbor_int(b, -83);
	ctr_cbor_tag(b, 60020);
	ctr_cbor_array(b, 2);
	ctr_cbor_uint(b, 6);
	digest(b, 7, 10, 48);
}

static void tdx_sets(void **s)
{
	ctr_auto_manifest struct ctr_manifest m = { 0 };
	struct doc d = { 0 };

	(void)s;
	tdx_doc(&d);
	T_OK(read_doc(&d, -1, &m, e));
	assert_int_equal(m.n_tdx, 1);
	assert_true(m.tdx[0].mrtd.known && m.tdx[0].mrtd.v[47] == 7);
	assert_true(m.tdx[0].rtmr[1].known && m.tdx[0].rtmr[1].v[0] == 8);
	assert_true(m.tdx[0].rtmr[2].known && m.tdx[0].rtmr[2].v[0] == 9);
	assert_false(m.tdx[0].rtmr[0].known || m.tdx[0].rtmr[3].known || m.tdx[0].xfam.known);
	assert_true(m.tdx[0].mrseam.known && m.tdx[0].mrseam.v[0] == 10);
	ctr_buf_free(&d.triples);
}

/* ECDSA over the Sig_structure, as r and s. */
static void sign(const struct ctr_buf *pem, const struct ctr_buf *msg, uint8_t out[96])
{
	BIO *bio = BIO_new_mem_buf(pem->p, (int)pem->n);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t der[256];
	const uint8_t *p = der;
	size_t n = sizeof der;
	ECDSA_SIG *sig;

	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, key), 1);
	assert_int_equal(EVP_DigestSign(ctx, der, &n, (const uint8_t *)msg->p, msg->n), 1);
	sig = d2i_ECDSA_SIG(NULL, &p, (long)n);
	assert_non_null(sig);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, 48), 48);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + 48, 48), 48);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	BIO_free(bio);
}

struct headers {
	int64_t alg, until, exp; /* in corim-meta, in CWT claims */
	const char *type;
	bool crit;
};

static void protected(const struct headers *h, struct ctr_buf *b)
{
	ctr_auto_buf struct ctr_buf meta = { 0 };

	ctr_cbor_map(b, 2 + h->crit + (h->until != 0) + (h->exp != 0));
	ctr_cbor_uint(b, 1);
	ctr_cbor_int(b, h->alg);
	if (h->crit) {
		ctr_cbor_uint(b, 2);
		ctr_cbor_array(b, 1);
		ctr_cbor_int(b, 99);
	}
	ctr_cbor_uint(b, 3);
	ctr_cbor_text(b, h->type);
	if (h->until) {
		ctr_cbor_map(&meta, 1);
		ctr_cbor_uint(&meta, 1);
		ctr_cbor_map(&meta, 1);
		ctr_cbor_uint(&meta, 1);
		ctr_cbor_int(&meta, h->until);
		ctr_cbor_uint(b, 8);
		ctr_cbor_bytes(b, meta.p, meta.n);
	}
	if (h->exp) {
		ctr_cbor_uint(b, 15);
		ctr_cbor_map(b, 1);
		ctr_cbor_uint(b, 4);
		ctr_cbor_int(b, h->exp);
	}
}

static void signed_doc(const struct ctr_buf *pem, const struct headers *h, struct ctr_buf *b)
{
	ctr_auto_buf struct ctr_buf prot = { 0 }, payload = { 0 }, msg = { 0 };
	struct doc d = { .profile = AMD };
	uint8_t sig[96];

	triple(&d, 37, chip_class, 16, 1);
	measured(&d, 0, 5);
	print(&d, &payload);
	ctr_buf_free(&d.triples);
	protected(h, &prot);
	ctr_cbor_array(&msg, 4);
	ctr_cbor_text(&msg, "Signature1");
	ctr_cbor_bytes(&msg, prot.p, prot.n);
	ctr_cbor_bytes(&msg, "", 0);
	ctr_cbor_bytes(&msg, payload.p, payload.n);
	sign(pem, &msg, sig);
	ctr_cbor_tag(b, 18);
	ctr_cbor_array(b, 4);
	ctr_cbor_bytes(b, prot.p, prot.n);
	ctr_cbor_map(b, 0);
	ctr_cbor_bytes(b, payload.p, payload.n);
	ctr_cbor_bytes(b, sig, sizeof sig);
}

static const struct headers sound = { .alg = -35, .type = "application/rim+cbor" };

static void signed_documents(void **s)
{
	ctr_auto_buf struct ctr_buf private = { 0 }, public = { 0 }, other = { 0 }, none = { 0 },
				    b = { 0 };
	struct corim_opts o = { .product = CTR_GENOA, .now = 1000 };
	ctr_auto_manifest struct ctr_manifest m = { 0 };
	struct ctr_ec k, k2;

	(void)s;
	T_OK(ctr_key_generate(false, &private, &public, e));
	T_OK(ctr_key_generate(false, &none, &other, e));
	T_OK(ctr_ec_pem(public.p, public.n, &k, e));
	T_OK(ctr_ec_pem(other.p, other.n, &k2, e));
	signed_doc(&private, &sound, &b);
	T_FAILS(corim_read(b.p, b.n, &o, &m, e), CTR_NO, "corim.key");
	o.plain = true; /* that is no leave to skip the check */
	T_FAILS(corim_read(b.p, b.n, &o, &m, e), CTR_NO, "corim.key");
	o.plain = false;
	o.key = &k2;
	T_FAILS(corim_read(b.p, b.n, &o, &m, e), CTR_NO, "cose.signature");
	k2.size = 32;
	T_FAILS(corim_read(b.p, b.n, &o, &m, e), CTR_FORMAT, "cose.algorithm");
	o.key = &k;
	assert_int_equal(m.n_snp, 0);
	T_OK(corim_read(b.p, b.n, &o, &m, e));
	assert_int_equal(m.n_snp, 1);
	assert_int_equal(m.snp[0].product, CTR_GENOA);
	for (size_t i = 0; i < b.n; i++) { /* no bit can be changed */
		struct ctr_err e = { 0 };

		b.p[i] ^= 1;
		if (corim_read(b.p, b.n, &o, &m, &e) == 0)
			fail_msg("byte %zu can be changed", i);
		b.p[i] ^= 1;
	}
}

static void bad_signed(struct headers h, enum ctr_code code, const char *id)
{
	ctr_auto_buf struct ctr_buf private = { 0 }, public = { 0 }, b = { 0 };
	struct corim_opts o = { .product = CTR_GENOA, .now = 1000 };
	ctr_auto_manifest struct ctr_manifest m = { 0 };
	struct ctr_ec k;

	T_OK(ctr_key_generate(false, &private, &public, e));
	T_OK(ctr_ec_pem(public.p, public.n, &k, e));
	o.key = &k;
	signed_doc(&private, &h, &b);
	T_FAILS(corim_read(b.p, b.n, &o, &m, e), code, id);
}

static void good_signed(struct headers h)
{
	ctr_auto_buf struct ctr_buf private = { 0 }, public = { 0 }, b = { 0 };
	struct corim_opts o = { .product = CTR_GENOA, .now = 1000 };
	ctr_auto_manifest struct ctr_manifest m = { 0 };
	struct ctr_ec k;

	T_OK(ctr_key_generate(false, &private, &public, e));
	T_OK(ctr_ec_pem(public.p, public.n, &k, e));
	o.key = &k;
	signed_doc(&private, &h, &b);
	T_OK(corim_read(b.p, b.n, &o, &m, e));
}

static void headers(void **s)
{
	struct headers h = sound;

	(void)s;
	h.alg = -7;
	bad_signed(h, CTR_FORMAT, "cose.algorithm");
	h.alg = -37; /* RSA */
	bad_signed(h, CTR_FORMAT, "cose.algorithm");
	h = sound;
	h.type = "application/eat+cwt";
	bad_signed(h, CTR_FORMAT, "corim.form");
	h = sound;
	h.crit = true;
	bad_signed(h, CTR_FORMAT, "cose.form");
	h = sound;
	h.until = 999;
	bad_signed(h, CTR_NO, "corim.expired");
	h = sound;
	h.exp = 999;
	bad_signed(h, CTR_NO, "corim.expired");
	h.until = 1000;
	h.exp = 1000;
	h.type = "application/corim-unsigned+cbor";
	good_signed(h);
}

static void refused(struct doc *d, int product, enum ctr_code code, const char *id)
{
	ctr_auto_manifest struct ctr_manifest m = { 0 };

	T_FAILS(read_doc(d, product, &m, e), code, id);
	assert_int_equal(m.n_snp + m.n_tdx, 0);
	ctr_buf_free(&d->triples);
	*d = (struct doc){ 0 };
}

static void snp_refusals(void **s)
{
	struct doc d = { .profile = "" };

	(void)s;
	refused(&d, 0, CTR_FORMAT, "corim.profile");
	d.profile = "tag:example.com,2025:unknown";
	refused(&d, 0, CTR_FORMAT, "corim.profile");
	d.profile = AMD;
	refused(&d, 0, CTR_FORMAT, "corim.empty");
	d = (struct doc){ .profile = AMD, .until = 999 };
	refused(&d, 0, CTR_NO, "corim.expired");
	d.profile = AMD;
	triple(&d, 37, chip_class, 16, 1);
	measured(&d, 0, 5);
	refused(&d, -1, CTR_USAGE, "corim.product");
	d.profile = AMD; /* another class */
	triple(&d, 37, "0123456789abcdef", 16, 1);
	measured(&d, 0, 5);
	refused(&d, 0, CTR_FORMAT, "corim.unsupported");
	d.profile = AMD; /* REPORT_ID */
	triple(&d, 37, chip_class, 16, 2);
	measured(&d, 0, 5);
	measured(&d, 3, 5);
	refused(&d, 0, CTR_FORMAT, "corim.unsupported");
	d.profile = AMD; /* two measurements */
	triple(&d, 37, chip_class, 16, 2);
	measured(&d, 0, 5);
	measured(&d, 0, 6);
	refused(&d, 0, CTR_FORMAT, "corim.digest");
	d.profile = AMD; /* none */
	triple(&d, 37, chip_class, 16, 1);
	least_tcb(&d, 7, 553, 1);
	refused(&d, 0, CTR_FORMAT, "corim.digest");
	d.profile = AMD; /* an exact TCB */
	triple(&d, 37, chip_class, 16, 1);
	least_tcb(&d, 7, 552, 1);
	refused(&d, 0, CTR_FORMAT, "corim.unsupported");
	d.profile = AMD;
	triple(&d, 37, chip_class, 16, 1);
	ctr_cbor_map(&d.triples, 1); /* no key */
	ctr_cbor_uint(&d.triples, 1);
	ctr_cbor_map(&d.triples, 0);
	refused(&d, 0, CTR_FORMAT, "cbor.missing");
}

static void bad_digest(uint64_t alg, size_t n)
{
	struct doc d = { .profile = AMD };
	struct ctr_buf *b = &d.triples;

	triple(&d, 37, chip_class, 16, 1);
	ctr_cbor_map(b, 2);
	ctr_cbor_uint(b, 0);
	ctr_cbor_uint(b, 0);
	ctr_cbor_uint(b, 1);
	ctr_cbor_map(b, 1);
	ctr_cbor_uint(b, 2);
	digest(b, alg, 1, n);
	refused(&d, 0, CTR_FORMAT, "corim.digest");
}

static void authority(void)
{
	struct doc d = { .profile = AMD };
	struct ctr_buf *b = &d.triples;

	triple(&d, 37, chip_class, 16, 1);
	ctr_cbor_map(b, 3);
	ctr_cbor_uint(b, 0);
	ctr_cbor_uint(b, 0);
	ctr_cbor_uint(b, 1);
	ctr_cbor_map(b, 0);
	ctr_cbor_uint(b, 2);
	ctr_cbor_array(b, 0);
	refused(&d, 0, CTR_FORMAT, "corim.unsupported");
}

static void more_refusals(void **s)
{
	const struct corim_opts o = { .product = 0, .now = 1000 };
	ctr_auto_manifest struct ctr_manifest m = { 0 };
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct doc d = { .profile = AMD };

	(void)s;
	bad_digest(1, 32);
	bad_digest(7, 32);
	authority();
	triple(&d, 37, chip_class, 16, 1);
	measured(&d, 0, 5);
	print(&d, &b);
	T_FAILS(corim_read(b.p, b.n, &o, &m, e), CTR_NO, "corim.unsigned");
	for (size_t n = 0; n < b.n; n++) {
		struct ctr_err e = { 0 };

		assert_int_equal(corim_read(b.p, n, &o, &m, &e), -1);
	}
	ctr_buf_free(&d.triples);
}

static void guest_value(int64_t key, const char *id)
{
	struct doc d = { 0 };
	struct ctr_buf *b = &d.triples;

	triple(&d, 111, "\x2a\x03", 2, 1);
	ctr_cbor_map(b, 1);
	ctr_cbor_uint(b, 1);
	ctr_cbor_map(b, 1);
	ctr_cbor_int(b, key);
	digest(b, 7, 1, 48);
	refused(&d, -1, CTR_FORMAT, id);
}

static void tdx_refusals(void **s)
{
	struct doc d = { 0 };

	(void)s;
	guest_value(-83, "corim.unsupported"); /* MRTD without registers */
	guest_value(-84, "corim.unsupported"); /* MRSIGNER */
	guest_value(14, "cbor.type");
	tdx_doc(&d);
	d.n = 2;
	triple(&d, 111, seam_class, sizeof seam_class - 1, 1); /* a second module */
	ctr_cbor_map(&d.triples, 1);
	ctr_cbor_uint(&d.triples, 1);
	ctr_cbor_map(&d.triples, 1);
	ctr_cbor_int(&d.triples, -83);
	digest(&d.triples, 7, 3, 48);
	refused(&d, -1, CTR_FORMAT, "corim.unsupported");
	triple(&d, 111, seam_class, sizeof seam_class - 1, 0);
	refused(&d, -1, CTR_FORMAT, "corim.digest");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snp_sets),	 cmocka_unit_test(turin_has_other_places),
		cmocka_unit_test(tdx_sets),	 cmocka_unit_test(signed_documents),
		cmocka_unit_test(headers),	 cmocka_unit_test(snp_refusals),
		cmocka_unit_test(more_refusals), cmocka_unit_test(tdx_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
