/*
 * Runs a program as in a guest, the program itself and not one made for tests: inguest
 * sim:DIR[,NAME=VALUE…] PROGRAM [ARGUMENT…]. What it asks of configfs-tsm (SNP) or of
 * /dev/tdx_guest (TDX) is answered by the simulated platform: the kernel stops it at these calls
 * (seccomp_unotify(2)), as any user. Status 77: this kernel cannot.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "platform.h"

#define TSM "/sys/kernel/config/tsm/report"
#define GET_REPORT0 0xc4405401

static struct guest {
	struct ctr_platform *platform;
	int listener;
	int inblob; /* what was written there, -1 for nothing yet */
	int device; /* the number that /dev/tdx_guest has in the program */
} guest = { .inblob = -1, .device = -1 };

static void die(const char *what)
{
	perror(what);
	exit(99);
}

/* Without return: the program's own memory, or nothing. */
static size_t peek(pid_t pid, uint64_t at, void *p, size_t n)
{
	char path[64];
	ctr_auto_fd int fd = -1;
	ssize_t got;

	snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? -1 : pread(fd, p, n, (off_t)at);
	return got < 0 ? 0 : (size_t)got;
}

static void poke(pid_t pid, uint64_t at, const void *p, size_t n)
{
	char path[64];
	ctr_auto_fd int fd = -1;

	snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || pwrite(fd, p, n, (off_t)at) != (ssize_t)n)
		die("memory of the program");
}

static void answer(uint64_t id, int error, bool go_on)
{
	struct seccomp_notif_resp r = { .id = id,
					.error = -error,
					.flags = go_on ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0 };

	if (ioctl(guest.listener, SECCOMP_IOCTL_NOTIF_SEND, &r) < 0 && errno != ENOENT)
		die("answer");
}

/* Lets the call return a file of these bytes; the number it has over there. */
static int hand_over(uint64_t id, const void *p, size_t n, int *keep)
{
	int fd = memfd_create("attribute", MFD_CLOEXEC), theirs;
	struct seccomp_notif_addfd a = { .id = id,
					 .flags = SECCOMP_ADDFD_FLAG_SEND,
					 .newfd_flags = O_CLOEXEC };

	if (fd < 0 || write(fd, p, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET) < 0)
		die("attribute");
	a.srcfd = (uint32_t)fd;
	theirs = ioctl(guest.listener, SECCOMP_IOCTL_NOTIF_ADDFD, &a);
	if (theirs < 0)
		die("handing over");
	if (keep)
		*keep = fd;
	else
		close(fd);
	return theirs;
}

static bool asked(uint8_t *report_data)
{
	return guest.inblob >= 0 &&
	       pread(guest.inblob, report_data, CTR_REPORT_DATA, 0) == CTR_REPORT_DATA;
}

static void attribute(uint64_t id, const char *name)
{
	ctr_auto_buf struct ctr_buf report = { 0 }, table = { 0 };
	uint8_t report_data[CTR_REPORT_DATA];
	struct ctr_err e = { 0 };

	if (strcmp(name, "provider") == 0) {
		hand_over(id, "sev_guest\n", 10, NULL);
	} else if (strcmp(name, "generation") == 0) {
		hand_over(id, asked(report_data) ? "1\n" : "0\n", 2, NULL);
	} else if (strcmp(name, "inblob") == 0) {
		hand_over(id, "", 0, &guest.inblob);
	} else if (strcmp(name, "outblob") == 0 && asked(report_data)) {
		if (ctr_platform_report(guest.platform, report_data, &report, &table, &e) < 0)
			die(e.msg);
		hand_over(id, report.p, report.n, NULL);
	} else {
		answer(id, ENOENT, false);
	}
}

static void on_ioctl(const struct seccomp_notif *n)
{
	uint8_t report_data[CTR_REPORT_DATA], report[CTR_TDREPORT_SIZE];
	uint64_t at = n->data.args[2];
	struct ctr_err e = { 0 };

	if ((int)n->data.args[0] != guest.device || guest.device < 0 ||
	    n->data.args[1] != GET_REPORT0) {
		answer(n->id, 0, true);
		return;
	}
	if (peek((pid_t)n->pid, at, report_data, sizeof report_data) != sizeof report_data ||
	    ctr_platform_tdreport(guest.platform, report_data, report, &e) < 0)
		die(e.msg);
	poke((pid_t)n->pid, at + sizeof report_data, report, sizeof report);
	answer(n->id, 0, false);
}

static void on_path(const struct seccomp_notif *n, bool is_open, uint64_t at)
{
	bool snp = ctr_platform_tee(guest.platform) == CTR_TEE_SNP;
	char path[256] = "";

	peek((pid_t)n->pid, at, path, sizeof path - 1);
	if (is_open && !snp && strcmp(path, "/dev/tdx_guest") == 0) {
		guest.device = hand_over(n->id, "", 0, NULL);
		return;
	}
	if (strncmp(path, TSM "/", sizeof TSM) != 0)
		answer(n->id, 0, true);
	else if (!snp)
		answer(n->id, ENOENT, false);
	else if (is_open)
		attribute(n->id, strrchr(path, '/') + 1);
	else
		answer(n->id, 0, false); /* made, or removed */
}

static void serve(void)
{
	struct pollfd p = { .fd = guest.listener, .events = POLLIN };
	struct seccomp_notif n;

	while (poll(&p, 1, -1) > 0 && (p.revents & POLLIN)) {
		n = (struct seccomp_notif){ 0 };
		if (ioctl(guest.listener, SECCOMP_IOCTL_NOTIF_RECV, &n) < 0)
			continue;
		switch (n.data.nr) {
		case __NR_ioctl:
			on_ioctl(&n);
			break;
		case __NR_openat:
			on_path(&n, true, n.data.args[1]);
			break;
		case __NR_mkdirat:
		case __NR_unlinkat:
			on_path(&n, false, n.data.args[1]);
			break;
		default: /* open, mkdir, rmdir */
			on_path(&n, false, n.data.args[0]);
		}
	}
}

#define STOP(number)                                                                               \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1),                                       \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF)

static int install(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		STOP(__NR_openat),
		STOP(__NR_mkdirat),
		STOP(__NR_unlinkat),
		STOP(__NR_ioctl),
#ifdef __NR_mkdir
		STOP(__NR_mkdir),
		STOP(__NR_rmdir),
#endif
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = sizeof code / sizeof *code, .filter = code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return (int)syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			    &prog);
}

int main(int argc, char **argv)
{
	ctr_auto_platform struct ctr_platform *p = NULL;
	struct ctr_err e = { 0 };
	int to[2], fd = -1, status = 0;
	pid_t child;

	if (argc < 3 || ctr_platform_open(argv[1], NULL, &p, &e) < 0) {
		fprintf(stderr, "inguest: %s\n", argc < 3 ? "a platform and a program" : e.msg);
		return 99;
	}
	if (pipe2(to, O_CLOEXEC) < 0)
		die("pipe");
	/* one table of files until the program begins: the listener's number is good on both sides
	 */
	child = (pid_t)syscall(__NR_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
	if (child < 0)
		die("clone");
	if (child == 0) {
		fd = install();
		if (write(to[1], &fd, sizeof fd) != sizeof fd || fd < 0)
			_exit(77);
		execvp(argv[2], argv + 2);
		_exit(98);
	}
	if (read(to[0], &guest.listener, sizeof guest.listener) != sizeof guest.listener)
		die("read");
	guest.platform = p;
	if (guest.listener >= 0)
		serve();
	if (waitpid(child, &status, 0) != child)
		die("wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}
