/* A stream of YAML or JSON documents, one at a time, however long the stream is. */
#ifndef LIB_DOCS_H
#define LIB_DOCS_H

#include "yaml.h"

struct ctr_docs {
	const char *name; /* for messages; "standard input" for "-" */
	const char *text; /* the present document's bytes, good until the next call */
	size_t len;
	unsigned line; /* of its first line in the stream, 1-based */
	/* not for users */
	int fd;
	bool own, end;
	struct ctr_buf buf;
	size_t at;
	unsigned next_line;
};

/* path "-" is standard input; the string must live as long. */
CTR_MUST int ctr_docs_open(struct ctr_docs *d, const char *path, struct ctr_err *e);
/* *more is false behind the last. Joined, the documents are the stream byte for byte. CTR_FORMAT "limit". */
CTR_MUST int ctr_docs_next(struct ctr_docs *d, bool *more, struct ctr_err *e);
void ctr_docs_close(struct ctr_docs *d);
#define ctr_auto_docs CTR_AUTO(ctr_docs_close)

#endif
