/* What TDX needs of a node. The kernel's own conditions: arch/x86/virt/vmx/tdx/tdx.c (the flag),
 * arch/x86/kvm/vmx/tdx.c; Linux, Documentation/arch/x86/tdx.rst. */
#include <ctype.h>
#include <dirent.h>
#include <string.h>

#include "host.h"
#include "node.h"

#define VM_TYPE 5 /* KVM_X86_TDX_VM */
#define KERNEL "a kernel of Linux 6.16 or later with CONFIG_KVM_INTEL_TDX"

static bool is_qgs(const struct host *h, const char *pid)
{
	ctr_auto_buf struct ctr_buf path = { 0 }, name = { 0 };
	struct ctr_err gone = { 0 };
	bool exists;

	ctr_buf_addf(&path, "/proc/%s/comm", pid);
	return host_read(h, ctr_buf_str(&path), 256, &name, &exists, &gone) == 0 && exists &&
	       strcmp(ctr_buf_str(&name), "qgs\n") == 0;
}

/* Intel's quote generation service, by its name: where it listens (a vsock port, for Kata) is not
 * to be seen from here. */
static void check_qgs(struct host *h)
{
	ctr_auto_buf struct ctr_buf real = { 0 };
	struct ctr_err why = { 0 };
	bool exists = false, found = false;
	struct dirent *d;
	DIR *all = NULL;

	if (node_path(h->root, "/proc", &real, &exists, &why) == 0 && exists)
		all = opendir(real.p);
	while (all && !found && (d = readdir(all)))
		found = isdigit((unsigned char)d->d_name[0]) && is_qgs(h, d->d_name);
	if (all)
		closedir(all);
	host_check(h, "tdx.quote_service", found, "a process qgs", found ? "a process qgs" : "none",
		   "install Intel's tdx-qgs, with port = 4050 in /etc/qgs.conf, and start qgsd");
}

int host_check_tdx(struct host *h, struct ctr_err *e)
{
	host_check_vendor(h, "GenuineIntel");
	host_check_flag(
		h, "cpu.tdx", "tdx_host_platform",
		"firmware: TME-MT, TDX, the SEAM loader and SGX on, with TDX key ids; " KERNEL);
	host_check_param(h, "kvm.tdx", "/sys/module/kvm_intel/parameters/tdx",
			 "load kvm_intel with tdx=1; see the kernel's log for tdx; " KERNEL);
	host_check_capacity(h, "kvm.key_ids", "tdx",
			    "firmware: give key ids to TDX (TME-MT/TDX key split); " KERNEL);
	host_check_kvm(h, "kvm.tdx_guests", VM_TYPE, "load kvm_intel with tdx=1; " KERNEL);
	host_check_path(h, "sgx.enclave", "/dev/sgx_enclave",
			"firmware: SGX on (quotes are signed by an enclave); CONFIG_X86_SGX");
	host_check_path(h, "sgx.provision", "/dev/sgx_provision",
			"firmware: SGX on (quotes are signed by an enclave); CONFIG_X86_SGX");
	check_qgs(h);
	ctr_check_skip(&h->checks, "tdx.tcb", "a guest's quote alone shows it (ctr-attest-verify)");
	return h->checks.bad ? ctr_fail_mem(e) : 0;
}
