#include "host.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>

#include "node.h"

#define SMALL ((size_t)64 * 1024)
#define CAP_VM_TYPES 235 /* KVM_CAP_VM_TYPES, newer than our headers */

bool host_check(struct host *h, const char *name, bool pass, const char *expected,
		const char *found, const char *fix)
{
	return ctr_check(&h->checks, name, pass, expected, found, "%s", pass ? "" : fix);
}

int host_read(const struct host *h, const char *path, size_t max, struct ctr_buf *b, bool *exists,
	      struct ctr_err *e)
{
	return node_read(h->root, path, max, b, exists, e);
}

int host_open(const struct host *h, const char *path, int *fd, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf real = { 0 };

	if (node_path(h->root, path, &real, NULL, e) < 0)
		return -1;
	*fd = open(real.p, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return *fd < 0 ? ctr_fail_sys(e, "open", "%s", path) : 0;
}

void host_check_vendor(struct host *h, const char *vendor)
{
	bool virtual = host_cpu_has(&h->cpu, "hypervisor");

	host_check(h, "cpu.vendor", strcmp(h->cpu.vendor, vendor) == 0, vendor, h->cpu.vendor,
		   "SEV-SNP needs a CPU of AMD, TDX one of Intel");
	host_check(h, "cpu.bare_metal", !virtual, "no hypervisor below the kernel",
		   virtual ? "a virtual machine" : "none",
		   "confidential guests run on the machine itself, not inside of a guest");
}

void host_check_flag(struct host *h, const char *name, const char *flag, const char *fix)
{
	bool has = host_cpu_has(&h->cpu, flag);

	host_check(h, name, has, flag, has ? flag : "not among the CPU's flags", fix);
}

void host_check_path(struct host *h, const char *name, const char *path, const char *fix)
{
	ctr_auto_buf struct ctr_buf real = { 0 };
	struct ctr_err why = { 0 };
	bool exists = false;

	/* above it there may be nothing either */
	if (node_path(h->root, path, &real, &exists, &why) < 0)
		exists = false;
	host_check(h, name, exists, path, exists ? path : "absent", fix);
}

void host_check_param(struct host *h, const char *name, const char *path, const char *fix)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct ctr_err why = { 0 };
	bool exists = false;
	char word[16] = "absent";
	int rc = host_read(h, path, SMALL, &b, &exists, &why);

	if (rc == 0 && exists)
		ctr_escape(word, sizeof word, ctr_buf_str(&b), strcspn(ctr_buf_str(&b), "\n"));
	host_check(h, name, strcmp(word, "Y") == 0 || strcmp(word, "1") == 0, "Y", word, fix);
}

/* The number behind "NAME " at the beginning of a line; digits only. */
static bool count_of(const char *p, const char *name, char *v, size_t size)
{
	size_t n = strlen(name);

	for (; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		size_t len;

		if (strncmp(p, name, n) != 0 || p[n] != ' ')
			continue;
		len = strspn(p + n + 1, "0123456789");
		if (len == 0 || len >= size || (p[n + 1 + len] && p[n + 1 + len] != '\n'))
			return false;
		snprintf(v, size, "%.*s", (int)len, p + n + 1);
		return true;
	}
	return false;
}

void host_check_capacity(struct host *h, const char *name, const char *resource, const char *fix)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct ctr_err why = { 0 };
	bool exists = false;
	char v[16] = "0";

	if (host_read(h, "/sys/fs/cgroup/misc.capacity", SMALL, &b, &exists, &why) < 0 || !exists) {
		ctr_check_skip(&h->checks, name, "/sys/fs/cgroup/misc.capacity cannot be read");
		return;
	}
	count_of(ctr_buf_str(&b), resource, v, sizeof v);
	host_check(h, name, strspn(v, "0") < strlen(v), "at least 1", v, fix);
}

void host_check_kvm(struct host *h, const char *name, unsigned type, const char *fix)
{
	ctr_auto_fd int fd = -1;
	struct ctr_err why = { 0 };
	char found[32];
	int types;

	if (host_open(h, "/dev/kvm", &fd, &why) < 0 ||
	    host_io.ioctl(fd, KVM_GET_API_VERSION, 0) != 12) {
		host_check(h, "kvm.device", false, "/dev/kvm, API 12", fd < 0 ? "absent" : "no KVM",
			   "firmware: virtualisation (SVM or VMX) on; kernel: load kvm_amd or "
			   "kvm_intel; run this as root");
		ctr_check_skip(&h->checks, name, "there is no KVM");
		return;
	}
	host_check(h, "kvm.device", true, "/dev/kvm, API 12", "API 12", "");
	types = host_io.ioctl(fd, KVM_CHECK_EXTENSION, CAP_VM_TYPES);
	snprintf(found, sizeof found, types < 0 ? "none" : "types 0x%x", (unsigned)types);
	host_check(h, name, types >= 0 && (unsigned)types >> type & 1,
		   "KVM makes guests of this type", found, fix);
}
