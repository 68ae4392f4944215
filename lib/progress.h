/* How far long work is, on stderr: a line that renews itself on a terminal, or JSON for scripts. */
#ifndef LIB_PROGRESS_H
#define LIB_PROGRESS_H

#include <pthread.h>
#include <stdint.h>

#include "err.h"

enum ctr_progress_mode {
	CTR_PROGRESS_AUTO,
	CTR_PROGRESS_NONE,
	CTR_PROGRESS_TEXT,
	CTR_PROGRESS_JSON
};

/*
 * One piece of work at a time, by any number of threads. Made by the tool from --progress; a NULL
 * pointer is silent wherever one is taken.
 */
struct ctr_progress {
	const char *tool;
	unsigned after; /* milliseconds of work before the first line, and between two */
	/* not for users */
	enum ctr_progress_mode mode;
	pthread_mutex_t lock;
	char what[128];
	uint64_t total;
	_Atomic uint64_t done, next; /* bytes; when the next line is due, in milliseconds */
	bool begun;
	int drawn; /* columns in use */
};

/* "json", "text", "none" or "auto", which is text on a terminal and nothing elsewhere. CTR_USAGE
 * "usage". */
CTR_MUST int ctr_progress_parse(const char *s, enum ctr_progress_mode *mode, struct ctr_err *e);

void ctr_progress_init(struct ctr_progress *p, const char *tool, enum ctr_progress_mode mode);

/*
 * Work on `what` (copied, cut, made safe) begins, of `total` bytes, 0 when that is not known. The
 * first line comes half a second after the first of these calls. add: n bytes more are done; from
 * any thread. end: the line is gone; as JSON each piece has one last object.
 */
void ctr_progress_begin(struct ctr_progress *p, const char *what, uint64_t total);
void ctr_progress_add(struct ctr_progress *p, uint64_t n);
void ctr_progress_end(struct ctr_progress *p);

/* Around other words on stderr: takes the line away and lets no thread write another one. */
void ctr_progress_hold(struct ctr_progress *p);
void ctr_progress_release(struct ctr_progress *p);

#endif
