/* Is a LUKS2 header the one that this tool writes? Nothing in it is authenticated. */
#ifndef TOOLS_CTR_INITIALIZER_LUKS_CHECK_H
#define TOOLS_CTR_INITIALIZER_LUKS_CHECK_H

#include "err.h"

#define LUKS_OFFSET ((size_t)16 << 20) /* bytes before the data */
#define LUKS_SECTOR 4096
#define LUKS_ITERATIONS 1000 /* of the digest: the least that there is */
#define LUKS_CIPHER "aes"
#define LUKS_MODE "xts-plain64"
#define LUKS_INTEGRITY "hmac(sha256)"

/*
 * The metadata as libcryptsetup gives them, JSON: one segment from LUKS_OFFSET to the end, with
 * exactly the cipher, mode, sector size and integrity that are written, one digest, no key slot, no
 * token, no flag, no requirement, nothing else. A host that wrote another cipher (cipher_null,
 * CVE-2025-71422), a slot or a token of its own is refused. CTR_NO "luks.header" naming the place.
 */
CTR_MUST int luks_check(const char *json, size_t n, bool integrity, struct ctr_err *e);

#endif
