/*
 * A tar archive pushed through in pieces of any size: ustar, pax (POSIX.1-2017), GNU long names.
 * Reads what Go's archive/tar reads, since that is what unpacks the image; memory is bounded by the
 * limits below.
 */
#ifndef TOOLS_CTR_POLICYGEN_TAR_H
#define TOOLS_CTR_POLICYGEN_TAR_H

#include <stdint.h>

#include "cleanup.h"
#include "err.h"

#define TAR_NAME_MAX ((size_t)4096)
#define TAR_PAX_MAX ((size_t)1 << 20)

/* An entry as the archive has it: the name is not cleaned. Borrowed, valid during the call. */
struct tar_entry {
	const char *name, *link;
	char type;     /* '0' file, '1' hard link, '2' symbolic link, '5' directory, others */
	bool sparse;   /* its data is not its content */
	uint64_t size; /* bytes of data to come */
};

struct tar_events {
	/* For each entry; *want asks for its data. */
	int (*entry)(void *ctx, const struct tar_entry *t, bool *want, struct ctr_err *e);
	int (*data)(void *ctx, const void *p, size_t n, struct ctr_err *e);
	void *ctx;
};

struct tar;
CTR_MUST int tar_new(const struct tar_events *ev, struct tar **out, struct ctr_err *e);
/* CTR_FORMAT "layer.tar" for what is no archive, "limit" for names and headers too long. */
CTR_MUST int tar_add(struct tar *t, const void *p, size_t n, struct ctr_err *e);
/* The stream is over: CTR_FORMAT "layer.tar" inside an entry. Missing end blocks are no error. */
CTR_MUST int tar_end(struct tar *t, struct ctr_err *e);
void tar_free(struct tar *t);
void tar_cleanup(struct tar **t);
#define auto_tar CTR_AUTO(tar_cleanup)

#endif
