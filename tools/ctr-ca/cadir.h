/* A mesh CA as a directory: root-ca.pem, intermediate.pem, mesh-ca.pem, mesh-ca.key. */
#ifndef TOOLS_CTR_CA_CADIR_H
#define TOOLS_CTR_CA_CADIR_H

#include "ca.h"
#include "log.h"

/* Makes the directory: it is there whole, or not at all. CTR_ENV "ca.exists". */
CTR_MUST int cadir_write(const char *dir, const struct ctr_root *r, const struct ctr_mesh *m,
			 struct ctr_err *e);

/* The caller frees *m. Warns ("key.exposed") when others may read the key. */
CTR_MUST int cadir_read(const char *dir, struct ctr_log *log, struct ctr_mesh **m,
			struct ctr_err *e);

#endif
