/* Files whole: capped reads, atomic writes, and a spool for output that waits for success. */
#ifndef LIB_FILE_H
#define LIB_FILE_H

#include "buf.h"

/* Reads all of `path` ("-": standard input). More than max bytes is CTR_FORMAT "limit". */
CTR_MUST int ctr_file_read(const char *path, size_t max, struct ctr_buf *b, struct ctr_err *e);

/* As above from an open descriptor; `name` is for messages. */
CTR_MUST int ctr_fd_read(int fd, const char *name, size_t max, struct ctr_buf *b,
			 struct ctr_err *e);

/*
 * Replaces `path` by p[0..n) with exactly `mode` (the umask has no say): temporary name in the same
 * directory, fsync, rename, fsync of the directory. On failure the old file is as it was.
 */
CTR_MUST int ctr_file_write(const char *path, const void *p, size_t n, unsigned mode,
			    struct ctr_err *e);

/* Writes all of it; EINTR and short writes are handled. */
CTR_MUST int ctr_fd_write(int fd, const char *name, const void *p, size_t n, struct ctr_err *e);

/* mkdir -p with `mode` for what is missing. */
CTR_MUST int ctr_mkdirs(const char *path, unsigned mode, struct ctr_err *e);

/*
 * 0 when the directory belongs to the caller and nobody else may write to it; CTR_ENV "cache.owner",
 * or "cache.open" when it cannot be looked at.
 */
CTR_MUST int ctr_dir_private(const char *path, struct ctr_err *e);

/* Bytes that wait: in memory up to 1 MiB, beyond that in an unlinked temporary file. */
struct ctr_spool {
	struct ctr_buf mem;
	int fd; /* -1 while everything is in memory */
	uint64_t n;
};
void ctr_spool_init(struct ctr_spool *s);
void ctr_spool_free(struct ctr_spool *s);
CTR_MUST int ctr_spool_add(struct ctr_spool *s, const void *p, size_t n, struct ctr_err *e);
/* Copies bytes [at, at + n) out into b. */
CTR_MUST int ctr_spool_read(struct ctr_spool *s, uint64_t at, size_t n, struct ctr_buf *b,
			    struct ctr_err *e);
/* Writes everything to fd. */
CTR_MUST int ctr_spool_send(struct ctr_spool *s, int fd, const char *name, struct ctr_err *e);
#define ctr_auto_spool CTR_AUTO(ctr_spool_free)

#endif
