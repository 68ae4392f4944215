#include "launch.h"

#include <string.h>

#define PAGE_INFO 0x70
#define HASHES_TABLE 176 /* the table and its padding */
#define HASHES_LENGTH 168

static void put_le(uint8_t *p, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++, v >>= 8)
		p[i] = (uint8_t)v;
}

int launch_page(struct launch *l, enum launch_page type, uint64_t gpa, const uint8_t *contents,
		struct ctr_err *e)
{
	uint8_t info[PAGE_INFO] = { 0 };

	memcpy(info, l->digest, LAUNCH_DIGEST);
	if (contents)
		memcpy(info + 48, contents, LAUNCH_DIGEST);
	put_le(info + 96, sizeof info, 2);
	info[98] =
		(uint8_t)type; /* then IMI, permissions of VMPL3 to 1 and a reserved byte: zero */
	put_le(info + 104, gpa, 8);
	return ctr_hash(CTR_SHA384, info, sizeof info, l->digest, e);
}

int launch_bytes(struct launch *l, enum launch_page type, uint64_t gpa,
		 const uint8_t page[FIRMWARE_PAGE], struct ctr_err *e)
{
	uint8_t contents[LAUNCH_DIGEST];

	return ctr_hash(CTR_SHA384, page, FIRMWARE_PAGE, contents, e) < 0
		       ? -1
		       : launch_page(l, type, gpa, contents, e);
}

int launch_region(struct launch *l, enum launch_page type, uint64_t gpa, uint64_t size,
		  struct ctr_err *e)
{
	for (uint64_t at = 0; at < size; at += FIRMWARE_PAGE) {
		if (launch_page(l, type, gpa + at, NULL, e) < 0)
			return -1;
	}
	return 0;
}

int launch_firmware(struct launch *l, const struct firmware *fw, struct ctr_err *e)
{
	uint64_t gpa = ((uint64_t)1 << 32) - fw->image.left;
	struct ctr_rd r = fw->image, page;

	for (; ctr_rd_take(&r, FIRMWARE_PAGE, &page) == 0; gpa += FIRMWARE_PAGE) {
		if (launch_bytes(l, PAGE_NORMAL, gpa, page.p, e) < 0)
			return -1;
	}
	return 0;
}

/* GUIDs in the byte order of memory. */
static uint8_t *add_guid(uint8_t *p, const char *guid)
{
	memcpy(p, guid, 16);
	return p + 16;
}

static uint8_t *add_hash(uint8_t *p, const char *guid, const uint8_t hash[CTR_SHA256_SIZE])
{
	p = add_guid(p, guid);
	put_le(p, 50, 2);
	memcpy(p + 2, hash, CTR_SHA256_SIZE);
	return p + 2 + CTR_SHA256_SIZE;
}

/* The page with the table that the VMM leaves for the firmware. */
static int kernel_hashes(struct launch *l, const struct firmware *fw,
			 const struct fw_sev_section *s, const struct launch_kernel *k,
			 struct ctr_err *e)
{
	uint32_t at = fw->hashes_gpa & (FIRMWARE_PAGE - 1);
	uint8_t page[FIRMWARE_PAGE] = { 0 }, *p = page + at;

	if (!fw->has_hashes || s->size != FIRMWARE_PAGE || fw->hashes_gpa - at != s->gpa ||
	    fw->hashes_size < HASHES_TABLE || at > FIRMWARE_PAGE - HASHES_TABLE)
		return ctr_fail(e, CTR_FORMAT, "firmware.kernel-hashes",
				"the firmware's place for the hashes of a kernel is not in the "
				"section for it");
	p = add_guid(p, "\x06\xd6\x38\x94\x22\x4f\xc9\x4c\xb4\x79\xa7\x93\xd4\x11\xfd\x21");
	put_le(p, HASHES_LENGTH, 2);
	p = add_hash(p + 2, "\xd8\x2d\xd0\x97\x20\xbd\x94\x4c\xaa\x78\xe7\x71\x4d\x36\xab\x2a",
		     k->cmdline);
	p = add_hash(p, "\x31\xf7\xba\x44\x2f\x3a\xd7\x4b\x9a\xf1\x41\xe2\x91\x69\x78\x1d",
		     k->initrd);
	add_hash(p, "\x37\x94\xe7\x4d\xd2\xab\x7f\x42\xb8\x35\xd5\xb1\x72\xd2\x04\x5b", k->kernel);
	return launch_bytes(l, PAGE_NORMAL, s->gpa, page, e);
}

static int section(struct launch *l, const struct firmware *fw, const struct fw_sev_section *s,
		   const struct launch_vm *vm, struct ctr_err *e)
{
	enum launch_page type = PAGE_ZERO;

	if (s->type == FW_SEV_KERNEL_HASHES && vm->kernel)
		return kernel_hashes(l, fw, s, vm->kernel, e);
	if (s->type == FW_SEV_SECRETS)
		type = PAGE_SECRETS;
	else if (s->type == FW_SEV_CPUID)
		type = PAGE_CPUID;
	else if (s->type == FW_SEV_MEMORY && vm->vmm == VMM_GCE)
		type = PAGE_UNMEASURED;
	return launch_region(l, type, s->gpa, s->size, e);
}

/* EC2 loads CPUID pages after all others. */
static int sections(struct launch *l, const struct firmware *fw, const struct launch_vm *vm,
		    struct ctr_err *e)
{
	bool late = vm->vmm == VMM_EC2;

	for (size_t i = 0; i < fw->n_sev; i++) {
		if (!(late && fw->sev[i].type == FW_SEV_CPUID) &&
		    section(l, fw, &fw->sev[i], vm, e) < 0)
			return -1;
	}
	for (size_t i = 0; late && i < fw->n_sev; i++) {
		if (fw->sev[i].type == FW_SEV_CPUID && section(l, fw, &fw->sev[i], vm, e) < 0)
			return -1;
	}
	return 0;
}

static bool has_section(const struct firmware *fw, uint32_t type)
{
	for (size_t i = 0; i < fw->n_sev; i++) {
		if (fw->sev[i].type == type)
			return true;
	}
	return false;
}

int launch_rest(struct launch *l, const struct firmware *fw, const struct launch_vm *vm,
		struct ctr_err *e)
{
	const uint64_t vmsa_gpa = 0xfffffffff000;
	uint8_t page[FIRMWARE_PAGE], first[LAUNCH_DIGEST], others[LAUNCH_DIGEST];

	if (vm->kernel && !has_section(fw, FW_SEV_KERNEL_HASHES)) {
		ctr_fail(e, CTR_FORMAT, "firmware.kernel-hashes",
			 "this firmware does not check a kernel: anything could be booted in its "
			 "place");
		return ctr_err_fix(
			e, "use a firmware built for direct boot (AmdSev), or leave out --kernel");
	}
	if (sections(l, fw, vm, e) < 0)
		return -1;
	launch_vmsa(vm, 0xfffffff0, page);
	if (ctr_hash(CTR_SHA384, page, sizeof page, first, e) < 0)
		return -1;
	launch_vmsa(vm, fw->ap_eip, page);
	if (ctr_hash(CTR_SHA384, page, sizeof page, others, e) < 0)
		return -1;
	for (unsigned i = 0; i < vm->vcpus; i++) {
		if (launch_page(l, PAGE_VMSA, vmsa_gpa, i == 0 ? first : others, e) < 0)
			return -1;
	}
	return 0;
}
