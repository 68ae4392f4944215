/*
 * Makes small images for the tests: tar archives, compressed layers, OCI image layouts. Failures
 * end the test program.
 */
#ifndef TESTS_SIM_MKIMAGE_H
#define TESTS_SIM_MKIMAGE_H

#include <stdint.h>

#include "buf.h"
#include "oci.h"

/* One ustar entry with its data and padding, appended. link may be NULL. */
void mk_entry(struct ctr_buf *tar, const char *name, char type, const char *link, const void *data,
	      size_t n);
void mk_file(struct ctr_buf *tar, const char *name, const char *text);
void mk_link(struct ctr_buf *tar, const char *name, char type, const char *target);
/* Puts the sum of the 512 bytes at p into its checksum field. */
void mk_checksum(uint8_t *p);
/* The two zero blocks. */
void mk_end(struct ctr_buf *tar);

void mk_gzip(const struct ctr_buf *in, struct ctr_buf *out);
void mk_zstd(const struct ctr_buf *in, struct ctr_buf *out);

/* Fresh directory below TMPDIR, removed with all its contents by mk_rmdir. */
char *mk_tmpdir(void);
void mk_rmdir(char *dir); /* frees the name too */

enum mk_pack { MK_PLAIN, MK_GZIP, MK_ZSTD };

/* An image to be: layers as tar texts, lowest first. */
struct mk_image {
	const char *name;   /* annotation org.opencontainers.image.ref.name, NULL for none */
	const char *config; /* the config member, a JSON object; NULL is {} */
	const char *arch;   /* NULL is amd64 */
	struct ctr_buf layer[8];
	enum mk_pack pack[8];
	size_t n;
	char digest[CTR_OCI_DIGEST]; /* out: of the manifest */
	char layer_digest[8][CTR_OCI_DIGEST];
	size_t manifest_size;
};

/* Stores a blob and gives its digest. */
void mk_blob(const char *dir, const void *p, size_t n, char digest[CTR_OCI_DIGEST]);
/* Writes blobs of an image (index.json is not touched) and fills in the out fields. */
void mk_put(const char *dir, struct mk_image *im);
/* oci-layout and index.json; `manifests` is the text between the brackets. */
void mk_index(const char *dir, const char *manifests);
/* A layout with one image. */
void mk_layout(const char *dir, struct mk_image *im);
void mk_image_free(struct mk_image *im);

/* Writes a file below dir, making directories on the way. */
void mk_write(const char *dir, const char *name, const void *p, size_t n);

/* The smallest image: one layer, one file. */
struct mk_image mk_one(const char *name);
/*
 * Eight layers of every packing for the user svc: uid 105 in the topmost /etc/passwd, group 7 by
 * way of a symbolic link from /etc/group to /lib/group.
 */
struct mk_image mk_many(const char *name);

/* Runs a program, its standard output into out: its exit status, 127 when it is not there. */
int mk_run(char *const *argv, struct ctr_buf *out);

#endif
