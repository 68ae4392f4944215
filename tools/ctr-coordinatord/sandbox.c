#include "sandbox.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "sandbox_calls.h"
#include "tool.h"

int sandbox_memory(struct ctr_log *l, struct ctr_err *e)
{
	struct rlimit locked;

	if (ctr_tool_guard(e) < 0)
		return -1;
	/* with a limit, MCL_FUTURE would make allocations fail at it */
	if (getrlimit(RLIMIT_MEMLOCK, &locked) == 0 && locked.rlim_cur == RLIM_INFINITY &&
	    mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
		ctr_log(l, CTR_INFO, "sandbox.memory", NULL, 0, 0, "memory cannot be locked");
	return 0;
}

/* Best effort: the limit may be small. */
void sandbox_lock(const struct ctr_secret *s)
{
	if (s->n && mlock(s->p, s->n) < 0)
		return;
}

int sandbox_user(const char *name, struct ctr_err *e)
{
	const struct passwd *pw;

	if (!name)
		return 0;
	pw = getpwnam(name);
	if (!pw)
		return ctr_fail(e, CTR_ENV, "sandbox.user", "--user=%s: there is no such user",
				name);
	if (pw->pw_uid == geteuid())
		return 0;
	if (initgroups(name, pw->pw_gid) < 0 || setgid(pw->pw_gid) < 0 || setuid(pw->pw_uid) < 0)
		return ctr_fail_sys(e, "sandbox.user", "--user=%s", name);
	/* a sysctl says what another user's process is: never dumpable, whatever it says */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return ctr_fail_sys(e, "sandbox", "core dumps cannot be turned off");
	if (setuid(0) == 0)
		return ctr_fail(e, CTR_ENV, "sandbox.user", "--user=%s: root can be had back",
				name);
	return 0;
}

/* Later than some headers. Without the second, O_TRUNC empties what is opened for reading. */
#define REFER (UINT64_C(1) << 13)    /* version 2 */
#define TRUNCATE (UINT64_C(1) << 14) /* version 3 */

/* Of the first version of Landlock: all that changes something. */
#define WRITES                                                                                     \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                           \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |                           \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |                               \
	 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |                             \
	 LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

static int allow(int rules, uint64_t writes, const char *dir, struct ctr_err *e)
{
	ctr_auto_fd int fd = open(dir, O_PATH | O_CLOEXEC | O_DIRECTORY);
	struct landlock_path_beneath_attr at = { .allowed_access = writes, .parent_fd = fd };

	/* one that is not there cannot be written to either */
	if (fd < 0)
		return 0;
	if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &at, 0) < 0)
		return ctr_fail_sys(e, "sandbox", "%s", dir);
	return 0;
}

static int file_system(const char *const *writable, struct ctr_log *l, struct ctr_err *e)
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	uint64_t writes = WRITES | (version >= 2 ? REFER : 0) | (version >= 3 ? TRUNCATE : 0);
	struct landlock_ruleset_attr attr = { .handled_access_fs =
						      writes | LANDLOCK_ACCESS_FS_EXECUTE };
	ctr_auto_fd int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);

	if (rules < 0) {
		ctr_log(l, CTR_INFO, "sandbox.landlock", NULL, 0, 0,
			"this kernel has no Landlock: the file system stays writable");
		return 0;
	}
	for (; *writable; writable++) {
		if (allow(rules, writes, *writable, e) < 0)
			return -1;
	}
	if (syscall(SYS_landlock_restrict_self, rules, 0) < 0)
		return ctr_fail_sys(e, "sandbox", "Landlock");
	return 0;
}

int sandbox_enter(const char *const *writable, struct ctr_log *l, struct ctr_err *e)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return ctr_fail_sys(e, "sandbox", "no_new_privs");
	return file_system(writable, l, e) < 0 ? -1 : sandbox_calls(e);
}
