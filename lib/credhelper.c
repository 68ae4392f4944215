#include "credhelper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "file.h"

#define OUTPUT_MAX ((size_t)64 * 1024)

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A file in memory instead of a pipe: a helper that does not read it is no SIGPIPE for us. */
static int input(const char *server, struct ctr_err *e)
{
	int fd = memfd_create("server", MFD_CLOEXEC);

	if (fd < 0)
		return ctr_fail_sys(e, "registry.helper", "memfd_create");
	if (ctr_fd_write(fd, "server", server, strlen(server), e) == 0 &&
	    lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	ctr_fail_sys(e, "registry.helper", "memfd");
	close(fd);
	return -1;
}

static int start(const char *prog, int in, int out, pid_t *pid)
{
	char get[] = "get", *name = strdup(prog), *argv[] = { name, get, NULL };
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	sigset_t pipe_only;
	int rc = name ? 0 : ENOMEM;

	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&at);
	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	posix_spawnattr_setsigdefault(&at, &pipe_only); /* we ignore it, the helper should not */
	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETSIGDEF);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&fa, in, STDIN_FILENO);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&fa, out, STDOUT_FILENO);
	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(&fa, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (rc == 0)
		rc = posix_spawnp(pid, prog, &fa, &at, argv, environ);
	posix_spawnattr_destroy(&at);
	posix_spawn_file_actions_destroy(&fa);
	free(name);
	return rc;
}

/* Reads to the end of the output; an end that does not come by `until` is a failure. */
static int gather(const char *prog, int fd, int64_t until, struct ctr_buf *out, struct ctr_err *e)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = until - now_ms();
		uint8_t *to = ctr_buf_room(out, 4096);
		ssize_t got;

		if (!to)
			return ctr_fail(e, CTR_ENV, "registry.helper", "%s: printed too much",
					prog);
		if (left <= 0)
			return ctr_fail(e, CTR_ENV, "registry.helper", "%s: no answer in time",
					prog);
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		got = read(fd, to, 4096);
		if (got < 0 && errno != EINTR)
			return ctr_fail_sys(e, "registry.helper", "%s", prog);
		if (got == 0)
			return 0;
		if (got > 0)
			ctr_buf_commit(out, (size_t)got);
	}
}

/* Waits for the end of the process, which may outlive its output; at `until` it is killed. */
static bool succeeded(pid_t pid, int64_t until)
{
	const struct timespec nap = { .tv_nsec = 5000000 };
	int status = 0;
	pid_t got;

	while ((got = waitpid(pid, &status, WNOHANG)) == 0 && now_ms() < until)
		nanosleep(&nap, NULL);
	if (got == 0) {
		kill(pid, SIGKILL);
		got = waitpid(pid, &status, 0);
	}
	return got == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Starts prog and gathers its output; *good says whether it ended with status 0. */
static int run(const char *prog, const char *server, int64_t until, struct ctr_buf *out, bool *good,
	       struct ctr_err *e)
{
	ctr_auto_fd int in = input(server, e), from = -1;
	int p[2], rc;
	pid_t pid;

	if (in < 0)
		return -1;
	if (pipe2(p, O_CLOEXEC) < 0)
		return ctr_fail_sys(e, "registry.helper", "%s", prog);
	from = p[0];
	rc = start(prog, in, p[1], &pid);
	close(p[1]);
	if (rc != 0)
		return ctr_fail(e, CTR_ENV, "registry.helper", "%s: %s", prog, strerror(rc));
	rc = gather(prog, from, until, out, e);
	*good = succeeded(pid, rc < 0 ? 0 : until);
	return rc;
}

int ctr_credhelper_get(const char *name, const char *server, unsigned seconds, struct ctr_buf *out,
		       bool *found, struct ctr_err *e)
{
	static const char none[] = "credentials not found";
	const char *letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	int64_t until = now_ms() + (int64_t)seconds * 1000;
	bool good = false;
	char prog[128];

	*found = false;
	out->max = OUTPUT_MAX;
	if (!*name || strlen(name) > 64 || name[strspn(name, letters)])
		return ctr_fail(e, CTR_FORMAT, "registry.credentials",
				"\"%s\": not the name of a credential helper", name);
	snprintf(prog, sizeof prog, "docker-credential-%s", name);
	if (run(prog, server, until, out, &good, e) < 0)
		return -1;
	*found = good;
	if (good || (out->n >= sizeof none - 1 && strncmp(out->p, none, sizeof none - 1) == 0))
		return 0;
	return ctr_fail(e, CTR_ENV, "registry.helper",
			"%s: failed, or gave no answer in time, for %s", prog, server);
}
