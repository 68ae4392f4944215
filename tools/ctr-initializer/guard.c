#include "guard.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static volatile sig_atomic_t held, asked, end_status;

static void on_end(int sig)
{
	(void)sig;
	if (!held)
		_exit(end_status);
	asked = 1;
}

/* Those that are waited for. */
static void ours(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGCHLD);
}

void guard_signals(int status)
{
	struct sigaction sa = { .sa_handler = on_end };
	sigset_t set;

	end_status = status;
	sigemptyset(&sa.sa_mask);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	ours(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

void guard_hold(void)
{
	held = 1;
}

void guard_release(void)
{
	held = 0;
	if (asked)
		_exit(end_status);
}

uint64_t guard_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Waits for one signal until the time is over; false: it is. */
static bool wait_for(int sig, uint64_t until)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	for (;;) {
		uint64_t now = guard_now(), ms = until > now ? until - now : 0;
		struct timespec t = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };

		if (sigtimedwait(&set, NULL, &t) == sig)
			return true;
		if (errno != EINTR)
			return false;
	}
}

bool guard_pause(uint64_t ms)
{
	return wait_for(SIGHUP, guard_now() + ms);
}

static void ends(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
}

void guard_delay_end(void)
{
	sigset_t set;

	ends(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

void guard_wait_end(void)
{
	sigset_t set;
	int sig;

	ends(&set);
	sigwait(&set, &sig);
}

static int start(const char *const argv[], pid_t *pid)
{
	posix_spawnattr_t attr;
	sigset_t none, usual;
	int rc;

	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE); /* which the tool ignores */
	if ((rc = posix_spawnattr_init(&attr)) != 0)
		return rc;
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &usual);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
						POSIX_SPAWN_SETPGROUP);
	/* the prototype is older than const */
	rc = posix_spawnp(pid, argv[0], NULL, &attr, (char *const *)(uintptr_t)argv, environ);
	posix_spawnattr_destroy(&attr);
	return rc;
}

static int ended(int status, struct ctr_err *e)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status) == 0
			       ? 0
			       : ctr_fail(e, CTR_NO, "exec", "exit status %d", WEXITSTATUS(status));
	return ctr_fail(e, CTR_NO, "exec", "ended by signal %d", WTERMSIG(status));
}

int guard_exec(const char *const argv[], unsigned seconds, struct ctr_err *e)
{
	uint64_t until = guard_now() + (uint64_t)seconds * 1000;
	int status = 0;
	pid_t pid;

	if ((errno = start(argv, &pid)) != 0)
		return ctr_fail_sys(e, "exec", "%s", argv[0]);
	/* a SIGCHLD may be an older one's: the child itself is what counts */
	while (seconds && waitpid(pid, &status, WNOHANG) == 0) {
		if (wait_for(SIGCHLD, until))
			continue;
		kill(-pid, SIGKILL);
		waitpid(pid, &status, 0);
		return ctr_fail(e, CTR_NO, "exec", "killed after %u seconds", seconds);
	}
	while (!seconds && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return ended(status, e);
}
