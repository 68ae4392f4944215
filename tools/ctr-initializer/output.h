/*
 * The directory that the workload reads. All of a join is in one place, which one symbolic link
 * points at, so that everything appears, and later changes, in a single step:
 *
 *     tls-config -> ..data/tls-config        secrets -> ..data/secrets
 *     ..data -> ..ctr-0123456789abcdef       the step
 *     ..ctr-0123456789abcdef/tls-config/…    mode 0444, key.pem 0400
 *     ..ctr-0123456789abcdef/secrets/…       mode 0400
 *
 * The directory itself may be a mounted volume. What was there before stays until the next change:
 * a reader that opened the directory finds key and certificate of one join.
 */
#ifndef TOOLS_CTR_INITIALIZER_OUTPUT_H
#define TOOLS_CTR_INITIALIZER_OUTPUT_H

#include <sys/types.h>

#include "handshake.h"

struct output {
	const char *dir;
	bool has_group;
	gid_t group; /* may read key and secret */
};

#define SECRET_SEED "secrets/workload-secret-seed"

/*
 * Replaces what is there. A secret that is as before stays the same file; *changed: there was
 * another. Two processes wait for each other. CTR_ENV: "open", "mkdir", "write"; "output.foreign":
 * the directory holds something else under these names. On failure what was there stays.
 */
CTR_MUST int output_write(const struct output *o, const struct joined *j, bool *changed,
			  struct ctr_err *e);

/* Certificates and their validity into an empty j, no key and no secret. *there: there are some. */
CTR_MUST int output_read(const struct output *o, struct joined *j, bool *there, struct ctr_err *e);

#endif
