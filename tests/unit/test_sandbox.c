/* needs: tools/ctr-coordinatord/sandbox.c tools/ctr-coordinatord/sandbox_calls.c */
/* What a Coordinator that was taken over cannot do: each is tried by a child that is locked in. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "t.h"
#include "tools/ctr-coordinatord/sandbox.h"

static char top[] = "/tmp/test_sandbox.XXXXXX", inside[64], outside[64], path[128], other[128];

static const char *at(const char *dir, const char *name)
{
	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static int touch(const char *file)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return -1;
	return write(fd, "text", 4) == 4 ? close(fd) : -1;
}

static int setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(top));
	snprintf(inside, sizeof inside, "%s/inside", top);
	snprintf(outside, sizeof outside, "%s/outside", top);
	assert_int_equal(mkdir(inside, 0700) | mkdir(outside, 0700), 0);
	assert_int_equal(touch(at(outside, "there")) | touch(at(inside, "there")), 0);
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof command, "rm -r %s", top);
	return system(command);
}

/* What errno is after what a child tries that is locked in: 0 when it could, 255 when the lock
 * failed. */
static int tried(int (*what)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		const char *dirs[] = { inside, "/nowhere", NULL };
		struct ctr_log log = { .tool = "test" };
		struct ctr_err err = { 0 };

		if (sandbox_memory(&log, &err) < 0 || sandbox_enter(dirs, &log, &err) < 0)
			_exit(255);
		errno = 0;
		_exit(what() < 0 ? errno : 0);
	}
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run_program(void)
{
	return execl("/bin/true", "true", (char *)NULL);
}

static int run_from_descriptor(void)
{
	int fd = open("/bin/true", O_RDONLY | O_CLOEXEC);
	char *const none[] = { NULL };

	return fd < 0 ? 0 : (int)syscall(SYS_execveat, fd, "", none, none, AT_EMPTY_PATH);
}

static int trace(void)
{
	return (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static int mount_something(void)
{
	return mount("none", inside, "tmpfs", 0, NULL);
}

static int new_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static int child_in_namespace(void)
{
	long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	return (int)pid;
}

static int child(void)
{
	long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	return (int)pid;
}

static int become(void)
{
	return setuid(getuid());
}

static int read_another(void)
{
	char c;
	struct iovec here = { &c, 1 };

	return (int)process_vm_readv(getppid(), &here, 1, &here, 1, 0);
}

static int keyring(void)
{
	return (int)syscall(SYS_add_key, "user", "x", "x", 1, -3);
}

static int end_another(void)
{
	return kill(getppid(), 0);
}

static int change_root(void)
{
	return chroot(inside);
}

static int ring(void)
{
	return (int)syscall(SYS_io_uring_setup, 1, NULL);
}

/* It makes system calls of its own, and does not know all of ours. */
static void not_under_valgrind(void)
{
	const char *v = getenv("VALGRIND");

	if (v && *v)
		skip();
}

static void what_no_coordinator_needs_is_refused(void **state)
{
	(void)state;
	not_under_valgrind();
	assert_int_equal(tried(run_program), EPERM);
	assert_int_equal(tried(run_from_descriptor), EPERM);
	assert_int_equal(tried(trace), EPERM);
	assert_int_equal(tried(mount_something), EPERM);
	assert_int_equal(tried(new_namespace), EPERM);
	assert_int_equal(tried(child_in_namespace), EPERM);
	assert_int_equal(tried(child), EPERM);
	assert_int_equal(tried(become), EPERM);
	assert_int_equal(tried(read_another), EPERM);
	assert_int_equal(tried(keyring), EPERM);
	assert_int_equal(tried(end_another), EPERM);
	assert_int_equal(tried(change_root), EPERM);
	assert_int_equal(tried(ring), EPERM);
}

static int write_inside(void)
{
	return touch(at(inside, "new"));
}

static int rename_inside(void)
{
	snprintf(other, sizeof other, "%s/moved", inside);
	return touch(at(inside, "move")) < 0 ? -1 : rename(path, other);
}

static int truncate_inside(void)
{
	return open(at(inside, "there"), O_WRONLY | O_TRUNC | O_CLOEXEC);
}

static int make_dir_inside(void)
{
	return mkdir(at(inside, "dir"), 0700);
}

static int remove_inside(void)
{
	return touch(at(inside, "gone")) < 0 ? -1 : unlink(path);
}

static int read_outside(void)
{
	return open(at(outside, "there"), O_RDONLY | O_CLOEXEC);
}

static int create_outside(void)
{
	return touch(at(outside, "new"));
}

static int write_outside(void)
{
	return open(at(outside, "there"), O_WRONLY | O_CLOEXEC);
}

static int truncate_outside(void)
{
	return open(at(outside, "there"), O_RDONLY | O_TRUNC | O_CLOEXEC);
}

static int remove_outside(void)
{
	return unlink(at(outside, "there"));
}

static int make_dir_outside(void)
{
	return mkdir(at(outside, "dir"), 0700);
}

static int move_in(void)
{
	snprintf(other, sizeof other, "%s/taken", inside);
	return rename(at(outside, "there"), other);
}

static int move_out(void)
{
	snprintf(other, sizeof other, "%s/given", outside);
	return rename(at(inside, "there"), other);
}

static int link_out(void)
{
	snprintf(other, sizeof other, "%s/linked", outside);
	return linkat(AT_FDCWD, at(inside, "there"), AT_FDCWD, other, 0);
}

/* Landlock refuses with EACCES, a move from one directory to another perhaps with EXDEV. */
static void refused_outside(int (*what)(void))
{
	int why = tried(what);

	assert_true(why == EACCES || why == EXDEV || why == EPERM);
}

static void nothing_is_written_but_where_it_is_said(void **state)
{
	(void)state;
	not_under_valgrind();
	assert_int_equal(tried(write_inside), 0);
	assert_int_equal(tried(rename_inside), 0);
	assert_int_equal(tried(truncate_inside), 0);
	assert_int_equal(tried(make_dir_inside), 0);
	assert_int_equal(tried(remove_inside), 0);
	assert_int_equal(tried(read_outside), 0);
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 3)
		return; /* a kernel that cannot */
	refused_outside(create_outside);
	refused_outside(write_outside);
	refused_outside(truncate_outside);
	refused_outside(remove_outside);
	refused_outside(make_dir_outside);
	refused_outside(move_in);
	refused_outside(move_out);
	refused_outside(link_out);
}

static void *nothing(void *p)
{
	return p;
}

static int thread(void)
{
	pthread_t t;

	return pthread_create(&t, NULL, nothing, NULL) == 0 && pthread_join(t, NULL) == 0 ? 0 : -1;
}

static int sockets(void)
{
	int v[2];

	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, v);
}

static int own_state(void)
{
	struct rlimit core;

	return getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 && core.rlim_max == 0 &&
			       prctl(PR_GET_DUMPABLE) == 0 &&
			       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1
		       ? 0
		       : -1;
}

static int out_of_it(void)
{
	return prctl(PR_SET_SECCOMP, 0, 0, 0, 0) < 0 && prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) < 0
		       ? 0
		       : -1;
}

static void what_it_needs_it_has(void **state)
{
	(void)state;
	not_under_valgrind();
	assert_int_equal(tried(thread), 0);
	assert_int_equal(tried(sockets), 0);
	assert_int_equal(tried(own_state), 0);
	assert_int_equal(tried(out_of_it), 0);
}

static int unknown_user(void)
{
	struct ctr_err err = { 0 };

	return sandbox_user("nobody of this name", &err) < 0 && err.code == CTR_ENV &&
			       strcmp(err.id, "sandbox.user") == 0
		       ? 0
		       : -1;
}

static void a_user_must_be_there(void **state)
{
	(void)state;
	assert_int_equal(unknown_user(), 0);
	T_OK(sandbox_user(NULL, e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_no_coordinator_needs_is_refused),
		cmocka_unit_test(nothing_is_written_but_where_it_is_said),
		cmocka_unit_test(what_it_needs_it_has),
		cmocka_unit_test(a_user_must_be_there),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
