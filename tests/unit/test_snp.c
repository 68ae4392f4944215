#include "snp.h"

#include "t.h"

/* A report in which every byte of a field says which field it is, and what is reserved is as it
 * must be. */
static void make(uint8_t b[CTR_SNP_REPORT_SIZE], unsigned version)
{
	static const struct {
		size_t at, n;
		uint8_t v;
	} fill[] = {
		{ 0x010, 16, 1 }, { 0x020, 16, 2 },  { 0x038, 8, 3 },	{ 0x050, 64, 4 },
		{ 0x090, 48, 5 }, { 0x0c0, 32, 6 },  { 0x0e0, 48, 7 },	{ 0x110, 48, 8 },
		{ 0x140, 32, 9 }, { 0x160, 32, 10 }, { 0x180, 8, 11 },	{ 0x1a0, 64, 12 },
		{ 0x1e0, 8, 13 }, { 0x1f0, 8, 14 },  { 0x2a0, 48, 15 }, { 0x2e8, 48, 16 },
	};

	memset(b, 0, CTR_SNP_REPORT_SIZE);
	for (size_t i = 0; i < sizeof fill / sizeof *fill; i++)
		memset(b + fill[i].at, fill[i].v, fill[i].n);
	b[0] = (uint8_t)version;
	b[0x04] = 0x21, b[0x07] = 0x43;			/* GUEST_SVN */
	b[0x08] = 0x37, b[0x09] = 0x01, b[0x0a] = 0x03; /* POLICY: ABI 1.55, SMT */
	b[0x30] = 2;					/* VMPL */
	b[0x34] = 1;					/* SIGNATURE_ALGO */
	b[0x40] = 0x25, b[0x47] = 0x80;			/* PLATFORM_INFO */
	b[0x48] = 0x05;					/* SIGNER_INFO */
	b[0x1e8] = 29, b[0x1e9] = 55, b[0x1ea] = 1;
	b[0x1ec] = 28, b[0x1ed] = 54, b[0x1ee] = 2;
	if (version >= 3)
		b[0x188] = 0x19, b[0x189] = 0x11, b[0x18a] = 2;
	if (version >= 5)
		b[0x1f8] = 3, b[0x1ff] = 0x80, b[0x200] = 1, b[0x207] = 0x40;
}

static void is(const uint8_t *p, size_t n, uint8_t v)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(p[i], v);
}

static void fields(void **state)
{
	(void)state;
	for (unsigned version = 2; version <= 5; version++) {
		uint8_t b[CTR_SNP_REPORT_SIZE];
		struct ctr_snp_report r;

		make(b, version);
		T_OK(ctr_snp_parse(b, sizeof b, &r, e));
		T_MEM(r.raw, b, sizeof b);
		is(r.family_id, 16, 1), is(r.image_id, 16, 2), is(r.current_tcb, 8, 3),
			is(r.report_data, 64, 4);
		is(r.measurement, 48, 5), is(r.host_data, 32, 6), is(r.id_key_digest, 48, 7),
			is(r.author_key_digest, 48, 8);
		is(r.report_id, 32, 9), is(r.report_id_ma, 32, 10), is(r.reported_tcb, 8, 11),
			is(r.chip_id, 64, 12);
		is(r.committed_tcb, 8, 13), is(r.launch_tcb, 8, 14), is(r.r, 48, 15),
			is(r.s, 48, 16);
		assert_int_equal(r.version, version);
		assert_int_equal(r.guest_svn, 0x43000021);
		assert_int_equal(r.policy, 0x30137);
		assert_int_equal(r.vmpl, 2);
		assert_true(r.platform_info == UINT64_C(0x8000000000000025));
		assert_int_equal(r.signer_info, 5);
		assert_int_equal(ctr_snp_signing_key(&r), CTR_SNP_VLEK);
		assert_int_equal(r.current.major << 16 | r.current.minor << 8 | r.current.build,
				 1 << 16 | 55 << 8 | 29);
		assert_int_equal(r.committed.major << 16 | r.committed.minor << 8 |
					 r.committed.build,
				 2 << 16 | 54 << 8 | 28);
		assert_int_equal(r.cpuid_model, version >= 3 ? 0x11 : 0);
		assert_int_equal(ctr_snp_cpuid_product(&r),
				 version >= 3 ? CTR_GENOA : CTR_PRODUCTS);
		assert_true(r.launch_mit == (version >= 5 ? UINT64_C(0x8000000000000003) : 0));
		assert_true(r.current_mit == (version >= 5 ? UINT64_C(0x4000000000000001) : 0));
	}
}

/* Each byte of what is reserved; some of it has a meaning in later versions. */
static void reserved(void **state)
{
	static const struct {
		size_t from, to;
		unsigned versions; /* bits */
		const char *id;
	} rows[] = {
		{ 0x00b, 0x010, 0x3c, "snp.reserved" }, /* POLICY above bit 25 */
		{ 0x04c, 0x050, 0x3c, "snp.reserved" },
		{ 0x188, 0x18b, 0x04, "snp.reserved" }, /* CPUID came with version 3 */
		{ 0x18b, 0x1a0, 0x3c, "snp.reserved" },
		{ 0x1eb, 0x1ec, 0x3c, "snp.reserved" },
		{ 0x1ef, 0x1f0, 0x3c, "snp.reserved" },
		{ 0x1f8, 0x208, 0x1c, "snp.reserved" }, /* mitigation vectors with version 5 */
		{ 0x208, 0x2a0, 0x3c, "snp.reserved" },
		{ 0x2d0, 0x2e8, 0x3c, "snp.reserved" },
		{ 0x318, 0x4a0, 0x3c, "snp.reserved" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		for (unsigned version = 2; version <= 5; version++) {
			for (size_t at = rows[i].from; at < rows[i].to; at++) {
				uint8_t b[CTR_SNP_REPORT_SIZE];
				struct ctr_snp_report r;

				make(b, version);
				b[at] ^= 0x80;
				if (rows[i].versions >> version & 1)
					T_FAILS(ctr_snp_parse(b, sizeof b, &r, e), CTR_FORMAT,
						rows[i].id);
				else
					T_OK(ctr_snp_parse(b, sizeof b, &r, e));
			}
		}
	}
}

static void one_change(void **state)
{
	static const struct {
		size_t at;
		uint8_t to;
		const char *id;
	} rows[] = {
		{ 0x000, 0, "snp.version" },  { 0x000, 1, "snp.version" },
		{ 0x000, 6, "snp.version" },  { 0x003, 1, "snp.version" },
		{ 0x00a, 1, "snp.reserved" }, /* bit 17 is one */
		{ 0x00b, 4, "snp.reserved" }, { 0x030, 4, "snp.field" },
		{ 0x033, 1, "snp.field" },    { 0x034, 0, "snp.field" },
		{ 0x034, 2, "snp.field" },    { 0x048, 0x25, "snp.reserved" },
		{ 0x04b, 1, "snp.reserved" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t b[CTR_SNP_REPORT_SIZE];
		struct ctr_snp_report r;

		make(b, 3);
		b[rows[i].at] = rows[i].to;
		T_FAILS(ctr_snp_parse(b, sizeof b, &r, e), CTR_FORMAT, rows[i].id);
	}
}

static void lengths(void **state)
{
	static uint8_t b[2 * CTR_SNP_REPORT_SIZE];
	struct ctr_snp_report r;

	(void)state;
	make(b, 3);
	for (size_t n = 0; n <= sizeof b; n++) {
		if (n == CTR_SNP_REPORT_SIZE)
			T_OK(ctr_snp_parse(b, n, &r, e));
		else
			T_FAILS(ctr_snp_parse(b, n, &r, e), CTR_FORMAT, "snp.length");
	}
}

/* Where each part of a TCB stands, and that nothing else may be set. */
static void tcb_layouts(void **state)
{
	static const struct {
		enum ctr_snp_product product;
		int part[8]; /* -1: reserved */
	} rows[] = {
		{ CTR_MILAN,
		  { CTR_TCB_BOOTLOADER, CTR_TCB_TEE, -1, -1, -1, -1, CTR_TCB_SNP,
		    CTR_TCB_MICROCODE } },
		{ CTR_GENOA,
		  { CTR_TCB_BOOTLOADER, CTR_TCB_TEE, -1, -1, -1, -1, CTR_TCB_SNP,
		    CTR_TCB_MICROCODE } },
		{ CTR_TURIN,
		  { CTR_TCB_FMC, CTR_TCB_BOOTLOADER, CTR_TCB_TEE, CTR_TCB_SNP, -1, -1, -1,
		    CTR_TCB_MICROCODE } },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		for (int at = 0; at < 8; at++) {
			uint8_t tcb[8] = { 0 };
			struct ctr_snp_svn svn;
			int rc;

			tcb[at] = 77;
			rc = ctr_snp_svn(rows[i].product, tcb, &svn);
			assert_int_equal(rc, rows[i].part[at] < 0 ? -1 : 0);
			for (int k = 0; k < CTR_TCB_N; k++)
				assert_int_equal(svn.v[k], rows[i].part[at] == k ? 77 : 0);
		}
	}
	assert_int_equal(ctr_snp_svn_n(CTR_MILAN), 4);
	assert_int_equal(ctr_snp_svn_n(CTR_TURIN), 5);
}

static void products(void **state)
{
	static const struct {
		uint8_t family, model;
		enum ctr_snp_product p;
	} rows[] = {
		{ 0x19, 0x00, CTR_MILAN },    { 0x19, 0x0f, CTR_MILAN },
		{ 0x19, 0x10, CTR_GENOA },    { 0x19, 0x1f, CTR_GENOA },
		{ 0x19, 0x20, CTR_PRODUCTS }, { 0x19, 0x9f, CTR_PRODUCTS },
		{ 0x19, 0xa0, CTR_GENOA },    { 0x19, 0xaf, CTR_GENOA },
		{ 0x19, 0xb0, CTR_PRODUCTS }, { 0x1a, 0x02, CTR_TURIN },
		{ 0x1a, 0x11, CTR_TURIN },    { 0x1a, 0x12, CTR_PRODUCTS },
		{ 0x17, 0x31, CTR_PRODUCTS }, { 0x00, 0x00, CTR_PRODUCTS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ctr_snp_report r = { .version = 3,
					    .cpuid_family = rows[i].family,
					    .cpuid_model = rows[i].model };

		assert_int_equal(ctr_snp_cpuid_product(&r), rows[i].p);
		r.version = 2;
		assert_int_equal(ctr_snp_cpuid_product(&r), CTR_PRODUCTS);
	}
	assert_int_equal(ctr_snp_product_find("Genoa", 5), CTR_GENOA);
	assert_int_equal(ctr_snp_product_find("Genoa-B0", 5), CTR_GENOA);
	assert_int_equal(ctr_snp_product_find("genoa", 5), CTR_PRODUCTS);
	assert_int_equal(ctr_snp_product_find("Gen", 3), CTR_PRODUCTS);
	assert_int_equal(ctr_snp_product_find("", 0), CTR_PRODUCTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields),      cmocka_unit_test(reserved),
		cmocka_unit_test(one_change),  cmocka_unit_test(lengths),
		cmocka_unit_test(tcb_layouts), cmocka_unit_test(products),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
