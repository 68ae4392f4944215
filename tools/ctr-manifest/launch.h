/* The launch digest of SEV-SNP: what the secure processor computes over the pages that a VMM loads
 * (AMD 56860, LD). */
#ifndef TOOLS_CTR_MANIFEST_LAUNCH_H
#define TOOLS_CTR_MANIFEST_LAUNCH_H

#include "hash.h"
#include "firmware.h"

#define LAUNCH_DIGEST 48
#define LAUNCH_VCPUS 4096

enum launch_page {
	PAGE_NORMAL = 1,
	PAGE_VMSA,
	PAGE_ZERO,
	PAGE_UNMEASURED,
	PAGE_SECRETS,
	PAGE_CPUID
};

/* All zero at the start, or a digest to go on from. */
struct launch {
	uint8_t digest[LAUNCH_DIGEST];
};

/* One page at gpa. `contents` is the SHA-384 of the 4096 bytes for normal and VMSA pages, NULL for
 * all others. */
CTR_MUST int launch_page(struct launch *l, enum launch_page type, uint64_t gpa,
			 const uint8_t *contents, struct ctr_err *e);
/* The same from the bytes. */
CTR_MUST int launch_bytes(struct launch *l, enum launch_page type, uint64_t gpa,
			  const uint8_t page[FIRMWARE_PAGE], struct ctr_err *e);
/* size bytes (whole pages) of a type whose contents do not count. */
CTR_MUST int launch_region(struct launch *l, enum launch_page type, uint64_t gpa, uint64_t size,
			   struct ctr_err *e);

enum launch_vmm { VMM_QEMU, VMM_EC2, VMM_GCE };

/* What a directly booted kernel is measured by: SHA-256 of the files, and of the command line with
 * its NUL. */
struct launch_kernel {
	uint8_t kernel[CTR_SHA256_SIZE], initrd[CTR_SHA256_SIZE], cmdline[CTR_SHA256_SIZE];
};

struct launch_vm {
	enum launch_vmm vmm;
	uint32_t cpu_signature;		    /* CPUID leaf 1, EAX, of the virtual processor */
	unsigned vcpus;			    /* 1 to LAUNCH_VCPUS */
	uint64_t features;		    /* SEV_FEATURES of the VMSA */
	const struct launch_kernel *kernel; /* NULL: none */
};

/* The pages of the firmware image alone, ending below 4 GiB. */
CTR_MUST int launch_firmware(struct launch *l, const struct firmware *fw, struct ctr_err *e);

/*
 * What follows them: the firmware's sections and one page of processor state for each vCPU.
 * CTR_FORMAT "firmware.kernel-hashes": a kernel is given, but the firmware does not check one, or
 * has no sound place for its hashes.
 */
CTR_MUST int launch_rest(struct launch *l, const struct firmware *fw, const struct launch_vm *vm,
			 struct ctr_err *e);

/* The initial state of a processor that starts at eip (0xfffffff0: the first one). */
void launch_vmsa(const struct launch_vm *vm, uint32_t eip, uint8_t page[FIRMWARE_PAGE]);

#endif
