#include "batch.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "json.h"

#define PER_THREAD 32 /* names that wait or are done but not yet their turn */
#define THREADS_MAX 64
#define NAME_MAX_LEN 4096

/* A name and, once done, its result. */
struct slot {
	char *name;
	struct ctr_buf out;
	bool done;
};

/* A ring: `read` names were taken in, `taken` are with the threads, `written` are out, in order. */
struct batch {
	const struct job *job;
	pthread_mutex_t lock;
	pthread_cond_t moved;
	struct slot *slot;
	size_t n, read, taken, written;
	bool ended;	       /* no more names, or no more sense in reading any */
	bool rejected, broken; /* what the exit status says */
};

/* What went wrong with one file is a result too. */
static void failure(struct ctr_buf *out, const char *name, const struct ctr_err *why)
{
	ctr_auto_json struct ctr_json *obj = ctr_json_new_object();
	struct ctr_err e = { 0 };

	ctr_json_set_string(obj, "file", name);
	ctr_json_set_string(obj, "verdict", "error");
	ctr_json_set_string(obj, "id", why->id);
	ctr_json_set_string(obj, "error", why->msg);
	ctr_buf_reset(out);
	if (ctr_json_print(obj, 0, out, &e) == 0)
		ctr_buf_addc(out, '\n');
}

static void one(struct batch *b, struct slot *s)
{
	struct ctr_err e = { 0 };
	int rc = job_run(b->job, s->name, true, &s->out, &e);

	if (rc < 0 && e.code != CTR_NO)
		failure(&s->out, s->name, &e);
	pthread_mutex_lock(&b->lock);
	b->rejected = b->rejected || (rc < 0 && e.code == CTR_NO);
	b->broken = b->broken || (rc < 0 && e.code != CTR_NO);
	s->done = true;
	pthread_cond_broadcast(&b->moved);
	pthread_mutex_unlock(&b->lock);
}

static void *work(void *arg)
{
	struct batch *b = arg;

	for (;;) {
		struct slot *s = NULL;

		pthread_mutex_lock(&b->lock);
		while (b->taken == b->read && !b->ended)
			pthread_cond_wait(&b->moved, &b->lock);
		if (b->taken < b->read)
			s = &b->slot[b->taken++ % b->n];
		pthread_mutex_unlock(&b->lock);
		if (!s)
			return NULL;
		one(b, s);
	}
}

/* Writes the results whose turn it is; waits for one when `wait`. */
static int drain(struct batch *b, bool wait, struct ctr_err *e)
{
	struct slot *s;
	int rc;

	for (;;) {
		pthread_mutex_lock(&b->lock);
		s = &b->slot[b->written % b->n];
		while (wait && b->written < b->read && !s->done)
			pthread_cond_wait(&b->moved, &b->lock);
		if (b->written == b->read || !s->done) {
			pthread_mutex_unlock(&b->lock);
			return 0;
		}
		pthread_mutex_unlock(&b->lock);
		rc = ctr_buf_ok(&s->out, "result", e) < 0
			     ? -1
			     : ctr_fd_write(STDOUT_FILENO, "standard output", s->out.p, s->out.n,
					    e);
		free(s->name);
		ctr_buf_free(&s->out);
		*s = (struct slot){ 0 };
		b->written++; /* this thread's alone */
		if (rc < 0)
			return -1;
		wait = false;
	}
}

static void give(struct batch *b, char *name)
{
	pthread_mutex_lock(&b->lock);
	b->slot[b->read++ % b->n].name = name;
	pthread_cond_broadcast(&b->moved);
	pthread_mutex_unlock(&b->lock);
}

static int feed(struct batch *b, FILE *in, struct ctr_err *e)
{
	ctr_auto char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	while ((n = getline(&line, &cap, in)) > 0) {
		char *name;

		if (line[n - 1] == '\n')
			line[--n] = '\0';
		if (n == 0)
			continue;
		if (n > NAME_MAX_LEN || memchr(line, 0, (size_t)n))
			return ctr_fail(e, CTR_FORMAT, "batch.name",
					"no file name (expected one a line, at most %d bytes)",
					NAME_MAX_LEN);
		if (drain(b, b->read - b->written == b->n, e) < 0)
			return -1;
		name = strdup(line);
		if (!name)
			return ctr_fail_mem(e);
		give(b, name);
	}
	return ferror(in) ? ctr_fail_sys(e, "read", "the list of files") : 0;
}

static int finish(struct batch *b, struct ctr_err *e)
{
	while (b->written < b->read) {
		if (drain(b, true, e) < 0)
			return -1;
	}
	return 0;
}

static unsigned threads(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > THREADS_MAX ? THREADS_MAX : (unsigned)n;
}

static int run(struct batch *b, FILE *in, struct ctr_err *e)
{
	pthread_t thread[THREADS_MAX];
	unsigned n = 0, want = threads();
	int rc;

	while (n < want && pthread_create(&thread[n], NULL, work, b) == 0)
		n++;
	rc = n ? feed(b, in, e) : ctr_fail(e, CTR_ENV, "thread", "no thread can be started");
	if (rc == 0)
		rc = finish(b, e);
	pthread_mutex_lock(&b->lock);
	b->ended = true;
	pthread_cond_broadcast(&b->moved);
	pthread_mutex_unlock(&b->lock);
	for (unsigned i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
	return rc;
}

int batch_run(const struct job *j, FILE *in, struct ctr_err *e)
{
	struct batch b = { .job = j, .n = (size_t)threads() * PER_THREAD };
	int rc;

	b.slot = calloc(b.n, sizeof *b.slot);
	if (!b.slot)
		return ctr_fail_mem(e);
	pthread_mutex_init(&b.lock, NULL);
	pthread_cond_init(&b.moved, NULL);
	rc = run(&b, in, e);
	for (size_t i = 0; i < b.n; i++) {
		free(b.slot[i].name);
		ctr_buf_free(&b.slot[i].out);
	}
	free(b.slot);
	pthread_cond_destroy(&b.moved);
	pthread_mutex_destroy(&b.lock);
	if (rc == 0 && b.broken)
		return ctr_fail(e, CTR_FORMAT, "batch.broken",
				"some evidence could not be judged: see the results");
	if (rc == 0 && b.rejected)
		return ctr_fail(e, CTR_NO, "batch.rejected",
				"some evidence was rejected: see the results");
	return rc;
}
