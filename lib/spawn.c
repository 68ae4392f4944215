#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "file.h"

#define CHUNK 4096

/* An end that we read. */
struct stream {
	int fd; /* -1: closed */
	struct ctr_buf *to;
};

static void stream_close(struct stream *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}
#define auto_stream CTR_AUTO(stream_close)

/* What the child's descriptors become, and where it says why it cannot be the program. */
struct ends {
	int in, out, err, why;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A file in memory instead of a pipe: a program that does not read it is no SIGPIPE for us. */
static int input(const struct ctr_spawn *s, struct ctr_err *e)
{
	int fd = s->in ? memfd_create("in", MFD_CLOEXEC) : open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return ctr_fail_sys(e, s->id, "%s: no input", s->argv[0]);
	if (!s->in || (ctr_fd_write(fd, "input", s->in, strlen(s->in), e) == 0 &&
		       lseek(fd, 0, SEEK_SET) == 0))
		return fd;
	ctr_fail_sys(e, s->id, "%s: no input", s->argv[0]);
	close(fd);
	return -1;
}

/* In the child: only calls that are safe after a fork of a process with threads. */
static _Noreturn void become(const struct ctr_spawn *s, const struct ends *to)
{
	char *const *argv = (char *const *)(uintptr_t)s->argv;
	char *const *env = s->env ? (char *const *)(uintptr_t)s->env : environ;
	int why;

	signal(SIGPIPE, SIG_DFL); /* we ignore it, the program should not */
	if (dup2(to->in, STDIN_FILENO) >= 0 && dup2(to->out, STDOUT_FILENO) >= 0 &&
	    dup2(to->err, STDERR_FILENO) >= 0 &&
	    close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0 &&
	    (!s->root || !*s->root || (chroot(s->root) == 0 && chdir("/") == 0)))
		execvpe(argv[0], argv, env);
	why = errno;
	_exit(write(to->why, &why, sizeof why) < 0 ? 126 : 127);
}

/* *why is errno of a program that could not be started, 0 when it runs. */
static int start(const struct ctr_spawn *s, struct ends *to, pid_t *pid, int *why)
{
	ctr_auto_fd int from = -1;
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return -1;
	from = p[0];
	to->why = p[1];
	*pid = fork();
	if (*pid == 0)
		become(s, to);
	close(p[1]);
	if (*pid < 0)
		return -1;
	/* the end of it: exec closed the other side */
	if (read(from, why, sizeof *why) != sizeof *why)
		*why = 0;
	return 0;
}

/* Takes what there is; an end is closed. */
static int take(const struct ctr_spawn *s, struct stream *from, struct ctr_err *e)
{
	size_t max = from->to->max, room = CHUNK;
	uint8_t *to;
	ssize_t got;

	if (max && max - from->to->n < room)
		room = max - from->to->n;
	to = ctr_buf_room(from->to, room);
	if (!to || room == 0)
		return ctr_fail(e, CTR_ENV, s->id, "%s: printed too much", s->argv[0]);
	got = read(from->fd, to, room);
	if (got < 0 && errno != EINTR)
		return ctr_fail_sys(e, s->id, "%s", s->argv[0]);
	ctr_buf_commit(from->to, got > 0 ? (size_t)got : 0);
	if (got == 0)
		stream_close(from);
	return 0;
}

static int late(const struct ctr_spawn *s, struct ctr_err *e)
{
	return ctr_fail(e, CTR_ENV, s->id, "%s: no answer in time (%u s)", s->argv[0], s->seconds);
}

/* Reads to the end of both. */
static int gather(const struct ctr_spawn *s, struct stream *a, struct stream *b, int64_t until,
		  struct ctr_err *e)
{
	while (a->fd >= 0 || b->fd >= 0) {
		struct pollfd p[2] = { { .fd = a->fd, .events = POLLIN },
				       { .fd = b->fd, .events = POLLIN } };
		int64_t left = until - now_ms();

		if (left <= 0)
			return late(s, e);
		if (poll(p, 2, (int)left) <= 0)
			continue;
		if ((p[0].revents && take(s, a, e) < 0) || (p[1].revents && take(s, b, e) < 0))
			return -1;
	}
	return 0;
}

/* Waits for the end of the process, which may outlive its output; at `until` it is killed. */
static int finish(const struct ctr_spawn *s, pid_t pid, int64_t until, int *status,
		  struct ctr_err *e)
{
	const struct timespec nap = { .tv_nsec = 5000000 };
	int st = 0;
	pid_t got;

	while ((got = waitpid(pid, &st, WNOHANG)) == 0 && now_ms() < until)
		nanosleep(&nap, NULL);
	if (got == 0) {
		kill(pid, SIGKILL);
		waitpid(pid, &st, 0);
		return late(s, e);
	}
	if (got < 0)
		return ctr_fail_sys(e, s->id, "%s", s->argv[0]);
	*status = WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
	return 0;
}

/* Its end for the child, ours for us; without a buffer the child gets `other`. */
static int open_stream(struct ctr_buf *to, int other, struct stream *ours, int *theirs)
{
	int p[2];

	*theirs = other;
	if (!to)
		return 0;
	if (pipe2(p, O_CLOEXEC) < 0)
		return -1;
	*ours = (struct stream){ p[0], to };
	*theirs = p[1];
	return 0;
}

int ctr_spawn(const struct ctr_spawn *s, int *status, struct ctr_err *e)
{
	int64_t until = now_ms() + (int64_t)s->seconds * 1000;
	auto_stream struct stream out = { .fd = -1 }, err = { .fd = -1 };
	ctr_auto_fd int in = input(s, e), null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct ends to = { .in = in };
	int rc, why = 0;
	pid_t pid = -1;

	if (in < 0)
		return -1;
	if (null < 0 || open_stream(s->out, STDERR_FILENO, &out, &to.out) < 0)
		return ctr_fail_sys(e, s->id, "%s", s->argv[0]);
	rc = open_stream(s->err, s->quiet ? null : STDERR_FILENO, &err, &to.err);
	if (rc == 0)
		rc = start(s, &to, &pid, &why);
	if (rc < 0)
		ctr_fail_sys(e, s->id, "%s", s->argv[0]);
	if (s->out)
		close(to.out);
	if (s->err && err.fd >= 0)
		close(to.err);
	if (rc < 0)
		return -1;
	rc = why ? ctr_fail(e, CTR_ENV, s->id, "%s: %s", s->argv[0], strerror(why))
		 : gather(s, &out, &err, until, e);
	if (finish(s, pid, rc < 0 ? 0 : until, status, rc < 0 ? NULL : e) < 0)
		rc = -1;
	return rc;
}
