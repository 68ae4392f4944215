#include "tdx.h"
#include "t.h"

/* A quote that nobody signed, with lengths that agree; every byte of a field says which field it
 * is. */
struct made {
	uint8_t b[4096];
	size_t n, report, sig_len, cert_len, auth_len, chain_len;
};

static void put(struct made *m, const void *p, size_t n)
{
	assert_true(n <= sizeof m->b - m->n);
	memcpy(m->b + m->n, p, n);
	m->n += n;
}

static void number(struct made *m, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++, v >>= 8)
		m->b[m->n++] = (uint8_t)v;
}

static void set32(struct made *m, size_t at, size_t v)
{
	for (size_t i = 0; i < 4; i++, v >>= 8)
		m->b[at + i] = (uint8_t)v;
}

static void fill(struct made *m, uint8_t v, size_t n)
{
	memset(m->b + m->n, v, n);
	m->n += n;
}

static void header(struct made *m, unsigned version)
{
	static const uint8_t vendor[] = { 0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
					  0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07 };

	number(m, version, 2);
	number(m, 2, 2);
	number(m, 0x81, 4);
	number(m, 0, 4);
	put(m, vendor, sizeof vendor);
	fill(m, 0x99, 20);
}

static void report(struct made *m, bool v15)
{
	static const size_t sizes[] = { 16, 48, 48, 8,	8,  8,	48, 48, 48,
					48, 48, 48, 48, 48, 64, 16, 48 };

	m->report = m->n;
	for (size_t i = 0; i < (v15 ? 17 : 15); i++)
		fill(m, (uint8_t)(i + 1), sizes[i]);
}

static void qe_report(struct made *m)
{
	fill(m, 0x21, 16);
	fill(m, 0x22, 4);
	fill(m, 0, 28);
	fill(m, 0x23, 16);
	fill(m, 0x24, 32);
	fill(m, 0, 32);
	fill(m, 0x25, 32);
	fill(m, 0, 96);
	number(m, 2, 2);
	number(m, 0x0706, 2);
	fill(m, 0, 60);
	fill(m, 0x26, 64);
}

static struct made make(unsigned version, unsigned body, size_t auth, const char *chain)
{
	struct made m = { .n = 0 };

	header(&m, version);
	if (version == 5) {
		number(&m, body, 2);
		number(&m, body == 3 ? 648 : 584, 4);
	}
	report(&m, body == 3);
	m.sig_len = m.n;
	number(&m, 0, 4);
	fill(&m, 0x31, 64);
	fill(&m, 0x32, 64);
	number(&m, 6, 2);
	m.cert_len = m.n;
	number(&m, 0, 4);
	qe_report(&m);
	fill(&m, 0x33, 64);
	m.auth_len = m.n;
	number(&m, auth, 2);
	fill(&m, 0x34, auth);
	number(&m, 5, 2);
	m.chain_len = m.n;
	number(&m, strlen(chain), 4);
	put(&m, chain, strlen(chain));
	set32(&m, m.sig_len, m.n - m.sig_len - 4);
	set32(&m, m.cert_len, m.n - m.cert_len - 4);
	return m;
}

static void all_are(const uint8_t *p, size_t n, uint8_t v)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(p[i], v);
}

static void check_fields(const struct ctr_tdx_quote *q, bool v15)
{
	const struct ctr_tdx_report *t = &q->report;
	const struct {
		const uint8_t *p;
		size_t n;
	} f[] = { { t->tee_tcb_svn, 16 },   { t->mrseam, 48 },	    { t->mrsignerseam, 48 },
		  { t->seamattributes, 8 }, { t->tdattributes, 8 }, { t->xfam, 8 },
		  { t->mrtd, 48 },	    { t->mrconfigid, 48 },  { t->mrowner, 48 },
		  { t->mrownerconfig, 48 }, { t->rtmr[0], 48 },	    { t->rtmr[1], 48 },
		  { t->rtmr[2], 48 },	    { t->rtmr[3], 48 },	    { t->reportdata, 64 },
		  { t->tee_tcb_svn2, 16 },  { t->mrservicetd, 48 } };

	for (size_t i = 0; i < 17; i++)
		all_are(f[i].p, f[i].n, i < 15 || v15 ? (uint8_t)(i + 1) : 0);
	all_are(q->user_data, 20, 0x99);
	all_are(q->signature, 64, 0x31);
	all_are(q->att_key, 64, 0x32);
	all_are(q->qe_signature, 64, 0x33);
	all_are(q->qe.cpusvn, 16, 0x21);
	all_are(q->qe.miscselect, 4, 0x22);
	all_are(q->qe.attributes, 16, 0x23);
	all_are(q->qe.mrenclave, 32, 0x24);
	all_are(q->qe.mrsigner, 32, 0x25);
	all_are(q->qe.reportdata, 64, 0x26);
	assert_int_equal(q->qe.isvprodid, 2);
	assert_int_equal(q->qe.isvsvn, 0x0706);
	assert_int_equal(q->qe_bytes.left, 384);
	assert_int_equal(q->report.v15, v15);
}

static void fields(void **state)
{
	static const unsigned kinds[][2] = { { 4, 2 }, { 5, 2 }, { 5, 3 } };
	struct ctr_tdx_quote q;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct made m = make(kinds[i][0], kinds[i][1], 32, "PEM");

		T_OK(ctr_tdx_parse(m.b, m.n, &q, e));
		check_fields(&q, kinds[i][1] == 3);
		assert_int_equal(q.version, kinds[i][0]);
		assert_int_equal(q.body_type, kinds[i][1]);
		assert_int_equal(q.signed_part.left, m.sig_len);
		assert_ptr_equal(q.signed_part.p, m.b);
		assert_int_equal(q.qe_auth.left, 32);
		all_are(q.qe_auth.p, 32, 0x34);
		assert_int_equal(q.chain.left, 3);
		T_MEM(q.chain.p, "PEM", 3);
		assert_int_equal(q.trailing.left, 0);
	}
}

static void padding(void **state)
{
	struct made m = make(4, 2, 0, "");
	struct ctr_tdx_quote q;

	(void)state;
	fill(&m, 0xff, 70);
	T_OK(ctr_tdx_parse(m.b, m.n, &q, e));
	assert_int_equal(q.trailing.left, 70);
	assert_int_equal(q.qe_auth.left, 0);
	assert_int_equal(q.chain.left, 0);
}

/* One byte changed, and the id that this must give. */
static void one_change(void **state)
{
	static const struct {
		unsigned version;
		size_t at;
		uint8_t to;
		const char *id;
	} cases[] = {
		{ 4, 0, 3, "tdx.version" },  { 4, 0, 6, "tdx.version" },
		{ 4, 1, 1, "tdx.version" },  { 4, 2, 3, "tdx.key-type" },
		{ 4, 3, 1, "tdx.key-type" }, { 4, 4, 0, "tdx.tee-type" },
		{ 4, 7, 1, "tdx.tee-type" }, { 4, 12, 0, "tdx.vendor" },
		{ 4, 27, 0, "tdx.vendor" },  { 5, 48, 2, "tdx.body" },
		{ 5, 48, 1, "tdx.body" },    { 5, 49, 1, "tdx.body" },
		{ 5, 50, 0x48, "tdx.body" }, { 5, 53, 0x80, "tdx.body" },
	};
	struct ctr_tdx_quote q;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct made m = make(cases[i].version, cases[i].version == 5 ? 3 : 2, 32, "PEM");

		m.b[cases[i].at] = cases[i].to;
		T_FAILS(ctr_tdx_parse(m.b, m.n, &q, e), CTR_FORMAT, cases[i].id);
	}
}

static void certification_types(void **state)
{
	struct ctr_tdx_quote q;

	(void)state;
	for (unsigned type = 0; type < 9; type++) {
		struct made m = make(4, 2, 32, "PEM");

		m.b[m.cert_len - 2] = (uint8_t)type;
		if (type != 6)
			T_FAILS(ctr_tdx_parse(m.b, m.n, &q, e), CTR_FORMAT, "tdx.cert-type");
		m = make(4, 2, 32, "PEM");
		m.b[m.chain_len - 2] = (uint8_t)type;
		if (type != 5)
			T_FAILS(ctr_tdx_parse(m.b, m.n, &q, e), CTR_FORMAT, "tdx.cert-type");
	}
}

/* Each length one more, one less, zero and as large as can be. */
static void lengths(void **state)
{
	struct made m = make(5, 3, 32, "PEM");
	const size_t at[] = { m.sig_len, m.cert_len, m.auth_len, m.chain_len };
	struct ctr_tdx_quote q;

	(void)state;
	fill(&m, 0, 8);
	for (size_t i = 0; i < 4; i++) {
		struct made bad = m;
		size_t width = i == 2 ? 2 : 4;

		bad.b[at[i]]++;
		T_FAILS(ctr_tdx_parse(bad.b, bad.n, &q, e), CTR_FORMAT,
			i == 2 ? "tdx.cert-type" : "tdx.length");
		bad.b[at[i]] -= 2;
		T_FAILS(ctr_tdx_parse(bad.b, bad.n, &q, e), CTR_FORMAT,
			i == 2 ? "tdx.cert-type" : "tdx.length");
		memset(bad.b + at[i], 0, width);
		T_FAILS(ctr_tdx_parse(bad.b, bad.n, &q, e), CTR_FORMAT,
			i == 2 ? "tdx.cert-type" : "tdx.length");
		memset(bad.b + at[i], 0xff, width);
		T_FAILS(ctr_tdx_parse(bad.b, bad.n, &q, e), CTR_FORMAT, "tdx.length");
	}
}

static void too_large(void **state)
{
	struct made m = make(4, 2, 32, "PEM");
	uint8_t *big = calloc(1, CTR_TDX_QUOTE_MAX + 1);
	struct ctr_tdx_quote q;

	(void)state;
	assert_non_null(big);
	memcpy(big, m.b, m.n);
	T_OK(ctr_tdx_parse(big, CTR_TDX_QUOTE_MAX, &q, e));
	T_FAILS(ctr_tdx_parse(big, CTR_TDX_QUOTE_MAX + 1, &q, e), CTR_FORMAT, "tdx.size");
	free(big);
}

/* Cut at every length, from memory of exactly that length, so that a sanitizer sees what is read
 * behind it. */
static void cut_everywhere(const uint8_t *p, size_t n)
{
	struct ctr_tdx_quote q;

	for (size_t i = 0; i < n; i++) {
		uint8_t *part = malloc(i ? i : 1);

		assert_non_null(part);
		memcpy(part, p, i);
		T_FAILS(ctr_tdx_parse(part, i, &q, e), CTR_FORMAT, "tdx.length");
		free(part);
	}
}

static void truncation(void **state)
{
	struct made m = make(4, 2, 32, "PEM"), n = make(5, 3, 0, "");

	(void)state;
	cut_everywhere(m.b, m.n);
	cut_everywhere(n.b, n.n);
}

static void truncation_of_real_quotes(void **state)
{
	static const char *const names[] = { "v4-a", "v5-b" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char path[128];
		struct ctr_tdx_quote q;
		ctr_auto_buf struct ctr_buf b = { 0 };

		snprintf(path, sizeof path, "attestation/vectors/tdx/real/quotes/%s.bin", names[i]);
		b = t_file(t_shared(path));
		T_OK(ctr_tdx_parse(b.p, b.n, &q, e));
		cut_everywhere((const uint8_t *)b.p, b.n - q.trailing.left);
	}
}

static void claims(void **state)
{
	struct made m = make(5, 3, 2, "PEM");
	ctr_auto_json struct ctr_json *obj = ctr_json_new_object();
	struct ctr_jval root, v;
	struct ctr_tdx_quote q;
	const char *s = NULL;
	uint64_t n = 0;

	(void)state;
	fill(&m, 0, 3);
	T_OK(ctr_tdx_parse(m.b, m.n, &q, e));
	T_OK(ctr_tdx_claims(&q, obj, e));
	root = ctr_jroot(obj);
	v = ctr_jget(&root, "xfam");
	T_OK(ctr_jstring(&v, &s, e));
	T_STR(s, "0606060606060606");
	v = ctr_jget(&root, "qe_auth_data");
	T_OK(ctr_jstring(&v, &s, e));
	T_STR(s, "3434");
	v = ctr_jget(&root, "trailing_bytes");
	T_OK(ctr_juint(&v, 100, &n, e));
	assert_int_equal(n, 3);
	v = ctr_jget(&root, "qe_report");
	v = ctr_jget(&v, "isvsvn");
	assert_true(ctr_jhas(&v));
}

/* Every field is there, and those of TD 1.5 only then. */
static void claim_names(void **state)
{
	static const char *const names[] = {
		"version",	 "att_key_type", "tee_type", "qe_vendor_id", "user_data",
		"body_type",	 "tee_tcb_svn",	 "mrseam",   "mrsignerseam", "seamattributes",
		"tdattributes",	 "xfam",	 "mrtd",     "mrconfigid",   "mrowner",
		"mrownerconfig", "rtmr0",	 "rtmr1",    "rtmr2",	     "rtmr3",
		"reportdata",	 "signature",	 "att_key",  "qe_report",    "qe_signature",
		"tee_tcb_svn2",	 "mrservicetd"
	};
	const size_t n = sizeof names / sizeof *names;

	(void)state;
	for (unsigned body = 2; body <= 3; body++) {
		struct made m = make(5, body, 2, "PEM");
		ctr_auto_json struct ctr_json *obj = ctr_json_new_object();
		struct ctr_jval root;
		struct ctr_tdx_quote q;

		T_OK(ctr_tdx_parse(m.b, m.n, &q, e));
		T_OK(ctr_tdx_claims(&q, obj, e));
		root = ctr_jroot(obj);
		for (size_t i = 0; i < n; i++) {
			struct ctr_jval v = ctr_jget(&root, names[i]);

			assert_int_equal(ctr_jhas(&v), i < n - 2 || body == 3);
		}
	}
}

static void bits(void **state)
{
	static const uint8_t f[8] = { 0x01, 0, 0, 0x10, 0, 0, 0, 0x80 };

	(void)state;
	assert_true(ctr_tdx_bit(f, CTR_TD_DEBUG));
	assert_true(ctr_tdx_bit(f, CTR_TD_SEPT_VE_DISABLE));
	assert_true(ctr_tdx_bit(f, CTR_TD_PERFMON));
	assert_false(ctr_tdx_bit(f, CTR_TD_MIGRATABLE));
	assert_false(ctr_tdx_bit(f, 64));
	assert_true(ctr_tdx_le64(f) == UINT64_C(0x8000000010000001));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields),     cmocka_unit_test(padding),
		cmocka_unit_test(one_change), cmocka_unit_test(certification_types),
		cmocka_unit_test(lengths),    cmocka_unit_test(too_large),
		cmocka_unit_test(truncation), cmocka_unit_test(truncation_of_real_quotes),
		cmocka_unit_test(claims),     cmocka_unit_test(claim_names),
		cmocka_unit_test(bits),
	};

	return cmocka_run_group_tests_name("tdx", tests, NULL, NULL);
}
