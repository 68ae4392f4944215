/* What the parts of luks.h share. */
#ifndef TOOLS_CTR_INITIALIZER_LUKS_INT_H
#define TOOLS_CTR_INITIALIZER_LUKS_INT_H

#include "luks.h"
#include "luks_lib.h"

struct luks {
	const struct luks_lib *lib;
	struct crypt_device *cd;
	int fd;	       /* the copy of the header */
	char why[256]; /* the library's last words, after ": " */
};

/* CTR_ENV with a negative errno of the library. Returns -1. */
int luks_failed(const struct luks *l, int rc, const char *id, const char *what, struct ctr_err *e);

#endif
