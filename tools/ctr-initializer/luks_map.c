#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "file.h"
#include "luks_int.h"

#define WIPE_BLOCK ((size_t)1 << 20)

static int map(struct luks *l, const char *name, const struct ctr_secret *key, uint32_t flags,
	       struct ctr_err *e)
{
	int rc = l->lib->activate_by_volume_key(l->cd, name, (const char *)key->p, key->n, flags);

	if (rc >= 0)
		return 0;
	luks_failed(l, rc, "luks.open", name, e);
	return access("/sys/class/misc/device-mapper", F_OK) < 0
		       ? ctr_err_fix(e, "the kernel needs device mapper, dm-crypt and, for "
					"--integrity, dm-integrity")
		       : -1;
}

static int fill(struct luks *l, const char *name, const struct ctr_secret *key, struct ctr_err *e)
{
	char path[160];
	int rc;

	snprintf(path, sizeof path, "%s/%s", l->lib->get_dir(), name);
	if (map(l, name, key, CRYPT_ACTIVATE_PRIVATE | CRYPT_ACTIVATE_NO_JOURNAL, e) < 0)
		return -1;
	rc = l->lib->wipe(l->cd, path, CRYPT_WIPE_ZERO, 0, 0, WIPE_BLOCK, 0, NULL, NULL);
	l->lib->deactivate_by_name(l->cd, name, 0);
	return rc < 0 ? luks_failed(l, rc, "luks.open", path, e) : 0;
}

int luks_open(struct luks *l, const char *name, const struct ctr_secret *key, bool wipe,
	      struct ctr_err *e)
{
	if (wipe && fill(l, name, key, e) < 0)
		return -1;
	return map(l, name, key, 0, e);
}

int luks_close(const char *name, struct ctr_err *e)
{
	const struct luks_lib *fn = luks_lib(e);
	int rc = fn ? fn->deactivate_by_name(NULL, name, CRYPT_DEACTIVATE_DEFERRED) : 0;

	if (!fn)
		return -1;
	return rc < 0 ? ctr_fail(e, CTR_ENV, "luks.open", "%s: %s", name, strerror(-rc)) : 0;
}

bool luks_active(const struct luks *l, const char *name, bool *ours)
{
	ctr_auto_buf struct ctr_buf is = { 0 }, want = { 0 }, path = { 0 };
	struct stat st;

	*ours = false;
	ctr_buf_addf(&path, "%s/%s", l->lib->get_dir(), name);
	if (path.bad || stat(path.p, &st) < 0)
		return false;
	/* device mapper's own name of it: CRYPT-LUKS2-UUID without dashes-NAME */
	ctr_buf_adds(&want, "CRYPT-LUKS2-");
	for (const char *u = luks_uuid(l); *u; u++) {
		if (*u != '-')
			ctr_buf_addc(&want, *u);
	}
	ctr_buf_addf(&want, "-%s\n", name);
	ctr_buf_reset(&path);
	ctr_buf_addf(&path, "/sys/dev/block/%u:%u/dm/uuid", major(st.st_rdev), minor(st.st_rdev));
	*ours = !path.bad && !want.bad && ctr_file_read(path.p, 4096, &is, NULL) == 0 &&
		strcmp(ctr_buf_str(&is), want.p) == 0;
	return true;
}
