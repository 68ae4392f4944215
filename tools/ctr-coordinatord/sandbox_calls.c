#include "sandbox_calls.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
/* cppcheck-suppress preprocessorErrorDirective */
#error "no list of system calls for this architecture"
#endif

/* What serving, storing, asking the platform and fetching collateral need. No exec, no ptrace, no
 * mount, no new namespaces, no keyrings, no bpf. */
/* clang-format off */
static const int allowed[] = {
	/* memory and threads */
	SYS_brk, SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise, SYS_mlock, SYS_munlock, SYS_futex,
	SYS_set_robust_list, SYS_rseq, SYS_sched_yield, SYS_sched_getaffinity, SYS_exit, SYS_exit_group,
	SYS_gettid, SYS_getpid, SYS_prctl, SYS_membarrier, SYS_restart_syscall,
	/* signals and time */
	SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_rt_sigtimedwait, SYS_sigaltstack, SYS_tgkill,
	SYS_clock_gettime, SYS_clock_getres, SYS_clock_nanosleep, SYS_nanosleep, SYS_gettimeofday,
	/* files */
	SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64, SYS_openat, SYS_close, SYS_fstat,
	SYS_newfstatat, SYS_statx, SYS_lseek, SYS_fsync, SYS_fdatasync, SYS_syncfs, SYS_ftruncate, SYS_fallocate,
	SYS_flock, SYS_fcntl, SYS_ioctl, SYS_dup, SYS_getdents64, SYS_mkdirat, SYS_unlinkat, SYS_renameat,
	SYS_renameat2, SYS_linkat, SYS_readlinkat, SYS_fchmod, SYS_faccessat, SYS_faccessat2,
	SYS_getcwd, SYS_umask, SYS_statfs, SYS_fstatfs, SYS_fadvise64,
	/* network and waiting */
	SYS_socket, SYS_socketpair, SYS_bind, SYS_connect, SYS_listen, SYS_accept4, SYS_shutdown, SYS_sendto,
	SYS_recvfrom, SYS_sendmsg, SYS_recvmsg, SYS_sendmmsg, SYS_getsockname, SYS_getpeername, SYS_setsockopt,
	SYS_getsockopt, SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_ppoll, SYS_pselect6, SYS_eventfd2,
	SYS_pipe2, SYS_timerfd_create, SYS_timerfd_settime,
	/* who we are, and randomness */
	SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_getrandom, SYS_uname, SYS_sysinfo, SYS_prlimit64,
#if defined(__x86_64__)
	SYS_open, SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_mkdir, SYS_rmdir, SYS_unlink, SYS_rename,
	SYS_poll, SYS_select, SYS_epoll_wait, SYS_pipe, SYS_getrlimit, SYS_time, SYS_dup2, SYS_arch_prctl,
#endif
};
/* clang-format on */
#define ALLOWED (sizeof allowed / sizeof *allowed)

#define LOAD(field)                                                                                \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, field))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, what)

/* clone makes threads, and neither processes nor namespaces. Both architectures have the flags
 * first; the upper half has none that this C library knows. */
#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
	 CLONE_NEWPID | CLONE_NEWNET)

static size_t add_clone(struct sock_filter *f)
{
	const struct sock_filter check[] = {
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 5),
		LOAD(args[0]), /* little-endian: the lower half */
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (uint32_t)NAMESPACES, 1, 0),
		RETURN(SECCOMP_RET_ALLOW),
		RETURN(SECCOMP_RET_ERRNO | EPERM),
	};

	memcpy(f, check, sizeof check);
	return sizeof check / sizeof *check;
}

/* One comparison and one return for each call; clone3, whose flags a filter cannot see, is "not
 * there", so that the C library takes clone. */
static size_t build(struct sock_filter *f)
{
	size_t n = 0;

	f[n++] = (struct sock_filter)LOAD(arch);
	f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	f[n++] = (struct sock_filter)RETURN(SECCOMP_RET_KILL_PROCESS);
	f[n++] = (struct sock_filter)LOAD(nr);
	for (size_t i = 0; i < ALLOWED; i++) {
		f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						      (uint32_t)allowed[i], 0, 1);
		f[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
	}
	n += add_clone(f + n);
	f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1);
	f[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ERRNO | ENOSYS);
	f[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ERRNO | EPERM);
	return n;
}

int sandbox_calls(struct ctr_err *e)
{
	struct sock_filter f[2 * ALLOWED + 16];
	struct sock_fprog prog = { .len = (unsigned short)build(f), .filter = f };

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) < 0)
		return ctr_fail_sys(e, "sandbox", "seccomp");
	return 0;
}
