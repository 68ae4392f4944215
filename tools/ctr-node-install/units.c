#include "units.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

/* Runs it with standard output going to stderr, for ours is the result. *status is its exit status.
 */
static int call(char *const argv[], int *status, struct ctr_err *e)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	sigset_t pipe_only;
	int rc, wait = 0;
	pid_t pid;

	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&at);
	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	posix_spawnattr_setsigdefault(&at, &pipe_only);
	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawn_file_actions_addopen(&fa, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&fa, STDERR_FILENO, STDOUT_FILENO);
	if (rc == 0)
		rc = posix_spawnp(&pid, argv[0], &fa, &at, argv, environ);
	posix_spawnattr_destroy(&at);
	posix_spawn_file_actions_destroy(&fa);
	if (rc != 0)
		return ctr_fail(e, CTR_ENV, "restart", "%s: %s", argv[0], strerror(rc));
	while (waitpid(pid, &wait, 0) < 0) {
		if (errno != EINTR)
			return ctr_fail_sys(e, "restart", "%s", argv[0]);
	}
	*status = WIFEXITED(wait) ? WEXITSTATUS(wait) : 128;
	return 0;
}

/* Words are copied, for the interface of exec takes them as changeable. */
static int systemctl(const struct units *u, const char *verb, const char *unit, int *status,
		     struct ctr_err *e)
{
	const char *words[9] = { u->systemctl ? u->systemctl : "systemctl" };
	char *argv[9] = { NULL };
	size_t n = 1, i = 0;
	int rc = 0;

	if (!u->systemctl && u->node->root[0]) {
		static const char *const enter[] = { "nsenter", "--target", "1",
						     "--mount", "--",	    "systemctl" };

		memcpy(words, enter, sizeof enter);
		n = sizeof enter / sizeof *enter;
	}
	words[n++] = verb;
	words[n++] = unit;
	for (; i < n && rc == 0; i++) {
		argv[i] = strdup(words[i]);
		if (!argv[i])
			rc = ctr_fail_mem(e);
	}
	if (rc == 0)
		rc = call(argv, status, e);
	for (i = 0; i < n; i++)
		free(argv[i]);
	return rc;
}

static void announce(const struct units *u, const char *unit)
{
	bool api = strncmp(unit, "k3s", 3) == 0 || strncmp(unit, "rke2", 4) == 0 ||
		   strncmp(unit, "k0s", 3) == 0;

	ctr_log(u->log, api ? CTR_WARN : CTR_INFO, "restart.impact", NULL, 0, 0,
		"%s is restarted%s", unit,
		api ? ": what else it runs on this node (kubelet, on servers the API) pauses" : "");
}

static int restart_one(const struct units *u, const char *unit, struct ctr_err *e)
{
	int status = 0;

	announce(u, unit);
	if (systemctl(u, "restart", unit, &status, e) < 0)
		return -1;
	if (status == 0 && systemctl(u, "is-active", unit, &status, e) < 0)
		return -1;
	if (status != 0)
		return ctr_fail(e, CTR_ENV, "restart", "%s does not come back (status %d)", unit,
				status);
	return 0;
}

int units_restart(const struct units *u, struct ctr_err *e)
{
	bool any = false;

	if (u->off)
		return 0;
	for (size_t i = 0; i < 3 && u->node->kind->units[i]; i++) {
		const char *unit = u->node->kind->units[i];
		int status = 0;

		if (systemctl(u, "is-active", unit, &status, e) < 0)
			return -1;
		if (status != 0)
			continue;
		any = true;
		if (restart_one(u, unit, e) < 0)
			return -1;
	}
	if (!any)
		ctr_log(u->log, CTR_WARN, "restart.none", NULL, 0, 0,
			"no unit of %s is active: the change counts from its next start",
			u->node->kind->name);
	return 0;
}
