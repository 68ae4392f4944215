/* What SEV-SNP needs of a node. The kernel's own conditions: arch/x86/kernel/cpu/amd.c (the flag),
 * drivers/iommu/amd/init.c, drivers/crypto/ccp/sev-dev.c, arch/x86/kvm/svm/sev.c. */
#include <string.h>

#include "appraisal.h"
#include "host.h"
#include "node.h"

#define VM_TYPE 4 /* KVM_X86_SNP_VM */
#define CMDLINE_MAX ((size_t)64 * 1024)
#define KERNEL "a kernel of Linux 6.11 or later with CONFIG_KVM_AMD_SEV"
#define MIN_MAJOR 1 /* the kernel wants 1.51 */
#define MIN_MINOR 51

static enum ctr_snp_product check_product(struct host *h)
{
	enum ctr_snp_product p = strcmp(h->cpu.vendor, "AuthenticAMD") == 0
					 ? ctr_snp_cpu_product(h->cpu.family, h->cpu.model)
					 : CTR_PRODUCTS;
	char found[64];

	snprintf(found, sizeof found, "%s (family %u, model %u)",
		 p == CTR_PRODUCTS ? "another" : ctr_snp_product_names[p], h->cpu.family,
		 h->cpu.model);
	host_check(h, "cpu.product", p != CTR_PRODUCTS, "Milan, Genoa or Turin", found,
		   "SEV-SNP needs an EPYC 7003, 9004, 8004 or 9005");
	return p;
}

static void check_cmdline(struct host *h)
{
	static const char *const words[] = {
		"iommu=off",	 "iommu=pt",	       "iommu.passthrough=1",
		"amd_iommu=off", "amd_iommu=pgtbl_v2", "sev=nosnp",
		"kvm_amd.sev=0", "kvm_amd.sev_es=0",   "kvm_amd.sev_snp=0",
	};
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct ctr_err why = { 0 };
	const char *bad = NULL;
	bool exists = false;

	if (host_read(h, "/proc/cmdline", CMDLINE_MAX, &b, &exists, &why) < 0 || !exists) {
		ctr_check_skip(&h->checks, "kernel.cmdline", "/proc/cmdline cannot be read");
		return;
	}
	for (size_t i = 0; !bad && i < sizeof words / sizeof *words; i++) {
		if (host_word(ctr_buf_str(&b), strcspn(ctr_buf_str(&b), "\n"), words[i]))
			bad = words[i];
	}
	host_check(h, "kernel.cmdline", !bad, "nothing that turns SNP off", bad ? bad : "nothing",
		   "take the word from the kernel's command line and reboot");
}

static void check_tcb(struct host *h, enum ctr_snp_product product, const struct sev_status *s,
		      struct ctr_err *e)
{
	ctr_auto_checks struct ctr_checks all = { 0 };
	ctr_auto_appraisal struct ctr_appraisal base = { 0 };

	if (!h->refs) {
		ctr_check_skip(&h->checks, "snp.reported_tcb",
			       "no --manifest says what it must be");
		return;
	}
	ctr_appraisal_init(&base);
	for (size_t i = 0; i < h->refs->n_snp; i++) {
		ctr_auto_checks struct ctr_checks one = { .set = (unsigned)i + 1 };
		ctr_auto_appraisal struct ctr_appraisal a = { 0 };

		if (h->refs->snp[i].product != product)
			continue;
		if (ctr_appraisal_snp_ref(&base, &h->refs->snp[i], &a, e) < 0)
			return;
		ctr_appraise_tcb(&one, "snp.reported_tcb", product, a.snp.min_tcb, s->reported_tcb);
		/* any set may match */
		if (ctr_checks_ok(&one)) {
			ctr_checks_append(&h->checks, &one);
			return;
		}
		ctr_checks_append(&all, &one);
	}
	if (all.n == 0)
		host_check(h, "reference_values", false, "reference values for this product",
			   "none", "the manifest permits no guest on this node");
	ctr_checks_append(&h->checks, &all);
}

static void check_status(struct host *h, const struct sev_status *s)
{
	char text[48];

	host_check(h, "sev.state", s->state == 1, "initialised",
		   s->state == 1 ? "initialised" : "not initialised",
		   "load kvm_amd, which starts it; see the kernel's log for ccp");
	host_check(h, "sev.rmp", s->rmp, "initialised", s->rmp ? "initialised" : "not initialised",
		   "firmware: SNP Memory Coverage on (it reserves the reverse map table)");
	snprintf(text, sizeof text, "%u.%u, build %u", s->major, s->minor, (unsigned)s->build);
	host_check(h, "sev.firmware",
		   s->major > MIN_MAJOR || (s->major == MIN_MAJOR && s->minor >= MIN_MINOR),
		   "at least 1.51", text,
		   "update the machine's firmware, or the SEV firmware in /lib/firmware/amd");
	host_check(h, "sev.mask_chip_key", !s->mask_chip_key, "off",
		   s->mask_chip_key ? "on" : "off",
		   "reports are not signed: turn the mask off (SNP_SET_CONFIG)");
	host_check(h, "sev.chip_id", !s->mask_chip_id || s->vlek, "in reports, or a VLEK is loaded",
		   s->mask_chip_id ? "masked" : "in reports",
		   "verifiers cannot find the chip's certificate: turn the mask off "
		   "(SNP_SET_CONFIG), or load a VLEK");
}

static void check_firmware(struct host *h, enum ctr_snp_product product, struct ctr_err *e)
{
	static const char *const behind[] = {
		"sev.state",	     "sev.rmp",	    "sev.firmware",
		"sev.mask_chip_key", "sev.chip_id", "snp.reported_tcb"
	};
	struct ctr_err why = { 0 };
	ctr_auto_fd int fd = -1;
	struct sev_status s;

	if (host_open(h, "/dev/sev", &fd, &why) == 0 &&
	    sev_status_get(&host_io, fd, &s, &why) == 0) {
		host_check(h, "sev.device", true, "/dev/sev answers", "so", "");
		check_status(h, &s);
		check_tcb(h, product, &s, e);
		return;
	}
	host_check(h, "sev.device", false, "/dev/sev answers", why.msg,
		   "load ccp (firmware: the secure processor and SEV-SNP on); " KERNEL
		   "; run this as root");
	for (size_t i = 0; i < sizeof behind / sizeof *behind; i++)
		ctr_check_skip(&h->checks, behind[i], "the firmware cannot be asked");
}

int host_check_snp(struct host *h, struct ctr_err *e)
{
	enum ctr_snp_product product;

	host_check_vendor(h, "AuthenticAMD");
	product = check_product(h);
	host_check_flag(h, "cpu.sev_snp", "sev_snp",
			"firmware: SMEE (Secure Memory Encryption), SEV-SNP and SNP Memory "
			"Coverage on; " KERNEL);
	host_check_path(h, "kernel.iommu", "/sys/class/iommu/ivhd0",
			"firmware: IOMMU on; kernel: without iommu=off and amd_iommu=off");
	check_cmdline(h);
	host_check_param(h, "kvm.sev", "/sys/module/kvm_amd/parameters/sev",
			 "load kvm_amd with sev=1");
	host_check_param(h, "kvm.sev_es", "/sys/module/kvm_amd/parameters/sev_es",
			 "load kvm_amd with sev_es=1; firmware: Minimum SEV non-ES ASID above 1");
	host_check_param(h, "kvm.sev_snp", "/sys/module/kvm_amd/parameters/sev_snp",
			 "load kvm_amd with sev_snp=1; " KERNEL);
	host_check_capacity(h, "kvm.asids", "sev_es",
			    "firmware: Minimum SEV non-ES ASID (SEV-ES ASID space limit) above 1");
	host_check_kvm(h, "kvm.snp_guests", VM_TYPE, "load kvm_amd with sev_snp=1; " KERNEL);
	check_firmware(h, product, e);
	return e->code != CTR_OK ? -1 : h->checks.bad ? ctr_fail_mem(e) : 0;
}
