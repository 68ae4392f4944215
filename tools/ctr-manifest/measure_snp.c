#include <string.h>
#include <strings.h>

#include "enc.h"
#include "file.h"
#include "igvm.h"
#include "measure.h"
#include "tool.h"

/* "0x" and at most 2n digits. */
static int hex_number(const char *s, const char *what, unsigned n, uint64_t *v, struct ctr_err *e)
{
	size_t len;

	if (strncasecmp(s, "0x", 2) == 0)
		s += 2;
	len = strlen(s);
	*v = 0;
	if (len == 0 || len > 2 * (size_t)n || strspn(s, "0123456789abcdefABCDEF") != len)
		return ctr_fail(e, CTR_USAGE, "number",
				"%s: no hexadecimal number of at most %u digits", what, 2 * n);
	for (; *s; s++)
		*v = *v << 4 | (uint64_t)(*s <= '9' ? *s - '0' : (*s | 0x20) - 'a' + 10);
	return 0;
}

/* CPUID leaf 1 of QEMU's models; versions (-v1 …) of a model differ in other things. */
static const struct model {
	const char *name;
	uint32_t signature;
	int product; /* of the processor with that name, -1: none that has SEV-SNP */
} models[] = {
	{ "EPYC", 0x800f12, -1 },
	{ "EPYC-IBPB", 0x800f12, -1 },
	{ "EPYC-Rome", 0x830f10, -1 },
	{ "EPYC-Milan", 0xa00f11, CTR_MILAN },
	{ "EPYC-Genoa", 0xa10f10, CTR_GENOA },
	{ "EPYC-Turin", 0xb00f00, CTR_TURIN },
};

static const struct model *find_model(const char *name)
{
	for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
		size_t n = strlen(models[i].name);
		const char *rest = name + n;

		if (strncmp(name, models[i].name, n) == 0 &&
		    (!*rest || (rest[0] == '-' && rest[1] == 'v' && rest[2] >= '1' &&
				rest[2] <= '9' && !rest[3])))
			return &models[i];
	}
	return NULL;
}

static int read_vmm(const char *s, enum launch_vmm *vmm, struct ctr_err *e)
{
	static const char *const names[] = { "qemu", "ec2", "gce" };

	for (int i = 0; i < 3; i++) {
		if (!s || strcmp(s, names[i]) == 0) {
			*vmm = (enum launch_vmm)i;
			return 0;
		}
	}
	return ctr_fail(e, CTR_USAGE, "usage", "--vmm=%s (expected qemu, ec2 or gce)", s);
}

static int read_vm(const struct measure_args *a, struct launch_vm *vm, struct ctr_err *e)
{
	const struct model *m = a->v[OPT_TYPE] ? find_model(a->v[OPT_TYPE]) : NULL;
	uint64_t n = 0, sig = m ? m->signature : 0;

	vm->features = 1;
	if (!a->v[OPT_VCPUS] || !a->v[OPT_TYPE] == !a->v[OPT_SIG])
		return ctr_fail(e, CTR_USAGE, "usage",
				"--vcpus and one of --vcpu-type and --vcpu-sig are needed");
	if (a->v[OPT_TYPE] && !m)
		return ctr_fail(e, CTR_USAGE, "usage",
				"--vcpu-type=%s: not known (--vcpu-sig takes any)", a->v[OPT_TYPE]);
	if (ctr_number(a->v[OPT_VCPUS], "--vcpus", 1, LAUNCH_VCPUS, &n, e) < 0 ||
	    (a->v[OPT_SIG] && hex_number(a->v[OPT_SIG], "--vcpu-sig", 4, &sig, e) < 0) ||
	    (a->v[OPT_FEATURES] &&
	     hex_number(a->v[OPT_FEATURES], "--guest-features", 8, &vm->features, e) < 0))
		return -1;
	vm->vcpus = (unsigned)n;
	vm->cpu_signature = (uint32_t)sig;
	return read_vmm(a->v[OPT_VMM], &vm->vmm, e);
}

static int read_kernel(const struct measure_args *a, struct launch_kernel *k, struct ctr_err *e)
{
	const char *cmdline = a->v[OPT_APPEND] ? a->v[OPT_APPEND] : "";

	if (measure_file(a->v[OPT_KERNEL], CTR_SHA256, k->kernel, e) < 0 ||
	    ctr_hash(CTR_SHA256, cmdline, strlen(cmdline) + 1, k->cmdline, e) < 0)
		return -1;
	return a->v[OPT_INITRD] ? measure_file(a->v[OPT_INITRD], CTR_SHA256, k->initrd, e)
				: ctr_hash(CTR_SHA256, "", 0, k->initrd, e);
}

static int snp_ovmf(const struct measure_args *a, struct launch *l, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf image = { 0 };
	struct launch_kernel kernel;
	struct launch_vm vm = { 0 };
	struct ctr_err why = { 0 };
	struct firmware fw;

	if (a->v[OPT_FIRMWARE] && !a->v[OPT_DIGEST])
		return ctr_fail(e, CTR_USAGE, "usage",
				"--firmware-only gives no reference value: it needs --digest");
	if (a->v[OPT_FIRMWARE] && a->v[OPT_SEED])
		return ctr_fail(e, CTR_USAGE, "usage",
				"--firmware-only and --ovmf-digest exclude each other");
	if ((!a->v[OPT_FIRMWARE] && read_vm(a, &vm, e) < 0) ||
	    ctr_file_read(a->v[OPT_OVMF], FIRMWARE_MAX, &image, e) < 0)
		return -1;
	if (firmware_snp(image.p, image.n, &fw, e) < 0)
		return ctr_wrap(e, "%s", a->v[OPT_OVMF]);
	if (a->v[OPT_SEED]) {
		if (ctr_hex_parse(a->v[OPT_SEED], strlen(a->v[OPT_SEED]), l->digest,
				  sizeof l->digest, &why) < 0)
			return ctr_fail(e, CTR_USAGE, "usage",
					"--ovmf-digest: not 96 hexadecimal digits");
	} else if (launch_firmware(l, &fw, e) < 0) {
		return -1;
	}
	if (a->v[OPT_FIRMWARE])
		return 0;
	if (a->v[OPT_KERNEL]) {
		if (read_kernel(a, &kernel, e) < 0)
			return -1;
		vm.kernel = &kernel;
	}
	return launch_rest(l, &fw, &vm, e) < 0 ? ctr_wrap(e, "%s", a->v[OPT_OVMF]) : 0;
}

static int snp_igvm(const struct measure_args *a, struct launch *l, struct ctr_log *log,
		    struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf file = { 0 };
	bool kvm;

	if (ctr_file_read(a->v[OPT_IGVM], IGVM_MAX, &file, e) < 0)
		return -1;
	if (igvm_snp(file.p, file.n, a->v[OPT_ZERO] != NULL, l, &kvm, e) < 0)
		return ctr_wrap(e, "%s", a->v[OPT_IGVM]);
	if (!kvm)
		ctr_log(log, CTR_WARN, "measure.kvm", a->v[OPT_IGVM], 0, 0,
			"KVM loads one processor's state, last and at 0xfffffffff000: there the "
			"digest will be another");
	return 0;
}

static int read_product(const struct measure_args *a, enum ctr_snp_product *product,
			struct ctr_err *e)
{
	const struct model *m = a->v[OPT_TYPE] ? find_model(a->v[OPT_TYPE]) : NULL;
	const char *s = a->v[OPT_PRODUCT];

	if (!s && m && m->product >= 0)
		s = ctr_snp_product_names[m->product];
	if (!s) {
		ctr_fail(e, CTR_USAGE, "usage", "the product cannot be told");
		return ctr_err_fix(e, "give --product=Milan, Genoa or Turin");
	}
	for (int i = 0; i < CTR_PRODUCTS; i++) {
		if (strcmp(s, ctr_snp_product_names[i]) == 0) {
			*product = (enum ctr_snp_product)i;
			return 0;
		}
	}
	return ctr_fail(e, CTR_USAGE, "usage", "--product=%s (expected Milan, Genoa or Turin)", s);
}

int measure_snp(const struct measure_args *a, enum measure_way way, struct ctr_log *log,
		struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_manifest struct ctr_manifest m = { 0 };
	enum ctr_snp_product product = CTR_MILAN;
	struct launch l = { 0 };

	if (!a->v[OPT_DIGEST] && read_product(a, &product, e) < 0)
		return -1;
	if ((way == WAY_IGVM ? snp_igvm(a, &l, log, e) : snp_ovmf(a, &l, e)) < 0)
		return -1;
	if (a->v[OPT_DIGEST])
		return measure_print(l.digest, out, e);
	m.snp = calloc(1, sizeof *m.snp);
	if (!m.snp)
		return ctr_fail_mem(e);
	m.n_snp = 1;
	m.snp->product = product;
	m.snp->measurement.known = true;
	memcpy(m.snp->measurement.v, l.digest, sizeof l.digest);
	for (int i = 0; i < CTR_TCB_N; i++)
		m.snp->tcb[i] = -1; /* only the user can know */
	return measure_platform(a, &m.snp->platform, e) < 0 ? -1
							    : ctr_manifest_print_refs(&m, out, e);
}
