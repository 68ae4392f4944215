#include "kata.h"

#include <string.h>

#include "json.h"

enum { QEMU = 1, CLH = 2, SNP = 4, TDX = 8, GPU = 16 };

static const struct kata_platform platforms[] = {
	{ "qemu-snp", QEMU | SNP }, { "qemu-snp-gpu", QEMU | SNP | GPU },
	{ "qemu-tdx", QEMU | TDX }, { "qemu-tdx-gpu", QEMU | TDX | GPU },
	{ "clh-snp", CLH | SNP },   { "clh-snp-gpu", CLH | SNP | GPU },
};

/* A row holds on a platform that has all of `with` and nothing of `without`. */
struct row {
	unsigned with, without;
	const char *key;
	enum { TEXT, WORD, PATH, DEBUG, PARAMS, BLOCK, AUTH, SECTION } kind;
	const char *value;
};

static const struct row table[] = {
	{ QEMU, 0, "hypervisor.qemu", SECTION, NULL },
	{ CLH, 0, "hypervisor.clh", SECTION, NULL },
	{ QEMU, 0, "path", PATH, "bin/qemu-system-x86_64" },
	{ QEMU, 0, "valid_hypervisor_paths", PATH, "[]bin/qemu-system-x86_64" },
	{ CLH, 0, "path", PATH, "bin/cloud-hypervisor" },
	{ CLH, 0, "valid_hypervisor_paths", PATH, "[]bin/cloud-hypervisor" },
	{ QEMU, 0, "kernel", PATH, "share/kata-kernel" },
	{ QEMU, 0, "initrd", PATH, "share/kata-initrd" },
	{ QEMU, 0, "firmware", PATH, "share/OVMF.fd" },
	{ CLH, 0, "igvm", PATH, "share/kata-containers-igvm.img" },
	{ 0, 0, "image", PATH, "share/kata-containers.img" },
	{ QEMU, 0, "rootfs_type", TEXT, "erofs" },
	{ CLH, 0, "rootfs_type", TEXT, "ext4" },
	{ 0, 0, "kernel_params", PARAMS, NULL },
	{ QEMU, 0, "machine_type", TEXT, "q35" },
	{ QEMU, 0, "cpu_features", TEXT, "pmu=off" },
	{ 0, 0, "confidential_guest", WORD, "true" },
	{ SNP, 0, "sev_snp_guest", WORD, "true" },
	{ SNP, 0, "snp_guest_policy", WORD, "196608" },
	{ SNP, 0, "snp_id_block", BLOCK, NULL },
	{ SNP, 0, "snp_id_auth", AUTH, NULL },
	{ TDX, 0, "tdx_quote_generation_service_socket_port", WORD, "4050" },
	{ 0, 0, "enable_annotations", WORD, "[\"cc_init_data\"]" },
	{ 0, 0, "default_vcpus", WORD, "1" },
	{ 0, 0, "default_maxvcpus", WORD, "0" },
	{ 0, GPU, "default_memory", WORD, "512" },
	{ GPU, 0, "default_memory", WORD, "1024" },
	{ 0, 0, "default_maxmemory", WORD, "0" },
	{ GPU, 0, "cold_plug_vfio", TEXT, "root-port" },
	{ 0, 0, "shared_fs", TEXT, "none" },
	{ QEMU, 0, "block_device_driver", TEXT, "virtio-scsi" },
	{ QEMU, 0, "block_device_aio", TEXT, "threads" },
	{ CLH, 0, "block_device_driver", TEXT, "virtio-blk" },
	{ 0, 0, "disable_guest_selinux", WORD, "true" },
	{ 0, 0, "enable_debug", DEBUG, NULL },
	{ 0, 0, "agent.kata", SECTION, NULL },
	{ 0, GPU, "dial_timeout", WORD, "90" },
	{ GPU, 0, "dial_timeout", WORD, "600" },
	{ 0, 0, "enable_debug", DEBUG, NULL },
	{ 0, 0, "debug_console_enabled", DEBUG, NULL },
	{ 0, 0, "runtime", SECTION, NULL },
	{ 0, GPU, "create_container_timeout", WORD, "60" },
	{ GPU, 0, "create_container_timeout", WORD, "600" },
	{ GPU, 0, "pod_resource_api_sock", TEXT, "/var/lib/kubelet/pod-resources/kubelet.sock" },
	{ 0, 0, "dan_conf", TEXT, "/run/kata-containers/dans" },
	{ 0, 0, "disable_guest_seccomp", WORD, "true" },
	{ 0, 0, "experimental_force_guest_pull", WORD, "true" },
	{ 0, 0, "internetworking_model", TEXT, "tcfilter" },
	{ 0, 0, "sandbox_cgroup_only", WORD, "true" },
	{ 0, 0, "static_sandbox_resource_mgmt", WORD, "true" },
	{ 0, 0, "vfio_mode", TEXT, "guest-kernel" },
	{ 0, 0, "enable_debug", DEBUG, NULL },
};

#define ROWS (sizeof table / sizeof *table)

static bool holds(const struct row *r, const struct kata_platform *p)
{
	return (p->set & r->with) == r->with && !(p->set & r->without);
}

const struct kata_platform *kata_platform(const char *name)
{
	for (size_t i = 0; i < sizeof platforms / sizeof *platforms; i++) {
		if (strcmp(platforms[i].name, name) == 0)
			return &platforms[i];
	}
	return NULL;
}

const char *kata_tee(const struct kata_platform *p)
{
	return p->set & TDX ? "tdx" : "snp";
}

const char *kata_platforms(void)
{
	return "qemu-snp, qemu-snp-gpu, qemu-tdx, qemu-tdx-gpu, clh-snp, clh-snp-gpu";
}

const char *kata_needs(const struct kata_platform *p, size_t i)
{
	if (i-- == 0)
		return KATA_SHIM;
	for (size_t k = 0; k < ROWS; k++) {
		if (table[k].kind == PATH && table[k].value[0] != '[' && holds(&table[k], p) &&
		    i-- == 0)
			return table[k].value;
	}
	return NULL;
}

static void add_text(struct ctr_buf *b, const char *s)
{
	ctr_json_quote(b, s, strlen(s));
}

static void add_path(struct ctr_buf *b, const char *base, const char *value)
{
	ctr_auto_buf struct ctr_buf path = { 0 };
	bool list = value[0] == '[';

	ctr_buf_addf(&path, "%s/%s", base, value + (list ? 2 : 0));
	ctr_buf_adds(b, list ? "[" : "");
	add_text(b, ctr_buf_str(&path));
	ctr_buf_adds(b, list ? "]" : "");
}

static void add_row(const struct row *r, const struct kata *k, const char *base, struct ctr_buf *b)
{
	if (r->kind == SECTION) {
		ctr_buf_addf(b, "%s[%s]\n", b->n ? "\n" : "", r->key);
		return;
	}
	ctr_buf_addf(b, "%s = ", r->key);
	switch (r->kind) {
	case TEXT:
		add_text(b, r->value);
		break;
	case PATH:
		add_path(b, base, r->value);
		break;
	case DEBUG:
		ctr_buf_adds(b, k->debug ? "true" : "false");
		break;
	case PARAMS:
		add_text(b, k->kernel_params);
		break;
	case BLOCK:
		add_text(b, k->id_block);
		break;
	case AUTH:
		add_text(b, k->id_auth);
		break;
	default:
		ctr_buf_adds(b, r->value);
		break;
	}
	ctr_buf_addc(b, '\n');
}

void kata_config(const struct kata *k, const char *base, struct ctr_buf *b)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (holds(&table[i], k->platform))
			add_row(&table[i], k, base, b);
	}
}
