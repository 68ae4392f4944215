/*
 * LUKS2 volumes whose key is not in the header: it is derived (volume.h), so there is no key slot,
 * and nothing that the host writes into the header can yield another key. The header is worked on
 * as a copy in memory, and the volume is opened with that copy: what was checked is what is used.
 */
#ifndef TOOLS_CTR_INITIALIZER_LUKS_H
#define TOOLS_CTR_INITIALIZER_LUKS_H

#include "buf.h"

#define LUKS_HEADER ((size_t)32 * 1024) /* bytes of the two copies at the start of the device */
#define LUKS_UUID 37			/* with its NUL */

struct luks;
void luks_free(struct luks *l); /* NULL is legal */
void luks_cleanup(struct luks **l);
#define auto_luks CTR_AUTO(luks_cleanup)

size_t luks_key_size(bool integrity);

/* A new header, in memory alone. With integrity the device is written to. CTR_ENV "luks.format". */
CTR_MUST int luks_format(const char *device, bool integrity, const char *uuid,
			 const struct ctr_secret *key, struct luks **out, struct ctr_err *e);
/* From the first LUKS_HEADER bytes of the device. CTR_NO "luks.header" (luks_check.h). */
CTR_MUST int luks_load(const char *device, bool integrity, const void *header, struct luks **out,
		       struct ctr_err *e);

const char *luks_uuid(const struct luks *l);
/* The header for the device, appended. */
CTR_MUST int luks_header(const struct luks *l, struct ctr_buf *out, struct ctr_err *e);
/* CTR_NO "luks.key": it was made with another. */
CTR_MUST int luks_verify(const struct luks *l, const struct ctr_secret *key, struct ctr_err *e);

/*
 * Makes /dev/mapper/NAME; wipe: writes all of it first, so that there are tags to be read (with
 * integrity). CTR_ENV "luks.open".
 */
CTR_MUST int luks_open(struct luks *l, const char *name, const struct ctr_secret *key, bool wipe,
		       struct ctr_err *e);
/* What still uses it keeps it until it ends. */
CTR_MUST int luks_close(const char *name, struct ctr_err *e);

/* Something is mapped under the name; *ours: with this header's UUID. */
bool luks_active(const struct luks *l, const char *name, bool *ours);

#endif
