#include "t.h"

#include "cbor.h"
#include "enc.h"
#include "evidence.h"

#define MEDIA_TYPE "application/vnd.ctr.evidence+cbor"

#define auto_ev ctr_auto_evidence struct ctr_evidence

static void set(struct ctr_evidence *ev, enum ctr_item i, const char *s)
{
	ctr_buf_adds(&ev->item[i], s);
}

/* Each item the endorser of that machine can have, its bytes its name. */
static void fill(struct ctr_evidence *ev, enum ctr_tee tee)
{
	ev->tee = tee;
	for (int i = 0; i < CTR_ITEMS; i++) {
		if (i == CTR_REPORT || (i >= CTR_TCB_INFO) == (tee == CTR_TEE_TDX))
			set(ev, i, ctr_item_names[i]);
	}
}

static void same(const struct ctr_evidence *a, const struct ctr_evidence *b)
{
	assert_int_equal(a->tee, b->tee);
	for (int i = 0; i < CTR_ITEMS; i++) {
		assert_int_equal(a->item[i].n, b->item[i].n);
		if (a->item[i].n)
			T_MEM(a->item[i].p, b->item[i].p, a->item[i].n);
	}
}

static int parse(const struct ctr_buf *b, struct ctr_evidence *ev, struct ctr_err *e)
{
	return ctr_evidence_parse((const uint8_t *)b->p, b->n, ev, e);
}

static int read_it(const struct ctr_buf *b, struct ctr_evidence *ev, struct ctr_err *e)
{
	return ctr_evidence_read((const uint8_t *)b->p, b->n, ev, e);
}

static void round_trip(void **state)
{
	(void)state;
	for (int tee = 0; tee < 2; tee++) {
		auto_ev ev = { 0 }, again = { 0 }, third = { 0 };
		ctr_auto_buf struct ctr_buf one = { 0 }, two = { 0 };

		fill(&ev, tee);
		T_OK(ctr_evidence_print(&ev, &one, e));
		T_OK(parse(&one, &again, e));
		same(&ev, &again);
		T_OK(ctr_evidence_print(&again, &two, e));
		assert_int_equal(one.n, two.n);
		T_MEM(one.p, two.p, one.n);
		T_OK(read_it(&one, &third, e));
		same(&ev, &third);
	}
}

/* The bytes as ctr-evidence(5) shows them. */
static void encoding(void **state)
{
	static const char want[] =
		"8378216170706c69636174696f6e2f766e642e6374722e65766964656e63652b63626f"
		"725826a36374656563736e70656365727473a26361726b4161647663656b4176667265"
		"706f7274417206";
	auto_ev ev = { 0 };
	ctr_auto_buf struct ctr_buf b = { 0 }, h = { 0 };

	(void)state;
	set(&ev, CTR_REPORT, "r");
	set(&ev, CTR_VCEK, "v");
	set(&ev, CTR_ARK, "a");
	T_OK(ctr_evidence_print(&ev, &b, e));
	ctr_hex_add(&h, b.p, b.n);
	T_STR(ctr_buf_str(&h), want);
}

/* Every beginning of the sample is refused; nothing is left in ev. */
static void truncation(void **state)
{
	auto_ev ev = { 0 };
	ctr_auto_buf struct ctr_buf all = { 0 };

	(void)state;
	fill(&ev, CTR_TEE_TDX);
	T_OK(ctr_evidence_print(&ev, &all, e));
	for (size_t n = 0; n < all.n; n++) {
		auto_ev cut = { 0 };
		uint8_t *p = malloc(n ? n : 1);

		assert_non_null(p);
		memcpy(p, all.p, n);
		T_FAILS(ctr_evidence_parse(p, n, &cut, e), CTR_FORMAT, "evidence.cbor");
		assert_true(cut.item[CTR_REPORT].p == NULL);
		T_FAILS(ctr_evidence_read(p, n, &cut, e), CTR_FORMAT,
			n ? "evidence.cbor" : "evidence.form");
		free(p);
	}
}

/* Every byte of the sample changed in each bit: refused with one of our ids, or read to what prints
 * and reads the same. */
static void mutation(void **state)
{
	auto_ev ev = { 0 };
	ctr_auto_buf struct ctr_buf all = { 0 };

	(void)state;
	fill(&ev, CTR_TEE_SNP);
	T_OK(ctr_evidence_print(&ev, &all, e));
	for (size_t i = 0; i < all.n * 8; i++) {
		auto_ev got = { 0 }, again = { 0 };
		ctr_auto_buf struct ctr_buf b = { 0 };
		struct ctr_err why = { 0 };

		all.p[i / 8] = (char)(all.p[i / 8] ^ 1 << i % 8);
		if (parse(&all, &got, &why) < 0) {
			assert_int_equal(why.code, CTR_FORMAT);
			assert_int_equal(strncmp(why.id, "evidence.", 9), 0);
		} else {
			T_OK(ctr_evidence_print(&got, &b, e));
			T_OK(parse(&b, &again, e));
			same(&got, &again);
		}
		all.p[i / 8] = (char)(all.p[i / 8] ^ 1 << i % 8);
	}
}

/* A container by hand: the pairs are CBOR in hexadecimal digits. */
static void container(struct ctr_buf *b, const char *h)
{
	uint8_t *to = ctr_buf_room(b, strlen(h) / 2);

	T_OK(ctr_hex_parse(h, strlen(h), to, strlen(h) / 2, e));
	ctr_buf_commit(b, strlen(h) / 2);
}

#define TEE_SNP                                                                                    \
	"63746565"                                                                                 \
	"63736e70"
#define TEE_TDX                                                                                    \
	"63746565"                                                                                 \
	"63746478"
#define REPORT                                                                                     \
	"667265706f7274"                                                                           \
	"4172"
#define CRL                                                                                        \
	"6363726c"                                                                                 \
	"4163"

static void refusals(void **state)
{
	static const struct {
		const char *text, *id;
	} cases[] = {
		{ "a1" TEE_SNP, "evidence.missing" },
		{ "a1" REPORT, "evidence.missing" },
		{ "a0", "evidence.missing" },
		{ "a3" TEE_SNP REPORT "617800", "evidence.key" },
		{ "a3" TEE_SNP REPORT "0100", "evidence.key" },
		{ "a3" TEE_SNP REPORT "8000", "evidence.key" },
		{ "a3" TEE_SNP REPORT TEE_SNP, "evidence.duplicate" },
		{ "a3" TEE_SNP REPORT "656365727473"
		  "a2"
		  "6361726b"
		  "4161"
		  "6361726b"
		  "4161",
		  "evidence.duplicate" },
		{ "a2" TEE_SNP "667265706f7274"
		  "6172",
		  "evidence.type" },
		{ "a2"
		  "63746565"
		  "63736778" REPORT,
		  "evidence.type" },
		{ "a2"
		  "63746565"
		  "01" REPORT,
		  "evidence.type" },
		{ "a3" TEE_SNP REPORT "656365727473"
		  "4161",
		  "evidence.type" },
		{ "a3" TEE_SNP REPORT "656365727473"
		  "a1"
		  "6361726b"
		  "81"
		  "4161",
		  "evidence.type" },
		{ "a3" TEE_SNP REPORT "656365727473"
		  "a1"
		  "6363726c"
		  "4161",
		  "evidence.key" },
		{ "a3" TEE_SNP REPORT "6a636f6c6c61746572616c"
		  "a0",
		  "evidence.key" },
		{ "a3" TEE_TDX REPORT CRL, "evidence.key" },
		{ "a3" TEE_TDX REPORT "656365727473"
		  "a0",
		  "evidence.key" },
		{ "a2" TEE_SNP "667265706f7274"
		  "40",
		  "evidence.size" },
		{ "a3" TEE_SNP REPORT "6363726c"
		  "40",
		  "evidence.size" },
		{ "a2" TEE_SNP REPORT "00", "evidence.cbor" },
		{ "bf" TEE_SNP REPORT "ff", "evidence.cbor" },
		{ "a3" TEE_SNP REPORT "656365727473"
		  "a1"
		  "6361726b"
		  "8181"
		  "80",
		  "evidence.cbor" },
		{ "63736e70", "evidence.type" },
		{ "80", "evidence.cmw" },
		{ "d9d9f7"
		  "a2" TEE_SNP REPORT,
		  "evidence.cmw" }, /* "self-described CBOR" is no CMW */
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ctr_auto_buf struct ctr_buf b = { 0 };
		auto_ev ev = { 0 };

		container(&b, cases[i].text);
		T_FAILS(parse(&b, &ev, e), CTR_FORMAT, cases[i].id);
	}
}

static void accepted_bare(void **state)
{
	static const char *const cases[] = {
		"a2" TEE_SNP REPORT,
		"a2" REPORT TEE_TDX, /* in any order */
		"a3" TEE_SNP REPORT "656365727473"
		"a0",
		"b90002" TEE_SNP REPORT,
		"da6374ffe7"
		"a2" TEE_SNP REPORT, /* tag forms */
		"da6374ffe7"
		"50"
		"a2" TEE_SNP REPORT,
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ctr_auto_buf struct ctr_buf b = { 0 };
		auto_ev ev = { 0 };

		container(&b, cases[i]);
		if (i == 5)
			b.p[5] = (char)(0x40 + b.n - 6);
		T_OK(parse(&b, &ev, e));
		assert_int_equal(ev.tee, i == 1 ? CTR_TEE_TDX : CTR_TEE_SNP);
		T_STR(ev.item[CTR_REPORT].p, "r");
	}
}

static void record(struct ctr_buf *b, size_t items, const char *type, const char *value)
{
	ctr_auto_buf struct ctr_buf in = { 0 };

	container(&in, value);
	ctr_cbor_array(b, items);
	ctr_cbor_text(b, type);
	ctr_cbor_bytes(b, in.p, in.n);
}

static void cmw(void **state)
{
	enum { GOOD, NUMBER, ONE, FOUR, TYPE, OTHER, TEXT, IND, IND0, NEST, TRAIL, CASES };

	(void)state;
	for (int i = 0; i < CASES; i++) {
		ctr_auto_buf struct ctr_buf b = { 0 };
		auto_ev ev = { 0 };
		size_t items = i == FOUR ? 4 : i == GOOD || i == NUMBER ? 2 : 3;

		if (i == NUMBER || i == OTHER) {
			ctr_cbor_array(&b, 2);
			ctr_cbor_uint(&b, i == OTHER ? 60 : 65000);
			ctr_cbor_bytes(&b,
				       "\xa2"
				       "ctee"
				       "csnp"
				       "freportAr",
				       18);
		} else if (i == ONE) {
			ctr_cbor_array(&b, 1);
			ctr_cbor_text(&b, MEDIA_TYPE);
		} else if (i == TEXT) {
			ctr_cbor_array(&b, 2);
			ctr_cbor_text(&b, MEDIA_TYPE);
			ctr_cbor_text(&b, "x");
		} else {
			record(&b, items, i == TYPE ? "application/cbor" : MEDIA_TYPE,
			       i == NEST    ? "8201"
					      "4100"
			       : i == TRAIL ? "a2" TEE_SNP REPORT "00"
					    : "a2" TEE_SNP REPORT);
			if (items >= 3)
				ctr_cbor_uint(&b, i == IND ? 2 : i == IND0 ? 0 : 4);
			if (items == 4)
				ctr_cbor_uint(&b, 4);
		}
		if (i == GOOD || i == NUMBER)
			T_OK(parse(&b, &ev, e));
		else
			T_FAILS(parse(&b, &ev, e), CTR_FORMAT,
				i == NEST    ? "evidence.type"
				: i == TRAIL ? "evidence.cbor"
					     : "evidence.cmw");
	}
}

static void sizes(void **state)
{
	size_t big = CTR_EVIDENCE_ITEM_MAX + 1;
	char *zeros = calloc(1, CTR_EVIDENCE_MAX + 1);
	ctr_auto_buf struct ctr_buf b = { 0 };
	auto_ev ev = { 0 }, many = { 0 };

	(void)state;
	assert_non_null(zeros);
	T_FAILS(ctr_evidence_parse((uint8_t *)zeros, CTR_EVIDENCE_MAX + 1, &ev, e), CTR_FORMAT,
		"evidence.size");
	ctr_cbor_map(&b, 2);
	ctr_cbor_text(&b, "tee");
	ctr_cbor_text(&b, "snp");
	ctr_cbor_text(&b, "report");
	ctr_cbor_bytes(&b, zeros, big);
	T_FAILS(parse(&b, &ev, e), CTR_FORMAT, "evidence.size");
	ctr_buf_reset(&b);
	set(&ev, CTR_REPORT, "r");
	ctr_buf_add(&ev.item[CTR_ASK], zeros, big);
	T_FAILS(ctr_evidence_print(&ev, &b, e), CTR_FORMAT, "evidence.size");
	fill(&many, CTR_TEE_SNP);
	for (int i = CTR_VCEK; i <= CTR_ARK; i++) {
		ctr_buf_reset(&many.item[i]);
		ctr_buf_add(&many.item[i], zeros, CTR_EVIDENCE_ITEM_MAX);
	}
	T_FAILS(ctr_evidence_print(&many, &b, e), CTR_FORMAT, "evidence.size");
	assert_int_equal(b.n, 0);
	free(zeros);
}

/* What would not be read again is not printed. */
static void print_refuses(void **state)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	auto_ev none = { 0 }, mixed = { 0 };

	(void)state;
	T_FAILS(ctr_evidence_print(&none, &b, e), CTR_FORMAT, "evidence.missing");
	fill(&mixed, CTR_TEE_SNP);
	mixed.tee = CTR_TEE_TDX;
	T_FAILS(ctr_evidence_print(&mixed, &b, e), CTR_FORMAT, "evidence.key");
	set(&mixed, CTR_ROOT_CRL, "x");
	mixed.tee = CTR_TEE_SNP;
	T_FAILS(ctr_evidence_print(&mixed, &b, e), CTR_FORMAT, "evidence.key");
}

static void as_text(const struct ctr_buf *raw, bool hex, struct ctr_buf *out)
{
	ctr_auto_buf struct ctr_buf one = { 0 };

	if (hex)
		ctr_hex_add(&one, raw->p, raw->n);
	else
		ctr_base64_add(&one, raw->p, raw->n);
	for (size_t i = 0; i < one.n; i++) {
		if (i % 76 == 0)
			ctr_buf_adds(out, i % 3 ? "\r\n" : "\n \t");
		ctr_buf_addc(out, hex && i % 2 ? (char)(one.p[i] >= 'a' ? one.p[i] - 32 : one.p[i])
					       : one.p[i]);
	}
	ctr_buf_addc(out, '\n');
}

/* The bytes themselves, and as text of either kind. */
static void reads_as(const struct ctr_buf *raw, enum ctr_tee tee, const void *report, size_t n)
{
	for (int k = 0; k < 3; k++) {
		ctr_auto_buf struct ctr_buf text = { 0 };
		auto_ev ev = { 0 };

		if (k == 0)
			ctr_buf_add(&text, raw->p, raw->n);
		else
			as_text(raw, k == 1, &text);
		T_OK(read_it(&text, &ev, e));
		assert_int_equal(ev.tee, tee);
		assert_int_equal(ev.item[CTR_REPORT].n, n);
		T_MEM(ev.item[CTR_REPORT].p, report, n);
	}
}

static void forms(void **state)
{
	ctr_auto_buf struct ctr_buf snp = { 0 }, quote = { 0 }, hcl = { 0 }, cbor = { 0 };
	uint8_t *p = ctr_buf_room(&snp, 1184);
	char zeros[2600] = "";
	auto_ev ev = { 0 };

	(void)state;
	for (size_t i = 0; i < 1184; i++)
		p[i] = (uint8_t)(i * 7);
	memcpy(p, "\x05\0\0\0\x81\0\0\0", 8); /* a guest SVN that looks like TDX's type */
	ctr_buf_commit(&snp, 1184);
	reads_as(&snp, CTR_TEE_SNP, snp.p, 1184);
	ctr_buf_add(&quote, "\x04\0\x02\0\x81\0\0\0", 8);
	ctr_buf_add(&quote, snp.p, 1176); /* as long as an SNP report */
	reads_as(&quote, CTR_TEE_TDX, quote.p, quote.n);
	ctr_buf_add(&hcl, "HCLA", 4);
	ctr_buf_add(&hcl, zeros, 28);
	ctr_buf_add(&hcl, snp.p, 1184);
	ctr_buf_add(&hcl, "\x6a\x04\0\0\1\0\0\0\2\0\0\0", 12);
	ctr_buf_add(&hcl, zeros, 100);
	reads_as(&hcl, CTR_TEE_SNP, snp.p, 1184);
	fill(&ev, CTR_TEE_TDX);
	T_OK(ctr_evidence_print(&ev, &cbor, e));
	reads_as(&cbor, CTR_TEE_TDX, "report", 6);
}

static void no_form(void **state)
{
	char report[1185] = "\x02", hcl[1300] = "HCLA", *big = calloc(1, 3 * CTR_EVIDENCE_MAX + 1);
	static const char *const texts[] = { "",    "\n",      "abc",	 "QUJD*",
					     "QUI", "0200000", "hello!", "020000" };
	auto_ev ev = { 0 };

	(void)state;
	assert_non_null(big);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		T_FAILS(ctr_evidence_read((const uint8_t *)texts[i], strlen(texts[i]), &ev, e),
			CTR_FORMAT, "evidence.form");
	T_FAILS(ctr_evidence_read((uint8_t *)report, 1183, &ev, e), CTR_FORMAT, "evidence.form");
	T_FAILS(ctr_evidence_read((uint8_t *)report, 1185, &ev, e), CTR_FORMAT, "evidence.form");
	/* HCL: of TDX, of another kind, cut */
	hcl[1224] = 4;
	T_FAILS(ctr_evidence_read((uint8_t *)hcl, sizeof hcl, &ev, e), CTR_FORMAT, "evidence.form");
	hcl[1224] = 3;
	T_FAILS(ctr_evidence_read((uint8_t *)hcl, sizeof hcl, &ev, e), CTR_FORMAT, "evidence.form");
	hcl[1224] = 2;
	T_FAILS(ctr_evidence_read((uint8_t *)hcl, 1227, &ev, e), CTR_FORMAT, "evidence.form");
	T_OK(ctr_evidence_read((uint8_t *)hcl, 1228, &ev, e));
	T_FAILS(ctr_evidence_read((uint8_t *)big, 3 * CTR_EVIDENCE_MAX + 1, &ev, e), CTR_FORMAT,
		"evidence.size");
	memcpy(big, "\x04\0\x02\0\x81", 5);
	T_FAILS(ctr_evidence_read((uint8_t *)big, CTR_EVIDENCE_ITEM_MAX + 1, &ev, e), CTR_FORMAT,
		"evidence.size");
	free(big);
}

static void real_hcl(void **state)
{
	const char *base = t_shared("attestation/vectors/snp/real/milan-v2-azure");
	char path[600];
	struct ctr_buf hcl, report;
	auto_ev ev = { 0 };

	(void)state;
	snprintf(path, sizeof path, "%s/hcl-report.bin", base);
	hcl = t_file(path);
	snprintf(path, sizeof path, "%s/report.bin", base);
	report = t_file(path);
	T_OK(read_it(&hcl, &ev, e));
	assert_int_equal(ev.item[CTR_REPORT].n, report.n);
	T_MEM(ev.item[CTR_REPORT].p, report.p, report.n);
	ctr_buf_free(&hcl);
	ctr_buf_free(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),	 cmocka_unit_test(encoding),
		cmocka_unit_test(truncation),	 cmocka_unit_test(mutation),
		cmocka_unit_test(refusals),	 cmocka_unit_test(accepted_bare),
		cmocka_unit_test(cmw),		 cmocka_unit_test(sizes),
		cmocka_unit_test(print_refuses), cmocka_unit_test(forms),
		cmocka_unit_test(no_form),	 cmocka_unit_test(real_hcl),
	};

	return cmocka_run_group_tests_name("evidence", tests, NULL, NULL);
}
