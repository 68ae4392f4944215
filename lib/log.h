/* Words for people and scripts on stderr. */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include "err.h"
#include "progress.h"

enum ctr_level { CTR_QUIET = -1, CTR_WARN = 0, CTR_INFO = 1, CTR_DEBUG = 2 };

/* Made by the tool from -v, -q and --errors; passed to whoever has something to say. */
struct ctr_log {
	const char *tool;
	int level;   /* messages above it are dropped */
	bool json;   /* one JSON object a line instead of text */
	_Atomic unsigned warnings; /* counted also when -q hides them */
	struct ctr_progress *progress; /* whose line gives way to a message; NULL for none */
};

/*
 * One message: `ctr-x: FILE:LINE:COL: warning: text`. where NULL and line 0 leave the position out.
 * `id` is a stable word such as "policy.mounted-secret". Safe for untrusted text.
 */
void ctr_log(struct ctr_log *l, enum ctr_level level, const char *id, const char *where,
	     unsigned line, unsigned col, const char *fmt, ...) CTR_FMT(7, 8);

/* The error that ends a tool, in the same form, with the advice after "; ". */
void ctr_log_err(struct ctr_log *l, const struct ctr_err *e);

#endif
