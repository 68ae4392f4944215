/* Whether a node can run confidential guests: what check-node looks at. */
#ifndef TOOLS_CTR_NODE_INSTALL_HOST_H
#define TOOLS_CTR_NODE_INSTALL_HOST_H

#include "checks.h"
#include "hostcpu.h"
#include "manifest.h"
#include "sevstatus.h"

struct host {
	const char *root; /* "" for the machine itself */
	struct host_cpu cpu;
	const struct ctr_manifest *refs; /* NULL: nobody asks for a firmware */
	struct ctr_checks checks;
};

/* All checks of a platform. Whatever is wrong is a check that failed; -1: out of memory. */
CTR_MUST int host_check_snp(struct host *h, struct ctr_err *e);
CTR_MUST int host_check_tdx(struct host *h, struct ctr_err *e);

/* --- for the two --- */

/* Records a check; `fix` is what to do when it failed. Returns pass. */
bool host_check(struct host *h, const char *name, bool pass, const char *expected,
		const char *found, const char *fix);

/* Vendor, and that this is no virtual machine. */
void host_check_vendor(struct host *h, const char *vendor);
/* A flag of the CPU. */
void host_check_flag(struct host *h, const char *name, const char *flag, const char *fix);
/* A file, device or socket that must be there. */
void host_check_path(struct host *h, const char *name, const char *path, const char *fix);
/* A module's parameter that must be Y or 1. */
void host_check_param(struct host *h, const char *name, const char *path, const char *fix);
/* At least one of a resource that the kernel's misc controller counts (cgroup v2). */
void host_check_capacity(struct host *h, const char *name, const char *resource, const char *fix);
/* KVM can make guests of this type (KVM_CAP_VM_TYPES). */
void host_check_kvm(struct host *h, const char *name, unsigned type, const char *fix);

/* A file of the node, at most `max` bytes; absent reads as empty with *exists false. */
CTR_MUST int host_read(const struct host *h, const char *path, size_t max, struct ctr_buf *b,
		       bool *exists, struct ctr_err *e);
/* Opens a device of the node, to ask only. */
CTR_MUST int host_open(const struct host *h, const char *path, int *fd, struct ctr_err *e);

#endif
