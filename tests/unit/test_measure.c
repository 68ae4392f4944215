/* needs: tools/ctr-manifest/firmware.c tools/ctr-manifest/launch.c tools/ctr-manifest/vmsa.c */
/* needs: tools/ctr-manifest/igvm.c tools/ctr-manifest/mrtd.c tools/ctr-manifest/pe.c */
/* needs: tests/sim/guest.c */
/* The expected digests come from a second implementation, written for this from the same
 * specifications. */
#include "t.h"

#include "../../tools/ctr-manifest/igvm.h"
#include "../../tools/ctr-manifest/mrtd.h"
#include "../sim/guest.h"
#include "enc.h"

static void is(const uint8_t digest[48], const char *want)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	ctr_hex_add(&b, digest, 48);
	T_STR(ctr_buf_str(&b), want);
}

static int snp(const struct ctr_buf *image, const struct launch_vm *vm, uint8_t out[48],
	       struct ctr_err *e)
{
	struct launch l = { 0 };
	struct firmware fw;

	if (firmware_snp(image->p, image->n, &fw, e) < 0 || launch_firmware(&l, &fw, e) < 0 ||
	    launch_rest(&l, &fw, vm, e) < 0)
		return -1;
	memcpy(out, l.digest, 48);
	return 0;
}

static void launch_digests(void **s)
{
	static const struct {
		struct launch_vm vm;
		const char *want;
	} cases[] = {
		{ { VMM_QEMU, 0xa00f11, 1, 1, NULL },
		  "aac425e9171f39d0995ed9aeee0a114c07ffcb13720ce16736a8cba354ffa3b2bb54db1c6f719409"
		  "7ae98f2ae2c2c54e" },
		{ { VMM_QEMU, 0x800f12, 3, 0x21, NULL },
		  "12cc67dbba133ce9bccb77c1dab8668890d5c43250dd66453bd479ccd5346353ca6a5f30b97b7b07"
		  "eb658033630738b4" },
		{ { VMM_EC2, 0x800f12, 2, 1, NULL },
		  "626a3b17caffad1185401b238c27ed9942d9fbec8d53fca628f3277058c28daecff2a06bafd3da02"
		  "7288dc6b44870589" },
		{ { VMM_GCE, 0x800f12, 2, 1, NULL },
		  "b159fb96a29b4043216ca883ca16ca725d7ddd16b049b1d7f2d487438d42dc25a09059c53e63e6c9"
		  "f24e137d329ef289" },
	};
	ctr_auto_buf struct ctr_buf image = { 0 };
	uint8_t digest[48];

	(void)s;
	guest_firmware(&image);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		T_OK(snp(&image, &cases[i].vm, digest, e));
		is(digest, cases[i].want);
	}
}

static void direct_boot(void **s)
{
	ctr_auto_buf struct ctr_buf image = { 0 }, kernel = { 0 };
	struct launch_kernel k;
	struct launch_vm vm = { VMM_QEMU, 0xa10f10, 2, 1, &k };
	uint8_t digest[48];

	(void)s;
	guest_firmware(&image);
	guest_pe(&kernel);
	T_OK(ctr_hash(CTR_SHA256, kernel.p, kernel.n, k.kernel, e));
	T_OK(ctr_hash(CTR_SHA256, "initrd", 6, k.initrd, e));
	T_OK(ctr_hash(CTR_SHA256, "console=hvc0", 13, k.cmdline, e));
	T_OK(snp(&image, &vm, digest, e));
	is(digest, "da1882f587935f87681ee45d611e9d82b882c9f2a3552f42c642c1dc620f2114ab1cb21e77f8417"
		   "89776f1c24c8b57ac");
}

/* Changes n bytes at `back` from the end to v, and expects this refusal. */
static void bad_snp(size_t back, uint64_t v, size_t n, const char *id)
{
	ctr_auto_buf struct ctr_buf image = { 0 };
	struct firmware fw;

	guest_firmware(&image);
	guest_put(&image, image.n - back, v, n);
	T_FAILS(firmware_snp(image.p, image.n, &fw, e), CTR_FORMAT, id);
}

static void firmware_refusals(void **s)
{
	const size_t first = 0x800 - 16; /* of the sections */

	(void)s;
	bad_snp(48, 0, 1, "firmware.table");  /* GUID of the footer */
	bad_snp(50, 17, 2, "firmware.table"); /* length */
	bad_snp(50, 0xffff, 2, "firmware.table");
	bad_snp(50, 109, 2, "firmware.table"); /* cuts an entry */
	bad_snp(68, 0, 2, "firmware.table");   /* an entry without end */
	bad_snp(68, 0xffff, 2, "firmware.table");
	bad_snp(66, 0, 1, "firmware.entry");	   /* no reset block */
	bad_snp(68, 22 + 22, 2, "firmware.entry"); /* one that is too long */
	bad_snp(110, 0, 1, "firmware.entry");	   /* no SEV metadata */
	bad_snp(134, 18 + 4, 2, "firmware.table");
	bad_snp(112, 22 + 26, 2, "firmware.entry"); /* a pointer that is too long */
	bad_snp(116, 15, 4, "firmware.metadata");
	bad_snp(116, 0x2001, 4, "firmware.metadata");
	bad_snp(116, 0xffffffff, 4, "firmware.metadata");
	bad_snp(0x800, 0, 1, "firmware.metadata");	/* signature */
	bad_snp(0x800 - 4, 15, 4, "firmware.metadata"); /* length */
	bad_snp(0x800 - 4, 0xffffffff, 4, "firmware.metadata");
	bad_snp(0x800 - 8, 2, 4, "firmware.metadata");	/* version */
	bad_snp(0x800 - 12, 7, 4, "firmware.metadata"); /* count */
	bad_snp(0x800 - 12, 0xffffffff, 4, "firmware.metadata");
	bad_snp(first - 8, 0, 4, "firmware.section"); /* type */
	bad_snp(first - 8, 5, 4, "firmware.section");
	bad_snp(first - 8, 0x11, 4, "firmware.section");
	bad_snp(first, 0x800001, 4, "firmware.section");   /* address */
	bad_snp(first - 4, 0x9001, 4, "firmware.section"); /* size */
	bad_snp(first - 4, 0xfffff000, 4, "firmware.section");
	bad_snp(first - 4, 0x7f000000, 4, "firmware.section");
	bad_snp(first - 16, 0x2000, 4, "firmware.section"); /* two pages of secrets */
}

static void firmware_sizes(void **s)
{
	ctr_auto_buf struct ctr_buf image = { 0 };
	struct firmware fw;

	(void)s;
	guest_firmware(&image);
	T_FAILS(firmware_snp(NULL, 0, &fw, e), CTR_FORMAT, "firmware.size");
	T_FAILS(firmware_snp(image.p, image.n - 1, &fw, e), CTR_FORMAT, "firmware.size");
	T_FAILS(firmware_tdx(image.p, 4095, &fw, e), CTR_FORMAT, "firmware.size");
	T_FAILS(firmware_snp(image.p, FIRMWARE_MAX + FIRMWARE_PAGE, &fw, e), CTR_FORMAT,
		"firmware.size");
	T_FAILS(firmware_snp(image.p, 4096, &fw, e), CTR_FORMAT, "firmware.table");
}

static void an_entry_twice(void **s)
{
	ctr_auto_buf struct ctr_buf image = { 0 };
	struct firmware fw;

	(void)s;
	guest_firmware(&image);
	memcpy(image.p + image.n - 88, image.p + image.n - 110,
	       16); /* the TDX entry becomes a second one for SEV */
	T_FAILS(firmware_snp(image.p, image.n, &fw, e), CTR_FORMAT, "firmware.entry");
	T_FAILS(firmware_tdx(image.p, image.n, &fw, e), CTR_FORMAT, "firmware.entry");
}

static void no_place_for_kernel_hashes(size_t back, uint64_t v)
{
	static const struct launch_kernel k;
	struct launch_vm vm = { VMM_QEMU, 0xa10f10, 1, 1, &k };
	ctr_auto_buf struct ctr_buf image = { 0 };
	uint8_t digest[48];

	guest_firmware(&image);
	guest_put(&image, image.n - back, v, 4);
	T_FAILS(snp(&image, &vm, digest, e), CTR_FORMAT, "firmware.kernel-hashes");
	vm.kernel = NULL;
	T_OK(snp(&image, &vm, digest, e));
}

static void kernel_hashes_refusals(void **s)
{
	const size_t fifth = 0x800 - 16 - 4 * 12;

	(void)s;
	no_place_for_kernel_hashes(fifth - 8, 4); /* no such section: "launch-x64-kernel-refused" */
	no_place_for_kernel_hashes(fifth - 4, 0x2000); /* two pages */
	no_place_for_kernel_hashes(fifth, 0x900000);   /* the area is elsewhere */
	no_place_for_kernel_hashes(132, 0);	       /* no area */
	no_place_for_kernel_hashes(142, 0x810f51);     /* it ends behind the page */
	no_place_for_kernel_hashes(138, 175);	       /* too small */
}

static int td(const struct ctr_buf *image, bool by_section, uint8_t out[48], struct ctr_err *e)
{
	struct firmware fw;

	return firmware_tdx(image->p, image->n, &fw, e) < 0 ? -1 : mrtd(&fw, by_section, out, e);
}

static void mrtd_digests(void **s)
{
	ctr_auto_buf struct ctr_buf image = { 0 };
	uint8_t digest[48];

	(void)s;
	guest_firmware(&image);
	T_OK(td(&image, false, digest, e));
	is(digest, "da0688e5d6461caff1e92e8f8ddc7af384725026b78611a86c466145983d07ea127fd410445f6df"
		   "59bb2565c0b7defea");
	T_OK(td(&image, true, digest, e));
	is(digest, "99da4674c8ca01960debf55f5ffd93a164c11f03ad3a3c5b6b7f17069b763b474f86b203c25a2a6"
		   "4c212f4ac43a20fc3");
}

static void bad_tdx(size_t back, uint64_t v, size_t n, const char *id)
{
	ctr_auto_buf struct ctr_buf image = { 0 };
	struct firmware fw;

	guest_firmware(&image);
	guest_put(&image, image.n - back, v, n);
	T_FAILS(firmware_tdx(image.p, image.n, &fw, e), CTR_FORMAT, id);
}

static void tdvf_refusals(void **s)
{
	const size_t first = 0x600 - 16;

	(void)s;
	bad_tdx(88, 0, 1, "firmware.entry");
	bad_tdx(94, 0xffff, 4, "firmware.metadata");
	bad_tdx(0x600, 'X', 1, "firmware.metadata");
	bad_tdx(0x600 - 8, 0, 4, "firmware.metadata");
	bad_tdx(0x600 - 12, 6, 4, "firmware.metadata");
	bad_tdx(first, 0x1001, 4, "firmware.section"); /* data behind the end */
	bad_tdx(first, 0xffffffff, 4, "firmware.section");
	bad_tdx(first - 4, 0x1001, 4, "firmware.section");  /* more data than memory */
	bad_tdx(first - 8, 1, 1, "firmware.section");	    /* address */
	bad_tdx(first - 16, 0x1001, 4, "firmware.section"); /* size */
	bad_tdx(first - 16, 0x40000000, 8, "firmware.section");
	bad_tdx(first - 16, 0xfffffffffffff000, 8, "firmware.section");
	bad_tdx(first - 24, 7, 4, "firmware.section"); /* type */
	bad_tdx(first - 28, 4, 4, "firmware.section"); /* attributes */
	bad_tdx(first - 28, 3, 4, "firmware.section"); /* measured, yet not added */
}

static void igvm_digests(void **s)
{
	(void)s;
	for (unsigned version = 1; version <= 2; version++) {
		ctr_auto_buf struct ctr_buf f = { 0 };
		struct launch l = { 0 }, native = { 0 };
		bool kvm = false;

		guest_igvm(&f, version);
		T_OK(igvm_snp(f.p, f.n, false, &l, &kvm, e));
		assert_true(kvm);
		is(l.digest, "334e71c506ebaa483de7bac4ce4e077ad1c858141d6cb4a46cad0ed69f25673655cee"
			     "90a415fb870d888fe64a583c58d");
		T_OK(igvm_snp(f.p, f.n, true, &native, &kvm, e));
		is(native.digest, "c6019c4f4b5049dd412adad8b647053fa24bbfc05dfe4201b82c8552960e33d5"
				  "3a62fe36ba50ba20c99ad35ba7217d9f");
	}
}

/* Changes n bytes at `at` of a version 1 file, mends the checksum, and expects this refusal. */
static void bad_igvm(size_t at, uint64_t v, size_t n, const char *id)
{
	ctr_auto_buf struct ctr_buf f = { 0 };
	struct launch l = { 0 };
	bool kvm;

	guest_igvm(&f, 1);
	guest_put(&f, at, v, n);
	guest_igvm_crc(&f);
	T_FAILS(igvm_snp(f.p, f.n, false, &l, &kvm, e), CTR_FORMAT, id);
}

static void igvm_refusals(void **s)
{
	const size_t snp = 24 + 24, policy = snp + 24, area = policy + 24, page = area + 24,
		     insert = page + 8 * 32, count = insert + 24, context = count + 16;

	(void)s;
	bad_igvm(0, 'X', 1, "igvm.header");
	bad_igvm(4, 0, 4, "igvm.header"); /* version */
	bad_igvm(4, 3, 4, "igvm.header");
	bad_igvm(16, 4096, 4, "igvm.header");	   /* size of the file */
	bad_igvm(snp + 13, 1, 1, "igvm.platform"); /* no SEV-SNP */
	bad_igvm(snp + 8, 3, 1, "igvm.platform");  /* not one bit */
	bad_igvm(snp + 8, 0, 1, "igvm.platform");
	bad_igvm(24 + 13, 2, 1, "igvm.platform"); /* twice */
	bad_igvm(24 + 4, 5, 4, "igvm.directive");
	bad_igvm(policy, 0, 4, "igvm.directive"); /* types that nobody knows */
	bad_igvm(policy, 0x314, 4, "igvm.directive");
	bad_igvm(policy, 0x80000302, 4, "igvm.directive");
	bad_igvm(policy + 4, 0xfffffff0, 4, "igvm.directive");
	bad_igvm(area + 8, 0, 8, "igvm.directive");
	bad_igvm(area + 8, 0x1001, 8, "igvm.directive");
	bad_igvm(area + 8, (uint64_t)1 << 33, 8, "limit");
	bad_igvm(page + 4, 16, 4, "igvm.directive"); /* too short */
	bad_igvm(page + 8, 0x1001, 8, "igvm.directive");
	bad_igvm(page + 20, 0xffffff, 4, "igvm.data");
	bad_igvm(page + 24, 1, 4, "igvm.directive"); /* 2 MiB */
	bad_igvm(page + 24, 8, 4, "igvm.directive");
	bad_igvm(page + 28, 4, 2, "igvm.directive");   /* type of data */
	bad_igvm(page + 30, 1, 2, "igvm.directive");   /* reserved */
	bad_igvm(insert + 20, 8, 4, "igvm.directive"); /* no such area */
	bad_igvm(insert + 8, 1, 1, "igvm.directive");
	bad_igvm(context + 20, 0xffffff, 4, "igvm.data");
	bad_igvm(context + 8, 1, 1, "igvm.directive");
	bad_igvm(context + 26, 1, 1, "igvm.directive");
}

/* KVM has its own place and time for a processor's state. */
static void igvm_for_kvm(void **s)
{
	const size_t page = 24 + 4 * 24, context = page + 8 * 32 + 24 + 16;
	ctr_auto_buf struct ctr_buf f = { 0 };
	struct launch l = { 0 };
	bool kvm = true;

	(void)s;
	guest_igvm(&f, 1);
	guest_put(&f, context + 8, 0x10000, 8);
	guest_igvm_crc(&f);
	T_OK(igvm_snp(f.p, f.n, false, &l, &kvm, e));
	assert_false(kvm);
	guest_put(&f, context + 16, 2, 4); /* for TDX: none is left */
	guest_igvm_crc(&f);
	kvm = true;
	T_OK(igvm_snp(f.p, f.n, false, &l, &kvm, e));
	assert_false(kvm);
}

static void igvm_checksum_and_cuts(void **s)
{
	ctr_auto_buf struct ctr_buf f = { 0 };
	struct launch l = { 0 };
	bool kvm;

	(void)s;
	guest_igvm(&f, 2);
	for (size_t n = 0; n < f.n; n += n < 600 ? 1 : 97)
		T_FAILS(igvm_snp(f.p, n, false, &l, &kvm, e), CTR_FORMAT, "igvm.header");
	f.p[50] ^= 1;
	T_FAILS(igvm_snp(f.p, f.n, false, &l, &kvm, e), CTR_FORMAT, "igvm.checksum");
	f.p[50] ^= 1;
	guest_put(&f, 24, 1, 4); /* architecture */
	guest_igvm_crc(&f);
	T_FAILS(igvm_snp(f.p, f.n, false, &l, &kvm, e), CTR_FORMAT, "igvm.header");
}

static void registers(void **s)
{
	ctr_auto_buf struct ctr_buf pe = { 0 };
	uint8_t digest[48], initrd[48];

	(void)s;
	guest_pe(&pe);
	T_OK(pe_digest(pe.p, pe.n, digest, e));
	is(digest, "366ae2a86d50d8969990763e78fb46c8495951e156d2fd7c9b447a7c845424b506fbe70da436448"
		   "7663203b93f7535f2");
	T_OK(rtmr1_direct(pe.p, pe.n, true, digest, e));
	is(digest, "6ff04189b613f244b3ab611b01f285286e1d6e190c2ed30f031ea6c5fcf2b9ea713e66c2a4a3878"
		   "014e0f9ba65444260");
	T_OK(rtmr1_direct(pe.p, pe.n, false, digest, e));
	is(digest, "13c036edf01bdb3252825f1f31dd1e219f8c32aa9c8c9663beabcb571bf9ed4e7c37948b914e9f6"
		   "0e22db819448a5567");
	T_OK(rtmr2_direct("console=hvc0", NULL, digest, e));
	is(digest, "2392480552c81c55a64283523191f66aa2ef465545ffb29dc4486a4b9f8a7c4e5cb6795fbddad86"
		   "5defe6bd88c7aedb3");
	T_OK(ctr_hash(CTR_SHA384, "initrd", 6, initrd, e));
	T_OK(rtmr2_direct("initrd=initrd console=hvc0", initrd, digest, e));
	is(digest, "c6bc8e0a4a7b7dd5ea47128afc4b48d33f38d639433129beb19e97fee2215d4330e7b970c3a8913"
		   "0f699198253284ac5");
}

/* The checksum and the certificates are what the digest leaves out. */
static void what_a_pe_digest_covers(void **s)
{
	ctr_auto_buf struct ctr_buf pe = { 0 };
	uint8_t good[48], other[48];

	(void)s;
	guest_pe(&pe);
	T_OK(pe_digest(pe.p, pe.n, good, e));
	for (size_t i = 0x200; i < pe.n; i++) {
		pe.p[i] ^= 1;
		T_OK(pe_digest(pe.p, pe.n, other, e));
		assert_int_equal(memcmp(good, other, 48) == 0, i >= 0x700);
		pe.p[i] ^= 1;
	}
	guest_put(&pe, 0x58 + 64, 0, 4);
	T_OK(pe_digest(pe.p, pe.n, other, e));
	T_MEM(good, other, 48);
}

static void bad_pe(size_t at, uint64_t v, size_t n)
{
	ctr_auto_buf struct ctr_buf pe = { 0 };
	uint8_t digest[48];

	guest_pe(&pe);
	guest_put(&pe, at, v, n);
	T_FAILS(pe_digest(pe.p, pe.n, digest, e), CTR_FORMAT, "kernel.pe");
}

static void pe_refusals(void **s)
{
	ctr_auto_buf struct ctr_buf pe = { 0 };
	uint8_t digest[48];

	(void)s;
	bad_pe(0, 'X', 1);
	bad_pe(0x3c, 0xfffffff0, 4);
	bad_pe(0x40, 'X', 1);
	bad_pe(0x46, 97, 2);	    /* sections */
	bad_pe(0x54, 0xffff, 2);    /* optional header */
	bad_pe(0x58, 0x10b, 2);	    /* 32 bits */
	bad_pe(0x58 + 60, 0x40, 4); /* headers */
	bad_pe(0x58 + 60, 0xffffffff, 4);
	bad_pe(0x58 + 108, 4, 4);     /* directories */
	bad_pe(0x58 + 144, 0x6f8, 4); /* certificates */
	bad_pe(0x58 + 144, 0xffffffff, 4);
	bad_pe(0x58 + 160 + 20, 0x300, 4); /* sections that overlap */
	bad_pe(0x58 + 160 + 20, 0x408, 4); /* a gap */
	bad_pe(0x58 + 160 + 16, 0xffffffff, 4);
	guest_pe(&pe);
	for (size_t n = 0; n < pe.n; n++)
		T_FAILS(pe_digest(pe.p, n, digest, e), CTR_FORMAT, "kernel.pe");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(launch_digests),    cmocka_unit_test(direct_boot),
		cmocka_unit_test(firmware_refusals), cmocka_unit_test(firmware_sizes),
		cmocka_unit_test(an_entry_twice),    cmocka_unit_test(kernel_hashes_refusals),
		cmocka_unit_test(mrtd_digests),	     cmocka_unit_test(tdvf_refusals),
		cmocka_unit_test(igvm_digests),	     cmocka_unit_test(igvm_refusals),
		cmocka_unit_test(igvm_for_kvm),	     cmocka_unit_test(igvm_checksum_and_cuts),
		cmocka_unit_test(registers),	     cmocka_unit_test(what_a_pe_digest_covers),
		cmocka_unit_test(pe_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
