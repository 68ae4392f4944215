#include <string.h>

#include "launch.h"

/* Offsets in the save area: AMD 24593, table B-4. */
struct segment {
	unsigned at, selector, attributes;
	uint64_t base;
};

static void put(uint8_t *page, unsigned at, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++, v >>= 8)
		page[at + i] = (uint8_t)v;
}

static void segments(const struct launch_vm *vm, uint32_t eip, uint8_t *page)
{
	bool ec2 = vm->vmm == VMM_EC2, first = eip == 0xfffffff0;
	const struct segment v[] = {
		{ 0x00, 0, 0x93, 0 },						/* es */
		{ 0x10, 0xf000, ec2 && first ? 0x9a : 0x9b, eip & 0xffff0000 }, /* cs */
		{ 0x20, 0, ec2 ? 0x92 : 0x93, 0 },				/* ss */
		{ 0x30, 0, 0x93, 0 },
		{ 0x40, 0, 0x93, 0 },
		{ 0x50, 0, 0x93, 0 },		   /* ds, fs, gs */
		{ 0x60, 0, 0, 0 },		   /* gdtr */
		{ 0x70, 0, 0x82, 0 },		   /* ldtr */
		{ 0x80, 0, 0, 0 },		   /* idtr */
		{ 0x90, 0, ec2 ? 0x83 : 0x8b, 0 }, /* tr */
	};

	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		put(page, v[i].at, v[i].selector, 2);
		put(page, v[i].at + 2, v[i].attributes, 2);
		put(page, v[i].at + 4, 0xffff, 4);
		put(page, v[i].at + 8, v[i].base, 8);
	}
}

void launch_vmsa(const struct launch_vm *vm, uint32_t eip, uint8_t page[FIRMWARE_PAGE])
{
	bool qemu = vm->vmm == VMM_QEMU;

	memset(page, 0, FIRMWARE_PAGE);
	segments(vm, eip, page);
	put(page, 0xd0, 0x1000, 8);						   /* efer: SVME */
	put(page, 0x148, 0x40, 8);						   /* cr4: MCE */
	put(page, 0x158, 0x10, 8);						   /* cr0: ET */
	put(page, 0x160, 0x400, 8);						   /* dr7 */
	put(page, 0x168, 0xffff0ff0, 8);					   /* dr6 */
	put(page, 0x170, 2, 8);							   /* rflags */
	put(page, 0x178, eip & 0xffff, 8);					   /* rip */
	put(page, 0x268, vm->vmm == VMM_GCE ? 0x00070106 : 0x0007040600070406, 8); /* g_pat */
	put(page, 0x310, qemu ? vm->cpu_signature : 0x600, 8);			   /* rdx */
	put(page, 0x3b0, vm->features, 8);	/* sev_features */
	put(page, 0x3e8, 1, 8);			/* xcr0 */
	put(page, 0x408, qemu ? 0x1f80 : 0, 4); /* mxcsr */
	put(page, 0x410, qemu ? 0x37f : 0, 2);	/* x87 control word */
}
