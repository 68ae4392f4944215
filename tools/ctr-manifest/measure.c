#include "measure.h"

#include <fcntl.h>
#include <string.h>

#include "cmd.h"
#include "enc.h"

static const struct ctr_opt opts[] = {
	{ OPT_OVMF, "ovmf", 0, "FILE", "snp: firmware image" },
	{ OPT_IGVM, "igvm", 0, "FILE", "snp: an IGVM file instead" },
	{ OPT_TDVF, "tdvf", 0, "FILE", "tdx: firmware image" },
	{ OPT_KERNEL, "kernel", 0, "FILE", "kernel of a direct boot" },
	{ OPT_INITRD, "initrd", 0, "FILE", "its initial RAM disk" },
	{ OPT_APPEND, "append", 0, "TEXT", "its command line" },
	{ OPT_VCPUS, "vcpus", 0, "N", "snp: number of virtual processors" },
	{ OPT_TYPE, "vcpu-type", 0, "NAME", "snp: their model, such as EPYC-v4 or EPYC-Milan" },
	{ OPT_SIG, "vcpu-sig", 0, "HEX", "snp: or its CPUID signature" },
	{ OPT_FEATURES, "guest-features", 0, "HEX", "snp: SEV_FEATURES (default 0x1)" },
	{ OPT_VMM, "vmm", 0, "qemu|ec2|gce", "snp: who loads the guest (default qemu)" },
	{ OPT_SEED, "ovmf-digest", 0, "HEX",
	  "snp: digest after the pages of the firmware, to go on from" },
	{ OPT_FIRMWARE, "firmware-only", 0, NULL,
	  "snp: stop after the pages of the firmware (with --digest)" },
	{ OPT_ZERO, "native-zero", 0, NULL,
	  "snp: the loader of the IGVM file uses the processor's zero pages" },
	{ OPT_ORDER, "page-order", 0, "page|section",
	  "tdx: what is extended after what (default page)" },
	{ OPT_UNCHANGED, "kernel-unchanged", 0, NULL,
	  "tdx: the VMM does not write into the kernel's header" },
	{ OPT_SEPARATOR, "rtmr1-separator", 0, "yes|no",
	  "tdx: whether the firmware extends RTMR1 by a separator" },
	{ OPT_WORD, "initrd-word", 0, "first|last", "tdx: where the firmware adds initrd=initrd" },
	{ OPT_PRODUCT, "product", 0, "NAME", "snp: Milan, Genoa or Turin" },
	{ OPT_PLATFORM, "platform", 0, "TEXT", "name of the platform in the set" },
	{ OPT_DIGEST, "digest", 0, NULL, "print the digest alone" },
	{ 0 },
};

/* What each of the three ways to measure takes; all take the last three. */
#define BIT(o) (1u << (o))
#define ANY (BIT(OPT_PLATFORM) | BIT(OPT_DIGEST))
#define BOOT (BIT(OPT_KERNEL) | BIT(OPT_INITRD) | BIT(OPT_APPEND))
static const unsigned takes[] = {
	[WAY_OVMF] = ANY | BOOT | BIT(OPT_PRODUCT) | BIT(OPT_OVMF) | BIT(OPT_VCPUS) |
		     BIT(OPT_TYPE) | BIT(OPT_SIG) | BIT(OPT_FEATURES) | BIT(OPT_VMM) |
		     BIT(OPT_SEED) | BIT(OPT_FIRMWARE),
	[WAY_IGVM] = ANY | BIT(OPT_PRODUCT) | BIT(OPT_IGVM) | BIT(OPT_ZERO),
	[WAY_TDVF] = ANY | BOOT | BIT(OPT_TDVF) | BIT(OPT_ORDER) | BIT(OPT_UNCHANGED) |
		     BIT(OPT_SEPARATOR) | BIT(OPT_WORD),
};

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct measure_args *a = ctx;

	if (a->v[id])
		return ctr_fail(e, CTR_USAGE, "usage", "--%s is given twice", opts[id - 1].name);
	a->v[id] = value ? value : "";
	return 0;
}

static int find_way(const struct measure_args *a, const char *kind, enum measure_way *way,
		    struct ctr_err *e)
{
	bool tdx = strcmp(kind, "tdx") == 0;

	if (!tdx && strcmp(kind, "snp") != 0)
		return ctr_fail(e, CTR_USAGE, "usage",
				"%s: unknown kind of guest (expected snp or tdx)", kind);
	*way = tdx ? WAY_TDVF : a->v[OPT_IGVM] ? WAY_IGVM : WAY_OVMF;
	if (tdx && !a->v[OPT_TDVF])
		return ctr_fail(e, CTR_USAGE, "usage", "--tdvf is missing");
	if (!tdx && !a->v[OPT_IGVM] && !a->v[OPT_OVMF])
		return ctr_fail(e, CTR_USAGE, "usage", "--ovmf or --igvm is missing");
	for (int i = 1; i < OPT_N; i++) {
		if (a->v[i] && !(takes[*way] & BIT(i)))
			return ctr_fail(e, CTR_USAGE, "usage", "--%s does not go with %s%s",
					opts[i - 1].name, kind, *way == WAY_IGVM ? " --igvm" : "");
	}
	if (!a->v[OPT_KERNEL] && (a->v[OPT_INITRD] || a->v[OPT_APPEND]))
		return ctr_fail(e, CTR_USAGE, "usage", "--initrd and --append need --kernel");
	return 0;
}

/* A file of any length, in pieces. */
int measure_file(const char *path, enum ctr_hash_alg alg, uint8_t *out, struct ctr_err *e)
{
	ctr_auto_hasher struct ctr_hasher *h = NULL;
	ctr_auto_fd int fd = -1;
	static uint8_t buf[1 << 16];
	uint64_t total = 0;

	if (strcmp(path, "-") != 0 && (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return ctr_fail_sys(e, "open", "%s", path);
	if (ctr_hasher_new(alg, &h, e) < 0)
		return -1;
	for (;;) {
		ssize_t n = read(fd < 0 ? STDIN_FILENO : fd, buf, sizeof buf);

		if (n < 0)
			return ctr_fail_sys(e, "read", "%s", path);
		if (n == 0)
			return ctr_hasher_end(h, out, e);
		total += (uint64_t)n;
		if (total > (uint64_t)4 << 30)
			return ctr_fail(e, CTR_FORMAT, "limit", "%s: more than 4 GiB", path);
		if (ctr_hasher_add(h, buf, (size_t)n, e) < 0)
			return -1;
	}
}

int measure_platform(const struct measure_args *a, char **s, struct ctr_err *e)
{
	*s = strdup(a->v[OPT_PLATFORM] ? a->v[OPT_PLATFORM] : "");
	return *s ? 0 : ctr_fail_mem(e);
}

int measure_print(const uint8_t digest[48], struct ctr_buf *out, struct ctr_err *e)
{
	ctr_hex_add(out, digest, 48);
	ctr_buf_addc(out, '\n');
	return ctr_buf_ok(out, "output", e);
}

int cmd_measure(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	const char *kind = argc > 1 && argv[1][0] != '-' ? argv[1] : NULL;
	struct measure_args a = { 0 };
	enum measure_way way = WAY_OVMF;
	int first = 0;

	argc -= kind != NULL;
	argv += kind != NULL;
	t->synopsis = "snp|tdx [options]";
	t->summary = "Computes the launch measurement of a guest and prints a reference value set "
		     "for --reference-values.";
	t->example = "ctr-manifest measure snp --ovmf OVMF.fd --kernel vmlinuz --append "
		     "console=hvc0 --vcpus 2 "
		     "--vcpu-type EPYC-Milan";
	t->opts = opts;
	if (ctr_tool_opts(t, argc, argv, on_opt, &a, &first, e) < 0)
		return -1;
	if (t->served)
		return 0;
	if (argc - first != (kind ? 0 : 1))
		return ctr_fail(e, CTR_USAGE, "usage", "one kind of guest is needed: snp or tdx");
	if (find_way(&a, kind ? kind : argv[first], &way, e) < 0)
		return -1;
	return way == WAY_TDVF ? measure_tdx(&a, &t->log, out, e)
			       : measure_snp(&a, way, &t->log, out, e);
}
