#include "volume.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "enc.h"
#include "file.h"
#include "join.h"
#include "kdf.h"
#include "luks.h"
#include "luks_check.h"
#include "mark.h"
#include "output.h"
#include "rd.h"

#define EDGE ((size_t)1 << 20)

static int read_at(int fd, const char *name, off_t at, size_t n, struct ctr_buf *b,
		   struct ctr_err *e)
{
	uint8_t *to;

	ctr_buf_reset(b);
	to = ctr_buf_room(b, n);
	if (!to)
		return ctr_buf_ok(b, "device", e);
	for (size_t got = 0; got < n;) {
		ssize_t k = pread(fd, to + got, n - got, at + (off_t)got);

		if (k <= 0)
			return k < 0 ? ctr_fail_sys(e, "read", "%s", name)
				     : ctr_fail(e, CTR_ENV, "read", "%s: ends early", name);
		got += (size_t)k;
	}
	ctr_buf_commit(b, n);
	return 0;
}

static bool starts(const struct ctr_buf *b, const char *with, size_t n)
{
	return b->n >= n && ctr_same(b->p, with, n);
}

int volume_look(const char *device, enum volume_kind *kind, struct ctr_buf *header,
		struct ctr_err *e)
{
	static const char magic[] = "LUKS\xba\xbe\0\2"; /* version 2 */
	ctr_auto_fd int fd = open(device, O_RDONLY | O_CLOEXEC);
	ctr_auto_buf struct ctr_buf edge = { 0 };
	off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);

	if (size < 0)
		return ctr_fail_sys(e, "open", "%s", device);
	if ((size_t)size < 2 * LUKS_OFFSET || size % LUKS_SECTOR)
		return ctr_fail(e, CTR_NO, "volume.size",
				"%s: %llu bytes (expected 32 MiB or more, a multiple of %d)",
				device, (unsigned long long)size, LUKS_SECTOR);
	if (read_at(fd, device, 0, EDGE, &edge, e) < 0)
		return -1;
	ctr_buf_add(header, edge.p, LUKS_HEADER);
	if (ctr_buf_ok(header, "header", e) < 0)
		return -1;
	*kind = VOLUME_FOREIGN;
	if (starts(&edge, magic, 8))
		*kind = VOLUME_LUKS2;
	else if (starts(&edge, MARK, sizeof MARK))
		*kind = VOLUME_EMPTY;
	if (*kind != VOLUME_FOREIGN || !ctr_zero(edge.p, EDGE))
		return 0;
	if (read_at(fd, device, size - (off_t)EDGE, EDGE, &edge, e) < 0)
		return -1;
	if (ctr_zero(edge.p, EDGE))
		*kind = VOLUME_EMPTY;
	return 0;
}

int volume_key(const struct ctr_secret *secret, const char *name, const char *uuid, size_t n,
	       struct ctr_secret *key, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf info = { 0 };

	/* neither a name nor a UUID holds a blank */
	ctr_buf_addf(&info, "ctr luks2 volume v1 %s %s", name, uuid);
	if (ctr_buf_ok(&info, "key", e) < 0)
		return -1;
	return ctr_hkdf(NULL, 0, secret->p, secret->n, info.p, n, key, e);
}

int volume_secret(const char *output, struct ctr_secret *secret, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf path = { 0 }, hex = { .wipe = true };

	ctr_buf_addf(&path, "%s/" SECRET_SEED, output);
	if (ctr_buf_ok(&path, "path", e) < 0)
		return -1;
	if (ctr_file_read(path.p, 4096, &hex, e) < 0)
		return ctr_err_fix(e, "ctr-initializer join puts it there, for a policy that has a "
				      "WorkloadSecretID in the manifest");
	if (ctr_secret_new(secret, CTR_JOIN_SECRET_SIZE, e) < 0)
		return -1;
	return ctr_hex_parse(ctr_buf_str(&hex), hex.n, secret->p, secret->n, e) < 0
		       ? ctr_wrap(e, "%s", path.p)
		       : 0;
}

bool volume_name_sound(const char *name)
{
	static const char alnum[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t n = strlen(name);

	if (n == 0 || n > VOLUME_NAME_MAX || !strchr(alnum, name[0]))
		return false;
	for (; *name; name++) {
		if (!strchr(alnum, *name) && !strchr("_.-", *name))
			return false;
	}
	return true;
}

bool volume_name(const char *mount, char name[VOLUME_NAME_MAX + 1])
{
	size_t n = 0;

	mount += strspn(mount, "/");
	for (; *mount; mount++) {
		if (*mount == '/' && (mount[1] == '/' || mount[1] == '\0'))
			continue;
		if (n == VOLUME_NAME_MAX)
			return false;
		name[n++] = *mount == '/' ? '-' : *mount;
	}
	name[n] = '\0';
	return volume_name_sound(name);
}
