#include "store_int.h"

#include <dirent.h>
#include <errno.h>
#include <fts.h>
#include <string.h>

#include "node.h"

static int delete_entry(const FTSENT *f, struct ctr_err *e)
{
	if (f->fts_info == FTS_D)
		return 0;
	if (f->fts_info == FTS_DNR || f->fts_info == FTS_ERR || f->fts_info == FTS_NS) {
		if (f->fts_errno == ENOENT)
			return 0;
		errno = f->fts_errno;
		return ctr_fail_sys(e, "delete", "%s", f->fts_path);
	}
	if ((f->fts_info == FTS_DP ? rmdir(f->fts_accpath) : unlink(f->fts_accpath)) < 0 &&
	    errno != ENOENT)
		return ctr_fail_sys(e, "delete", "%s", f->fts_path);
	return 0;
}

int store_delete(const char *real, struct ctr_err *e)
{
	ctr_auto char *top = strdup(real);
	char *const argv[] = { top, NULL };
	FTS *tree;
	int rc = 0;

	if (!top)
		return ctr_fail_mem(e);
	tree = fts_open(argv, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
	if (!tree)
		return ctr_fail_sys(e, "delete", "%s", real);
	for (FTSENT *f; rc == 0 && (f = fts_read(tree));)
		rc = delete_entry(f, e);
	fts_close(tree);
	return rc;
}

int store_remove(const char *root, const struct store_version *v, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf from = { 0 }, to = { 0 }, base = { 0 };

	if (node_path(root, v->dir, &from, NULL, e) < 0 ||
	    node_path(root, STORE_DIR, &base, NULL, e) < 0)
		return -1;
	ctr_buf_addf(&to, "%s/.old-%s-%s", base.p, v->handler, v->id);
	if (ctr_buf_ok(&to, "path", e) < 0 || store_delete(to.p, e) < 0)
		return -1;
	if (rename(from.p, to.p) < 0)
		return ctr_fail_sys(e, "delete", "%s", from.p);
	return store_delete(to.p, e);
}

int store_tidy(const char *root, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf base = { 0 };
	struct store_list all;
	bool exists;

	if (store_list(root, &all, e) < 0 || node_path(root, STORE_DIR, &base, &exists, e) < 0)
		return -1;
	return all.n > 0 || !exists ? 0 : store_delete(base.p, e);
}

int store_sweep(const char *root, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf base = { 0 };
	struct dirent *d;
	bool exists;
	int rc = 0;
	DIR *dir;

	if (node_path(root, STORE_DIR, &base, &exists, e) < 0)
		return -1;
	dir = exists ? opendir(base.p) : NULL;
	if (!dir)
		return 0;
	while (rc == 0 && (d = readdir(dir))) {
		ctr_auto_buf struct ctr_buf path = { 0 };

		if (strncmp(d->d_name, ".new-", 5) != 0 && strncmp(d->d_name, ".old-", 5) != 0)
			continue;
		ctr_buf_addf(&path, "%s/%s", base.p, d->d_name);
		rc = ctr_buf_ok(&path, "path", e) < 0 ? -1 : store_delete(path.p, e);
	}
	closedir(dir);
	return rc;
}
