#include "docs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define PIECE ((size_t)64 * 1024)

int ctr_docs_open(struct ctr_docs *d, const char *path, struct ctr_err *e)
{
	bool std = strcmp(path, "-") == 0;

	*d = (struct ctr_docs){ .name = std ? "standard input" : path, .fd = STDIN_FILENO, .next_line = 1 };
	if (std)
		return 0;
	d->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (d->fd < 0)
		return ctr_fail_sys(e, "open", "%s", path);
	d->own = true;
	return 0;
}

void ctr_docs_close(struct ctr_docs *d)
{
	if (d->own)
		close(d->fd);
	d->own = false;
	ctr_buf_free(&d->buf);
}

/* Moves what is left to the front and reads as much again, so that all reading is linear. */
static int fill(struct ctr_docs *d, struct ctr_err *e)
{
	size_t left = d->buf.n - d->at, want = left < PIECE ? PIECE : left;

	if (left > CTR_YAML_MAX)
		return ctr_fail(e, CTR_FORMAT, "limit", "%s: a document larger than %zu bytes", d->name,
				CTR_YAML_MAX);
	if (d->at > 0) {
		memmove(d->buf.p, d->buf.p + d->at, left);
		d->buf.n = left;
		d->at = 0;
	}
	while (want > 0 && !d->end) {
		uint8_t *to = ctr_buf_room(&d->buf, want);
		ssize_t got;

		if (!to)
			return ctr_buf_ok(&d->buf, d->name, e);
		got = read(d->fd, to, want);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ctr_fail_sys(e, "read", "%s", d->name);
		ctr_buf_commit(&d->buf, (size_t)got);
		want -= (size_t)got;
		d->end = got == 0;
	}
	return 0;
}

int ctr_docs_next(struct ctr_docs *d, bool *more, struct ctr_err *e)
{
	unsigned lines = 0;
	size_t len = 0;

	*more = false;
	for (;;) {
		if (d->buf.n > d->at)
			ctr_yaml_split(d->buf.p + d->at, d->buf.n - d->at, d->end, &len, &lines);
		if (len > 0)
			break;
		if (d->end)
			return 0;
		if (fill(d, e) < 0)
			return -1;
	}
	d->text = d->buf.p + d->at;
	d->len = len;
	d->line = d->next_line;
	d->at += len;
	d->next_line += lines;
	*more = true;
	return 0;
}
