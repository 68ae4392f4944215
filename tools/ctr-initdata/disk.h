/*
 * The disk that brings the initdata into the guest: "initdata", the length of what follows as 8
 * bytes (little-endian), a gzip member, zeros up to a whole number of sectors (kata-containers,
 * src/agent/src/initdata.rs).
 */
#ifndef TOOLS_CTR_INITDATA_DISK_H
#define TOOLS_CTR_INITDATA_DISK_H

#include "buf.h"

#define DISK_MAGIC "initdata"
#define DISK_MAGIC_SIZE 8
#define DISK_SECTOR 512
/* The largest document that cannot be compressed, its gzip frame, and zeros of a device that is
 * larger. */
#define DISK_MAX ((size_t)18 << 20)

/*
 * Appends the document in the disk p[0..n), which is read to its last byte. CTR_FORMAT
 * "disk.magic", "disk.length" (none, more than there is, or a part of a sector), "disk.padding"
 * (something behind the data), "initdata.gzip".
 */
CTR_MUST int disk_parse(const void *p, size_t n, struct ctr_buf *toml, struct ctr_err *e);

/* Appends the disk of a document: same bytes in, same bytes out. */
CTR_MUST int disk_make(const char *toml, size_t n, struct ctr_buf *disk, struct ctr_err *e);

/* Does it begin like a disk? */
bool disk_magic(const void *p, size_t n);

/* Where the disk is looked for. */
struct disk_search {
	const char *path; /* this device or file; NULL: the disks of dir */
	const char *dir;  /* "/dev": its block devices vd* and sd*, as the agent looks */
	bool files;	  /* for tests: regular files of dir as well */
};

/*
 * Appends the bytes of the one disk that begins with the magic, each byte read once, and its path.
 * CTR_ENV "disk.none", "open", "read"; CTR_FORMAT "disk.many" (the host would choose between them),
 * "limit" (larger than DISK_MAX), "disk.magic" (path is none).
 */
CTR_MUST int disk_find(const struct disk_search *s, struct ctr_buf *path, struct ctr_buf *disk,
		       struct ctr_err *e);

#endif
