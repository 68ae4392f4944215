#include "t.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "enc.h"
#include "evidence.h"
#include "hash.h"
#include "json.h"

#define auto_ev ctr_auto_evidence struct ctr_evidence
#define VCEK "63da758de6644564adc5f4b93be8accd"
#define VLEK "a8074bc2a25a483eaae639c045a0b8a1"
#define ASK "4ab7b379bbac4fe4a02f05aef327c782"
#define ARK                                                                                        \
	"c0b406a4a80349529743"                                                                     \
	"3fb6014cd0ae"
#define CRL "92f81bc358114d3d97ffd19f88dc67ea"
#define OTHER "11223344556677889900aabbccddeeff"

static struct ctr_buf der, pem, crl;

/* A certificate and a list of revocations that say nothing: what is in them is not looked at here.
 */
static int make(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *c = X509_new();
	X509_CRL *l = X509_CRL_new();
	ASN1_TIME *now = ASN1_TIME_set(NULL, 1700000000);
	BIO *bio = BIO_new(BIO_s_mem());
	unsigned char *p = NULL;
	char *text;
	int n;

	(void)state;
	X509_set_version(c, 2);
	X509_set1_notBefore(c, now);
	X509_set1_notAfter(c, now);
	X509_set_pubkey(c, key);
	X509_sign(c, key, EVP_sha256());
	n = i2d_X509(c, &p);
	ctr_buf_add(&der, p, (size_t)n);
	OPENSSL_free(p);
	PEM_write_bio_X509(bio, c);
	n = (int)BIO_get_mem_data(bio, &text);
	ctr_buf_add(&pem, text, (size_t)n);
	p = NULL;
	X509_CRL_set1_lastUpdate(l, now);
	X509_CRL_sign(l, key, EVP_sha256());
	n = i2d_X509_CRL(l, &p);
	ctr_buf_add(&crl, p, (size_t)n);
	OPENSSL_free(p);
	BIO_free(bio);
	ASN1_TIME_free(now);
	X509_CRL_free(l);
	X509_free(c);
	EVP_PKEY_free(key);
	return der.n && pem.n && crl.n ? 0 : -1;
}

static int drop(void **state)
{
	(void)state;
	ctr_buf_free(&der);
	ctr_buf_free(&pem);
	ctr_buf_free(&crl);
	return 0;
}

static void le32(struct ctr_buf *b, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		ctr_buf_addc(b, (char)(v >> 8 * i));
}

static void entry(struct ctr_buf *b, const char *guid, uint32_t offset, size_t n)
{
	uint8_t raw[16];

	T_OK(ctr_hex_parse(guid, strlen(guid), raw, sizeof raw, e));
	ctr_buf_add(b, raw, sizeof raw);
	le32(b, offset);
	le32(b, (uint32_t)n);
}

static void end(struct ctr_buf *b)
{
	static const char zeros[24];

	ctr_buf_add(b, zeros, sizeof zeros);
}

/* A table of up to three entries with their data in order. */
static void table(struct ctr_buf *b, const char *const *guids, const struct ctr_buf *const *data)
{
	uint32_t at = 24;

	for (size_t i = 0; guids[i]; i++)
		at += 24;
	for (size_t i = 0; guids[i]; i++) {
		entry(b, guids[i], at, data[i]->n);
		at += (uint32_t)data[i]->n;
	}
	end(b);
	for (size_t i = 0; guids[i]; i++)
		ctr_buf_add(b, data[i]->p, data[i]->n);
}

static int add(struct ctr_evidence *ev, const struct ctr_buf *b, struct ctr_err *e)
{
	return ctr_evidence_add_table(ev, (const uint8_t *)b->p, b->n, e);
}

static void is(const struct ctr_evidence *ev, enum ctr_item i, const struct ctr_buf *want)
{
	assert_int_equal(ev->item[i].n, want->n);
	T_MEM(ev->item[i].p, want->p, want->n);
}

static void adds(void **state)
{
	static const char *const guids[] = { OTHER, ARK, VCEK, CRL, NULL };
	const struct ctr_buf *data[] = { &pem, &pem, &der, &crl };
	ctr_auto_buf struct ctr_buf b = { 0 };
	auto_ev ev = { 0 };

	(void)state;
	table(&b, guids, data);
	T_OK(add(&ev, &b, e));
	is(&ev, CTR_ARK, &der); /* PEM became DER */
	is(&ev, CTR_VCEK, &der);
	is(&ev, CTR_CRL, &crl);
	assert_int_equal(ev.item[CTR_ASK].n + ev.item[CTR_VLEK].n, 0);
}

static void keeps(void **state)
{
	static const char *const guids[] = { ASK, VLEK, NULL };
	const struct ctr_buf *data[] = { &der, &der };
	ctr_auto_buf struct ctr_buf b = { 0 };
	auto_ev ev = { 0 };

	(void)state;
	ctr_buf_adds(&ev.item[CTR_ASK], "mine");
	table(&b, guids, data);
	T_OK(add(&ev, &b, e));
	T_STR(ev.item[CTR_ASK].p, "mine");
	is(&ev, CTR_VLEK, &der);
}

/* What is in a known place must be what belongs there; then nothing at all is added. */
static void content(void **state)
{
	ctr_auto_buf struct ctr_buf two = { 0 }, junk = { 0 }, tail = { 0 };
	const struct ctr_buf *bad[] = { &two, &junk, &tail, &crl, &der };

	(void)state;
	ctr_buf_add(&two, pem.p, pem.n);
	ctr_buf_add(&two, pem.p, pem.n);
	ctr_buf_adds(&junk, "certificate");
	ctr_buf_add(&tail, der.p, der.n);
	ctr_buf_addc(&tail, '\0');
	for (size_t i = 0; i < 5; i++) {
		const char *const guids[] = { VCEK, i == 4 ? CRL : ASK, NULL };
		const struct ctr_buf *data[] = { &der, bad[i] };
		ctr_auto_buf struct ctr_buf b = { 0 };
		auto_ev ev = { 0 };

		table(&b, guids, data);
		T_FAILS(add(&ev, &b, e), CTR_FORMAT, "cert-table");
		assert_int_equal(ev.item[CTR_VCEK].n, 0);
	}
}

static void wrong_machine(void **state)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	auto_ev ev = { .tee = CTR_TEE_TDX };

	(void)state;
	end(&b);
	T_FAILS(add(&ev, &b, e), CTR_FORMAT, "cert-table");
}

static int count(void *ctx, const char *kind, size_t offset, const uint8_t *p, size_t n,
		 struct ctr_err *e)
{
	size_t *seen = ctx;

	(void)kind, (void)offset, (void)p, (void)n, (void)e;
	++*seen;
	return 0;
}

/* Entry as given, then four bytes of data at 48 .. 52, or 72 .. 76 when there are two. */
static void shape(const char *guid, uint32_t offset, uint32_t n, const char *second, bool good)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	size_t seen = 0;

	entry(&b, guid, offset, n);
	if (second)
		entry(&b, second, 72, 4);
	end(&b);
	ctr_buf_add(&b, "data", 4);
	if (good)
		T_OK(ctr_table_walk((uint8_t *)b.p, b.n, count, &seen, e));
	else
		T_FAILS(ctr_table_walk((uint8_t *)b.p, b.n, count, &seen, e), CTR_FORMAT,
			"cert-table");
	/* nothing is shown of a table that is refused */
	assert_int_equal(seen, good ? second ? 2 : 1 : 0);
}

static void shapes(void **state)
{
	(void)state;
	shape(OTHER, 48, 4, NULL, true);
	shape(OTHER, 51, 1, NULL, true);
	shape(OTHER, 72, 4, VCEK, true);
	shape(OTHER, 47, 4, NULL, false);
	shape(OTHER, 0, 4, NULL, false);
	shape(OTHER, 48, 5, NULL, false);
	shape(OTHER, 48, 0, NULL, false);
	shape(OTHER, 52, 1, NULL, false);
	shape(OTHER, 0xfffffffe, 4, NULL, false);
	shape(OTHER, 48, 0xffffffff, NULL, false);
	shape(OTHER, 72, 4, OTHER, false);
	shape(VCEK, 48, 4, VLEK, false);
	shape("00000000000000000000000000000000", 48, 4, NULL, true); /* no end: not all zeros */
}

static void limits(void **state)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	size_t seen = 0;

	(void)state;
	T_FAILS(ctr_table_walk(NULL, 0, count, &seen, e), CTR_FORMAT, "cert-table");
	for (uint32_t i = 0; i < 65; i++) {
		char guid[33];

		snprintf(guid, sizeof guid, "%032x", i + 1);
		entry(&b, guid, 65 * 24, 1);
	}
	end(&b);
	ctr_buf_addc(&b, 'x');
	T_FAILS(ctr_table_walk((uint8_t *)b.p, b.n, count, &seen, e), CTR_FORMAT, "cert-table");
	assert_int_equal(seen, 0);
	/* one entry less is not too many */
	T_OK(ctr_table_walk((uint8_t *)b.p + 24, b.n - 24, count, &seen, e));
	assert_int_equal(seen, 64);
}

static void truncation(void **state)
{
	static const char *const guids[] = { ASK, VCEK, NULL };
	const struct ctr_buf *data[] = { &der, &pem };
	ctr_auto_buf struct ctr_buf b = { 0 };

	(void)state;
	table(&b, guids, data);
	for (size_t n = 0; n < b.n; n++) {
		auto_ev ev = { 0 };
		uint8_t *cut = malloc(n ? n : 1);

		assert_non_null(cut);
		memcpy(cut, b.p, n);
		T_FAILS(ctr_evidence_add_table(&ev, cut, n, e), CTR_FORMAT, "cert-table");
		free(cut);
	}
}

/* The next expected entry of a reference case. */
static int compare(void *ctx, const char *kind, size_t offset, const uint8_t *p, size_t n,
		   struct ctr_err *unused)
{
	struct ctr_jval *want = ctx, v;
	uint8_t hash[CTR_SHA256_SIZE], sum[CTR_SHA256_SIZE];
	const char *s;
	uint64_t num;

	(void)unused;
	assert_non_null(want->v);
	v = ctr_jget(want, "kind");
	T_OK(ctr_jstring(&v, &s, e));
	T_STR(kind, s);
	v = ctr_jget(want, "offset");
	T_OK(ctr_juint(&v, UINT32_MAX, &num, e));
	assert_int_equal(num, offset);
	v = ctr_jget(want, "length");
	T_OK(ctr_juint(&v, UINT32_MAX, &num, e));
	assert_int_equal(num, n);
	v = ctr_jget(want, "sha256");
	T_OK(ctr_jhex(&v, hash, sizeof hash, e));
	T_OK(ctr_hash(CTR_SHA256, p, n, sum, e));
	T_MEM(hash, sum, sizeof hash);
	*want = ctr_jnext(want);
	return 0;
}

static void reference_case(const struct ctr_jval *c, const char *dir)
{
	struct ctr_jval inputs = ctr_jget(c, "inputs"), file = ctr_jget(&inputs, "table"),
			expect = ctr_jget(c, "expect"), result = ctr_jget(&expect, "result"),
			list = ctr_jget(&expect, "entries"), first;
	const char *name, *answer;
	char path[600];
	struct ctr_buf b;
	auto_ev ev = { 0 };

	T_OK(ctr_jstring(&file, &name, e));
	T_OK(ctr_jstring(&result, &answer, e));
	snprintf(path, sizeof path, "%s/%s", dir, name);
	b = t_file(path);
	if (strcmp(answer, "accept") != 0) {
		T_FAILS(ctr_table_walk((uint8_t *)b.p, b.n, compare, &list, e), CTR_FORMAT,
			"cert-table");
		T_FAILS(add(&ev, &b, e), CTR_FORMAT, "cert-table");
	} else {
		first = ctr_jfirst(&list);
		T_OK(ctr_table_walk((uint8_t *)b.p, b.n, compare, &first, e));
		assert_null(first.v);
		T_OK(add(&ev, &b, e));
	}
	ctr_buf_free(&b);
}

static void reference(void **state)
{
	ctr_auto_json struct ctr_json *j = NULL;
	struct ctr_jval root, cases, tech;
	char dir[512], path[600];
	const char *s;
	size_t n = 0;

	(void)state;
	snprintf(dir, sizeof dir, "%s", t_shared("attestation/vectors"));
	snprintf(path, sizeof path, "%s/cases.json", dir);
	T_OK(ctr_json_load(path, CTR_JSON_MAX, &j, e));
	root = ctr_jroot(j);
	cases = ctr_jget(&root, "cases");
	for (struct ctr_jval c = ctr_jfirst(&cases); c.v; c = ctr_jnext(&c)) {
		tech = ctr_jget(&c, "tech");
		T_OK(ctr_jstring(&tech, &s, e));
		if (strcmp(s, "certtable") == 0) {
			reference_case(&c, dir);
			n++;
		}
	}
	assert_int_equal(n, 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adds),	      cmocka_unit_test(keeps),
		cmocka_unit_test(content),    cmocka_unit_test(wrong_machine),
		cmocka_unit_test(shapes),     cmocka_unit_test(limits),
		cmocka_unit_test(truncation), cmocka_unit_test(reference),
	};

	return cmocka_run_group_tests_name("table", tests, make, drop);
}
