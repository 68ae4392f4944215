#include "volume.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "file.h"
#include "guard.h"
#include "luks.h"
#include "mark.h"

#define MAPPER "/dev/mapper/"

struct work {
	const struct volume *v;
	struct ctr_secret secret, key;
	struct luks *luks;
	bool fresh; /* made here: no header on the device yet */
	char node[sizeof MAPPER + VOLUME_NAME_MAX];
};

static void work_free(struct work *w)
{
	ctr_secret_free(&w->secret);
	ctr_secret_free(&w->key);
	luks_free(w->luks);
}

static int derive(struct work *w, const char *uuid, struct ctr_err *e)
{
	ctr_secret_free(&w->key);
	return volume_key(&w->secret, w->v->name, uuid, luks_key_size(w->v->integrity), &w->key, e);
}

/* Opens what the device's header says. */
static int known(struct work *w, const struct ctr_buf *header, struct ctr_err *e)
{
	if (luks_load(w->v->device, w->v->integrity, header->p, &w->luks, e) < 0 ||
	    derive(w, luks_uuid(w->luks), e) < 0)
		return -1;
	return luks_verify(w->luks, &w->key, e);
}

/* Version 4 (RFC 9562). */
static int new_uuid(char uuid[LUKS_UUID], struct ctr_err *e)
{
	uint8_t r[16];

	if (getrandom(r, sizeof r, 0) != sizeof r)
		return ctr_fail_sys(e, "luks.format", "no random UUID");
	r[6] = (uint8_t)(0x40 | (r[6] & 0x0f));
	r[8] = (uint8_t)(0x80 | (r[8] & 0x3f));
	snprintf(uuid, LUKS_UUID,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", r[0], r[1],
		 r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13], r[14],
		 r[15]);
	return 0;
}

static int write_at(const char *device, int flags, const void *p, size_t n, off_t at,
		    struct ctr_err *e)
{
	ctr_auto_fd int fd = open(device, O_WRONLY | O_CLOEXEC | flags);

	if (fd < 0)
		return ctr_fail_sys(e, "open", "%s", device);
	if (lseek(fd, at, SEEK_SET) < 0)
		return ctr_fail_sys(e, "write", "%s", device);
	if (ctr_fd_write(fd, device, p, n, e) < 0)
		return -1;
	return fsync(fd) < 0 ? ctr_fail_sys(e, "write", "%s", device) : 0;
}

/* Until the header is there the device is one that was not finished: a kill leaves nothing that
 * looks like a volume and is none. */
static int mark(const struct work *w, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct stat st;
	bool block = stat(w->v->device, &st) == 0 && S_ISBLK(st.st_mode);
	uint8_t *to = ctr_buf_room(&b, LUKS_HEADER);

	if (!to)
		return ctr_buf_ok(&b, "header", e);
	memset(to, 0, LUKS_HEADER);
	memcpy(to, MARK, sizeof MARK);
	/* O_EXCL: no block device that is mounted or mapped */
	return write_at(w->v->device, block ? O_EXCL : 0, to, LUKS_HEADER, 0, e);
}

/* The second copy first: the device begins with a header only when both are there. */
static int finish(struct work *w, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf h = { 0 };
	size_t half = LUKS_HEADER / 2;

	if (luks_header(w->luks, &h, e) < 0 ||
	    write_at(w->v->device, 0, h.p + half, half, (off_t)half, e) < 0)
		return -1;
	return write_at(w->v->device, 0, h.p, half, 0, e);
}

static int make(struct work *w, struct ctr_err *e)
{
	char uuid[LUKS_UUID];

	luks_free(w->luks);
	w->luks = NULL;
	w->fresh = true;
	if (new_uuid(uuid, e) < 0 || derive(w, uuid, e) < 0 || mark(w, e) < 0)
		return -1;
	return luks_format(w->v->device, w->v->integrity, uuid, &w->key, &w->luks, e);
}

static int foreign(const struct volume *v, struct ctr_err *e)
{
	ctr_fail(e, CTR_NO, "volume.foreign", "%s: holds something that is no volume of ours",
		 v->device);
	return ctr_err_fix(e, "--format makes one in its place, and destroys what is there");
}

/* Ends with a header in w->luks, the device's or a new one. */
static int prepare(struct work *w, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf header = { 0 };
	const struct volume *v = w->v;
	struct ctr_err why = { 0 };
	enum volume_kind kind;

	if (volume_look(v->device, &kind, &header, e) < 0)
		return -1;
	if (kind == VOLUME_LUKS2) {
		if (known(w, &header, &why) == 0)
			return 0;
		if (why.code != CTR_NO || !v->format || v->existing)
			return ctr_err_pass(e, &why);
	}
	if (v->existing)
		return ctr_fail(e, CTR_NO, "volume.empty", "%s: no volume is there", v->device);
	if (kind == VOLUME_FOREIGN && !v->format)
		return foreign(v, e);
	ctr_log(v->log, CTR_INFO, "volume.make", v->device, 0, 0, "makes a volume");
	return make(w, e);
}

static int run(const char *const argv[], const char *id, struct ctr_err *e)
{
	struct ctr_err why = { 0 };

	if (guard_exec(argv, 0, &why) == 0)
		return 0;
	return ctr_fail(e, CTR_ENV, id, "%s: %s", argv[0], why.msg);
}

static int make_fs(const struct work *w, struct ctr_err *e)
{
	const char *const argv[] = { "mkfs.ext4", "-q", "-b", "4096", w->node, NULL };

	return run(argv, "volume.mkfs", e);
}

static int open_mapping(struct work *w, struct ctr_err *e)
{
	bool ours;

	if (luks_active(w->luks, w->v->name, &ours))
		return ours ? 0
			    : ctr_fail(e, CTR_ENV, "volume.name",
				       "%s: is mapped for something else", w->node);
	if (luks_open(w->luks, w->v->name, &w->key, w->fresh && w->v->integrity, e) < 0)
		return -1;
	if (w->fresh && (make_fs(w, e) < 0 || finish(w, e) < 0)) {
		if (luks_close(w->v->name, NULL) < 0)
			ctr_log(w->v->log, CTR_WARN, "volume.mkfs", w->node, 0, 0, "stays mapped");
		return -1;
	}
	return 0;
}

/* The mount point is the root of what the mapping holds. */
static bool mounted(const struct work *w)
{
	struct stat dev, at, up;
	ctr_auto_buf struct ctr_buf parent = { 0 };

	ctr_buf_addf(&parent, "%s/..", w->v->mount);
	return !parent.bad && stat(w->node, &dev) == 0 && stat(w->v->mount, &at) == 0 &&
	       stat(parent.p, &up) == 0 && at.st_dev == dev.st_rdev && up.st_dev != at.st_dev;
}

int volume_run(const struct volume *v, struct ctr_err *e)
{
	CTR_AUTO(work_free) struct work w = { .v = v };

	snprintf(w.node, sizeof w.node, MAPPER "%s", v->name);
	if (volume_secret(v->output, &w.secret, e) < 0 || prepare(&w, e) < 0 ||
	    open_mapping(&w, e) < 0)
		return -1;
	if (mounted(&w))
		return 0;
	if (ctr_mkdirs(v->mount, 0755, e) < 0)
		return -1;
	return mount(w.node, v->mount, "ext4", MS_NOSUID | MS_NODEV, NULL) < 0
		       ? ctr_fail_sys(e, "volume.mount", "%s on %s", w.node, v->mount)
		       : 0;
}

int volume_end(const struct volume *v, struct ctr_err *e)
{
	sync();
	if (umount2(v->mount, MNT_DETACH) < 0)
		return ctr_fail_sys(e, "volume.mount", "%s: umount", v->mount);
	return luks_close(v->name, e);
}

int volume_ready(const char *mount, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf parent = { 0 }, path = { 0 }, uuid = { 0 };
	static const char ours[] = "CRYPT-LUKS2-";
	struct stat at, up;

	ctr_buf_addf(&parent, "%s/..", mount);
	if (ctr_buf_ok(&parent, "path", e) < 0)
		return -1;
	if (stat(mount, &at) == 0 && stat(parent.p, &up) == 0 && at.st_dev != up.st_dev) {
		ctr_buf_addf(&path, "/sys/dev/block/%u:%u/dm/uuid", major(at.st_dev),
			     minor(at.st_dev));
		if (!path.bad && ctr_file_read(path.p, 4096, &uuid, NULL) == 0 &&
		    strncmp(ctr_buf_str(&uuid), ours, sizeof ours - 1) == 0)
			return 0;
	}
	return ctr_fail(e, CTR_NO, "volume.ready", "%s: no encrypted volume is mounted there",
			mount);
}
