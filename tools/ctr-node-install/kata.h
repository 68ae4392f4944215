/* Kata's configuration for each platform: every value is in the table of kata.c. */
#ifndef TOOLS_CTR_NODE_INSTALL_KATA_H
#define TOOLS_CTR_NODE_INSTALL_KATA_H

#include "buf.h"

struct kata_platform {
	const char *name; /* "qemu-snp" */
	unsigned set;	  /* what the table's rows are chosen by */
};

struct kata {
	const struct kata_platform *platform;
	bool debug;
	const char *kernel_params, *id_block, *id_auth; /* "" when there are none */
};

const struct kata_platform *kata_platform(const char *name); /* NULL: unknown */
const char *kata_tee(const struct kata_platform *p);	     /* "snp" or "tdx" */
const char *kata_platforms(void);			     /* their names, for messages */

/* The i-th file that the platform needs, as a path below the runtime's directory; NULL behind the
 * last. */
const char *kata_needs(const struct kata_platform *p, size_t i);

/* The shim that containerd starts, likewise. */
#define KATA_SHIM "bin/containerd-shim-kata-v2"

/* Appends the configuration, with files below `base`. */
void kata_config(const struct kata *k, const char *base, struct ctr_buf *b);

#endif
