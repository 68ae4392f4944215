/* IGVM: a file that says page by page what a VMM loads (Independent Guest Virtual Machine file
 * format, versions 1 and 2). */
#ifndef TOOLS_CTR_MANIFEST_IGVM_H
#define TOOLS_CTR_MANIFEST_IGVM_H

#include "launch.h"

#define IGVM_MAX ((size_t)512 << 20) /* bytes */

/*
 * The SEV-SNP launch digest of the file p[0..n), its directives taken in order. Pages without data
 * are normal pages of zeros, or with native_zero the processor's zero pages: that is the loader's
 * choice. *kvm says whether KVM, which loads one state of a processor, last and at 0xfffffffff000,
 * measures the same. CTR_FORMAT: "igvm.header" (no IGVM file, or its sizes are wrong),
 * "igvm.checksum", "igvm.platform" (not for SEV-SNP, or for two of that kind), "igvm.directive"
 * (one is cut off, unknown or unsupported), "igvm.data" (data outside of the file), "limit".
 */
CTR_MUST int igvm_snp(const void *p, size_t n, bool native_zero, struct launch *l, bool *kvm,
		      struct ctr_err *e);

#endif
