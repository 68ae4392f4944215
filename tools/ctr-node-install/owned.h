/*
 * The parts of a text file that are ours, between two comment lines each:
 *
 *	# ctr-node-install: begin NAME
 *	...
 *	# ctr-node-install: end NAME
 *
 * Every other byte is somebody else's and survives. Works on text alone, so it serves for templates
 *too.
 */
#ifndef TOOLS_CTR_NODE_INSTALL_OWNED_H
#define TOOLS_CTR_NODE_INSTALL_OWNED_H

#include "buf.h"

#define OWNED_MAX 64 /* parts of one file */
#define OWNED_NAME 80
/* Stands behind a last line that had no line end; goes with the last of our parts. */
#define OWNED_JOINT "joint"

struct owned_part {
	char name[OWNED_NAME];
	size_t from, to; /* with the comment lines */
	size_t in, end;	 /* without them */
};

struct owned {
	struct owned_part v[OWNED_MAX];
	size_t n;
};

/* Finds the parts. CTR_FORMAT "owned" when a mark is without its other half, twice there, or
 * damaged. */
CTR_MUST int owned_find(const char *file, const char *p, size_t n, struct owned *o,
			struct ctr_err *e);
const struct owned_part *owned_get(const struct owned *o, const char *name);

/* Appends what is not ours, byte for byte as it was before us. */
void owned_rest(const char *p, size_t n, const struct owned *o, struct ctr_buf *b);

/* Appends the insides of all our parts. */
void owned_inside(const char *p, const struct owned *o, struct ctr_buf *b);

/*
 * Appends the text with part `name` holding `body` (whole lines ended by \n, written with the line
 * ends of the file): in its place when there is one, else at the end.
 */
CTR_MUST int owned_put(const char *p, size_t n, const struct owned *o, const char *name,
		       const char *body, struct ctr_buf *b, struct ctr_err *e);

/*
 * Appends the text without part `name`; when what remains of ours are only parts that serve others
 * (all whose names are without a colon), without them as well, but for `keep` (NULL: none).
 */
void owned_drop(const char *p, size_t n, const struct owned *o, const char *name, const char *keep,
		struct ctr_buf *b);

#endif
