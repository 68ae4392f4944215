/* An encrypted volume for the workload: made when the device is empty, opened and mounted. */
#ifndef TOOLS_CTR_INITIALIZER_VOLUME_H
#define TOOLS_CTR_INITIALIZER_VOLUME_H

#include "buf.h"
#include "log.h"

#define VOLUME_NAME_MAX 64

struct volume {
	const char *device; /* block device, or a file */
	const char *mount;  /* directory, made when missing */
	const char *name;   /* of the mapping; goes into the key */
	const char *output; /* holds the secret (output.h) */
	bool integrity;	    /* authenticated, sector by sector */
	bool format;	    /* make a volume also where something else is */
	bool existing;	    /* never make one */
	struct ctr_log *log;
};

/* What a device holds. */
enum volume_kind {
	VOLUME_EMPTY,	/* zeros, or one of ours that was not finished */
	VOLUME_LUKS2,	/* a LUKS2 header, by whomever */
	VOLUME_FOREIGN, /* anything else */
};

/*
 * Looks at the first and the last MiB, and gives the first LUKS_HEADER bytes. CTR_ENV "open",
 * "read"; CTR_NO "volume.size": too small to be of use, or not a multiple of 4096 bytes.
 */
CTR_MUST int volume_look(const char *device, enum volume_kind *kind, struct ctr_buf *header,
			 struct ctr_err *e);

/*
 * The key of a volume: HKDF-SHA256 of the workload secret, with "ctr luks2 volume v1", the name and
 * the header's UUID as info. Each format has its own, and a volume under another's name does not
 * open. The caller frees *key.
 */
CTR_MUST int volume_key(const struct ctr_secret *secret, const char *name, const char *uuid,
			size_t n, struct ctr_secret *key, struct ctr_err *e);

/* The secret in an output directory. CTR_ENV "open"; CTR_FORMAT "hex". */
CTR_MUST int volume_secret(const char *output, struct ctr_secret *secret, struct ctr_err *e);

/* A name for the mapping from the mount point: "/data/db" is "data-db". False: it gives none. */
bool volume_name(const char *mount, char name[VOLUME_NAME_MAX + 1]);
/* Letters, digits, "_", "." and "-", up to VOLUME_NAME_MAX, the first one a letter or digit. */
bool volume_name_sound(const char *name);

/*
 * All of it; what is done already is not done again. CTR_NO: "volume.foreign" (something else is
 * there, and not `format`), "volume.empty" (nothing is, and `existing`), "luks.header", "luks.key".
 * CTR_ENV: "volume.name" (the name is in use for another), "luks.format", "luks.open",
 * "volume.mkfs", "volume.mount".
 */
CTR_MUST int volume_run(const struct volume *v, struct ctr_err *e);

/* Takes the mount and the mapping away again; what still uses them keeps them until it ends. */
CTR_MUST int volume_end(const struct volume *v, struct ctr_err *e);

/* Whether an encrypted volume is mounted at the directory: CTR_NO "volume.ready". */
CTR_MUST int volume_ready(const char *mount, struct ctr_err *e);

#endif
